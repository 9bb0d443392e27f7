//! What came back, as the law of a trip wants to know it: the one place where an HTTP answer, or
//! its absence, becomes a [`Reply`].

use reqwest::header::HeaderMap;

use super::emv::transactional_data;
use super::headers::{retry_after_ms, service_clock};
use super::wire::{
    adjusted, error_msg, gateway_message, names_another_trip, without_error, without_failure,
};
use crate::domain::{Call, Heard, Reply, Timestamp, TripKey};
use crate::planted::{self, Bug};

/// How one exchange ended.
pub enum Outcome {
    /// An answer came, perhaps with a body that broke off.
    Answer(Answer),
    /// There was nothing to sign the request with, so it was not sent.
    NoCredentials(String),
    /// Certainly no byte of the request was sent.
    NotSent(String),
    /// It may have been sent, and no answer came.
    Silence(String),
}

/// An HTTP answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or why it could not be read to its end.
    pub body: Result<Vec<u8>, String>,
}

/// What was heard of `call` about `trip` at the instant `now`, however it was carried.
pub fn heard(trip: &TripKey, call: &Call, outcome: &Outcome, now: Timestamp) -> Heard {
    let reply = classify(trip, call, outcome, now);
    let (status, service_clock) = match outcome {
        Outcome::Answer(answer) => (Some(answer.status), service_clock(&answer.headers)),
        Outcome::NoCredentials(_) | Outcome::NotSent(_) | Outcome::Silence(_) => (None, None),
    };
    Heard {
        reply,
        status,
        service_clock,
    }
}

/// Classifies what came back to `call` about `trip` at the instant `now`.
///
/// Whatever no line here takes for a clear answer is unclear: a Capture so answered is in doubt.
fn classify(trip: &TripKey, call: &Call, outcome: &Outcome, now: Timestamp) -> Reply {
    match outcome {
        Outcome::Answer(answer) => about(trip, answered(call, answer, now), answer),
        Outcome::NoCredentials(why) => {
            // Nothing was sent, so nothing was executed, just as if the service had said so.
            let (words, by_service) = (why.clone(), true);
            Reply::Unauthorized { words, by_service }
        }
        Outcome::NotSent(why) => Reply::NotSent { why: why.clone() },
        Outcome::Silence(why) if planted::is(Bug::SecondCaptureAfterTimeout) => {
            Reply::NotSent { why: why.clone() }
        }
        Outcome::Silence(why) => {
            let (status, why) = (None, why.clone());
            Reply::Unclear { status, why }
        }
    }
}

/// The service does not have to name the trip; when it does, and it is another one, somebody
/// between us has mixed up answers, and this one says nothing about ours.
fn about(trip: &TripKey, reply: Reply, answer: &Answer) -> Reply {
    let body = answer.body.as_deref().unwrap_or_default();
    if reply.is_clear() && names_another_trip(body, trip) {
        return unclear(
            answer.status,
            Some("the answer is about another trip".to_owned()),
        );
    }
    reply
}

fn answered(call: &Call, answer: &Answer, now: Timestamp) -> Reply {
    let status = answer.status;
    if status == 200 {
        return accepted(call, answer);
    }
    let said = answer.body.as_deref().ok().and_then(error_msg);
    match (status, said) {
        (401 | 403, said) => unauthorized(said, answer),
        (429, said) if planted::is(Bug::ThrottleIsAnAttempt) => unclear(status, said),
        (429, _) => {
            let retry_after_ms = retry_after_ms(&answer.headers, now);
            Reply::Throttled { retry_after_ms }
        }
        (400..=499, Some(words)) if tells_expiry(&words) => Reply::Expired { words },
        // In whichever status; but a Capture that ended in a 5xx may have been executed.
        (500..=599, Some(words)) if call.may_be_repeated() && names_the_trip(&words) => {
            Reply::Expired { words }
        }
        (400, Some(words)) => Reply::Refused { words },
        // A proxy, a portal or another service answers so: the payment service has no redirects,
        // knows these paths, methods and types, and gives its reasons as JSON.
        (300..=399 | 404 | 405 | 415, said) => not_the_service(status, said),
        (400, None) if answer.body.is_ok() => not_the_service(status, None),
        (500..=599, Some(words)) if planted::is(Bug::ServerErrorIsANo) => Reply::Refused { words },
        (_, said) => unclear(status, said.or(answer.body.as_deref().err().cloned())),
    }
}

fn not_the_service(status: u16, said: Option<String>) -> Reply {
    let why = match said {
        Some(said) => format!("HTTP {status}: {said}"),
        None => format!("HTTP {status} without the service's JSON"),
    };
    Reply::NotTheService { why }
}

fn unclear(status: u16, said: Option<String>) -> Reply {
    let why = match said {
        Some(said) => format!("HTTP {status}: {said}"),
        None => format!("HTTP {status}"),
    };
    let status = Some(status);
    Reply::Unclear { status, why }
}

fn accepted(call: &Call, answer: &Answer) -> Reply {
    let body = match &answer.body {
        Ok(body) => body.as_slice(),
        Err(why) => return unclear(answer.status, Some(why.clone())),
    };
    let read = match call {
        Call::Adjust { total } => without_error(body).and_then(|()| adjusted(body, *total)),
        // Documented as empty; an object is let pass, as members may be added any day.
        Call::Capture { .. } | Call::Cancel if body.trim_ascii().is_empty() => Ok(Reply::Initiated),
        Call::Capture { .. } | Call::Cancel if planted::is(Bug::PageIsAYes) => Ok(Reply::Initiated),
        Call::Capture { .. } | Call::Cancel => without_error(body)
            .and_then(|()| without_failure(body))
            .map(|()| Reply::Initiated),
        Call::TransactionalData => without_error(body)
            .and_then(|()| transactional_data(body))
            .map(|data| Reply::Data(Box::new(data))),
    };
    read.unwrap_or_else(|why| unclear(answer.status, Some(why)))
}

fn unauthorized(said: Option<String>, answer: &Answer) -> Reply {
    // The gateway stands before the service and says `message`: it refused before anything was
    // executed, so its word is as good as the service's.
    let gateway = || answer.body.as_deref().ok().and_then(gateway_message);
    match said.or_else(gateway) {
        Some(words) => Reply::Unauthorized {
            words,
            by_service: true,
        },
        None => Reply::Unauthorized {
            words: format!("HTTP {} without the service's JSON", answer.status),
            by_service: false,
        },
    }
}

/// True when `said` tells that the trip's payment token is dead, however it spells it:
/// `ShoppingTripExpiredException`, "Shopping Trip Expired".
fn tells_expiry(said: &str) -> bool {
    let said = said.to_lowercase();
    // Much else expires as well: what we sign with, and the shopper's card. Not the trip's end.
    let other = [
        "card",
        "certificate",
        "credential",
        "request",
        "security token",
        "session",
        "signature",
    ];
    let is_other = || other.iter().any(|word| said.contains(word));
    said.contains("expired") && (names_the_trip(&said) || !is_other())
}

/// True when `said` is that of a trip, and of nothing else that may have run out of time.
fn names_the_trip(said: &str) -> bool {
    let words = said
        .chars()
        .filter(|c| !c.is_whitespace() && !"_-".contains(*c));
    let said: String = words.map(|letter| letter.to_ascii_lowercase()).collect();
    said.contains("tripexpired") || said.contains("triphasexpired")
}
