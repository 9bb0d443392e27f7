//! What the payment service's tests share: a clock that stands still, a client, and a reply as a
//! line of text.
#![allow(dead_code, clippy::unwrap_used)]

pub mod server;
pub mod tls;

use std::sync::Arc;
use std::time::Duration;

use tripsettle::domain::{
    Call, Clock, Currency, Heard, Money, Reply, StoreId, Timestamp, TripId, TripKey,
};
use tripsettle::payment_service::{
    Credentials, HttpService, HttpSettings, PaymentService as _, install_tls,
};

/// How long a call may take where the test is about nobody answering.
pub const SHORT: Duration = Duration::from_millis(400);
/// How long it may take everywhere else.
pub const LONG: Duration = Duration::from_secs(20);

/// It is always ten o'clock.
pub struct TenOClock;

impl Clock for TenOClock {
    fn now(&self) -> Timestamp {
        at("2026-03-08T10:00:00Z")
    }
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn usd(text: &str) -> Money {
    Money::parse(text, Currency::of("USD").unwrap()).unwrap()
}

pub fn trip() -> TripKey {
    TripKey {
        store: StoreId::of("S-1").unwrap(),
        trip: TripId::of("t_2").unwrap(),
    }
}

pub fn adjust() -> Call {
    let total = usd("15.90");
    Call::Adjust { total }
}

pub fn capture() -> Call {
    let amount = usd("15.90");
    Call::Capture { amount }
}

/// One of each.
pub fn all_calls() -> [Call; 4] {
    [adjust(), capture(), Call::Cancel, Call::TransactionalData]
}

pub fn settings(endpoint: &str, timeout: Duration) -> HttpSettings {
    HttpSettings {
        endpoint: endpoint.to_owned(),
        region: "eu-west-1".to_owned(),
        timeout,
        connect_timeout: Duration::from_secs(5),
        max_in_flight: 4,
    }
}

pub fn client(endpoint: &str, timeout: Duration) -> HttpService {
    install_tls();
    let credentials = Credentials::fixed("AKIDEXAMPLE", "hush", None);
    HttpService::new(
        settings(endpoint, timeout),
        credentials,
        Arc::new(TenOClock),
    )
    .unwrap()
}

/// What the server says to one call.
pub async fn ask(server: &server::Server, call: &Call) -> Heard {
    client(&server.url(), LONG).send(&trip(), call).await
}

/// What was heard, as a line: `approved 15.90 USD`, `unclear 500: …`.
pub fn told(heard: &Heard) -> String {
    let status = heard
        .status
        .map_or_else(|| "no status".to_owned(), |s| s.to_string());
    let by = |by_service: bool| {
        if by_service {
            "by the service"
        } else {
            "by somebody"
        }
    };
    match &heard.reply {
        Reply::Approved { authorized } => format!("approved {authorized}"),
        Reply::Declined { authorized } => format!("declined {authorized}"),
        Reply::Pending => "pending".to_owned(),
        Reply::Initiated => "initiated".to_owned(),
        Reply::Data(data) => format!("data {}", data.brand.as_deref().unwrap_or("none")),
        Reply::Expired { words } => format!("expired: {words}"),
        Reply::Refused { words } => format!("refused: {words}"),
        Reply::Throttled {
            retry_after_ms: Some(ms),
        } => format!("throttled for {ms} ms"),
        Reply::Throttled {
            retry_after_ms: None,
        } => "throttled".to_owned(),
        Reply::NotSent { why } => format!("not sent: {why}"),
        Reply::Unauthorized { words, by_service } => {
            format!("unauthorized {}: {words}", by(*by_service))
        }
        Reply::NotTheService { why } => format!("not the service: {why}"),
        Reply::Unclear { status: told, why } => {
            assert_eq!(*told, heard.status, "{why}");
            format!("unclear, {status}: {why}")
        }
    }
}
