//! The rate limit: a bucket of calls that refills steadily.

use std::time::{Duration, Instant};

/// Grants `per_second` calls a second and `burst` at once.
#[derive(Debug)]
pub(super) struct Rate {
    between: Option<Duration>,
    slack: Duration,
    /// When the bucket will be full again.
    full_at: Option<Instant>,
}

impl Rate {
    /// `None` grants everything; 0 grants nothing.
    pub fn of(per_second: Option<u32>, burst: u32) -> Self {
        let between = per_second.map(|calls| {
            let second = Duration::from_secs(1);
            second.checked_div(calls).unwrap_or(Duration::MAX)
        });
        let spare = burst.saturating_sub(1);
        let slack = between.unwrap_or_default().saturating_mul(spare);
        let full_at = None;
        Self {
            between,
            slack,
            full_at,
        }
    }

    /// Takes one call out of the bucket; `false` when it is empty.
    pub fn grant(&mut self, now: Instant) -> bool {
        let Some(between) = self.between else {
            return true;
        };
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        if full_at.duration_since(now) > self.slack {
            return false;
        }
        match full_at.checked_add(between) {
            Some(later) => self.full_at = Some(later),
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks at each of the milliseconds and tells what was granted.
    fn granted(per_second: Option<u32>, burst: u32, asked_at: &[u64]) -> String {
        let start = Instant::now();
        let mut rate = Rate::of(per_second, burst);
        let at = |ms: &u64| start + Duration::from_millis(*ms);
        let grants = asked_at.iter().map(|ms| rate.grant(at(ms)));
        grants.map(|yes| if yes { 'y' } else { 'n' }).collect()
    }

    #[test]
    fn the_bucket_holds_a_burst_and_refills_steadily() {
        let rows = [
            ("no limit", None, 0, [0, 0, 0].as_slice(), "yyy"),
            ("nothing", Some(0), 5, &[0, 10_000], "nn"),
            (
                "one by one",
                Some(10),
                1,
                &[0, 0, 99, 100, 150, 200],
                "ynnyny",
            ),
            ("no burst is one", Some(10), 0, &[0, 0, 100], "yny"),
            ("a burst", Some(10), 3, &[0, 0, 0, 0, 100, 100], "yyynyn"),
            (
                "no saving up",
                Some(10),
                2,
                &[0, 9_000, 9_000, 9_000],
                "yyyn",
            ),
        ];
        for (name, per_second, burst, asked_at, expected) in rows {
            assert_eq!(granted(per_second, burst, asked_at), expected, "{name}");
        }
    }
}
