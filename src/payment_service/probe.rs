//! `check`: are there keys, is this the payment service, and does it believe us? Moves no money.

use std::time::UNIX_EPOCH;

use super::no_keys::NoKeys;
use super::{HttpService, PaymentService as _, ServiceError};
use crate::domain::{Call, Reply, StoreId, Timestamp, TripId, TripKey};

/// A trip that cannot exist.
const STORE: &str = "tripsettle-check";
const TRIP: &str = "00000000-0000-0000-0000-000000000000";

/// The service answered as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it said about a trip that cannot exist.
    pub words: String,
    /// The service's `Date` header.
    pub service_clock: Option<Timestamp>,
}

/// The AWS credentials that requests would be signed with; nothing of them that is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The last four characters of the access key's id.
    pub ending: String,
    /// When they expire; keys of a user never do.
    pub expires_at: Option<Timestamp>,
}

impl HttpService {
    /// Looks the AWS credentials up, as the first call of a run does.
    ///
    /// # Errors
    /// [`ServiceError::Credentials`] when none are set up that could work,
    /// [`ServiceError::Withheld`] when whoever hands them out did not.
    pub async fn credentials(&self) -> Result<HandedOut, ServiceError> {
        let keys = self.keys().await.map_err(|why| match why {
            NoKeys::NotSetUp { why, mend } => ServiceError::Credentials { why, mend },
            NoKeys::NotHandedOut(why) => ServiceError::Withheld { why },
        })?;
        let id = keys.access_key_id();
        let ending = id.get(id.len().saturating_sub(4)..).unwrap_or_default();
        let expires = keys
            .expiry()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let expires = expires.and_then(|since| i64::try_from(since.as_millis()).ok());
        Ok(HandedOut {
            ending: ending.to_owned(),
            expires_at: expires.map(Timestamp::of_ms),
        })
    }

    /// Asks for the transactional data of a trip that cannot exist: a signed read, answered with a
    /// clear no when all is well.
    ///
    /// # Errors
    /// [`ServiceError::Authentication`], [`ServiceError::NotTheService`],
    /// [`ServiceError::Unavailable`].
    pub async fn probe(&self) -> Result<Probe, ServiceError> {
        let bad_name = |why: crate::domain::BadName| ServiceError::Unavailable {
            why: why.to_string(),
        };
        let trip = TripKey {
            store: StoreId::of(STORE).map_err(bad_name)?,
            trip: TripId::of(TRIP).map_err(bad_name)?,
        };
        let heard = self.send(&trip, &Call::TransactionalData).await;
        let service_clock = heard.service_clock;
        let words = match heard.reply {
            Reply::Refused { words } | Reply::Expired { words } => words,
            reply @ (Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Initiated
            | Reply::Data(_)
            | Reply::Throttled { .. }) => reply.name().to_owned(),
            Reply::Unauthorized { words, .. } => {
                return Err(ServiceError::Authentication {
                    words,
                    service_clock,
                });
            }
            Reply::NotTheService { why } => return Err(ServiceError::NotTheService { why }),
            Reply::NotSent { why } | Reply::Unclear { why, .. } => {
                return Err(ServiceError::Unavailable { why });
            }
        };
        Ok(Probe {
            words,
            service_clock,
        })
    }
}
