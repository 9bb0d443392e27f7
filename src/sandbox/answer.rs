//! What the service says: a status, headers, a body.

use axum::body::Body;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, StatusCode};

use super::forbidden::Forbidden;

/// An answer before it is put on the wire.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// 200 without a body: initiated.
    pub fn empty() -> Self {
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// 200 with JSON.
    pub fn json(body: impl Into<String>) -> Self {
        Self::empty().typed("application/json", body)
    }

    /// A failure as the service words it. `why` stands in a header for whoever looks closely;
    /// the real service keeps it to itself.
    pub fn failure(status: StatusCode, error_msg: &str, why: &str) -> Self {
        let body = serde_json::json!({ "errorMsg": error_msg }).to_string();
        let answer = Self::json(body).with_status(status);
        answer.with("x-sandbox-why", why)
    }

    /// 400 `BadRequestException`.
    pub fn bad_request(why: &str) -> Self {
        Self::failure(StatusCode::BAD_REQUEST, "BadRequestException", why)
    }

    /// 429; `retry_after` is the header's text.
    pub fn throttled(retry_after: Option<&str>) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let answer = Self::failure(
            status,
            "Too Many Requests",
            "more calls than the rate limit",
        );
        match retry_after {
            Some(text) => answer.with("retry-after", text),
            None => answer,
        }
    }

    /// 403 as the gateway in front of the service words it: `message`, not `errorMsg`.
    pub fn forbidden(forbidden: &Forbidden) -> Self {
        let body = serde_json::json!({ "message": forbidden.message }).to_string();
        let answer = Self::json(body).with_status(StatusCode::FORBIDDEN);
        answer.with("x-amzn-errortype", forbidden.kind)
    }

    /// The page of a proxy in between.
    pub fn html(status: StatusCode) -> Self {
        let body = format!("<html><body><h1>{status}</h1></body></html>");
        Self::empty().typed("text/html", body).with_status(status)
    }

    fn typed(self, kind: &'static str, body: impl Into<String>) -> Self {
        let body = body.into();
        Self { body, ..self }.with("content-type", kind)
    }

    /// The same with another status.
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer for axum, dated.
    pub fn response(self, date: DateTime<Utc>) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let dated = self.headers.into_iter().chain([("date", http_date(date))]);
        for (name, value) in dated {
            if let Ok(value) = HeaderValue::try_from(value) {
                let name = HeaderName::from_static(name);
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The answer's head as bytes on the wire; `framing` is the header that says how long the
    /// body is.
    pub fn head(&self, framing: &str, date: DateTime<Utc>) -> String {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let date = http_date(date);
        head.push_str(&format!("{framing}\r\ndate: {date}\r\n\r\n"));
        head
    }
}

fn http_date(at: DateTime<Utc>) -> String {
    httpdate::fmt_http_date(at.into())
}
