//! What a trip leaves behind: EMV data after the capture, refunds.

#![allow(clippy::unwrap_used)]

mod sandbox;

use chrono::{TimeDelta, Utc};
use sandbox::{STORE, Scene, TRIP, named, refused};
use serde_json::{Value, json};
use tripsettle::sandbox::{CallKind, EarlyData, EmvData, SandboxConfig, SandboxTrip};

const BAD: &str = "BadRequestException";
const NOT_YET: &str = "BadRequestException: transactional data not available yet";

fn trip() -> SandboxTrip {
    SandboxTrip::of(STORE, TRIP)
}

#[tokio::test]
async fn the_data_has_the_documented_fields_and_no_amount() {
    let scene = Scene::with_a_trip().await;
    scene.play(&["adjust 20 USD", "capture 20 USD"]).await;
    let said = scene.send(CallKind::TransactionalData, &named(TRIP)).await;
    let data: Value = serde_json::from_str(&said.body).unwrap();
    let mut names: Vec<_> = data
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    let documented = [
        "applicationId",
        "authorizationResponseCode",
        "brand",
        "cardStatementTransactionId",
        "cardholderVerificationMethodResult",
        "cryptogramInformationData",
        "currency",
        "expirationDate",
        "panSequenceNumber",
        "posEntryMode",
        "reconciliationId",
        "tail",
        "terminalId",
    ];
    assert_eq!(names, documented);
    assert_eq!(data["currency"], "USD");
    assert!(data["expirationDate"]["expirationYear"].is_string());
    assert!(data["expirationDate"]["expirationMonth"].is_string());
    let again = scene.send(CallKind::TransactionalData, &named(TRIP)).await;
    assert_eq!(again.body, said.body);
}

#[tokio::test]
async fn data_can_be_prescribed() {
    let brand = Some("AMEX".to_owned());
    let data = Some(EmvData {
        brand,
        ..EmvData::default()
    });
    let scene = Scene::with(SandboxConfig::default()).await;
    scene.sandbox.add_trip(SandboxTrip { data, ..trip() });
    scene.play(&["adjust 20 USD", "capture 20 USD"]).await;
    assert_eq!(scene.data().await, r#"200 {"brand":"AMEX"}"#);
}

#[tokio::test]
async fn data_comes_late_and_until_then_there_is_a_no_or_nothing() {
    let rows = [
        (EarlyData::Refused, refused(NOT_YET)),
        (EarlyData::Empty, "200 {}".to_owned()),
    ];
    for (early_data, not_yet) in rows {
        let scene = Scene::with(SandboxConfig {
            early_data,
            data_delay_ms: 60_000,
            verify_signatures: false,
            ..SandboxConfig::default()
        });
        let scene = scene.await;
        scene.sandbox.add_trip(trip());
        assert_eq!(scene.data().await, not_yet, "before the capture");
        scene.play(&["adjust 20 USD", "capture 20 USD"]).await;
        assert_eq!(scene.data().await, not_yet, "at once");
        scene.sandbox.set_clock(Utc::now() + TimeDelta::seconds(61));
        assert!(scene.data().await.starts_with("200 {\""), "a minute later");
        assert_eq!(scene.row().reads, 3);
    }
}

#[tokio::test]
async fn a_refund_happens_once_per_request_id() {
    let scene = Scene::with_a_trip().await;
    scene.play(&["adjust 20 USD", "capture 20 USD"]).await;
    let refund = |last: u8, amount: &str| {
        let amount: Value = serde_json::from_str(&format!(r#"{{"amount":{amount}}}"#)).unwrap();
        json!({
            "storeId": STORE,
            "shoppingTripId": TRIP,
            "amount": {"amount": amount["amount"], "code": "USD"},
            "refundRequestId": format!("0d5a2b6e-8f1c-4e3a-9b7d-{last:012}"),
            "refundReasonCode": "DAMAGED_ITEM",
        })
        .to_string()
    };
    let first = scene.send(CallKind::Refund, &refund(1, "12")).await;
    assert!(
        first.line().starts_with(r#"200 {"reconciliationId":""#),
        "{first:?}"
    );
    let rows = [
        (1, "12", first.line()),
        (2, "9", refused(BAD)),
        (2, "8", first.line()),
    ];
    for (last, amount, expected) in rows {
        let said = scene.send(CallKind::Refund, &refund(last, amount)).await;
        assert_eq!(said.line(), expected, "{last} {amount}");
    }
    let refunds = scene.row().refunds;
    let refunds: Vec<_> = refunds
        .iter()
        .map(|(_, amount)| amount.to_string())
        .collect();
    assert_eq!(refunds, ["12", "8"]);
}
