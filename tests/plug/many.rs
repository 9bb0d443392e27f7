//! Many cases at once, and all their violations together.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// A case mostly waits: for pauses that the service asked for, and for data that comes late.
const AT_ONCE: usize = 8;

/// What was seen in all cases.
#[derive(Debug, Default)]
pub struct Tally {
    cases: AtomicU64,
    violations: Mutex<Vec<String>>,
}

impl Tally {
    pub fn count(&self) {
        self.cases.fetch_add(1, Ordering::Relaxed);
    }

    /// Plays one case; a violation is kept with its name, and the others go on.
    pub fn case(&self, name: &impl Display, play: impl FnOnce()) {
        self.count();
        if let Err(why) = catch_unwind(AssertUnwindSafe(play)) {
            let plain = why.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let why = why.downcast_ref::<String>().cloned().or(plain);
            let why = why.unwrap_or_else(|| "a panic without words".to_owned());
            self.violated(name, &why);
        }
    }

    /// Keeps a violation.
    pub fn violated(&self, name: &impl Display, why: &str) {
        let violation = format!("{name}: {why}");
        self.violations.lock().unwrap().push(violation);
    }

    /// Tells how many cases there were, and fails if anything was violated.
    pub fn close(self, what: &str) {
        let violations = self.violations.into_inner().unwrap();
        let (cases, wrong) = (self.cases.into_inner(), violations.len());
        println!("{what}: {cases}, violations: {wrong}");
        assert!(violations.is_empty(), "{}", violations.join("\n\n"));
        assert!(cases > 0, "{what}: not one case was played");
    }
}

/// Calls `play` with every case, on several threads.
pub fn each<T: Clone + Sync>(cases: &[T], play: impl Fn(T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            play(case.clone());
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores * AT_ONCE {
            scope.spawn(work);
        }
    });
}

/// One in so many cases is played; with `PLUG=long` all of them.
pub fn one_in(short: u64) -> u64 {
    match is_long() {
        true => 1,
        false => short,
    }
}

/// True for the long proofs, which take an hour.
pub fn is_long() -> bool {
    std::env::var("PLUG").is_ok_and(|how| how == "long")
}

/// SplitMix64: the same seed draws the same cases.
#[derive(Debug, Clone)]
pub struct Draw(pub u64);

impl Draw {
    /// Seeded by a name.
    pub fn of(name: &impl Display) -> Self {
        let name = name.to_string();
        Self(name.bytes().fold(0, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        }))
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % limit
    }
}
