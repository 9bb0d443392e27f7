//! Why the payment service cannot be set up, or did not answer `check` as it should.

use crate::domain::Timestamp;

/// Why the payment service cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The endpoint is not one we may send signed requests to.
    #[error("payment_service.endpoint `{endpoint}`: {why}")]
    Endpoint {
        /// The endpoint as given, without its user info.
        endpoint: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// The region cannot be an AWS region's name.
    #[error(
        "payment_service.region `{region}` is not the name of an AWS region such as eu-west-1; \
         the one in the endpoint's host name is usually right"
    )]
    Region {
        /// The region as given.
        region: String,
    },
    /// The HTTP client could not be built.
    #[error(
        "no HTTPS client could be built: {why}; are the system's root certificates installed \
         (package ca-certificates, or SSL_CERT_FILE)?"
    )]
    Client {
        /// What failed.
        why: String,
    },
    /// `check`: there is nothing to sign with.
    #[error("{why}; {mend}")]
    Credentials {
        /// Where they were looked for, or who refused them.
        why: String,
        /// What to do.
        mend: &'static str,
    },
    /// `check`: whoever hands out the credentials did not, now.
    #[error("{why}; is the profile, the role or the metadata service right? A run tries again")]
    Withheld {
        /// What failed.
        why: String,
    },
    /// `check`: the service was reached and refused us.
    #[error(
        "the payment service refused our credentials: {words} (its clock: {clock}); check the \
         AWS credentials, the role's execute-api permission, the account's onboarding, our clock, \
         and the path of payment_service.endpoint",
        clock = shown(*.service_clock)
    )]
    Authentication {
        /// The service's words.
        words: String,
        /// The service's clock, as a clock apart from it is refused as well.
        service_clock: Option<Timestamp>,
    },
    /// `check`: something answered, but not as the payment service does.
    #[error("is this the payment service? {why}; check payment_service.endpoint")]
    NotTheService {
        /// Status and what was odd about it.
        why: String,
    },
    /// `check`: no answer, or none that can be read.
    #[error("the payment service could not be asked: {why}; is the network up and the host right?")]
    Unavailable {
        /// What failed.
        why: String,
    },
}

fn shown(clock: Option<Timestamp>) -> String {
    clock.map_or_else(|| "not told".to_owned(), |at| at.to_string())
}
