//! The other side: a client with nothing around it that makes the calls of a night.
//!
//! It does what every client of the payment service must: connections kept alive, a body written,
//! the request signed, the answer read to its end and its status looked at. It keeps nothing,
//! writes nothing, logs nothing, parses no answer, has no deadline, and repeats nothing.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use tokio::task::JoinSet;

use super::machine::{KEYS, REGION, Trip};

const JSON: &str = "application/json";

struct Bare {
    client: Client,
    base: String,
    credentials: Credentials,
}

/// All calls of a night about `trips`, in the night's order: adjust and capture trip by trip,
/// then the reads; `lanes` at a time. Gives how long they took.
pub fn night(url: &str, trips: Vec<Trip>, lanes: usize) -> Result<Duration> {
    let started = Instant::now();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(async {
        let bare = Arc::new(Bare {
            client: client(lanes)?,
            base: format!("{url}/v1"),
            credentials: Credentials::new(KEYS.0, KEYS.1, None, None, "bench"),
        });
        let trips = Arc::new(trips);
        each(&bare, &trips, lanes, &["adjust/charge", "capture/charge"]).await?;
        each(&bare, &trips, lanes, &["payment/transactional-data"]).await
    })?;
    Ok(started.elapsed())
}

async fn each(
    bare: &Arc<Bare>,
    trips: &Arc<Vec<Trip>>,
    lanes: usize,
    calls: &'static [&'static str],
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _ in 0..lanes {
        let (bare, trips, next) = (bare.clone(), trips.clone(), next.clone());
        running.spawn(async move {
            while let Some(trip) = trips.get(next.fetch_add(1, Ordering::Relaxed)) {
                for call in calls {
                    bare.call(call, trip).await?;
                }
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(lane) = running.join_next().await {
        lane??;
    }
    Ok(())
}

impl Bare {
    async fn call(&self, call: &str, trip: &Trip) -> Result<()> {
        let names = format!(r#""storeId":"S1","shoppingTripId":"{}""#, trip.id);
        let body = if call.ends_with("charge") {
            let amount = trip.amount();
            format!(r#"{{{names},"amount":{{"amount":{amount},"code":"USD"}}}}"#)
        } else {
            format!("{{{names}}}")
        };
        let response = self.client.execute(self.signed(call, body)?).await?;
        let status = response.status();
        let answer = response.bytes().await?;
        ensure!(status.is_success(), "{call}: {status} {answer:?}");
        Ok(())
    }

    fn signed(&self, call: &str, body: String) -> Result<Request> {
        let url = format!("{}/{call}", self.base);
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let given = std::iter::once((CONTENT_TYPE.as_str(), JSON));
        let body_bytes = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", &url, given, body_bytes)?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        let mut request = Request::new(Method::POST, Url::parse(&url)?);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        for header in instructions.into_parts().0 {
            let value = HeaderValue::from_str(header.value())?;
            headers.insert(HeaderName::from_static(header.name()), value);
        }
        *request.body_mut() = Some(body.into());
        Ok(request)
    }
}

fn client(lanes: usize) -> Result<Client> {
    let builder = Client::builder().http1_only().no_proxy();
    let builder = builder.pool_max_idle_per_host(lanes).tls_certs_only([]);
    Ok(builder.build()?)
}

/// One unsigned GET.
pub fn get(url: &str) -> Result<String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        let answer = client(1)?.get(url).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    })
}
