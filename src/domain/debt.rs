//! Bad debt after it was booked: what is done about it, and how old it is.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::spelled;

/// Who writes off what is too small to be asked for, and takes back what evidence contradicts; no
/// person may call themselves so.
pub const NOBODY: &str = "tripsettle";

/// What was done about a trip's bad debt, with author and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtRuling {
    /// The act.
    pub act: DebtAct,
    /// Who decided; [`NOBODY`] where no person did.
    pub by: String,
    /// Why.
    pub note: String,
}

/// An act on a trip's bad debt. None moves money between the parts of the cart total, but the
/// reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum DebtAct {
    /// Money came later.
    Recovered {
        /// How much; at most the open debt.
        amount: Money,
    },
    /// The rest is given up.
    WrittenOff {
        /// How much: the whole open debt.
        amount: Money,
    },
    /// A recovery, a write-off or a reversal was no such thing: what it took from the debt is open
    /// again.
    TakenBack {
        /// The step of its event.
        step: u32,
    },
    /// The debt should not have been booked.
    Reversed {
        /// How much; at most the open debt.
        amount: Money,
        /// What it was instead.
        into: ReversedInto,
    },
}

impl DebtAct {
    /// The act, as the database and lists spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recovered { .. } => "recovered",
            Self::WrittenOff { .. } => "written_off",
            Self::TakenBack { .. } => "taken_back",
            Self::Reversed { .. } => "reversed",
        }
    }
}

/// What a reversed debt was instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReversedInto {
    /// The money had been captured.
    Captured,
    /// The shopper never owed it.
    Cancelled,
}

spelled!(ReversedInto {
    Captured = "captured",
    Cancelled = "cancelled",
});

/// How old an open debt is, in days from the books date on which it was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DebtAge {
    /// At most 30 days.
    Days0To30,
    /// At most 60.
    Days31To60,
    /// At most 90.
    Days61To90,
    /// Older.
    Over90,
}

spelled!(DebtAge {
    Days0To30 = "0-30",
    Days31To60 = "31-60",
    Days61To90 = "61-90",
    Over90 = ">90",
});

impl DebtAge {
    /// The bucket of a debt that is `days` old.
    pub fn of_days(days: i64) -> Self {
        match days {
            ..=30 => Self::Days0To30,
            31..=60 => Self::Days31To60,
            61..=90 => Self::Days61To90,
            91.. => Self::Over90,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_fall_into_four_buckets() {
        let rows = [
            (-1, "0-30"),
            (0, "0-30"),
            (30, "0-30"),
            (31, "31-60"),
            (60, "31-60"),
            (61, "61-90"),
            (90, "61-90"),
            (91, ">90"),
            (i64::MAX, ">90"),
        ];
        for (days, bucket) in rows {
            assert_eq!(DebtAge::of_days(days).as_str(), bucket, "{days} days");
        }
    }
}
