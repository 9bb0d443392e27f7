//! The door to the payment service: takes one call about one trip, gives back what was heard.
//!
//! ```text
//! Call ─ wire ─▶ bytes ─ sign ─▶ http ─▶ answer or silence ─ classify ─▶ Reply
//! ```
//!
//! Nothing here sends a request twice: whether a call may be repeated is for the law of a trip to
//! say. `pacing` says when a call may go, `breakers` when no more of them should.

mod amount;
pub mod breakers;
mod chain;
mod classify;
mod credentials;
mod emv;
mod endpoint;
mod error;
mod headers;
mod http;
mod no_keys;
pub mod pacing;
mod probe;
mod sign;
mod wire;
mod words;

use std::future::Future;

use crate::domain::{Call, Heard, TripKey};

pub use classify::{Answer, Outcome, heard};
pub use credentials::Credentials;
pub use endpoint::HttpSettings;
pub use error::ServiceError;
pub use http::HttpService;
pub use probe::{HandedOut, Probe};
pub use wire::body;

/// Whoever can be asked to adjust, capture, cancel and read.
pub trait PaymentService: Send + Sync + 'static {
    /// Looks up what the first call would look up: calls that all wait for it have had their turn
    /// by the rate limit, and would then go at once. What fails is told by the call.
    fn get_ready(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Sends `call` about `trip` once and says what came back. Never sends it again by itself.
    fn send(&self, trip: &TripKey, call: &Call) -> impl Future<Output = Heard> + Send;
}

/// Makes aws-lc-rs the process's one TLS provider. `main` calls it first; later calls do nothing.
pub fn install_tls() {
    // An error only says that one is installed already, and nothing here compiles another in.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
