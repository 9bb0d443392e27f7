//! What the service's refusals tell about its limit, and how fast to go until it refuses again.
//!
//! At a 429 the service's bucket is empty. What it granted from one 429 to the next is therefore
//! what it refilled in that time, or less where a pause was so long that the bucket ran over: the
//! true limit lies between that measure and the rate at which it refused. We go on with a gap a
//! little above the middle of the two, and climb as a cube of time climbs: hardly at all beside
//! the last known limit, and fast once it is left behind without a 429 (as TCP's CUBIC does, RFC
//! 9438).

use std::time::Duration;

use tokio::time::Instant;

/// The climb reaches the last known limit after so long, or after as long as the last pause if that
/// was longer: who asks for long pauses is not to be tried often.
const PLATEAU: Duration = Duration::from_secs(40);
/// A second, cubed, in milliseconds: the climb is told in seconds.
const CUBED: i128 = 1_000_000_000;
/// The climb adds this part of the known limit per cubed second: so 2.6 % are given up at once.
const PART: i128 = 2_500_000;
/// So many grants between two refusals measure something; fewer may be a storm that passes.
const ENOUGH: u32 = 10;
/// However often we are throttled, the known limit is not below this part of the configured one.
const SLOWEST: u32 = 256;

/// The rate to keep: a gap between two calls.
#[derive(Debug)]
pub(super) struct Limit {
    /// The configured one, never undercut.
    shortest: Duration,
    /// What the last 429 made of it; none before the first.
    learnt: Option<Duration>,
    /// Since when `learnt` holds: the end of the pause.
    from: Instant,
    /// How long the climb takes to come back to `learnt`.
    plateau: Duration,
    /// Since when grants are counted: a 429; before the first nobody knows how full the service's
    /// bucket is.
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
            plateau: PLATEAU,
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
        let measured = self.measured(now);
        let learnt = match measured {
            // Said again and again, a storm's no is still one: it does not add up.
            None => self.learnt.unwrap_or(gap).min(gap),
            Some(measured) => {
                let middle = gap.saturating_add(measured).checked_div(2);
                middle.unwrap_or(gap).clamp(gap, gap.saturating_mul(2))
            }
        };
        self.learnt = Some(learnt.min(self.shortest.saturating_mul(SLOWEST)));
        self.paused(now, now);
        if measured.is_some() || self.empty_at.is_none() {
            self.empty_at = Some(now);
            self.granted = 0;
        }
    }

    /// The gap of what was granted since the last measure, if that was enough to tell.
    fn measured(&self, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(self.empty_at?);
        since
            .checked_div(self.granted)
            .filter(|_| self.granted >= ENOUGH)
    }

    /// The climb begins when the pause is over.
    pub fn paused(&mut self, now: Instant, until: Instant) {
        self.from = until;
        self.plateau = until.saturating_duration_since(now).max(PLATEAU);
    }

    /// The gap to keep at `now`.
    pub fn gap(&self, now: Instant) -> Duration {
        let Some(learnt) = self.learnt else {
            return self.shortest;
        };
        let climbed = now.saturating_duration_since(self.from);
        let climbed = ms(climbed).saturating_mul(ms(PLATEAU));
        let climbed = climbed.checked_div(ms(self.plateau)).unwrap_or(0);
        let past = climbed.saturating_sub(ms(PLATEAU));
        let cube = past.saturating_pow(3).checked_div(CUBED).unwrap_or(0);
        let learnt_ns = i128::try_from(learnt.as_nanos()).unwrap_or(i128::MAX);
        let rate = PART.saturating_add(cube);
        let gap = learnt_ns.saturating_mul(PART).checked_div(rate);
        let gap = gap.and_then(|ns| u64::try_from(ns).ok());
        gap.map_or(learnt, Duration::from_nanos).max(self.shortest)
    }
}

fn ms(span: Duration) -> i128 {
    i128::try_from(span.as_millis()).unwrap_or(i128::MAX)
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
            (
                2_000,
                15_394,
                "half was granted: a gap in the middle of 10 and 20 ms",
            ),
            (40, 20_525, "at most half as fast"),
            (9, 10_262, "too few to tell: a storm that may pass"),
            (0, 10_262, "likewise"),
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
        limit.paused(end, after(end, 30));
        assert_eq!(limit.gap(end), limit.gap(after(end, 30)));
        assert_eq!(limit.gap(after(end, 70)).as_micros(), 20_000);
        limit.paused(end, after(end, 600));
        assert_eq!(
            limit.gap(after(end, 1_200)).as_micros(),
            20_000,
            "as long as it was"
        );
    }

    #[test]
    fn what_was_too_little_to_tell_is_counted_on() {
        let (mut limit, end) = refused_after(9, 40);
        limit.granted();
        limit.refused(after(end, 40));
        let told = limit.gap(after(end, 40)).as_micros();
        assert_eq!(told, 20_525, "ten in eighty seconds");
    }

    #[test]
    fn nobody_gets_slower_than_a_part() {
        let (mut limit, mut at) = refused_after(0, 40);
        for _ in 0..20 {
            at = after(at, 40);
            (0..ENOUGH).for_each(|_| limit.granted());
            limit.refused(at);
        }
        assert_eq!(limit.gap(after(at, 40)).as_micros(), 2_560_000);
    }
}
