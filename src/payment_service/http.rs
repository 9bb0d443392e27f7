//! HTTP: one signed POST, one deadline over all of it, and nothing that the client does by itself.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials as Keys;
use reqwest::{Client, Method, Request, Response, redirect, retry, tls};
use tokio::time::{Instant, timeout, timeout_at};

use super::classify::{Answer, Outcome, heard};
use super::endpoint::{Endpoint, checked_region};
use super::no_keys::NoKeys;
use super::sign::signed_headers;
use super::words::causes;
use super::{Credentials, HttpSettings, PaymentService, ServiceError, wire};
use crate::domain::{Call, Clock, Heard, TripKey};
use crate::planted::{self, Bug};

/// The largest body that is read.
const LARGEST_BODY: usize = 1 << 20;
/// Idle connections are closed by us before a server is likely to do it: a request that meets a
/// connection just being closed would be a doubt for nothing.
const IDLE: Duration = Duration::from_secs(20);
/// What we call ourselves.
const USER_AGENT: &str = concat!("tripsettle/", env!("CARGO_PKG_VERSION"));

/// The payment service at the other end of HTTP.
pub struct HttpService {
    client: Client,
    endpoint: Endpoint,
    region: String,
    timeout: Duration,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
}

impl HttpService {
    /// Checks the settings and makes ready; sends nothing.
    ///
    /// # Errors
    /// An endpoint or a region that cannot be right, or no root certificates on this machine.
    pub fn new(
        settings: HttpSettings,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServiceError> {
        let endpoint = Endpoint::of(&settings.endpoint)?;
        let region = checked_region(&settings.region)?.to_owned();
        let client = client(&settings, &endpoint)?;
        let timeout = settings.timeout;
        Ok(Self {
            client,
            endpoint,
            region,
            timeout,
            credentials,
            clock,
        })
    }

    async fn exchange(&self, trip: &TripKey, call: &Call) -> Outcome {
        let deadline = later(self.timeout);
        let keys = match self.keys().await {
            Ok(keys) => keys,
            Err(NoKeys::NotSetUp { why, .. }) => return Outcome::NoCredentials(why),
            Err(NoKeys::NotHandedOut(why)) => return Outcome::NotSent(why),
        };
        let (url, body) = (self.endpoint.url(call), wire::body(trip, call));
        let now = self.clock.now();
        let signed = signed_headers(keys, &self.region, url.as_str(), body.as_bytes(), now);
        let mut request = Request::new(Method::POST, url.clone());
        match signed {
            Ok(headers) => *request.headers_mut() = headers,
            Err(why) => return Outcome::NotSent(format!("the request cannot be signed: {why}")),
        }
        *request.body_mut() = Some(body.into());
        match timeout_at(deadline, self.client.execute(request)).await {
            Ok(Ok(response)) => Outcome::Answer(self.answer(response, deadline).await),
            Ok(Err(error)) => silence(&error),
            Err(_) => Outcome::Silence(format!("no answer within {:?}", self.timeout)),
        }
    }

    /// The keys to sign with now.
    pub(super) async fn keys(&self) -> Result<Keys, NoKeys> {
        // Half of the time at most, so that silence means the service's and not somebody else's.
        let patience = self.timeout / 2;
        let keys = timeout(patience, self.credentials.keys(self.clock.now())).await;
        keys.unwrap_or_else(|_| {
            let why = format!("no AWS credentials were handed out within {patience:?}");
            Err(NoKeys::NotHandedOut(why))
        })
    }

    async fn answer(&self, mut response: Response, deadline: Instant) -> Answer {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = timeout_at(deadline, capped(response)).await;
        let late = || format!("the answer was not complete within {:?}", self.timeout);
        let body = body.unwrap_or_else(|_| Err(late()));
        Answer {
            status,
            headers,
            body,
        }
    }
}

impl PaymentService for HttpService {
    async fn get_ready(&self) {
        let _ = self.keys().await;
    }

