//! What a caller asks: request bodies, read and checked as strictly as the public test lists.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::amount;
use super::fault::CallKind;

/// A request that is in order as far as its form goes.
#[derive(Debug)]
pub(super) struct Ask {
    pub store_id: String,
    pub shopping_trip_id: String,
    pub what: What,
}

/// The call, with what it carries.
#[derive(Debug)]
pub(super) enum What {
    Adjust(Amount),
    Capture(Amount),
    Cancel,
    TransactionalData,
    Refund { request_id: String, amount: Amount },
}

/// More than nothing, in a currency and no finer than it.
#[derive(Debug, Clone)]
pub(super) struct Amount {
    pub value: Decimal,
    pub code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    store_id: Option<String>,
    shopping_trip_id: Option<String>,
    amount: Option<Box<RawValue>>,
    refund_request_id: Option<String>,
    refund_reason_code: Option<String>,
}

#[derive(Deserialize)]
struct AmountBody {
    amount: Option<Box<RawValue>>,
    code: Option<String>,
}

/// No cart costs more; and so no sum can overflow.
const MAX_AMOUNT: u64 = 999_999_999_999;
const REASONS: [&str; 5] = [
    "DAMAGED_ITEM",
    "EXPIRED_ITEM",
    "UNWANTED_ITEM",
    "JWO_TECH_ERROR",
    "OTHER",
];

impl Ask {
    /// Reads the body of a `call`; the error says what is wrong with it.
    pub fn read(call: CallKind, body: &[u8]) -> Result<Self, String> {
        let body = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let body: Body = object(body)?;
        let store_id = name(body.store_id, "storeId")?;
        let shopping_trip_id = name(body.shopping_trip_id, "shoppingTripId")?;
        let what = match call {
            CallKind::Adjust => What::Adjust(positive(body.amount)?),
            CallKind::Capture => What::Capture(positive(body.amount)?),
            CallKind::Cancel => What::Cancel,
            CallKind::TransactionalData => What::TransactionalData,
            CallKind::Refund => What::Refund {
                request_id: refund_request(body.refund_request_id, body.refund_reason_code)?,
                amount: positive(body.amount)?,
            },
        };
        Ok(Self {
            store_id,
            shopping_trip_id,
            what,
        })
    }

    /// The trip's name, unique because no id contains a slash.
    pub fn trip(&self) -> String {
        trip_name(&self.store_id, &self.shopping_trip_id)
    }

    /// The currency that the call names.
    pub fn code(&self) -> Option<&str> {
        match &self.what {
            What::Adjust(amount) | What::Capture(amount) | What::Refund { amount, .. } => {
                Some(&amount.code)
            }
            What::Cancel | What::TransactionalData => None,
        }
    }
}

/// `STORE/TRIP_ID`.
pub(super) fn trip_name(store_id: &str, shopping_trip_id: &str) -> String {
    format!("{store_id}/{shopping_trip_id}")
}

/// Reads a JSON object; serde would take a list of the members for one too.
fn object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err("not a JSON object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn name(given: Option<String>, field: &str) -> Result<String, String> {
    let given = given.ok_or_else(|| format!("{field} is missing"))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=255).contains(&given.len()) && given.bytes().all(allowed) {
        return Ok(given);
    }
    Err(format!("{field} must be 1 to 255 of 0-9 a-z A-Z _ -"))
}

fn positive(given: Option<Box<RawValue>>) -> Result<Amount, String> {
    let given = given.ok_or("amount is missing")?;
    let given: AmountBody = object(given.get())?;
    let value = given.amount.ok_or("amount.amount is missing")?;
    let code = given.code.ok_or("amount.code is missing")?;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("amount.code must be three capital letters".to_owned());
    }
    let value = amount::exact(value.get()).ok_or("amount.amount must be a number")?;
    if value <= Decimal::ZERO {
        return Err("amount.amount must be more than 0".to_owned());
    }
    if value > Decimal::from(MAX_AMOUNT) {
        return Err(format!("amount.amount is more than {MAX_AMOUNT}"));
    }
    if !amount::fits(value, &code) {
        return Err(format!("amount.amount is finer than {code}"));
    }
    Ok(Amount { value, code })
}

fn refund_request(id: Option<String>, reason: Option<String>) -> Result<String, String> {
    let id = id.ok_or("refundRequestId is missing")?;
    let reason = reason.ok_or("refundReasonCode is missing")?;
    if !REASONS.contains(&reason.as_str()) {
        return Err(format!(
            "refundReasonCode must be one of {}",
            REASONS.join(", ")
        ));
    }
    if is_refund_request_id(&id) {
        return Ok(id);
    }
    Err("refundRequestId must be a lower-case UUID of version 0 to 5".to_owned())
}

/// `^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$`
fn is_refund_request_id(id: &str) -> bool {
    let allowed = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => (b'0'..=b'5').contains(&byte),
        19 => b"089ab".contains(&byte),
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    id.len() == 36 && id.bytes().enumerate().all(allowed)
}
