//! What the service's refusals tell about its limit, and how fast to go until it refuses again.
//!
//! The service keeps a bucket of calls that refills at its limit. What it grants in any span is at
//! most a bucket and what refilled in that span, and as much as that if the bucket was full at its
//! beginning and is empty at its end, as it is at a 429. So the limit is the most that any span
//! before the 429 makes of it. A span of a few buckets tells little, as nobody knows exactly what
//! a bucket holds: then the limit is guessed, in the middle between what was granted since the 429
//! before, with the pause, and the rate that was refused. We go on a little slower, and climb as a
//! cube of time climbs: hardly at all beside the last known limit, and fast once it is left behind
//! without a 429 (as TCP's CUBIC does, RFC 9438); after a guess, sooner.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::stray::{Refusal, Strays, Tells};

/// The climb reaches the last known limit after so long, or after as long as the last pause if that
/// was longer: who asks for long pauses is not to be tried often.
const PLATEAU: Duration = Duration::from_secs(40);
/// The same when the limit was guessed; longer where a span that tells more takes longer.
const GUESS: Duration = Duration::from_secs(6);
/// A span tells the limit when it has so many bucketfuls, or more, up to the second number,
const SPAN: (usize, usize) = (16, 256);
/// and so many calls, of which some come a little early or late.
const CALLS: u32 = 160;
/// A second, cubed, in milliseconds: the climb is told in seconds.
const CUBED: i128 = 1_000_000_000;
/// The climb adds this part of the known limit per cubed second: so 2.6 % are given up at once.
const PART: i128 = 2_500_000;
/// So many grants between two refusals measure something; fewer may be a storm that passes.
pub(super) const ENOUGH: u32 = 10;
/// However often we are throttled, the known limit is not below this part of the configured one.
const SLOWEST: u32 = 256;

/// The rate to keep: a gap between two calls.
#[derive(Debug)]
pub(super) struct Limit {
    /// The configured one, never undercut.
    shortest: Duration,
    /// What the service's bucket holds, as far as is configured.
    burst: u32,
    /// What the last 429 made of it; none before the first.
    learnt: Option<Duration>,
    /// Since when `learnt` holds: the end of the pause.
    from: Instant,
    /// How long the climb takes to come back to `learnt`.
    plateau: Duration,
    /// How long it takes at least.
    least: Duration,
    /// Since when grants are counted: a 429; before the first nobody knows how full the service's
    /// bucket is.
    empty_at: Option<Instant>,
    /// Good replies since.
    granted: u32,
    /// Refusals since that came too soon to count.
    so_soon: u32,
    /// When each bucketful of them was complete, the latest first.
    fulls: VecDeque<Instant>,
    strays: Strays,
    /// How long the last pause is, and when it ends.
    pause: Duration,
    resumed: Instant,
}

impl Limit {
    /// Nothing is known yet but what is configured.
    pub fn new(shortest: Duration, burst: u32, now: Instant) -> Self {
        Self {
            shortest,
            burst,
            learnt: None,
            from: now,
            plateau: PLATEAU,
            least: PLATEAU,
            empty_at: None,
            granted: 0,
            so_soon: 0,
            fulls: VecDeque::new(),
            strays: Strays::default(),
            pause: Duration::ZERO,
            resumed: now,
        }
    }

    /// A good reply came.
    pub fn granted(&mut self, now: Instant) {
        self.granted = self.granted.saturating_add(1);
        if self.granted.is_multiple_of(self.burst) {
            self.fulls.push_front(now);
            self.fulls.truncate(SPAN.1);
        }
    }

    /// The service ran out: goes slower, by half at most, unless going slower is in vain.
    pub fn refused(&mut self, now: Instant) {
        let gap = self.gap(now);
        let undercut = self.learnt.filter(|learnt| *learnt < gap);
        let went = now.saturating_duration_since(self.resumed);
        let refusal = Refusal {
            granted: self.granted,
            so_soon: self.so_soon,
            undercut,
            went,
            pause: self.pause,
        };
        match self.strays.refused(&refusal) {
            Tells::Limit => self.slow_down(now, gap, undercut),
            Tells::Nothing => self.count_anew(now),
            Tells::InVain(before) => {
                self.learnt = Some(before);
                self.count_anew(now);
            }
        }
    }

    fn count_anew(&mut self, now: Instant) {
        self.empty_at = Some(now);
        self.granted = 0;
        self.so_soon = 0;
        self.fulls.clear();
    }

    /// `undercut` is the known limit, where we keep below it.
    fn slow_down(&mut self, now: Instant, gap: Duration, undercut: Option<Duration>) {
        let half = gap.saturating_mul(2);
        let slower = |to: Duration| to.clamp(gap, half);
        let (learnt, is_guess) = match (self.measured(now), self.guessed(now, gap)) {
            // A no below the known limit is half believed: it may have had another reason than us.
            (Some(measured), _) => match undercut {
                Some(known) => (middle(known, measured).clamp(known, half), false),
                None => (slower(measured), false),
            },
            (None, Some(guessed)) => (slower(guessed), true),
            // Said again and again, a storm's no is still one: it does not add up.
            (None, None) => (self.learnt.unwrap_or(gap).min(gap), false),
        };
        match self.granted >= ENOUGH || self.empty_at.is_none() {
            true => self.count_anew(now),
            false => self.so_soon = self.so_soon.saturating_add(1),
        }
        let learnt = learnt.min(self.shortest.saturating_mul(SLOWEST));
        self.learnt = Some(learnt);
        let buckets = learnt.saturating_mul(self.burst.saturating_mul(4));
        self.least = match is_guess {
            true => buckets.clamp(GUESS, PLATEAU),
            false => PLATEAU,
        };
        self.paused(now, now);
    }

