//! The payment service's JSON: bodies out, bodies in.
//!
//! An amount is the number token itself: out with exactly the currency's digits, in from the bytes
//! as they came. Unknown members are let pass, as new ones may come any day; a member of ours that
//! comes twice, or with another type, makes the body unreadable.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::amount::exact;
use super::words::words;
use crate::domain::{Call, Money, Reply, TripKey};

/// The body of a request.
pub fn body(trip: &TripKey, call: &Call) -> String {
    // Ids are of 0-9 a-z A-Z _ - and a currency is three letters: there is nothing to escape.
    let (store, trip) = (&trip.store, &trip.trip);
    let names = format!(r#""storeId":"{store}","shoppingTripId":"{trip}""#);
    let Some(money) = call.amount() else {
        return format!("{{{names}}}");
    };
    let (amount, code) = (money.decimal_text(), money.currency());
    format!(r#"{{{names},"amount":{{"amount":{amount},"code":"{code}"}}}}"#)
}

/// Reads a JSON object; serde alone would take an array for a struct as well.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("not a JSON object".to_owned());
    }
    // Read as text first: a string that is let pass is not looked into by serde.
    let text = std::str::from_utf8(body).map_err(|why| words(&why.to_string()))?;
    serde_json::from_str(text).map_err(|why| words(&why.to_string()))
}

#[derive(Deserialize)]
struct Adjusted<'a> {
    status: String,
    #[serde(borrow, rename = "authorizedAmount")]
    authorized: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Amount<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    code: String,
}

/// What an object without error says about an Adjust of `asked`.
pub(super) fn adjusted(body: &[u8], asked: Money) -> Result<Reply, String> {
    let adjusted: Adjusted = object(body)?;
    let approved = match adjusted.status.as_str() {
        "APPROVED" => true,
        "DECLINED" => false,
        // The amount beside it is the one asked for, and means nothing.
        "PENDING" => return Ok(Reply::Pending),
        other => return Err(format!("status `{}` is not known", words(other))),
    };
    let Some(raw) = adjusted.authorized else {
        if approved {
            return Err("APPROVED without an authorizedAmount".to_owned());
        }
        let authorized = Money::zero(asked.currency());
        return Ok(Reply::Declined { authorized });
    };
    let amount: Amount = object(raw.get().as_bytes())?;
    if amount.code != asked.currency().code() {
        let (code, currency) = (words(&amount.code), asked.currency());
        let words = format!("asked in {currency}, the reply is in {code}");
        return Ok(Reply::Refused { words });
    }
    let authorized = authorized(amount.amount.get(), asked)?;
    Ok(if approved {
        // More than was asked for is of no use: a capture never exceeds the cart.
        let authorized = authorized.at_most(asked).unwrap_or(asked);
        Reply::Approved { authorized }
    } else {
        Reply::Declined { authorized }
    })
}

fn authorized(token: &str, asked: Money) -> Result<Money, String> {
    let unreadable = || format!("authorizedAmount `{}` is not an amount", words(token));
    let value = exact(token).ok_or_else(unreadable)?;
    let money = Money::from_decimal(value, asked.currency());
    let money = money.map_err(|why| words(&why.to_string()))?;
    if money.minor() < 0 {
        return Err(format!("authorizedAmount `{money}` is below zero"));
    }
    Ok(money)
}

#[derive(Deserialize)]
struct ServiceWords {
    #[serde(rename = "errorMsg")]
    words: String,
}

#[derive(Deserialize)]
struct GatewayWords {
    #[serde(rename = "message", alias = "Message")]
    words: String,
}

/// The `errorMsg` of the service's JSON, if that is what the body is.
pub(super) fn error_msg(body: &[u8]) -> Option<String> {
    let said: ServiceWords = object(body).ok()?;
    Some(words(&said.words))
}

/// The `message` of the gateway before the service, if that is what the body is.
pub(super) fn gateway_message(body: &[u8]) -> Option<String> {
    let said: GatewayWords = object(body).ok()?;
    Some(words(&said.words))
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, rename = "storeId")]
    store: Option<&'a RawValue>,
    #[serde(borrow, rename = "shoppingTripId")]
    trip: Option<&'a RawValue>,
}

/// True when the body names a trip, and it is not `asked`: an answer meant for somebody else.
pub(super) fn names_another_trip(body: &[u8], asked: &TripKey) -> bool {
    let other = |named: Option<&RawValue>, ours: &str| {
        // Ids need no escapes, so the same id is the same token.
        named.is_some_and(|named| named.get() != format!("\"{ours}\""))
    };
    object(body).is_ok_and(|named: Named| {
        other(named.store, asked.store.as_str()) || other(named.trip, asked.trip.as_str())
    })
}

#[derive(Deserialize)]
struct Accepted<'a> {
    #[serde(borrow, rename = "errorMsg")]
    error: Option<&'a RawValue>,
}

/// Errs unless the body is an object that tells of no error.
pub(super) fn without_error(body: &[u8]) -> Result<(), String> {
    let accepted: Accepted = object(body)?;
    match accepted.error {
        Some(error) => Err(format!("200 with errorMsg {}", words(error.get()))),
        None => Ok(()),
    }
}

