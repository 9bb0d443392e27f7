//! The retry budget: what an outage may cost in calls.

use std::sync::atomic::{AtomicU32, Ordering};

/// Retries that a pass may still make: a tenth of its first attempts, so that an outage costs at
/// most a tenth more calls than a good night.
#[derive(Debug, Default)]
pub struct RetryBudget {
    /// First attempts that count.
    earned: AtomicU32,
    /// Retries made.
    spent: AtomicU32,
}

/// So many first attempts earn a retry.
const EARN_ONE: u32 = 10;
/// What a pass is advanced; the first hundred first attempts only pay it back.
const ADVANCE: u32 = 10;
/// What a long good night can save up.
const AT_MOST: u32 = 100;

impl RetryBudget {
    /// A call was made that is no retry: ten of them earn one.
    pub fn first_attempt(&self) {
        let spent = self.spent.load(Ordering::Relaxed);
        let full = spent.saturating_add(AT_MOST).saturating_mul(EARN_ONE);
        let earn = |earned: u32| (earned < full).then(|| earned.saturating_add(1));
        // An error only says that the budget is full.
        let _ = self
            .earned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, earn);
    }

    /// Takes one retry out of the budget; false when there is none.
    pub fn take(&self) -> bool {
        let earned = self.earned.load(Ordering::Relaxed) / EARN_ONE;
        let most = earned.max(ADVANCE);
        let spend = |spent: u32| (spent < most).then(|| spent.saturating_add(1));
        let taken = self
            .spent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_earned_by_first_attempts() {
        let budget = RetryBudget::default();
        let taken = || (0..1_000).filter(|_| budget.take()).count();
        assert_eq!(taken(), 10);
        // The advance is paid back before more is earned.
        (0..109).for_each(|_| budget.first_attempt());
        assert_eq!(taken(), 0);
        (0..1).for_each(|_| budget.first_attempt());
        assert_eq!(taken(), 1);
        (0..100_000).for_each(|_| budget.first_attempt());
        assert_eq!(taken(), 100);
    }
}
