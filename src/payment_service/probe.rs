//! `check`: is this the payment service, and does it believe us? Moves no money.

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

impl HttpService {
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
