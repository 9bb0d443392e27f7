//! Two times: the world's, which the payment service goes by, and that of the retailer's machine,
//! which may be wrong and may jump while a run is under way.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use tripsettle::domain::{Clock, Timestamp};

use super::crash::Fuse;

/// How the clock of the retailer's machine is wrong during one life of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skew {
    /// Milliseconds that it is ahead.
    pub ahead: i64,
    /// After so many milliseconds of the life it is ahead by this instead.
    pub jump: Option<(i64, i64)>,
}

/// The world's time; it flows with tokio's while a process lives, and stands still otherwise.
#[derive(Debug)]
pub struct Time {
    at: AtomicI64,
    life: Mutex<Option<(Instant, Skew)>>,
}

impl Time {
    pub fn at(ms: i64) -> Self {
        let at = AtomicI64::new(ms);
        let life = Mutex::new(None);
        Self { at, life }
    }

    fn elapsed(&self) -> i64 {
        let life = self.life.lock().unwrap();
        life.map_or(0, |(begun, _)| {
            i64::try_from(begun.elapsed().as_millis()).unwrap()
        })
    }

    /// Milliseconds of the world's time.
    pub fn now(&self) -> i64 {
        self.at.load(Ordering::Relaxed) + self.elapsed()
    }

    /// What the retailer's machine takes for the present.
    pub fn wall(&self) -> i64 {
        let skew = self.life.lock().unwrap().map_or(Skew::default(), |l| l.1);
        let elapsed = self.elapsed();
        let ahead = match skew.jump {
            Some((after, then)) if elapsed >= after => then,
            _ => skew.ahead,
        };
        self.at.load(Ordering::Relaxed) + elapsed + ahead
    }

    /// Goes on to this moment, if it is later.
    pub fn advance_to(&self, ms: i64) {
        self.at.fetch_max(ms, Ordering::Relaxed);
    }

    /// A process begins, inside of its runtime.
    pub fn begin_life(&self, skew: Skew) {
        *self.life.lock().unwrap() = Some((Instant::now(), skew));
    }

    /// The process is at its end; the runtime is still there.
    pub fn end_life(&self) {
        let now = self.now();
        *self.life.lock().unwrap() = None;
        self.at.store(now, Ordering::Relaxed);
    }
}

/// The clock as the engine is handed it; each look at it is a moment at which the process may die.
pub struct Wall {
    pub time: Arc<Time>,
    pub fuse: Arc<Fuse>,
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        self.fuse.burn();
        Timestamp::of_ms(self.time.wall())
    }
}
