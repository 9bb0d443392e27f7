//! Calls to the payment service and what came back, classified.

use serde::{Deserialize, Serialize};

use super::evidence::TransactionalData;
use super::money::Money;
use super::time::Timestamp;

/// One request to the payment service about one trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// Raise the hold to this total (absolute, so it may be repeated).
    Adjust {
        /// The total to authorise.
        total: Money,
    },
    /// Take the money. Has no idempotency key.
    Capture {
        /// The amount to take.
        amount: Money,
    },
    /// Release the hold.
    Cancel,
    /// Read the EMV data of the trip.
    TransactionalData,
}

impl Call {
    /// The call's name in logs, files and the database.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adjust { .. } => "adjust",
            Self::Capture { .. } => "capture",
            Self::Cancel => "cancel",
            Self::TransactionalData => "transactional_data",
        }
    }

    /// True when silence does not forbid sending it once more.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::Adjust { .. } | Self::Cancel | Self::TransactionalData => true,
            Self::Capture { .. } => false,
        }
    }

    /// The amount that the call carries.
    pub fn amount(&self) -> Option<Money> {
        match self {
            Self::Adjust { total } => Some(*total),
            Self::Capture { amount } => Some(*amount),
            Self::Cancel | Self::TransactionalData => None,
        }
    }
}

/// Why a reply ends the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// 401 or 403: the credentials are refused (exit 77).
    Authentication,
    /// The answer is not one the payment service gives (exit 78).
    NotTheService,
}

/// What came back, classified; the table of DESIGN.md section 4.
///
/// `words` is the service's own text, already free of card numbers and cut to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Adjust: the hold now covers `authorized`.
    Approved {
        /// The authorised amount, in the currency asked for.
        authorized: Money,
    },
    /// Adjust: a clear no; `authorized` is the last successfully adjusted amount, perhaps 0.
    Declined {
        /// The amount that stays authorised.
        authorized: Money,
    },
    /// Adjust: not decided yet; ask again.
    Pending,
    /// Capture or Cancel: accepted, which means initiated and no more.
    Initiated,
    /// GetTransactionalData: the allow-listed fields.
    Data(Box<TransactionalData>),
    /// The payment token is dead. Nothing was executed.
    Expired {
        /// The service's words.
        words: String,
    },
    /// The service understood and said no (400 with its `errorMsg`). Nothing was executed.
    Refused {
        /// The service's words.
        words: String,
    },
    /// 429: not an attempt; send again when the pause is over.
    Throttled {
        /// How long the service asked us to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The request never left: DNS, connect, TLS, or a local failure before the first byte.
    NotSent {
        /// What failed.
        why: String,
    },
    /// 401 or 403.
    Unauthorized {
        /// The service's words.
        words: String,
        /// True when the body was the service's own JSON, so that nothing was executed.
        by_service: bool,
    },
    /// 3xx, 404, 405, 415, or a 400 without the service's JSON.
    NotTheService {
        /// Status and what was odd about it.
        why: String,
    },
    /// Everything else: timeout, reset, 5xx, unreadable body. It may have been executed.
    Unclear {
        /// The HTTP status, when there was one.
        status: Option<u16>,
        /// What failed.
        why: String,
    },
}

impl Reply {
    /// The reply's name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::Pending => "pending",
            Self::Initiated => "initiated",
            Self::Data(_) => "data",
            Self::Expired { .. } => "expired",
            Self::Refused { .. } => "refused",
            Self::Throttled { .. } => "throttled",
            Self::NotSent { .. } => "not_sent",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotTheService { .. } => "not_the_service",
            Self::Unclear { .. } => "unclear",
        }
    }

    /// True when the reply proves that the call had no effect.
    pub fn proves_not_executed(&self) -> bool {
        match self {
            Self::Expired { .. }
            | Self::Refused { .. }
            | Self::Throttled { .. }
            | Self::NotSent { .. } => true,
            Self::Unauthorized { by_service, .. } => *by_service,
            Self::Approved { .. }
            | Self::Declined { .. }
            | Self::Pending
            | Self::Initiated
            | Self::Data(_)
            | Self::NotTheService { .. }
            | Self::Unclear { .. } => false,
        }
    }

    /// True when a Capture so answered may or may not have happened.
    pub fn leaves_capture_in_doubt(&self) -> bool {
        match self {
            Self::Unclear { .. } | Self::NotTheService { .. } => true,
            Self::Unauthorized { by_service, .. } => !by_service,
            // These answer other calls; after a Capture they would tell us nothing.
            Self::Approved { .. } | Self::Declined { .. } | Self::Pending | Self::Data(_) => true,
            Self::Initiated
            | Self::Expired { .. }
            | Self::Refused { .. }
            | Self::Throttled { .. }
            | Self::NotSent { .. } => false,
        }
    }

    /// True when the service answered the question, whichever way.
    pub fn is_clear(&self) -> bool {
        match self {
            Self::Approved { .. }
            | Self::Declined { .. }
            | Self::Pending
            | Self::Initiated
            | Self::Data(_)
            | Self::Expired { .. }
            | Self::Refused { .. } => true,
            Self::Throttled { .. }
            | Self::NotSent { .. }
            | Self::Unauthorized { .. }
            | Self::NotTheService { .. }
            | Self::Unclear { .. } => false,
        }
    }

    /// Why no further call makes sense in this pass, if so.
    pub fn stops_the_pass(&self) -> Option<Stop> {
        match self {
            Self::Unauthorized { .. } => Some(Stop::Authentication),
            Self::NotTheService { .. } => Some(Stop::NotTheService),
            Self::Approved { .. }
            | Self::Declined { .. }
            | Self::Pending
            | Self::Initiated
            | Self::Data(_)
            | Self::Expired { .. }
            | Self::Refused { .. }
            | Self::Throttled { .. }
            | Self::NotSent { .. }
            | Self::Unclear { .. } => None,
        }
    }
}

/// A reply with what was noticed on the way.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The classified reply.
    pub reply: Reply,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// The service's `Date` header.
    pub service_clock: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn a_capture_is_undone_or_in_doubt_or_initiated_by_every_reply() {
        let words = String::new;
        let authorized = Money::zero(Currency::of("USD").unwrap());
        let all = [
            Reply::Approved { authorized },
            Reply::Declined { authorized },
            Reply::Data(Box::default()),
            Reply::Pending,
            Reply::Initiated,
            Reply::Expired { words: words() },
            Reply::Refused { words: words() },
            Reply::Throttled {
                retry_after_ms: None,
            },
            Reply::NotSent { why: words() },
            Reply::Unauthorized {
                words: words(),
                by_service: true,
            },
            Reply::Unauthorized {
                words: words(),
                by_service: false,
            },
            Reply::NotTheService { why: words() },
            Reply::Unclear {
                status: Some(500),
                why: words(),
            },
        ];
        for reply in all {
            let initiated = reply == Reply::Initiated;
            let verdicts = [
                reply.proves_not_executed(),
                reply.leaves_capture_in_doubt(),
                initiated,
            ];
            assert_eq!(verdicts.iter().filter(|v| **v).count(), 1, "{reply:?}");
        }
    }
}
