//! The search for the largest amount that the card approves: bisection with few probes.

use crate::domain::{Money, SettlementPolicy};

/// What a search has found so far. The lower end is the history's authorised amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Search {
    /// The smallest total that was declined.
    high: Money,
    /// Probes that were clearly answered.
    probes: u32,
}

impl Search {
    /// A search below the cart total, which was declined.
    pub fn below(declined: Money) -> Self {
        Self {
            high: declined,
            probes: 0,
        }
    }

    pub fn declined(&mut self, asked: Money) {
        self.probes = self.probes.saturating_add(1);
        let lower = self.high.minor().min(asked.minor());
        self.high = Money::of_minor(lower, asked.currency());
    }

    pub fn approved(&mut self) {
        self.probes = self.probes.saturating_add(1);
    }

    /// The next amount to ask for: half-way between what is authorised and what was declined, as
    /// long as there are probes left and the step up is worth one of them.
    pub fn next(
        &self,
        authorized: Money,
        cart_total: i64,
        policy: &SettlementPolicy,
    ) -> Option<Money> {
        let (low, high) = (authorized.minor(), self.high.minor());
        let gap = high.checked_sub(low)?;
        let gain = gap / 2;
        let least = least_gain(cart_total, policy.min_gain_percent);
        (self.probes < policy.max_probes && gain >= least)
            .then(|| Money::of_minor(low.saturating_add(gain), authorized.currency()))
    }
}

/// `percent` of the cart, rounded up, at least one minor unit.
fn least_gain(cart_total: i64, percent: u32) -> i64 {
    let exact = i128::from(cart_total) * i128::from(percent);
    let rounded = (exact + 99) / 100;
    i64::try_from(rounded).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, DeclinePolicy};

    fn usd(minor: i64) -> Money {
        Money::of_minor(minor, Currency::of("USD").unwrap())
    }

    fn policy(max_probes: u32, min_gain_percent: u32) -> SettlementPolicy {
        SettlementPolicy {
            on_decline: DeclinePolicy::Search,
            max_probes,
            min_gain_percent,
            transactional_data_proves_capture: false,
        }
    }

    /// Plays a whole search against a card with `limit`; gives what ends authorised and the probes.
    fn found(total: i64, limit: i64, start: i64, policy: &SettlementPolicy) -> (i64, u32) {
        let (mut low, mut search, mut asks) = (usd(start), Search::below(usd(total)), 0);
        while let Some(probe) = search.next(low, total, policy) {
            asks += 1;
            assert!(
                probe.minor() > low.minor() && probe.minor() < total,
                "{probe:?}"
            );
            if probe.minor() <= limit {
                search.approved();
                low = probe;
            } else {
                search.declined(probe);
            }
        }
        (low.minor(), asks)
    }

    #[test]
    fn a_search_ends_within_its_probes_near_the_limit_of_the_card() {
        let rows = [
            // total, limit, authorised at first, probes, gain %, expected, asks
            (2000, 1200, 0, 4, 5, 1125, 4),
            (2000, 1200, 1200, 4, 5, 1200, 3),
            (2000, 1999, 0, 4, 5, 1875, 4),
            (2000, 0, 0, 4, 5, 0, 4),
            (2000, 1200, 0, 0, 5, 0, 0),
            (2000, 1200, 0, 20, 1, 1187, 6),
            (2000, 1200, 0, 4, 60, 0, 0),
            (3, 2, 0, 9, 0, 2, 2),
        ];
        for (total, limit, start, probes, gain, expected, asks) in rows {
            let got = found(total, limit, start, &policy(probes, gain));
            assert_eq!(
                got,
                (expected, asks),
                "{total} with limit {limit} from {start}"
            );
        }
    }

    #[test]
    fn the_least_gain_is_rounded_up() {
        assert_eq!(least_gain(1999, 5), 100);
        assert_eq!(least_gain(2000, 5), 100);
        assert_eq!(least_gain(7, 0), 1);
        assert_eq!(least_gain(i64::MAX, 200), i64::MAX);
    }
}
