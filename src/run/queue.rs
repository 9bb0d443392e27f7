//! The queue that the lanes of a batch take their trips from, each with its events.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Event, OpenTrip};
use crate::store::{Pull, Store, StoreError};

/// So many trips' events are read at once: enough that reading costs little, few enough that they
/// are fresh and take no room. What somebody else writes after that is met as a conflict.
const AHEAD: usize = 64;

/// Something about a trip.
pub trait Queued {
    /// The trip's row.
    fn trip(&self) -> i64;
}

impl Queued for OpenTrip {
    fn trip(&self) -> i64 {
        self.id
    }
}

impl Queued for Pull {
    fn trip(&self) -> i64 {
        self.trip
    }
}

/// One of them and its trip's events; without, where they could not be read.
pub type WithEvents<T> = (T, Option<Vec<Event>>);

/// Trips in order; lanes take from its front.
#[derive(Debug)]
pub struct Queue<T> {
    lines: Mutex<Lines<T>>,
}

#[derive(Debug)]
struct Lines<T> {
    ready: VecDeque<WithEvents<T>>,
    waiting: VecDeque<T>,
}

impl<T: Queued> Queue<T> {
    /// A queue of these.
    pub fn of(trips: Vec<T>) -> Self {
        let (ready, waiting) = (VecDeque::new(), VecDeque::from(trips));
        Self {
            lines: Mutex::new(Lines { ready, waiting }),
        }
    }

    /// The next one with its events.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next(&self, store: &Store) -> Result<Option<WithEvents<T>>, StoreError> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.ready.is_empty() {
            let count = lines.waiting.len().min(AHEAD);
            let events = store.events_of_each(lines.waiting.iter().take(count).map(T::trip))?;
            let trips: Vec<T> = lines.waiting.drain(..count).collect();
            lines.ready.extend(trips.into_iter().zip(events));
        }
        Ok(lines.ready.pop_front())
    }
}
