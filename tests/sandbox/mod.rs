//! A caller who signs his calls and looks closely at what comes back.

#![allow(dead_code)]

use std::net::SocketAddr;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tripsettle::sandbox::{
    CallKind, Fault, FaultKind, LedgerRow, Sandbox, SandboxConfig, SandboxTrip, Side,
};

pub const STORE: &str = "store-1";
pub const TRIP: &str = "trip-1";

pub fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What a caller is known by.
#[derive(Clone)]
pub struct Caller {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
    pub region: String,
    pub service: String,
    pub at: SystemTime,
}

impl Default for Caller {
    fn default() -> Self {
        let config = SandboxConfig::default();
        Self {
            access_key: config.access_key,
            secret_key: config.secret_key,
            session_token: None,
            region: config.region,
            service: "execute-api".to_owned(),
            at: SystemTime::now(),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Said {
    /// Status and body, a space between.
    pub fn line(&self) -> String {
        format!("{} {}", self.status, self.body)
            .trim_end()
            .to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A sandbox and someone who calls it.
pub struct Scene {
    pub sandbox: Sandbox,
    pub caller: Caller,
    pub client: reqwest::Client,
}

impl Scene {
    pub async fn with(config: SandboxConfig) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        Self {
            sandbox: Sandbox::start(any_port(), config).await.unwrap(),
            caller: Caller::default(),
            client: client.build().unwrap(),
        }
    }

    /// A sandbox with the trip `store-1/trip-1`.
    pub async fn with_a_trip() -> Self {
        let scene = Self::with(SandboxConfig::default()).await;
        scene.sandbox.add_trip(SandboxTrip::of(STORE, TRIP));
        scene
    }

    pub fn request(&self, call: CallKind, body: &str) -> reqwest::RequestBuilder {
        self.request_to(call.path(), body)
    }

    pub fn request_to(&self, path: &str, body: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.client.post(&url).body(body.to_owned());
        request = request.header("content-type", "application/json");
        for (name, value) in signature(&self.caller, &url, body) {
            request = request.header(name, value);
        }
        request
    }

    pub async fn send(&self, call: CallKind, body: &str) -> Said {
        self.try_send(call, body).await.unwrap()
    }

    pub async fn try_send(&self, call: CallKind, body: &str) -> reqwest::Result<Said> {
        hear(self.request(call, body)).await
    }

    pub async fn adjust(&self, amount: &str) -> String {
        self.send(CallKind::Adjust, &of(TRIP, amount)).await.line()
    }

    pub async fn capture(&self, amount: &str) -> String {
        self.send(CallKind::Capture, &of(TRIP, amount)).await.line()
    }

    pub async fn cancel(&self) -> String {
        self.send(CallKind::Cancel, &named(TRIP)).await.line()
    }

    pub async fn data(&self) -> String {
        let said = self.send(CallKind::TransactionalData, &named(TRIP)).await;
        said.line()
    }

    /// Plays `call amount` lines on the trip and tells each answer.
    pub async fn play(&self, story: &[&str]) -> Vec<String> {
        let mut heard = Vec::new();
        for line in story {
            let (call, amount) = line.split_once(' ').unwrap_or((line, ""));
            heard.push(match call {
                "adjust" => self.adjust(amount).await,
                "capture" => self.capture(amount).await,
                "cancel" => self.cancel().await,
                "data" => self.data().await,
                other => panic!("{other} is not a call"),
            });
        }
        heard
    }

    /// The only trip's row.
    pub fn row(&self) -> LedgerRow {
        let rows = self.sandbox.ledger();
        assert_eq!(rows.len(), 1);
        rows.into_iter().next().unwrap()
    }

    /// What was captured of the only trip.
    pub fn captured(&self) -> Vec<String> {
        let captures = self.row().captures;
        captures
            .iter()
            .map(|(_, amount)| amount.to_string())
            .collect()
    }
}

pub async fn hear(request: reqwest::RequestBuilder) -> reqwest::Result<Said> {
    let response = request.send().await?;
    Ok(Said {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await?,
    })
}

/// The headers that AWS's own signer adds.
fn signature(caller: &Caller, url: &str, body: &str) -> Vec<(String, String)> {
    let token = caller.session_token.clone();
    let keys = (caller.access_key.clone(), caller.secret_key.clone());
    let identity = Credentials::new(keys.0, keys.1, token, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&caller.region)
        .name(&caller.service)
        .time(caller.at)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = [("content-type", "application/json")].into_iter();
    let body = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", url, headers, body).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let headers = instructions.headers();
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The body of a call about a trip.
pub fn named(trip: &str) -> String {
    format!(r#"{{"storeId":"{STORE}","shoppingTripId":"{trip}"}}"#)
}

/// The body of a call about so much, `15.99 USD`.
pub fn of(trip: &str, amount: &str) -> String {
    let (value, code) = amount.split_once(' ').unwrap();
    let amount = format!(r#"{{"amount":{value},"code":"{code}"}}"#);
    format!(r#"{{"storeId":"{STORE}","shoppingTripId":"{trip}","amount":{amount}}}"#)
}

pub fn fault(call: CallKind, kind: FaultKind, side: Side) -> Fault {
    Fault {
        call,
        kind,
        side,
        times: 1,
    }
}

pub fn approved(amount: &str) -> String {
    adjusted("APPROVED", amount)
}

pub fn adjusted(status: &str, amount: &str) -> String {
    let (value, code) = amount.split_once(' ').unwrap();
    format!(
        r#"200 {{"status":"{status}","authorizedAmount":{{"amount":{value},"code":"{code}"}}}}"#
    )
}

pub fn refused(words: &str) -> String {
    format!(r#"400 {{"errorMsg":"{words}"}}"#)
}
