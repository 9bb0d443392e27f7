//! When the next call may go: a token bucket, and the pauses the service asks for.
//!
//! All waiting is on tokio's clock. Where a call goes wrong is no matter here; only 429 is, as it
//! says that we are too fast.

#[cfg(test)]
mod granted;
mod limit;
mod repeat;
mod stray;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::planted::{self, Bug};

use limit::Limit;
pub use repeat::backoff;

/// How long the rate is told for: 1000 seconds, so that 0.5 calls a second is a whole number.
const RATE_SPAN: Duration = Duration::from_secs(1_000);
/// Timers fire on whole milliseconds; a call that is due within one goes at once.
const TICK: Duration = Duration::from_millis(1);
/// The longest rest after a burst: by that much no call comes too early.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// The pause after a 429 that names none; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Where that doubling ends.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The rate limit that all lanes share.
///
/// After a burst and a rest, calls are spaced evenly. A 429 stops everybody until the pause is
/// over, and the rate then keeps below what it tells of the service's limit: the pause a throttled
/// service asks for costs far more than going a little slower.
#[derive(Debug)]
pub struct Pacer {
    pace: Mutex<Pace>,
    /// How far ahead of the even spacing a call may go.
    ahead: Duration,
}

#[derive(Debug)]
struct Pace {
    /// When the next call is due by even spacing.
    due: Instant,
    /// The burst is spent, and the service's bucket was left to fill up a little.
    is_rested: bool,
    limit: Limit,
    held_until: Instant,
    /// Counts the pauses; places handed out before a pause are void after it.
    pauses: u64,
    throttled_in_a_row: u32,
    waited: Duration,
}

impl Pacer {
    /// A bucket of `burst` calls, filled at `calls_per_1000_seconds`; if an earlier run was told to
    /// pause, the first call waits for the rest of that `pause`.
    pub fn new(calls_per_1000_seconds: u64, burst: u32, pause: Option<Duration>) -> Self {
        let calls = u128::from(calls_per_1000_seconds.max(1));
        let gap = RATE_SPAN.as_nanos().checked_div(calls).unwrap_or(0);
        let gap = Duration::from_nanos(u64::try_from(gap).unwrap_or(u64::MAX));
        let ahead = gap.saturating_mul(burst.saturating_sub(1)).max(TICK);
        let now = Instant::now();
        let mut pace = Pace {
            due: now,
            is_rested: false,
            limit: Limit::new(gap, burst, now),
            held_until: now,
            pauses: 0,
            throttled_in_a_row: 0,
            waited: Duration::ZERO,
        };
        if let Some(pause) = pause {
            pace.hold(now, later(now, pause), ahead);
        }
        Self {
            pace: Mutex::new(pace),
            ahead,
        }
    }

    /// Waits until one call may go.
    pub async fn acquire(&self) {
        loop {
            let (place, pauses) = {
                let mut pace = self.pace();
                let now = Instant::now();
                let place = pace.take_place(now, self.ahead);
                if place <= now {
                    return;
                }
                // A pause is told by itself; only what comes after it is for the rate.
                let for_the_rate = place.duration_since(now.max(pace.held_until));
                pace.waited = pace.waited.saturating_add(for_the_rate);
                (place, pace.pauses)
            };
            sleep_until(place).await;
            // A pause that began meanwhile took the place away.
            if self.pace().pauses == pauses {
                return;
            }
        }
    }

    /// A 429 came: all lanes pause. Gives how long the pause now in force lasts from now on.
    pub fn throttled(&self, retry_after: Option<Duration>) -> Duration {
        let mut pace = self.pace();
        let now = Instant::now();
        if pace.held_until <= now {
            // The lanes in flight are throttled together; only the first of them counts.
            pace.throttled_in_a_row = pace.throttled_in_a_row.saturating_add(1);
            pace.limit.refused(now);
        }
        let heeded = !planted::is(Bug::RetryAfterIgnored);
        let asked = retry_after.filter(|pause| heeded && !pause.is_zero());
        let until = later(now, asked.unwrap_or_else(|| pace.own_pause()));
        if until > pace.held_until {
            pace.hold(now, until, self.ahead);
        }
        pace.held_until.duration_since(now)
    }

    /// A good reply came.
    pub fn succeeded(&self) {
        let mut pace = self.pace();
        pace.throttled_in_a_row = 0;
        pace.limit.granted(Instant::now());
    }

    /// How many calls a thousand seconds take at the rate that is kept now.
    pub fn calls_per_1000_seconds(&self) -> u64 {
        let gap = self.pace().limit.gap(Instant::now()).as_nanos().max(1);
        let calls = RATE_SPAN.as_nanos().checked_div(gap).unwrap_or(0);
        u64::try_from(calls).unwrap_or(u64::MAX)
    }

