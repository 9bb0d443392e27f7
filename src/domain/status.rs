//! Where a trip stands: derived from its events by `settlement::history`, never set by hand.

use super::currency::Currency;
use super::money::{Money, MoneyError};
use super::spelled;
use super::time::Timestamp;

/// A trip's status; its spelling is the `outcome` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Everything the trip owed was captured.
    Captured,
    /// A part was captured, the rest is bad debt.
    CapturedPartial,
    /// The hold was released for an empty cart, or the feed says cancelled elsewhere.
    Cancelled,
    /// The whole basket is bad debt by decision.
    WrittenOff,
    /// The whole basket is bad debt because the token died.
    Expired,
    /// Parked with the service's words; still open money.
    Refused,
    /// A capture may have happened.
    InDoubt,
    /// Something is still to be done.
    Open,
}

spelled!(Status {
    Captured = "captured",
    CapturedPartial = "captured_partial",
    Cancelled = "cancelled",
    WrittenOff = "written_off",
    Expired = "expired",
    Refused = "refused",
    InDoubt = "in_doubt",
    Open = "open",
});

/// What is known about a capture; its spelling is the `capture_state` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaptureState {
    /// There is none.
    None,
    /// It may have happened.
    InDoubt,
    /// The service accepted it.
    Initiated,
    /// Its transactional data is here.
    Evidenced,
    /// A processor line shows the money.
    Settled,
}

spelled!(CaptureState {
    None = "none",
    InDoubt = "in_doubt",
    Initiated = "initiated",
    Evidenced = "evidenced",
    Settled = "settled",
});

/// How a trip's cart total divides, in minor units of one currency.
///
/// The law: `captured + bad_debt + cancelled + in_doubt + open = cart_total`; and of the bad debt
/// `recovered + written_off` at most all, the rest of it being the open debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// The currency of all parts.
    pub currency: Currency,
    /// The cart total, as last amended.
    pub cart_total: i64,
    /// Captured by us or elsewhere.
    pub captured: i64,
    /// Booked as a loss.
    pub bad_debt: i64,
    /// Cancelled elsewhere, or booked as a loss and never owed.
    pub cancelled: i64,
    /// A capture of it may have happened.
    pub in_doubt: i64,
    /// Still to be settled.
    pub open: i64,
    /// Of the bad debt: what came later.
    pub recovered: i64,
    /// Of the bad debt: what was given up.
    pub written_off: i64,
}

impl Balances {
    /// All of `cart_total` open.
    pub fn open(cart_total: Money) -> Self {
        let total = cart_total.minor();
        Self {
            currency: cart_total.currency(),
            cart_total: total,
            captured: 0,
            bad_debt: 0,
            cancelled: 0,
            in_doubt: 0,
            open: total,
            recovered: 0,
            written_off: 0,
        }
    }

    /// Nothing at all, as before a trip is taken.
    pub fn nothing(currency: Currency) -> Self {
        Self::open(Money::zero(currency))
    }

    /// The sum of the parts.
    ///
    /// # Errors
    /// Overflow.
    pub fn sum_of_parts(&self) -> Result<i64, MoneyError> {
        let parts = [
            self.captured,
            self.bad_debt,
            self.cancelled,
            self.in_doubt,
            self.open,
        ];
        let sum = parts
            .iter()
            .try_fold(0_i64, |sum, part| sum.checked_add(*part));
        sum.ok_or_else(|| MoneyError::OutOfRange("the sum of a trip's parts".to_owned()))
    }

    /// The open debt: bad debt that was neither recovered nor written off.
    pub fn debt(&self) -> i64 {
        let gone = self.recovered.saturating_add(self.written_off);
        self.bad_debt.saturating_sub(gone)
    }

    /// True when the parts make up the cart total, and no debt is below zero.
    pub fn hold(&self) -> bool {
        let gone = [self.recovered, self.written_off, self.debt()];
        self.sum_of_parts() == Ok(self.cart_total) && gone.iter().all(|part| *part >= 0)
    }
}

/// Everything that columns and reports say about a trip, derived from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The status.
    pub status: Status,
    /// What is known about the capture.
    pub capture_state: CaptureState,
    /// How the cart total divides.
    pub balances: Balances,
    /// The last amount that a final Adjust reply authorised.
    pub authorized: Option<Money>,
    /// The amount of the last capture that was initiated, is in doubt, or was ruled captured.
    pub intended: Option<Money>,
    /// When the trip needs attention next; `None` when no call or loss can follow by itself.
    pub act_by: Option<Timestamp>,
    /// 1 when taken, one more with each amendment.
    pub version: u32,
    /// How many events the trip has: the next one is step `steps + 1`.
    pub steps: u32,
    /// Adjusts that were answered or left in silence (throttled and unsent ones do not count).
    pub adjust_calls: u32,
    /// A capture was initiated or is in doubt, and the data that tells of it is neither here nor
    /// known not to come.
    pub wants_data: bool,
}
