//! Many seeds, on every core.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::nights::{Report, Violation, simulate};

/// Nights with faults that this seed is played for.
pub fn nights_of(seed: u64) -> u64 {
    4 + seed % 5
}

/// Plays seeds from `first` on until there were `nights` nights, and sums up.
pub fn swarm(first: u64, nights: u64) -> Result<Report, Box<Violation>> {
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let sum = Mutex::new(Report::default());
    let violation = Mutex::new(None);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    match simulate(seed, nights_of(seed)) {
                        Ok(report) => {
                            let mut sum = sum.lock().unwrap();
                            sum.add(&report);
                            stop.fetch_or(sum.nights >= nights, Ordering::Relaxed);
                        }
                        Err(found) => {
                            stop.store(true, Ordering::Relaxed);
                            violation.lock().unwrap().get_or_insert(found);
                        }
                    }
                }
            });
        }
    });
    match violation.into_inner().unwrap() {
        Some(found) => Err(found),
        None => Ok(sum.into_inner().unwrap()),
    }
}

impl Report {
    fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.nights, other.nights),
            (&mut self.rough, other.rough),
            (&mut self.lives, other.lives),
            (&mut self.crashes, other.crashes),
            (&mut self.calls, other.calls),
            (&mut self.moves, other.moves),
            (&mut self.trips, other.trips),
            (&mut self.captures, other.captures),
            (&mut self.doubts, other.doubts),
            (&mut self.reruns, other.reruns),
        ] {
            *sum += part;
        }
        self.seeds += 1;
        for (what, count) in &other.met {
            *self.met.entry(what.clone()).or_default() += count;
        }
    }
}
