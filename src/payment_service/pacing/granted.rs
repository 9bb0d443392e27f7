//! How much of what a service grants is used, and how often it has to refuse: many lanes, a round
//! trip each call, and a bucket on the other side. Time is virtual.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Pacer;

/// How long a request or an answer takes: this, and up to as much again.
const ONE_WAY_MS: u64 = 30;
/// Enough of them for every rate below.
const LANES: u64 = 64;

/// The service: it grants a call every `gap`, and `burst` at once.
struct Bucket {
    /// A storm: nothing is granted.
    is_shut: bool,
    /// One in so many calls is refused for no reason of ours; 0 is none.
    stray: u64,
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
        let full_at = self.full_at.max(now);
        let asked = self.granted + self.refused + 1;
        let is_stray = self.stray > 0 && asked.is_multiple_of(self.stray);
        let has_room = full_at - now <= self.gap * (self.burst - 1);
        let yes = has_room && !self.is_shut && !is_stray;
        match yes {
            true => {
                self.full_at = full_at + self.gap;
                self.granted += 1;
            }
            false => self.refused += 1,
        }
        yes
    }
}

/// A row: the bucket, the limits that follow one another, and what must come out.
struct Night {
    name: &'static str,
    /// Calls a second, as the program believes.
    configured: u64,
    stray: u64,
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
        let mut dice = lane;
        let mut way = move || {
            // Knuth's MMIX: no two ways take the same time.
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sleep(Duration::from_millis(
                ONE_WAY_MS + (dice >> 33) % ONE_WAY_MS,
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

#[tokio::test(start_paused = true)]
async fn what_the_service_grants_is_used_and_it_seldom_has_to_refuse() {
    let deep = 40;
    let second = Some(1);
    let night = |name, limits, used, refused| Night {
        name,
        configured: 40,
        stray: 0,
        burst: 10,
        retry_after: second,
        limits,
        used,
        refused,
    };
    for night in [
        night("as configured", &[(600, 40)][..], 980, 10),
        night("a deep bucket", &[(600, 40)], 980, 10).holding(deep),
        night("cut to a quarter", &[(300, 40), (900, 10)], 970, 30),
        night("cut, deep", &[(300, 40), (900, 10)], 970, 30).holding(deep),
        night("cut soon, of many", &[(30, 200), (120, 50)], 970, 30).configured(200),
        night("many", &[(60, 200)], 980, 10).configured(200),
        night("cut a little", &[(300, 40), (900, 38)], 950, 10),
        night(
            "cut and given back",
            &[(300, 40), (300, 10), (1200, 40)],
            850,
            10,
        ),
        night("limit far below", &[(1200, 1)], 900, 100),
        night("a storm", &[(300, 40), (60, 0), (600, 40)], 900, 30),
        night("a wrong configuration", &[(900, 8)], 950, 30),
        night("refused at random", &[(900, 40)], 800, 30).refusing_one_in(1_000),
        night("refused often", &[(7_200, 10)], 150, 30)
            .refusing_one_in(200)
            .configured(10),
        night("no pause is named", &[(900, 20)], 950, 30).asking(None),
        night("long pauses", &[(300, 40), (900, 10)], 650, 30).asking(Some(60)),
    ] {
        let (used, refused) = play(&night).await;
        println!(
            "{}: {used} used, {refused} refused, in thousandths",
            night.name
        );
        let well = used >= night.used && refused <= night.refused;
        assert!(well, "{}: {used} used, {refused} refused", night.name);
    }
}
