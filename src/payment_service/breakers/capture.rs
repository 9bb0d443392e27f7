//! The capture breaker: the law about captures that are not clearly answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// So many unclear replies to Capture in a row open the breaker half way.
const UNCLEAR_IN_A_ROW: u32 = 3;
/// So many clear ones in a row, one at a time, close it again.
const CLEAR_IN_A_ROW: u32 = 3;

/// Where the capture breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BreakerState {
    /// Captures go as lanes are ready.
    #[default]
    Closed,
    /// Captures go one at a time, each after a good reply to an Adjust or a read.
    HalfOpen,
    /// No more captures in this pass.
    Tripped,
}

/// Stops a storm of captures that are not clearly answered.
///
/// Who holds a [`CapturePass`] may send one Capture, tells the breaker how it was answered, and
/// only then drops the pass. So when the breaker opens half way, at most the passes that are out
/// can still bring doubts, and the first exclusive pass waits for all of them.
#[derive(Debug, Default)]
pub struct CaptureBreaker {
    /// Read by passes side by side, written by the exclusive one.
    gate: Arc<RwLock<()>>,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    state: BreakerState,
    /// Replies in a row: unclear ones while closed, clear ones while half open.
    in_a_row: u32,
    /// An exclusive pass is out.
    one_at_a_time: bool,
    /// A good reply came since the exclusive pass was given.
    good_reply: bool,
}

/// Leave to send one Capture.
#[derive(Debug)]
pub struct CapturePass {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    SideBySide {
        _gate: OwnedRwLockReadGuard<()>,
    },
    Exclusive {
        _gate: OwnedRwLockWriteGuard<()>,
        record: Arc<Mutex<Record>>,
    },
}

impl CapturePass {
    /// True when nobody else may capture meanwhile: half open, the holder must hear a good reply
    /// to an Adjust or a read before it captures.
    pub fn is_exclusive(&self) -> bool {
        match self.kind {
            Kind::SideBySide { .. } => false,
            Kind::Exclusive { .. } => true,
        }
    }
}

impl Drop for CapturePass {
    fn drop(&mut self) {
        match &self.kind {
            Kind::SideBySide { .. } => {}
            // Runs before the gate itself is let go.
            Kind::Exclusive { record, .. } => locked(record).one_at_a_time = false,
        }
    }
}

impl CaptureBreaker {
    /// Where the breaker stands.
    pub fn state(&self) -> BreakerState {
        self.record().state
    }

    /// Leave to capture, as soon as there is any; `None` when there will be none in this pass.
    pub async fn enter(&self) -> Option<CapturePass> {
        loop {
            // The state may have changed while the gate was waited for.
            match self.state() {
                BreakerState::Closed => {
                    let _gate = self.gate.clone().read_owned().await;
                    if self.state() == BreakerState::Closed {
                        let kind = Kind::SideBySide { _gate };
                        return Some(CapturePass { kind });
                    }
                }
                BreakerState::HalfOpen => {
                    let _gate = self.gate.clone().write_owned().await;
                    let mut record = self.record();
                    if record.state == BreakerState::HalfOpen {
                        record.one_at_a_time = true;
                        record.good_reply = false;
                        let record = self.record.clone();
                        let kind = Kind::Exclusive { _gate, record };
                        return Some(CapturePass { kind });
                    }
                }
                BreakerState::Tripped => return None,
            }
        }
    }

    /// A Capture was clearly answered, whichever way. Half open it counts towards closing only
    /// when it was sent alone and after a good reply.
    pub fn capture_clear(&self) {
        let mut record = self.record();
        match record.state {
            BreakerState::Closed => record.in_a_row = 0,
            BreakerState::HalfOpen if record.one_at_a_time && record.good_reply => {
                record.in_a_row = record.in_a_row.saturating_add(1);
                if record.in_a_row >= CLEAR_IN_A_ROW {
                    record.to(BreakerState::Closed);
                }
            }
            BreakerState::HalfOpen | BreakerState::Tripped => {}
        }
    }

    /// A Capture was not clearly answered. Half open it trips the breaker, unless it was sent
    /// before: those were counted in when it opened.
    pub fn capture_unclear(&self) {
        let mut record = self.record();
        match record.state {
            BreakerState::Closed => {
                record.in_a_row = record.in_a_row.saturating_add(1);
                if record.in_a_row >= UNCLEAR_IN_A_ROW {
                    record.to(BreakerState::HalfOpen);
                }
            }
            BreakerState::HalfOpen if record.one_at_a_time => record.to(BreakerState::Tripped),
            BreakerState::HalfOpen | BreakerState::Tripped => {}
        }
    }