    /// The shortest gap that any span of enough bucketfuls before `now` tells.
    fn measured(&self, now: Instant) -> Option<Duration> {
        let spans = (0..).zip(&self.fulls).skip(SPAN.0);
        let gaps = spans.filter_map(|(refilled, from): (u32, _)| {
            let refilled = refilled.saturating_mul(self.burst);
            let gap = now.saturating_duration_since(*from).checked_div(refilled);
            gap.filter(|_| refilled >= CALLS)
        });
        gaps.min()
    }

    /// A gap in the middle between that of all that was granted and the one that was refused.
    fn guessed(&self, now: Instant, refused: Duration) -> Option<Duration> {
        let since = now.saturating_duration_since(self.empty_at?);
        let granted = since.checked_div(self.granted)?;
        (self.granted >= ENOUGH).then(|| middle(refused, granted))
    }

    /// The climb begins when the pause is over; one after a stray does not stop it.
    pub fn paused(&mut self, now: Instant, until: Instant) {
        (self.pause, self.resumed) = (until.saturating_duration_since(now), until);
        if self.strays.are_usual() {
            return;
        }
        self.from = until;
        self.plateau = until.saturating_duration_since(now).max(self.least);
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

fn middle(a: Duration, b: Duration) -> Duration {
    a.saturating_add(b) / 2
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
    /// and another one after it had granted `granted` evenly within `seconds`.
    fn refused_after(granted: u32, seconds: u64) -> (Limit, Instant) {
        let start = Instant::now();
        let mut limit = Limit::new(Duration::from_millis(10), 10, start);
        limit.refused(start);
        let gap = limit.gap(start).as_micros();
        assert_eq!(gap, 10_262, "a little slower to begin with");
        grant(&mut limit, start, granted, seconds);
        let end = after(start, seconds);
        limit.refused(end);
        (limit, end)
    }

    fn grant(limit: &mut Limit, from: Instant, calls: u32, seconds: u64) {
        let gap = Duration::from_secs(seconds) / calls.max(1);
        (0..calls).for_each(|call| limit.granted(from + gap * call));
    }

    #[test]
    fn what_was_granted_until_a_refusal_tells_the_limit() {
        for (granted, gap_us, why) in [
            (4_000, 10_266, "the limit is where we were"),
            (
                18_000,
                10_262,
                "more than we asked for is no reason to go faster",
            ),
            (2_500, 16_426, "five eighths were granted"),
            (2_000, 20_525, "half was granted, and half as fast at most"),
            (
                159,
                20_525,
                "not much more than a bucket: a guess, and at most half as fast",
            ),
            (9, 10_262, "too few to tell: a storm that may pass"),
            (0, 10_262, "likewise"),
        ] {
            let (limit, end) = refused_after(granted, 40);
            assert_eq!(limit.gap(end).as_micros(), gap_us, "{granted}: {why}");
        }
    }

    #[test]
    fn the_climb_is_slow_beside_the_limit_and_fast_beyond() {
        let (limit, end) = refused_after(2_000, 40);
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
    fn a_no_never_makes_us_faster() {
        let (mut limit, end) = refused_after(2_000, 40);
        let before = limit.gap(end);
        // A clump of answers, of a service that had stood still.
        (0..400).for_each(|_| limit.granted(after(end, 30)));
        limit.refused(after(end, 30));
        assert!(limit.gap(after(end, 30)) >= before);
    }

    #[test]
    fn a_guess_is_soon_tried() {
        let (limit, end) = refused_after(40, 40);
        let gaps = [0, 6, 12, 18].map(|seconds| limit.gap(after(end, seconds)).as_micros());
        assert_eq!(gaps, [20_525, 20_000, 19_500, 16_600]);
    }

    #[test]
    fn the_climb_begins_when_the_pause_is_over() {
        let (mut limit, end) = refused_after(2_000, 40);
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
        grant(&mut limit, end, 1, 40);
        limit.refused(after(end, 40));
        let told = limit.gap(after(end, 40)).as_micros();
        assert_eq!(told, 20_525, "ten in eighty seconds");
    }

    #[test]
    fn nobody_gets_slower_than_a_part() {
        let (mut limit, mut at) = refused_after(0, 40);
        // Each time it helps to go slower, until it does not any more.
        for half_seconds in [[1; 4], [8; 4]].concat() {
            for granted in [ENOUGH, ENOUGH, 2 * ENOUGH + 2] {
                let seconds = u64::from(granted) * half_seconds / 2;
                grant(&mut limit, at, granted, seconds);
                at = after(at, seconds);
                limit.refused(at);
            }
        }
        assert_eq!(limit.gap(after(at, 40)).as_micros(), 2_560_000);
    }
}
