//! The circuit breaker: looked at when a batch ends, and where nothing is answered at all.

use std::sync::atomic::{AtomicU32, Ordering};

/// Says at the border of a batch whether most of its calls failed, and at any time whether
/// everybody is left without an answer. A few trips that are never answered are neither: the
/// others go on.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    calls: AtomicU32,
    failed: AtomicU32,
    in_a_row: AtomicU32,
}

/// Fewer calls than this say nothing.
const TELLING_CALLS: u32 = 10;
/// So many failures in a row are no longer the trouble of single trips.
const OUTAGE_CALLS: u32 = 50;

impl CircuitBreaker {
    /// A call was clearly answered: its trip goes on.
    pub fn succeeded(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.in_a_row.store(0, Ordering::Relaxed);
    }

    /// A trip is left with a call that failed or was not clearly answered. Throttled is neither
    /// this nor success.
    pub fn left(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A call failed; it may be repeated.
    pub fn failed(&self) {
        self.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// True when the last 50 calls all failed, whatever the batch.
    pub fn is_outage(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) >= OUTAGE_CALLS
    }

    /// True when more than half of at least 10 calls of this batch failed; one that was repeated
    /// counts once.
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
    fn an_outage_is_fifty_failures_in_a_row() {
        let circuit = CircuitBreaker::default();
        (0..49).for_each(|_| circuit.failed());
        circuit.succeeded();
        (0..49).for_each(|_| circuit.failed());
        circuit.next_batch();
        assert!(!circuit.is_outage());
        circuit.failed();
        assert!(circuit.is_outage());
    }

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
            (0..failed).for_each(|_| circuit.left());
            assert_eq!(circuit.is_open(), open, "{good} good, {failed} failed");
            circuit.next_batch();
            assert!(!circuit.is_open());
        }
    }
}
