//! The circuit breaker: looked at when a batch ends.

use std::sync::atomic::{AtomicU32, Ordering};

/// Says at the border of a batch whether most of its calls failed.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    calls: AtomicU32,
    failed: AtomicU32,
}

/// Fewer calls than this say nothing.
const TELLING_CALLS: u32 = 10;

impl CircuitBreaker {
    /// A call was clearly answered.
    pub fn succeeded(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A call failed or was not clearly answered. Throttled is neither this nor success.
    pub fn failed(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// True when more than half of at least 10 calls of this batch failed.
    pub fn is_open(&self) -> bool {
        let calls = self.calls.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        calls >= TELLING_CALLS && failed.saturating_mul(2) > calls
    }

    /// Counts anew.
    pub fn next_batch(&self) {
        self.calls.store(0, Ordering::Relaxed);
        self.failed.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_with_most_calls_failed_opens_the_circuit() {
        let rows = [
            (0, 0, false),
            (0, 9, false),
            (0, 10, true),
            (5, 5, false),
            (5, 6, true),
            (100, 99, false),
        ];
        let circuit = CircuitBreaker::default();
        for (good, failed, open) in rows {
            (0..good).for_each(|_| circuit.succeeded());
            (0..failed).for_each(|_| circuit.failed());
            assert_eq!(circuit.is_open(), open, "{good} good, {failed} failed");
            circuit.next_batch();
            assert!(!circuit.is_open());
        }
    }
}