    /// An Adjust or a read was clearly answered.
    pub fn good_reply(&self) {
        self.record().good_reply = true;
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }
}

impl Record {
    fn to(&mut self, state: BreakerState) {
        self.state = state;
        self.in_a_row = 0;
    }
}

fn locked(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinSet;

    use super::*;

    async fn captured(breaker: &CaptureBreaker, clear: bool) {
        let pass = breaker.enter().await.unwrap();
        if pass.is_exclusive() {
            breaker.good_reply();
        }
        if clear {
            breaker.capture_clear();
        } else {
            breaker.capture_unclear();
        }
        drop(pass);
    }

    #[tokio::test]
    async fn the_capture_breaker_follows_the_replies() {
        use BreakerState::{Closed, HalfOpen, Tripped};
        let rows = [
            ("", Closed),
            ("uu", Closed),
            ("uucuu", Closed),
            ("uuu", HalfOpen),
            ("uuucc", HalfOpen),
            ("uuuccc", Closed),
            ("uuucccuu", Closed),
            ("uuucccuuu", HalfOpen),
            ("uuuu", Tripped),
            ("uuuccu", Tripped),
        ];
        for (replies, state) in rows {
            let breaker = CaptureBreaker::default();
            for reply in replies.chars() {
                captured(&breaker, reply == 'c').await;
            }
            assert_eq!(breaker.state(), state, "{replies}");
            assert_eq!(
                breaker.enter().await.is_none(),
                state == Tripped,
                "{replies}"
            );
        }
    }

    #[tokio::test]
    async fn half_open_a_capture_without_a_good_reply_before_it_closes_nothing() {
        let breaker = CaptureBreaker::default();
        for _ in 0..3 {
            captured(&breaker, false).await;
        }
        breaker.good_reply();
        for _ in 0..5 {
            let pass = breaker.enter().await.unwrap();
            breaker.capture_clear();
            drop(pass);
        }
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }

    /// Lanes that capture as the orchestration does, against a service that clearly answers the
    /// first `clear` captures and none after that. Gives the doubts and the most at one time once
    /// the breaker had opened half way.
    async fn storm(lanes: usize, clear: usize) -> (usize, usize) {
        let breaker = Arc::new(CaptureBreaker::default());
        let sent = Arc::new(Mutex::new((0_usize, 0_usize, 0_usize, 0_usize)));
        let mut running = JoinSet::new();
        for lane in 0..lanes {
            let (breaker, sent) = (breaker.clone(), sent.clone());
            running.spawn(async move {
                for round in 0..200 {
                    let Some(pass) = breaker.enter().await else {
                        return;
                    };
                    if pass.is_exclusive() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        breaker.good_reply();
                    }
                    let answered = {
                        let mut sent = sent.lock().unwrap();
                        sent.0 += 1;
                        sent.2 += usize::from(pass.is_exclusive());
                        sent.3 = sent.3.max(sent.2);
                        sent.0 <= clear
                    };
                    let took = (lane * 7 + round * 3) % 11;
                    tokio::time::sleep(Duration::from_millis(10 + took as u64)).await;
                    sent.lock().unwrap().2 -= usize::from(pass.is_exclusive());
                    if answered {
                        breaker.capture_clear();
                    } else {
                        sent.lock().unwrap().1 += 1;
                        breaker.capture_unclear();
                    }
                    drop(pass);
                }
            });
        }
        running.join_all().await;
        let (_, doubts, _, together) = *sent.lock().unwrap();
        assert_eq!(breaker.state(), BreakerState::Tripped);
        (doubts, together)
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_makes_at_most_four_doubts_more_than_there_are_lanes() {
        for lanes in [1, 2, 3, 4, 16, 64] {
            for clear in [0, 1, 5, 100] {
                let (doubts, together) = storm(lanes, clear).await;
                let case = format!("{lanes} lanes, {clear} clear captures first");
                assert!((4..=lanes + 4).contains(&doubts), "{case}: {doubts} doubts");
                assert_eq!(together, 1, "{case}");
            }
        }
    }
}
