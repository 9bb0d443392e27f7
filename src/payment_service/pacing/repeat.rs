//! How soon a call that may be repeated goes again.

use std::time::Duration;

/// How long to wait before a call is repeated for the `attempt`th time: full jitter over
/// 250 ms·2^attempt, at most 10 s. `jitter` is random bits.
pub fn backoff(attempt: u32, jitter: u64) -> Duration {
    let widest = 250_u64
        .saturating_mul(2_u64.saturating_pow(attempt.min(32)))
        .min(10_000);
    let ms = jitter.checked_rem(widest.saturating_add(1)).unwrap_or(0);
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_widens_and_keeps_within_its_bounds() {
        for (attempt, widest) in [(0, 250), (1, 500), (3, 2_000), (5, 8_000), (6, 10_000)] {
            let longest = (0..=widest).map(|jitter| backoff(attempt, jitter)).max();
            assert_eq!(
                longest,
                Some(Duration::from_millis(widest)),
                "attempt {attempt}"
            );
        }
        for jitter in [0, 1, u64::MAX] {
            assert!(backoff(u32::MAX, jitter) <= Duration::from_millis(10_000));
        }
    }
}
