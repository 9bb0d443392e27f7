//! The house (what every run has) and the pass (what one run knows while it lasts).

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::Config;
use crate::domain::{BooksDate, Clock, Money, RunId, Timestamp};
use crate::payment_service::PaymentService;
use crate::payment_service::breakers::{CaptureBreaker, CircuitBreaker, RetryBudget};
use crate::payment_service::pacing::Pacer;
use crate::store::Store;
use crate::sweep::Schedule;

use super::RunError;
use super::stop::Halt;
use super::tally::Tally;

/// Told about progress; the terminal draws it, tests listen, cron hears nothing.
pub trait Watcher: Send + Sync {
    /// The pass begins to settle `trips` trips.
    fn begins(&self, trips: u64);
    /// One trip came to the end of its lane; so much of it is captured.
    fn trip(&self, captured: Money);
    /// One call was answered.
    fn call(&self);
    /// A sentence about what happens now.
    fn says(&self, sentence: &str);
    /// The pass is over.
    fn ends(&self);
}

/// A watcher that keeps quiet.
#[derive(Debug, Default)]
pub struct Quiet;

impl Watcher for Quiet {
    fn begins(&self, _trips: u64) {}
    fn trip(&self, _captured: Money) {}
    fn call(&self) {}
    fn says(&self, _sentence: &str) {}
    fn ends(&self) {}
}

/// What every command that works on trips is handed by `main`.
pub struct House<S> {
    /// The validated configuration.
    pub config: Arc<Config>,
    /// The state.
    pub store: Store,
    /// The payment service.
    pub service: S,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The planned runs.
    pub schedule: Schedule,
    /// The stop flag.
    pub halt: Halt,
    /// Who is told about progress.
    pub watcher: Arc<dyn Watcher>,
}

/// What one run knows while it lasts.
pub struct Pass {
    /// The run's id.
    pub run: RunId,
    /// The command as typed: `run`, `settle`, `backfill`.
    pub command: &'static str,
    /// When the run started.
    pub started_at: Timestamp,
    /// The accounting date of everything the run learns, fixed when it starts.
    pub books_date: BooksDate,
    /// The next planned run.
    pub next_run: Timestamp,
    /// The rate limit.
    pub pacer: Pacer,
    /// Calls that may be repeated are repeated within this.
    pub budget: RetryBudget,
    /// Stops a storm of unclear captures.
    pub capture_breaker: CaptureBreaker,
    /// Looked at when a batch ends.
    pub circuit: CircuitBreaker,
    tally: Mutex<Tally>,
    begun: tokio::sync::OnceCell<()>,
    /// The service has made itself ready, before the first call's turn.
    pub ready: tokio::sync::OnceCell<()>,
    clock_compared: AtomicBool,
    /// Asked for the service's clock, for want of any other reply.
    pub clock_asked: tokio::sync::OnceCell<()>,
    pauses_in_a_row: AtomicU64,
    paused_until: AtomicI64,
    heard: AtomicBool,
    silence: Mutex<Silence>,
    damage: Mutex<Option<RunError>>,
    jitter: AtomicU64,
}

/// Trips that were left for want of a clear answer.
#[derive(Debug, Default)]
struct Silence {
    trips: u64,
    /// One of them had no answer at all.
    is_unreached: bool,
    last: Option<String>,
}

/// Fewer trips that are answered, but not clearly, say nothing of the service.
const TELLING_TRIPS: u64 = 3;
/// So many pauses without one good reply between them end the pass.
const PAUSES_BEFORE_GIVING_UP: u64 = 20;
/// Ends of one pause as heard by two lanes lie closer together than this.
const SAME_PAUSE_MS: i64 = 500;