    /// How long calls were kept waiting for the rate, without pauses, summed over the lanes.
    pub fn waiting(&self) -> Duration {
        self.pace().waited
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// The next call's place in time, which may be past. After a burst a while passes first: a
    /// bucket that is kept empty refuses whatever comes a little early.
    fn take_place(&mut self, now: Instant, ahead: Duration) -> Instant {
        if self.due <= now {
            self.is_rested = false;
        }
        let place = self.due.checked_sub(ahead).unwrap_or(now);
        let rest = match place > now && !self.is_rested {
            true => (ahead / 2).min(LONGEST_REST),
            false => Duration::ZERO,
        };
        self.is_rested |= place > now;
        self.due = later(self.due.max(now), self.limit.gap(now).saturating_add(rest));
        later(place, rest)
    }

    /// Nobody goes before `until`, and then without a burst.
    fn hold(&mut self, now: Instant, until: Instant, ahead: Duration) {
        self.held_until = until;
        self.limit.paused(now, until);
        self.pauses = self.pauses.wrapping_add(1);
        self.due = later(until, ahead);
        // A bucket that was not asked of has filled itself.
        self.is_rested = true;
    }

    fn own_pause(&self) -> Duration {
        let doublings = self.throttled_in_a_row.saturating_sub(1).min(16);
        let factor = 2_u32.saturating_pow(doublings);
        FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
    }
}

fn later(at: Instant, by: Duration) -> Instant {
    // Ends of time as tokio has it: thirty years are enough.
    let century = Duration::from_secs(86_400 * 365 * 30);
    at.checked_add(by)
        .or_else(|| at.checked_add(century))
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::*;

    const TEN_A_SECOND: u64 = 10_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// When each of `calls` calls of one lane went, in milliseconds.
    async fn went(pacer: &Pacer, calls: usize) -> Vec<u128> {
        let start = Instant::now();
        let mut went = Vec::new();
        for _ in 0..calls {
            pacer.acquire().await;
            went.push(start.elapsed().as_millis());
        }
        went
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_evenly() {
        let pacer = Pacer::new(TEN_A_SECOND, 3, None);
        let burst = [0, 0, 0, 200, 300, 400];
        assert_eq!(
            went(&pacer, 6).await,
            burst,
            "half is full again, and then evenly"
        );
        tokio::time::advance(ms(150)).await;
        assert_eq!(
            went(&pacer, 3).await,
            [0, 50, 150],
            "half a bucket came back"
        );
        assert_eq!(pacer.waiting(), ms(400 + 150));
    }

    #[tokio::test(start_paused = true)]
    async fn many_lanes_together_keep_to_one_rate() {
        let pacer = Arc::new(Pacer::new(TEN_A_SECOND, 10, None));
        let start = Instant::now();
        let mut lanes = JoinSet::new();
        for _ in 0..16 {
            let pacer = pacer.clone();
            lanes.spawn(async move {
                for _ in 0..20 {
                    pacer.acquire().await;
                }
            });
        }
        lanes.join_all().await;
        let ideal = (16 * 20 - 10) * 100;
        let half = 9 * 100 / 2;
        assert_eq!(
            start.elapsed().as_millis(),
            ideal + half,
            "320 calls at 10 a second after 10, and half of the bucket full again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_429_stops_every_lane_also_those_that_had_their_place() {
        let pacer = Arc::new(Pacer::new(TEN_A_SECOND, 1, None));
        pacer.acquire().await;
        let start = Instant::now();
        let mut lanes = JoinSet::new();
        for _ in 0..3 {
            let pacer = pacer.clone();
            lanes.spawn(async move {
                pacer.acquire().await;
                start.elapsed().as_millis()
            });
        }
        tokio::time::sleep(ms(50)).await;
        assert_eq!(pacer.throttled(Some(ms(30_000))), ms(30_000));
        let mut went = lanes.join_all().await;
        went.sort_unstable();
        assert_eq!(
            went,
            [30_050, 30_153, 30_256],
            "after the pause, and a little slower"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_throttled_together_count_once_and_the_longest_pause_holds() {
        let pacer = Pacer::new(TEN_A_SECOND, 1, None);
        assert_eq!(pacer.throttled(Some(ms(5_000))), ms(5_000));
        assert_eq!(pacer.throttled(Some(ms(2_000))), ms(5_000));
        assert_eq!(pacer.throttled(Some(ms(8_000))), ms(8_000));
        assert_eq!(
            went(&pacer, 3).await,
            [8_000, 8_103, 8_206],
            "it got slower once"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_that_names_no_pause_gets_one_that_doubles() {
        let pacer = Pacer::new(TEN_A_SECOND, 1, None);
        let mut pauses = Vec::new();
        for asked in [
            None,
            None,
            Some(Duration::ZERO),
            None,
            None,
            None,
            None,
            None,
        ] {
            let pause = pacer.throttled(asked);
            pauses.push(pause.as_secs());
            tokio::time::advance(pause).await;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        pacer.succeeded();
        assert_eq!(pacer.throttled(None), ms(1_000), "a good reply forgives");
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_429_slows_down_little_and_is_soon_forgotten() {
        let pacer = Pacer::new(TEN_A_SECOND, 1, None);
        for _ in 0..9 {
            let pause = pacer.throttled(Some(ms(10_000)));
            tokio::time::advance(pause).await;
        }
        assert_eq!(pacer.calls_per_1000_seconds(), 9_744);
        tokio::time::advance(ms(40_000)).await;
        assert_eq!(pacer.calls_per_1000_seconds(), TEN_A_SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_of_an_earlier_run_is_sat_out() {
        let pacer = Pacer::new(TEN_A_SECOND, 5, Some(ms(60_000)));
        assert_eq!(went(&pacer, 3).await, [60_000, 60_100, 60_200]);
        assert_eq!(pacer.waiting(), ms(200), "the pause is told by itself");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_worth_the_name_nobody_waits() {
        let pacer = Pacer::new(u64::MAX, 1, None);
        went(&pacer, 100_000).await;
        assert_eq!(pacer.waiting(), Duration::ZERO);
        let slowest = Pacer::new(0, 1, None);
        assert_eq!(went(&slowest, 2).await, [0, 1_000_000]);
    }
}
