//! How much of what a service grants is used, and how often it has to refuse: many lanes, a round
//! trip each call, and a bucket on the other side. Time is virtual.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Pacer;

/// How long a request or an answer takes: this, and up to as much again.
const ONE_WAY_MS: u64 = 30;
/// The first number of the service's dice.
const SEED: u64 = 7;
/// Enough of them for every rate below.
const LANES: u64 = 64;

/// The service: it grants a call every `gap`, and `burst` at once.
struct Bucket {
    /// A storm: nothing is granted.
    is_shut: bool,
    /// One in so many calls is refused for no reason of ours, by the dice; 0 is none.
    stray: u64,
    dice: u64,
    /// Another client takes so many calls at once, every so many milliseconds in the mean.
    others: (u32, u64),
    others_at: Instant,
    gap: Duration,
    burst: u32,
    full_at: Instant,
    granted: u64,
    refused: u64,
}

impl Bucket {
    fn grant_from_now(&mut self, calls: u32) {
        self.is_shut = calls == 0;
        self.gap = Duration::from_secs(1) / calls.max(1);
    }

    fn grant(&mut self) -> bool {
        let now = Instant::now();
        self.serve_others(now);
        let is_stray = self.stray > 0 && self.throw().is_multiple_of(self.stray);
        let yes = !self.is_shut && !is_stray && self.pour(now);
        match yes {
            true => self.granted += 1,
            false => self.refused += 1,
        }
        yes
    }

    fn throw(&mut self) -> u64 {
        self.dice = next(self.dice);
        self.dice >> 33
    }

    /// Takes a call out of the bucket, if one is in it.
    fn pour(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now);
        let has_room = full_at - now <= self.gap * (self.burst - 1);
        if has_room {
            self.full_at = full_at + self.gap;
        }
        has_room
    }

    fn serve_others(&mut self, now: Instant) {
        let (calls, mean_ms) = self.others;
        while calls > 0 && self.others_at <= now {
            let at = self.others_at;
            (0..calls).for_each(|_| {
                self.pour(at);
            });
            let wait_ms = 1 + self.throw() % (2 * mean_ms);
            self.others_at += Duration::from_millis(wait_ms);
        }
    }
}

