//! Where the payment service is and how to talk to it.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use super::ServiceError;
use crate::domain::Call;

/// How to reach the payment service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Base URL, perhaps with a path; `http://` for loopback addresses only.
    pub endpoint: String,
    /// AWS region that requests are signed for.
    pub region: String,
    /// The longest a call may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The longest that name lookup, connecting and the TLS handshake may take together; at most a
    /// third of `timeout` is used, so that a slow connect is told apart from a slow answer.
    pub connect_timeout: Duration,
    /// How many connections are kept open for the next call.
    pub max_in_flight: usize,
}

/// The validated endpoint: one URL a call.
#[derive(Debug)]
pub(super) struct Endpoint {
    adjust: Url,
    capture: Url,
    cancel: Url,
    transactional_data: Url,
    pub(super) is_loopback: bool,
    pub(super) is_plain: bool,
}

impl Endpoint {
    pub(super) fn of(text: &str) -> Result<Self, ServiceError> {
        let mut base = Url::parse(text).map_err(|why| refused(text, &why.to_string()))?;
        if !base.username().is_empty() || base.password().is_some() {
            // The password must not be repeated in a message.
            let _ = base.set_username("").and_then(|()| base.set_password(None));
            let why = "user info in a URL is refused; credentials come from the AWS environment";
            return Err(refused(base.as_str(), why));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(refused(
                text,
                "it must end with its path; remove `?` or `#`",
            ));
        }
        let is_loopback = is_loopback(&base);
        match base.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => {
                let why = "http:// is for loopback addresses only; use https://";
                return Err(refused(text, why));
            }
            _ => return Err(refused(text, "it must begin with https://")),
        }
        let is_plain = base.scheme() == "http";
        let path = base.path().trim_end_matches('/').to_owned();
        let at = |call: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{path}{call}"));
            url
        };
        Ok(Self {
            adjust: at("/v1/adjust/charge"),
            capture: at("/v1/capture/charge"),
            cancel: at("/v1/cancel/charge"),
            transactional_data: at("/v1/payment/transactional-data"),
            is_loopback,
            is_plain,
        })
    }

    pub(super) fn url(&self, call: &Call) -> &Url {
        match call {
            Call::Adjust { .. } => &self.adjust,
            Call::Capture { .. } => &self.capture,
            Call::Cancel => &self.cancel,
            Call::TransactionalData => &self.transactional_data,
        }
    }
}

fn refused(endpoint: &str, why: &str) -> ServiceError {
    let (endpoint, why) = (endpoint.to_owned(), why.to_owned());
    ServiceError::Endpoint { endpoint, why }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let ip = bare.parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Checks that `region` can stand in a signature's scope and in a host name.
pub(super) fn checked_region(region: &str) -> Result<&str, ServiceError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&region.len()) && region.bytes().all(allowed) {
        return Ok(region);
    }
    let region = region.chars().take(63).collect();
    Err(ServiceError::Region { region })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_to_their_path_below_the_endpoint() {
        let rows = [
            (
                "https://eu-west-1.pay.example",
                "https://eu-west-1.pay.example",
            ),
            ("https://pay.example/", "https://pay.example"),
            ("https://pay.example:443/prod/", "https://pay.example/prod"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:8080/a/b", "http://localhost:8080/a/b"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (given, base) in rows {
            let endpoint = Endpoint::of(given).unwrap();
            let url = |call| endpoint.url(call).as_str();
            assert_eq!(url(&Call::Cancel), format!("{base}/v1/cancel/charge"));
            let path = "/v1/payment/transactional-data";
            assert_eq!(url(&Call::TransactionalData), format!("{base}{path}"));
        }
    }

    #[test]
    fn an_endpoint_that_would_leak_signed_requests_is_refused() {
        let rows = [
            ("", "relative URL"),
            ("pay.example", "relative URL"),
            ("ftp://pay.example", "https://"),
            ("http://pay.example", "loopback"),
            ("http://127.0.0.1.evil.example", "loopback"),
            ("http://localhost.evil.example", "loopback"),
            ("http://10.0.0.1", "loopback"),
            ("https://pay.example/?a=b", "`?`"),
            ("https://pay.example/#a", "`#`"),
            ("https://me:secret@pay.example", "user info"),
        ];
        for (given, why) in rows {
            let error = Endpoint::of(given).unwrap_err().to_string();
            assert!(error.contains(why), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_region_is_a_word_of_small_letters() {
        assert_eq!(checked_region("eu-west-1"), Ok("eu-west-1"));
        for bad in ["", "eu west", "EU-WEST-1", "eu-west-1/x", &"x".repeat(64)] {
            assert!(checked_region(bad).is_err(), "{bad}");
        }
    }
}
