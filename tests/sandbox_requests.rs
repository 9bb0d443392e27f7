//! The public test lists, row by row: what each call says to each kind of request.

#![allow(clippy::unwrap_used)]

mod sandbox;

use sandbox::{STORE, Scene, TRIP, adjusted, approved, refused};
use tripsettle::sandbox::{CallKind, SandboxConfig, SandboxTrip};

const BAD: &str = "BadRequestException";
const UNKNOWN: &str = "UnknownShoppingTrip";

/// A scene in which the trip is ready for every call.
async fn ready() -> Scene {
    let scene = Scene::with_a_trip().await;
    scene.adjust("25.99 USD").await;
    scene.capture("25.99 USD").await;
    scene
}

/// The body of a call with one member replaced; `-` takes it out.
fn body(call: CallKind, member: &str, text: &str) -> String {
    let mut members = vec![
        ("storeId", format!("\"{STORE}\"")),
        ("shoppingTripId", format!("\"{TRIP}\"")),
    ];
    let amount = r#"{"amount":5.99,"code":"USD"}"#;
    match call {
        CallKind::Cancel | CallKind::TransactionalData => {}
        CallKind::Adjust | CallKind::Capture => members.push(("amount", amount.to_owned())),
        CallKind::Refund => {
            let id = "\"0d5a2b6e-8f1c-4e3a-9b7d-1a2b3c4d5e6f\"";
            members.push(("amount", amount.to_owned()));
            members.push(("refundRequestId", id.to_owned()));
            members.push(("refundReasonCode", "\"OTHER\"".to_owned()));
        }
    }
    let members = members.into_iter().map(|(name, value)| {
        let value = if name == member {
            text.to_owned()
        } else {
            value
        };
        (name, value)
    });
    let members = members.filter(|(_, value)| value != "-");
    let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Sends each row's request with each of the calls and compares status and `errorMsg`.
async fn check(calls: &[CallKind], member: &str, rows: &[(&str, &str)]) {
    let scene = ready().await;
    for call in calls {
        for (text, expected) in rows {
            let said = scene.send(*call, &body(*call, member, text)).await;
            assert_eq!(said.line(), refused(expected), "{call:?} {member} {text}");
            assert!(
                said.header("x-sandbox-why").is_some(),
                "{call:?} {member} {text}"
            );
        }
    }
    let row = scene.row();
    assert_eq!((row.captures.len(), row.adjusts, row.cancels), (1, 1, 0));
}

const WITH_AMOUNT: [CallKind; 3] = [CallKind::Adjust, CallKind::Capture, CallKind::Refund];

#[tokio::test]
async fn every_call_refuses_a_store_or_a_trip_of_the_wrong_form() {
    let too_long = format!("\"{}\"", "a".repeat(256));
    let rows = [
        ("-", BAD),
        ("null", BAD),
        (r#""""#, BAD),
        (r#"" ""#, BAD),
        (r#""INVALID@STORE#ID""#, BAD),
        (r#""a/b""#, BAD),
        (r#""caf\u00e9""#, BAD),
        ("12345", BAD),
        ("true", BAD),
        ("[]", BAD),
        (&*too_long, BAD),
    ];
    for member in ["storeId", "shoppingTripId"] {
        check(&CallKind::ALL, member, &rows).await;
    }
}

#[tokio::test]
async fn every_call_knows_only_the_trips_of_the_store() {
    let longest = format!("\"{}\"", "a".repeat(255));
    let rows = [(r#""another""#, UNKNOWN), (&*longest, UNKNOWN)];
    for member in ["storeId", "shoppingTripId"] {
        check(&CallKind::ALL, member, &rows).await;
    }
}

#[tokio::test]
async fn an_amount_is_more_than_nothing_and_a_number_in_a_currency() {
    let rows = [
        ("-", BAD),
        ("null", BAD),
        (r#""15.99 USD""#, BAD),
        ("15.99", BAD),
        ("{}", BAD),
        (r#"[5.99,"USD"]"#, BAD),
        (r#"{"amount":5.99}"#, BAD),
        (r#"{"code":"USD"}"#, BAD),
        (r#"{"amount":null,"code":"USD"}"#, BAD),
        (r#"{"amount":5.99,"code":null}"#, BAD),
        (r#"{"amount":"5.99","code":"USD"}"#, BAD),
        (r#"{"amount":true,"code":"USD"}"#, BAD),
        (r#"{"amount":0,"code":"USD"}"#, BAD),
        (r#"{"amount":0.00,"code":"USD"}"#, BAD),
        (r#"{"amount":-0.01,"code":"USD"}"#, BAD),
        (r#"{"amount":5.999,"code":"USD"}"#, BAD),
        (r#"{"amount":5.990000000000000213,"code":"USD"}"#, BAD),
        (r#"{"amount":1000000000000,"code":"USD"}"#, BAD),
        (r#"{"amount":1e400,"code":"USD"}"#, BAD),
        (r#"{"amount":5.99,"code":""}"#, BAD),
        (r#"{"amount":5.99,"code":"usd"}"#, BAD),
        (r#"{"amount":5.99,"code":"US"}"#, BAD),
        (r#"{"amount":5.99,"code":"USDX"}"#, BAD),
        (r#"{"amount":5.99,"code":"U$D"}"#, BAD),
        (r#"{"amount":5.99,"code":840}"#, BAD),
        // In order as to form, but not the trip's currency.
        (r#"{"amount":5.99,"code":"EUR"}"#, BAD),
        (r#"{"amount":5.99,"amount":1,"code":"USD"}"#, BAD),
    ];
    check(&WITH_AMOUNT, "amount", &rows).await;
}

#[tokio::test]
async fn a_refund_needs_a_reason_and_an_id_of_its_own() {
    let ids = [
        ("-", BAD),
        ("null", BAD),
        (r#""""#, BAD),
        (r#""not-a-uuid""#, BAD),
        (r#""0D5A2B6E-8F1C-4E3A-9B7D-1A2B3C4D5E6F""#, BAD),
        (r#""0d5a2b6e-8f1c-7e3a-9b7d-1a2b3c4d5e6f""#, BAD),
        (r#""0d5a2b6e-8f1c-4e3a-cb7d-1a2b3c4d5e6f""#, BAD),
        (r#""0d5a2b6e-8f1c-4e3a-9b7d-1a2b3c4d5e6f0""#, BAD),
    ];
    check(&[CallKind::Refund], "refundRequestId", &ids).await;
    let reasons = [
        ("-", BAD),
        ("null", BAD),
        (r#""other""#, BAD),
        (r#""LATE""#, BAD),
    ];
    check(&[CallKind::Refund], "refundReasonCode", &reasons).await;
}

#[tokio::test]
async fn every_call_refuses_what_is_not_a_json_object() {
    let scene = ready().await;
    let list = r#"["store-1","trip-1",null,null,null]"#;
    for call in CallKind::ALL {
        for text in ["", " ", "null", "[]", list, "{", "hello", r#""a""#] {
            assert_eq!(
                scene.send(call, text).await.line(),
                refused(BAD),
                "{call:?} {text}"
            );
        }
    }
}

#[tokio::test]
async fn members_that_nobody_knows_are_tolerated() {
    let scene = Scene::with_a_trip().await;
    let body = body(CallKind::Adjust, "", "").replacen('{', r#"{"new":[{}],"#, 1);
    let said = scene.send(CallKind::Adjust, &body).await;
    assert_eq!(said.line(), approved("5.99 USD"));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read() {
    let scene = Scene::with_a_trip().await;
    let body = " ".repeat(1024 * 1024 + 1);
    assert_eq!(
        scene.send(CallKind::Cancel, &body).await.line(),
        refused(BAD)
    );
    assert_eq!(scene.row().cancels, 0);
}

#[tokio::test]
async fn the_examples_of_the_documents_are_answered_as_there() {
    let limit = |text: &str| text.parse().unwrap();
    let scripts = [
        (
            "15.99 USD",
            SandboxTrip::of(STORE, TRIP),
            approved("15.99 USD"),
        ),
        (
            "999999.99 USD",
            SandboxTrip {
                limit: limit("999999.98"),
                ..SandboxTrip::of(STORE, TRIP)
            },
            adjusted("DECLINED", "0.00 USD"),
        ),
        (
            "25.50 USD",
            SandboxTrip {
                pending_asks: 1,
                ..SandboxTrip::of(STORE, TRIP)
            },
            adjusted("PENDING", "25.50 USD"),
        ),
    ];
    let scene = Scene::with(SandboxConfig::default()).await;
    for (asked, script, expected) in scripts {
        scene.sandbox.add_trip(script);
        assert_eq!(scene.adjust(asked).await, expected, "{asked}");
    }
}

#[tokio::test]
async fn initiated_is_an_empty_200() {
    let scene = Scene::with_a_trip().await;
    scene.adjust("25.99 USD").await;
    assert_eq!(scene.capture("25.99 USD").await, "200");
    assert_eq!(scene.cancel().await, "200");
}

#[tokio::test]
async fn amounts_are_as_fine_as_their_currency_and_exact() {
    let rows = [
        ("USD", "15.9", approved("15.90 USD")),
        ("USD", "1599e-2", approved("15.99 USD")),
        ("USD", "90071992547.41", approved("90071992547.41 USD")),
        ("JPY", "1500", approved("1500 JPY")),
        ("JPY", "1500.0", approved("1500 JPY")),
        ("JPY", "1500.5", refused(BAD)),
        ("KWD", "1.234", approved("1.234 KWD")),
        ("KWD", "1.2345", refused(BAD)),
        ("CLF", "1.2345", approved("1.2345 CLF")),
    ];
    let scene = Scene::with(SandboxConfig::default()).await;
    for (currency, amount, expected) in rows {
        scene.sandbox.add_trip(SandboxTrip {
            currency: currency.to_owned(),
            ..SandboxTrip::of(STORE, TRIP)
        });
        let asked = format!("{amount} {currency}");
        assert_eq!(scene.adjust(&asked).await, expected, "{asked}");
    }
}
