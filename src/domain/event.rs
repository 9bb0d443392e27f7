//! The journal's events: every fact about a trip, in the order in which it was learnt.

use serde::{Deserialize, Serialize};

use super::breaks::Break;
use super::breaks::BreakKind;
use super::call::{Call, Reply};
use super::debt::DebtRuling;
use super::evidence::{ProcessorLine, TransactionalData};
use super::ids::RunId;
use super::money::Money;
use super::policy::DeclinePolicy;
use super::spelled;
use super::time::{BooksDate, Timestamp};
use super::trip::{Source, Trip};

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the whole journal.
    pub seq: i64,
    /// Its place among the trip's events, from 1 without gaps.
    pub step: u32,
    /// When it was learnt.
    pub at: Timestamp,
    /// The accounting date it is booked on.
    pub books_date: BooksDate,
    /// The run that learnt it; none for `import`, `rule`, `debt` and
    /// `init --after-restore`.
    pub run: Option<RunId>,
    /// What was learnt.
    pub fact: Fact,
}

/// What the feed says happened without us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "elsewhere", rename_all = "snake_case")]
pub enum Elsewhere {
    /// The retailer captured the trip online.
    Captured {
        /// How much.
        amount: Money,
    },
    /// The retailer cancelled the trip.
    Cancelled,
}

/// A person's word that ends a doubt or a parking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Who ruled.
    pub by: String,
    /// Why.
    pub note: String,
}

/// What was ruled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The capture happened.
    Captured {
        /// How much was captured; at most the intended amount.
        amount: Money,
    },
    /// The capture did not happen: one new attempt is allowed before expiry.
    NotCaptured,
    /// A refused trip may be tried again.
    Retry,
    /// An older state was put back: what is open may have been captured since it was copied.
    MayBeCaptured,
}

/// Why an amount was booked as bad debt; its spelling is the `reason` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossReason {
    /// A clear no about money.
    Declined,
    /// The service said that the token is dead.
    TokenExpired,
    /// The service could not be asked until 24 h after expiry.
    TokenExpiredUnasked,
    /// Adjust was still pending when the token died.
    PendingAtExpiry,
    /// The service refused and the token died.
    Refused,
    /// Ruled not captured after expiry.
    RuledNotCaptured,
}

impl LossReason {
    /// True where the loss came with the death of the payment token.
    pub fn token_died(self) -> bool {
        match self {
            Self::TokenExpired
            | Self::TokenExpiredUnasked
            | Self::PendingAtExpiry
            | Self::Refused => true,
            Self::Declined | Self::RuledNotCaptured => false,
        }
    }

    /// True where our clock alone may have made the loss certain, and no reply.
    pub fn may_be_by_the_clock(self) -> bool {
        match self {
            Self::TokenExpiredUnasked
            | Self::PendingAtExpiry
            | Self::Refused
            | Self::RuledNotCaptured => true,
            Self::Declined | Self::TokenExpired => false,
        }
    }
}

spelled!(LossReason {
    Declined = "declined",
    TokenExpired = "token_expired",
    TokenExpiredUnasked = "token_expired_unasked",
    PendingAtExpiry = "pending_at_expiry",
    Refused = "refused",
    RuledNotCaptured = "ruled_not_captured",
});

/// One fact about a trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The trip was taken from the feed; always step 1.
    Taken {
        /// The trip.
        trip: Box<Trip>,
        /// Its row in the feed.
        source: Source,
        /// State was lost and the trip began before: it may have been captured already.
        after_loss: bool,
    },
    /// The feed changed the amount.
    Amended {
        /// The new cart total.
        cart_total: Money,
        /// The new tax amount.
        tax: Option<Money>,
        /// Its row in the feed.
        source: Source,
    },
    /// The feed says that the trip was captured or cancelled without us.
    Elsewhere {
        /// What happened.
        what: Elsewhere,
        /// Its row in the feed.
        source: Source,
    },
    /// A money-moving call is about to be sent. Its step names the attempt.
    Intent {
        /// The call.
        call: Call,
    },
    /// The reply to an intent.
    Replied {
        /// The step of the intent that is answered.
        attempt: u32,
        /// What came back.
        reply: Reply,
    },
    /// Transactional data arrived.
    Evidence {
        /// The allow-listed fields.
        data: Box<TransactionalData>,
    },
    /// The service says that there is no transactional data to be had.
    NoEvidence {
        /// The service's words.
        words: String,
    },
    /// A processor line names the trip.
    Line {
        /// The line.
        line: ProcessorLine,
    },
    /// A person ruled.
    Ruled {
        /// The ruling.
        ruling: Ruling,
    },
    /// An unpaid remainder was booked as bad debt.
    Lost {
        /// How much.
        amount: Money,
        /// Why.
        reason: LossReason,
        /// The decline policy in force.
        policy: DeclinePolicy,
    },
    /// A processor line shows money for a trip booked as bad debt: the debt is reversed.
    FoundCaptured {
        /// How much of the bad debt is reversed and counted as captured.
        amount: Money,
    },
    /// Something was done about the bad debt.
    Debt {
        /// What, by whom and why.
        ruling: DebtRuling,
    },
    /// A break was seen for the first time.
    BreakOpened {
        /// The break.
        found: Break,
    },
    /// Later evidence cured a break.
    BreakCured {
        /// Its kind.
        kind: BreakKind,
    },
}

impl Fact {
    /// The fact's kind, as the database and logs spell it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "taken",
            Self::Amended { .. } => "amended",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Intent { .. } => "intent",
            Self::Replied { .. } => "replied",
            Self::Evidence { .. } => "evidence",
            Self::NoEvidence { .. } => "no_evidence",
            Self::Line { .. } => "line",
            Self::Ruled { .. } => "ruled",
            Self::Lost { .. } => "lost",
            Self::FoundCaptured { .. } => "found_captured",
            Self::Debt { .. } => "debt",
            Self::BreakOpened { .. } => "break_opened",
            Self::BreakCured { .. } => "break_cured",
        }
    }
}