    async fn send(&self, trip: &TripKey, call: &Call) -> Heard {
        let outcome = self.exchange(trip, call).await;
        heard(trip, call, &outcome, self.clock.now())
    }
}

fn later(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now)
}

fn client(settings: &HttpSettings, endpoint: &Endpoint) -> Result<Client, ServiceError> {
    let connect_timeout = settings.connect_timeout.min(settings.timeout / 3);
    let redirects = match planted::is(Bug::RedirectFollowed) {
        true => redirect::Policy::default(),
        // 307 and 308 would send the money call to whoever the answer names.
        false => redirect::Policy::none(),
    };
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .http1_only()
        .https_only(!endpoint.is_plain)
        .tls_version_min(tls::Version::TLS_1_2)
        .redirect(redirects)
        .retry(retry::never())
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(settings.max_in_flight.max(1));
    if endpoint.is_loopback {
        builder = builder.no_proxy();
    }
    if endpoint.is_plain {
        // No certificate is ever looked at, so a machine without any will do.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| ServiceError::Client {
        why: reason(&error),
    })
}

/// No answer: was the request sent?
fn silence(error: &reqwest::Error) -> Outcome {
    let why = reason(error);
    // A connection that never stood carried nothing. Every other failure may have come after the
    // first byte.
    if error.is_connect() || error.is_builder() {
        Outcome::NotSent(why)
    } else {
        Outcome::Silence(why)
    }
}

/// What went wrong, without the client's own layers around it (which would tell the URL as well).
fn reason(error: &reqwest::Error) -> String {
    let cause = error.source();
    match cause.and_then(|cause| cause.source().or(Some(cause))) {
        Some(cause) => causes(cause),
        None => causes(error),
    }
}

/// The body, counted while it comes.
async fn capped(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let told = response.content_length().unwrap_or(0);
    let too_large = || format!("the answer is larger than {LARGEST_BODY} bytes");
    if usize::try_from(told).is_ok_and(|told| told > LARGEST_BODY) {
        return Err(too_large());
    }
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= LARGEST_BODY => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Err(too_large()),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("the answer broke off: {}", reason(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};

    use super::*;
    use crate::domain::{Reply, StoreId, Timestamp, TripId};

    struct Standing;

    impl Clock for Standing {
        fn now(&self) -> Timestamp {
            Timestamp::of_ms(0)
        }
    }

    /// Nobody who could hand out keys, or somebody who never does.
    #[derive(Debug)]
    enum Office {
        Shut,
        Busy,
    }

    impl ProvideCredentials for Office {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            match self {
                Self::Shut => {
                    let error = CredentialsError::not_loaded_no_source();
                    future::ProvideCredentials::ready(Err(error))
                }
                Self::Busy => future::ProvideCredentials::new(std::future::pending()),
            }
        }
    }

    async fn cancel(office: Office) -> Reply {
        let settings = HttpSettings {
            endpoint: "http://127.0.0.1:9".to_owned(),
            region: "eu-west-1".to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_in_flight: 1,
        };
        let credentials = Credentials::of(office);
        let service = HttpService::new(settings, credentials, Arc::new(Standing)).unwrap();
        let trip = TripKey {
            store: StoreId::of("S").unwrap(),
            trip: TripId::of("t").unwrap(),
        };
        service.send(&trip, &Call::Cancel).await.reply
    }

    #[tokio::test(start_paused = true)]
    async fn without_keys_nothing_is_sent() {
        let shut = cancel(Office::Shut).await;
        assert!(shut.proves_not_executed(), "{shut:?}");
        let words = match shut {
            Reply::Unauthorized { words, .. } => words,
            other => other.name().to_owned(),
        };
        assert!(
            words.starts_with("no AWS credentials are set up"),
            "{words}"
        );
        let why = "no AWS credentials were handed out within 15s".to_owned();
        assert_eq!(cancel(Office::Busy).await, Reply::NotSent { why });
    }
}