/// Members by which gateways, and functions behind them, tell of a failure, in small letters.
const FAILURE: [&str; 8] = [
    "__type",
    "error",
    "errormessage",
    "errors",
    "errortype",
    "exception",
    "fault",
    "message",
];
/// A status of something that was not carried out, or not yet, in small letters.
const NOT_DONE: [&str; 8] = [
    "declined", "denied", "error", "failed", "failure", "pending", "refused", "rejected",
];

/// Errs when an object, beside a 200 that should have none, tells of a call that was given up or
/// not carried out, whoever speaks in the service's place.
pub(super) fn without_failure(body: &[u8]) -> Result<(), String> {
    let members: BTreeMap<String, &RawValue> = object(body)?;
    let tells = |name: &str, value: &RawValue| {
        let value = value.get().trim_matches('"').to_lowercase();
        let is_not_done = name == "status" && NOT_DONE.contains(&value.as_str());
        is_not_done || (FAILURE.contains(&name) && value != "null")
    };
    let told = members
        .iter()
        .find(|(name, value)| tells(&name.to_lowercase(), value));
    match told {
        Some((name, value)) => Err(format!("200 with {name} {}", words(value.get()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, StoreId, TripId};

    fn money(minor: i64, code: &str) -> Money {
        Money::of_minor(minor, Currency::of(code).unwrap())
    }

    #[test]
    fn amounts_go_out_with_exactly_the_digits_of_their_currency() {
        let trip = TripKey {
            store: StoreId::of("S-1").unwrap(),
            trip: TripId::of("t_2").unwrap(),
        };
        let names = r#""storeId":"S-1","shoppingTripId":"t_2""#;
        let total = money(1590, "USD");
        let rows = [
            (
                Call::Adjust { total },
                r#","amount":{"amount":15.90,"code":"USD"}"#,
            ),
            (
                Call::Capture {
                    amount: money(5, "EUR"),
                },
                r#","amount":{"amount":0.05,"code":"EUR"}"#,
            ),
            (
                Call::Capture {
                    amount: money(1500, "JPY"),
                },
                r#","amount":{"amount":1500,"code":"JPY"}"#,
            ),
            (
                Call::Capture {
                    amount: money(1234, "KWD"),
                },
                r#","amount":{"amount":1.234,"code":"KWD"}"#,
            ),
            (Call::Cancel, ""),
            (Call::TransactionalData, ""),
        ];
        for (call, amount) in rows {
            assert_eq!(body(&trip, &call), format!("{{{names}{amount}}}"));
        }
    }

    #[test]
    fn an_adjust_reply_is_read_exactly_or_not_at_all() {
        let asked = money(1590, "USD");
        let approved = |minor| Reply::Approved {
            authorized: money(minor, "USD"),
        };
        let declined = |minor| Reply::Declined {
            authorized: money(minor, "USD"),
        };
        let usd = |status: &str, amount: &str| {
            format!(
                r#"{{"status":"{status}","authorizedAmount":{{"amount":{amount},"code":"USD"}}}}"#
            )
        };
        let read = [
            (usd("APPROVED", "15.90"), approved(1590)),
            (usd("APPROVED", "15.9"), approved(1590)),
            (usd("APPROVED", "1.59E1"), approved(1590)),
            (usd("APPROVED", r#""15.90""#), approved(1590)),
            (usd("APPROVED", "20"), approved(1590)),
            (usd("APPROVED", "10"), approved(1000)),
            (usd("DECLINED", "0"), declined(0)),
            (usd("DECLINED", "12.34"), declined(1234)),
            (usd("PENDING", "15.90"), Reply::Pending),
            (usd("PENDING", "{}"), Reply::Pending),
            (r#"{"status":"DECLINED"}"#.to_owned(), declined(0)),
            (
                r#"{"status":"DECLINED","authorizedAmount":null}"#.to_owned(),
                declined(0),
            ),
            (
                r#" {"new":{"a":[1]},"status":"PENDING","more":1e9} "#.to_owned(),
                Reply::Pending,
            ),
            (
                usd("APPROVED", "15.90").replace("USD", "EUR"),
                Reply::Refused {
                    words: "asked in USD, the reply is in EUR".to_owned(),
                },
            ),
        ];
        for (body, reply) in read {
            assert_eq!(adjusted(body.as_bytes(), asked), Ok(reply), "{body}");
        }
        let unreadable = [
            "".to_owned(),
            "null".to_owned(),
            r#"["APPROVED",{"amount":15.90,"code":"USD"}]"#.to_owned(),
            r#"{"status":"APPROVED"}"#.to_owned(),
            r#"{"status":"APPROVED","authorizedAmount":15.90}"#.to_owned(),
            r#"{"status":"APPROVED","authorizedAmount":[15.90,"USD"]}"#.to_owned(),
            r#"{"status":1}"#.to_owned(),
            r#"{"status":"PENDING","status":"APPROVED"}"#.to_owned(),
            usd("SETTLED", "15.90"),
            usd("Approved", "15.90"),
            usd("APPROVED", "15.995"),
            usd("APPROVED", "-1"),
            usd("APPROVED", "null"),
            usd("APPROVED", "true"),
            usd("APPROVED", "15.90,\"amount\":1590"),
            usd("APPROVED", "99999999999999999999.99"),
            usd("APPROVED", "15.90") + "x",
        ];
        for body in unreadable {
            let read = adjusted(body.as_bytes(), asked);
            assert!(read.is_err(), "{body}: {read:?}");
        }
    }
}
