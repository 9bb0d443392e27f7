//! What the service's refusals tell about its limit, and how fast to go until it refuses again.
//!
//! At a 429 the service's bucket is empty. What it granted from one 429 to the next is therefore
//! about what it refills in that time, and the true limit lies between that measure and the rate at
//! which it refused. We go on a little below the middle of the two and climb as a cube of time
//! climbs: fast where the limit is far, hardly at all beside it, and faster again once it is left
//! behind without a 429 (as TCP's CUBIC does, RFC 9438).

use std::time::Duration;

use tokio::time::Instant;

/// The climb reaches the last known limit after so many milliseconds.
const PLATEAU_MS: i128 = 40_000;
/// A second, cubed, in milliseconds: the climb is told in seconds.
const CUBED: i128 = 1_000_000_000;
/// The climb adds this part of the known limit per cubed second: so 2.6 % are given up at once.
const PART: i128 = 2_500_000;
/// However often we are throttled, we do not get slower than by this factor.
const SLOWEST: u32 = 16;
/// A climb is over long before this.
const LONGEST_CLIMB_MS: u64 = 3_600_000;

/// The rate to keep: a gap between two calls.
#[derive(Debug)]
pub(super) struct Limit {
    /// The configured one, never undercut.
    shortest: Duration,
    /// What the last 429 made of it; none before the first.
    learnt: Option<Duration>,
    /// Since when `learnt` holds: the end of the pause.
    from: Instant,
    /// When the service ran out last; before, nobody knows how full its bucket is.
    empty_at: Option<Instant>,
    /// Good replies since.
    granted: u32,
}

impl Limit {
    /// Nothing is known yet but what is configured.
    pub fn new(shortest: Duration, now: Instant) -> Self {
        Self {
            shortest,
            learnt: None,
            from: now,
            empty_at: None,
            granted: 0,
        }
    }

    /// A good reply came.
    pub fn granted(&mut self) {
        self.granted = self.granted.saturating_add(1);
    }

    /// The service ran out: goes slower, by half at most.
    pub fn refused(&mut self, now: Instant) {
        let gap = self.gap(now);
        let measured = self.empty_at.map_or(gap, |since| {
            let since = now.saturating_duration_since(since);
            since.checked_div(self.granted.max(1)).unwrap_or(since)
        });
        let half = gap.saturating_mul(2);
        let middle = gap.saturating_add(measured).checked_div(2).unwrap_or(gap);
        let slowest = self.shortest.saturating_mul(SLOWEST);
        self.learnt = Some(middle.clamp(gap, half).min(slowest));
        self.from = now;
        self.empty_at = Some(now);
        self.granted = 0;
    }

    /// The climb begins when the pause is over.
    pub fn paused_until(&mut self, until: Instant) {
        self.from = until;
    }

    /// The gap to keep at `now`.
    pub fn gap(&self, now: Instant) -> Duration {
        let Some(learnt) = self.learnt else {
            return self.shortest;
        };
        let climbed = now.saturating_duration_since(self.from).as_millis();
        let climbed = u64::try_from(climbed).unwrap_or(LONGEST_CLIMB_MS);
        let past = i128::from(climbed.min(LONGEST_CLIMB_MS)).saturating_sub(PLATEAU_MS);
        let cube = past.saturating_pow(3).checked_div(CUBED).unwrap_or(0);
        let learnt_ns = i128::try_from(learnt.as_nanos()).unwrap_or(i128::MAX);
        let rate = PART.saturating_add(cube);
        let gap = learnt_ns.saturating_mul(PART).checked_div(rate);
        let gap = gap.and_then(|ns| u64::try_from(ns).ok());
        gap.map_or(learnt, Duration::from_nanos).max(self.shortest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    /// A limit configured as 100 calls a second, of which the service refused one at the start,
    /// and another one after it had granted `granted` within `seconds`.
    fn refused_after(granted: u32, seconds: u64) -> (Limit, Instant) {
        let start = Instant::now();
        let mut limit = Limit::new(Duration::from_millis(10), start);
        limit.refused(start);
        assert_eq!(
            limit.gap(start).as_micros(),
            10_262,
            "a little slower to begin with"
        );
        (0..granted).for_each(|_| limit.granted());
        let end = after(start, seconds);
        limit.refused(end);
        (limit, end)
    }

    #[test]
    fn what_was_granted_until_a_refusal_tells_the_limit() {
        for (granted, gap_us, why) in [
            (4_000, 10_262, "the limit is where we were"),
            (
                18_000,
                10_262,
                "more than we asked for is no reason to go faster",
            ),
            (2_000, 15_394, "half was granted: the middle of 50 and 100"),
            (40, 20_525, "at most half as fast"),
            (0, 20_525, "also when nothing was granted"),
        ] {
            let (limit, end) = refused_after(granted, 40);
            assert_eq!(limit.gap(end).as_micros(), gap_us, "{why}");
        }
    }

    #[test]
    fn the_climb_is_slow_beside_the_limit_and_fast_beyond() {
        let (limit, end) = refused_after(40, 40);
        let gaps = [0, 20, 40, 60, 90, 120, 160, 170, 180, 1_000_000];
        let gaps = gaps.map(|seconds| limit.gap(after(end, seconds)).as_micros());
        let climb = [
            20_525, 20_064, 20_000, 19_936, 19_047, 16_600, 11_825, 10_645, 10_000, 10_000,
        ];
        assert_eq!(
            gaps, climb,
            "from half the rate to the whole, and no further"
        );
    }

    #[test]
    fn the_climb_begins_when_the_pause_is_over() {
        let (mut limit, end) = refused_after(40, 40);
        limit.paused_until(after(end, 600));
        assert_eq!(limit.gap(end), limit.gap(after(end, 600)));
        assert_eq!(limit.gap(after(end, 640)).as_micros(), 20_000);
    }

    #[test]
    fn nobody_gets_slower_than_a_sixteenth() {
        let (mut limit, mut at) = refused_after(0, 40);
        for _ in 0..20 {
            at = after(at, 10);
            limit.refused(at);
        }
        assert_eq!(limit.gap(after(at, 40)).as_micros(), 160_000);
    }
}