impl Pass {
    /// A new pass; reads the pause that an earlier one left behind, writes nothing.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn new<S: PaymentService>(
        house: &House<S>,
        run: RunId,
        command: &'static str,
    ) -> Result<Self, RunError> {
        let now = house.clock.now();
        let config = &house.config;
        let closed = house.store.closed_days()?.last_closed;
        let pause = house
            .paused_until(now)?
            .map_or(0, |until| until.ms_since(now));
        let pause = u64::try_from(pause).unwrap_or(0);
        let service = &config.payment_service;
        let next_run = house.schedule.next_run(now);
        let seed = now.ms().unsigned_abs();
        Ok(Self {
            run,
            command,
            started_at: now,
            books_date: super::books_date::books_date(&config.company, now, closed),
            next_run,
            pacer: Pacer::new(
                service.calls_per_1000_seconds,
                service.burst,
                (pause > 0).then(|| Duration::from_millis(pause)),
            ),
            budget: RetryBudget::default(),
            capture_breaker: CaptureBreaker::default(),
            circuit: CircuitBreaker::default(),
            tally: Mutex::default(),
            begun: tokio::sync::OnceCell::new(),
            ready: tokio::sync::OnceCell::new(),
            clock_compared: AtomicBool::new(false),
            clock_asked: tokio::sync::OnceCell::new(),
            pauses_in_a_row: AtomicU64::new(0),
            paused_until: AtomicI64::new(0),
            heard: AtomicBool::new(false),
            silence: Mutex::default(),
            damage: Mutex::default(),
            jitter: AtomicU64::new(seed),
        })
    }

    /// Writes the run's row, once, before the first fact of the run: an idle pass leaves no trace.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn begin<S: PaymentService>(&self, house: &House<S>) -> Result<(), RunError> {
        let begin = || async {
            let (run, at) = (&self.run, self.started_at);
            house
                .store
                .begin_run(run, self.command, at, self.books_date)
        };
        self.begun.get_or_try_init(begin).await?;
        Ok(())
    }

    /// True when the run has written anything.
    pub fn has_begun(&self) -> bool {
        self.begun.initialized()
    }

    /// The counters.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True for the first caller only: the clocks are compared once a run.
    pub fn compares_clocks(&self) -> bool {
        !self.clock_compared.swap(true, Ordering::Relaxed)
    }

    /// True once a reply told the service's clock.
    pub fn has_compared_clocks(&self) -> bool {
        self.clock_compared.load(Ordering::Relaxed)
    }

    /// By how many milliseconds a pause until `until` is longer than the one in force; none when it
    /// is the same one, heard by another lane.
    pub fn pauses_until(&self, now: Timestamp, until: Timestamp) -> Option<u64> {
        let before = self.paused_until.fetch_max(until.ms(), Ordering::Relaxed);
        let longer = until.ms().saturating_sub(before.max(now.ms()));
        let same = before > now.ms() && longer < SAME_PAUSE_MS;
        if same {
            None
        } else {
            u64::try_from(longer).ok()
        }
    }

    /// Counts a pause the service asked for; true when there were too many in a row.
    pub fn too_many_pauses(&self) -> bool {
        self.pauses_in_a_row.fetch_add(1, Ordering::Relaxed) >= PAUSES_BEFORE_GIVING_UP
    }

    /// A clear reply came: pauses and failures before it are forgiven.
    pub fn heard_clearly(&self) {
        self.pauses_in_a_row.store(0, Ordering::Relaxed);
        self.heard.store(true, Ordering::Relaxed);
    }

    /// A trip was left for want of a clear answer; `is_reached` where there was one that is not
    /// clear.
    pub fn leaves_in_silence(&self, why: &str, is_reached: bool) {
        let mut silence = self.silence();
        silence.trips = silence.trips.saturating_add(1);
        silence.is_unreached |= !is_reached;
        silence.last = Some(why.to_owned());
    }

    /// Why the last call failed, when not one call was answered clearly: nobody was there, or so it
    /// was with one trip after the other.
    pub fn heard_nothing(&self) -> Option<String> {
        let heard = self.heard.load(Ordering::Relaxed);
        let silence = self.silence();
        let is_outage = silence.is_unreached || silence.trips >= TELLING_TRIPS;
        silence.last.clone().filter(|_| is_outage && !heard)
    }

    /// Why the last trip that was left in silence was left.
    pub fn last_silence(&self) -> Option<String> {
        self.silence().last.clone()
    }

    /// How many trips were left in silence, in a sentence.
    pub fn left_in_silence(&self) -> Option<String> {
        let silence = self.silence();
        let (trips, last) = (silence.trips, silence.last.as_ref()?);
        let trips = match trips {
            1 => "1 trip was".to_owned(),
            many => format!("{many} trips were"),
        };
        Some(format!(
            "{trips} left without a clear answer, the last: {last}"
        ))
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One trip cannot be worked on; the others can. The first such error ends the pass late.
    pub fn damaged(&self, error: RunError) {
        tracing::error!(%error, "a trip is left as it is");
        self.tally().warnings.push(error.to_string());
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.get_or_insert(error);
    }

    /// What [`Pass::damaged`] was told first.
    pub fn damage(&self) -> Option<RunError> {
        self.damage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Bits for the jitter of a backoff; spread, not secret.
    pub fn jitter(&self) -> u64 {
        let mut bits = self
            .jitter
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits ^ (bits >> 27)
    }
}