/// Knuth's MMIX.
fn next(dice: u64) -> u64 {
    dice.wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

/// A row: the bucket, the limits that follow one another, and what must come out.
struct Night {
    name: &'static str,
    /// Calls a second, as the program believes.
    configured: u64,
    stray: u64,
    others: (u32, u64),
    one_way_ms: u64,
    burst: u32,
    /// What a 429 asks for, in seconds.
    retry_after: Option<u64>,
    /// Seconds, and calls a second.
    limits: &'static [(u64, u32)],
    /// At least so much of what was granted is used, in thousandths.
    used: u64,
    /// At most so much of what was sent is refused, in thousandths.
    refused: u64,
}

impl Night {
    fn holding(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    fn configured(self, configured: u64) -> Self {
        Self { configured, ..self }
    }

    fn refusing_one_in(self, stray: u64) -> Self {
        Self { stray, ..self }
    }

    fn beside(self, calls: u32, every_ms: u64) -> Self {
        let others = (calls, every_ms);
        Self { others, ..self }
    }

    fn far_away(self, one_way_ms: u64) -> Self {
        Self { one_way_ms, ..self }
    }

    fn asking(self, retry_after: Option<u64>) -> Self {
        Self {
            retry_after,
            ..self
        }
    }
}

fn locked(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn play(night: &Night) -> (u64, u64) {
    let bucket = Arc::new(Mutex::new(Bucket {
        is_shut: false,
        stray: night.stray,
        dice: SEED,
        others: night.others,
        others_at: Instant::now(),
        gap: Duration::ZERO,
        burst: night.burst,
        full_at: Instant::now(),
        granted: 0,
        refused: 0,
    }));
    let pacer = Arc::new(Pacer::new(
        night.configured * 1_000,
        night.burst.min(10),
        None,
    ));
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let (bucket, pacer) = (bucket.clone(), pacer.clone());
        let (mut dice, one_way_ms) = (lane, night.one_way_ms);
        let mut way = move || {
            // No two ways take the same time.
            dice = next(dice);
            sleep(Duration::from_millis(
                one_way_ms + (dice >> 33) % one_way_ms,
            ))
        };
        let pause = night.retry_after.map(Duration::from_secs);
        lanes.spawn(async move {
            loop {
                pacer.acquire().await;
                way().await;
                let granted = locked(&bucket).grant();
                way().await;
                match granted {
                    true => pacer.succeeded(),
                    false => {
                        pacer.throttled(pause);
                    }
                }
            }
        });
    }
    let mut grantable = u64::from(night.burst);
    for (seconds, calls) in night.limits {
        locked(&bucket).grant_from_now(*calls);
        sleep(Duration::from_secs(*seconds)).await;
        grantable += seconds * u64::from(*calls);
    }
    lanes.abort_all();
    let bucket = locked(&bucket);
    let sent = bucket.granted + bucket.refused;
    (
        bucket.granted * 1_000 / grantable,
        bucket.refused * 1_000 / sent,
    )
}

const SHUT_FOR_FIVE: &[(u64, u32)] = &[(115, 20), (5, 0), (115, 20), (5, 0), (115, 20), (5, 0)];
const SHUT_FOR_ONE: &[(u64, u32)] = &[(29, 20), (1, 0), (29, 20), (1, 0), (29, 20), (1, 0)];

/// A row that is as most are.
fn night(name: &'static str, limits: &'static [(u64, u32)], used: u64, refused: u64) -> Night {
    Night {
        name,
        configured: 40,
        stray: 0,
        others: (0, 0),
        one_way_ms: ONE_WAY_MS,
        burst: 10,
        retry_after: Some(1),
        limits,
        used,
        refused,
    }
}

async fn hold(nights: impl IntoIterator<Item = Night>) {
    for night in nights {
        let (name, (used, refused)) = (night.name, play(&night).await);
        println!("{name}: {used} used, {refused} refused, in thousandths");
        let well = used >= night.used && refused <= night.refused;
        assert!(well, "{name}: {used} used, {refused} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_service_grants_is_used_and_it_seldom_has_to_refuse() {
    let deep = 40;
    let far = |name, limits, used, refused| {
        let night = night(name, limits, used, refused);
        night.far_away(1_000).configured(20)
    };
    let asks = |name, limits, asks, used, refused| {
        let night = night(name, limits, used, refused);
        night.asking(Some(asks))
    };
    let given_back = &[(300, 40), (300, 10), (1200, 40)];
    hold([
        night("as configured", &[(600, 40)], 980, 10),
        // 10,000 trips, 80 ms a call.
        night("a night of 25 minutes", &[(1_500, 20)], 981, 10)
            .configured(20)
            .far_away(40),
        night("a deep bucket", &[(600, 40)], 980, 10).holding(deep),
        night("a bucket of two", &[(600, 40)], 850, 10).holding(2),
        night("many", &[(60, 200)], 980, 10).configured(200),
        night("cut to a quarter", &[(300, 40), (900, 10)], 970, 30),
        night("cut, deep", &[(300, 40), (900, 10)], 970, 30).holding(deep),
        night("cut, of two", &[(300, 40), (900, 20)], 900, 10).holding(2),
        night("cut soon, of many", &[(30, 200), (120, 50)], 970, 30).configured(200),
        night("cut a little", &[(300, 40), (900, 38)], 950, 10),
        night("cut and given back", given_back, 850, 10),
        night("limit far below", &[(1200, 1)], 900, 100),
        night("a wrong configuration", &[(900, 8)], 950, 30),
        far("far away", &[(900, 20)], 930, 10),
        far("far away, and cut", &[(300, 20), (900, 5)], 930, 40),
        asks("a tenth, long pauses", &[(7_200, 4)], 30, 700, 20),
        asks(
            "cut to a tenth, long pauses",
            &[(300, 40), (7_200, 4)],
            60,
            700,
            20,
        ),
        asks(
            "cut to a tenth, Retry-After 600",
            &[(300, 40), (14_400, 4)],
            600,
            400,
            20,
        ),
        night("no pause is named", &[(900, 20)], 950, 30).asking(None),
        night("long pauses", &[(300, 40), (900, 10)], 650, 30).asking(Some(60)),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_for_our_rate_costs_little_more_than_its_pause() {
    let twenty = |name, limits, used, refused| night(name, limits, used, refused).configured(20);
    hold([
        night("a storm", &[(300, 40), (60, 0), (600, 40)], 900, 30),
        twenty("a short one every two minutes", SHUT_FOR_FIVE, 980, 10),
        twenty("a shorter one every half minute", SHUT_FOR_ONE, 950, 10),
        // The pauses alone leave 0.99, 0.91, 0.70 and 0.48 of these.
        twenty("one in a thousand", &[(1_800, 20)], 930, 10).refusing_one_in(1_000),
        twenty("one in 200", &[(1_800, 20)], 850, 10).refusing_one_in(200),
        twenty("one in 50", &[(900, 20)], 650, 30).refusing_one_in(50),
        twenty("one in 20", &[(600, 20)], 200, 60).refusing_one_in(20),
        twenty("and cut", &[(900, 20), (900, 5)], 800, 30).refusing_one_in(100),
        twenty("beside another client", &[(1_800, 20)], 500, 20).beside(10, 5_000),
    ])
    .await;
}
