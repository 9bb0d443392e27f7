//! Trips with their events, read by threads beside the one that looks at them.
//!
//! A close looks at every trip of its day twice, and most of that time goes to reading. The journal
//! up to a place never changes, so that it does not matter whose snapshot an event is read from.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{Builder, Scope, scope};

use crate::domain::Event;

use super::Store;
use super::error::{StoreError, of_sqlite};
use super::journal::events_of;

/// So many threads read. One that looks at what two read is busy about as much as they are.
const READERS: usize = 2;
/// So many trips are read at once: enough that handing them over costs nothing beside reading.
const CHUNK: usize = 64;
/// So many chunks are asked for ahead of the one that is looked at.
const AHEAD: usize = 4;

/// Trips with their events, or why one's cannot be read.
type Read = Result<Vec<(i64, Result<Vec<Event>, StoreError>)>, StoreError>;
/// Trips to read, and where their events are waited for.
type Work = (Vec<i64>, mpsc::SyncSender<Read>);

impl Store {
    /// Calls `each` with these trips in their order, and their events up to `up_to_seq`; not with
    /// one that has none so far.
    pub(super) fn each_with_events<E: From<StoreError>>(
        &self,
        trips: &mut dyn Iterator<Item = Result<i64, StoreError>>,
        up_to_seq: i64,
        each: &mut dyn FnMut(i64, Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut look = |read: Read| {
            read?
                .into_iter()
                .try_for_each(|(trip, events)| match events? {
                    none if none.is_empty() => Ok(()),
                    events => each(trip, events),
                })
        };
        let mut next = || trips.take(CHUNK).collect::<Result<Vec<i64>, _>>();
        let mut chunk = next()?;
        if chunk.len() < CHUNK {
            return look(self.read_all(&chunk, up_to_seq));
        }
        let (to, from) = mpsc::channel();
        let from = Mutex::new(from);
        scope(|threads| {
            let to = to;
            for _ in 0..READERS {
                self.start_reader(threads, &from, up_to_seq)?;
            }
            let mut asked = VecDeque::with_capacity(AHEAD);
            loop {
                while asked.len() < AHEAD && !chunk.is_empty() {
                    let (answer, answered) = mpsc::sync_channel(1);
                    to.send((chunk, answer)).map_err(|_| gone())?;
                    asked.push_back(answered);
                    chunk = next()?;
                }
                let Some(answered) = asked.pop_front() else {
                    return Ok(());
                };
                look(answered.recv().map_err(|_| gone())?)?;
            }
        })
    }

    /// Starts a thread that reads until nobody can ask any more.
    fn start_reader<'scope>(
        &'scope self,
        threads: &'scope Scope<'scope, '_>,
        from: &'scope Mutex<mpsc::Receiver<Work>>,
        up_to_seq: i64,
    ) -> Result<(), StoreError> {
        let next = || from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let read = move || {
            while let Ok((trips, answer)) = next() {
                // Whoever asked may have given up.
                let _ = answer.send(self.read_all(&trips, up_to_seq));
            }
        };
        let thread = Builder::new().name("store-reader".to_owned());
        let started = thread.spawn_scoped(threads, read);
        started.map_err(|why| StoreError::disk(&self.path, "read", why))?;
        Ok(())
    }

    fn read_all(&self, trips: &[i64], up_to_seq: i64) -> Read {
        let sqlite = |error: rusqlite::Error| of_sqlite(&self.path, &error);
        self.with_reader(|db| {
            let snapshot = db.unchecked_transaction().map_err(sqlite)?;
            let read = |trip: &i64| {
                let events = events_of(&snapshot, *trip, up_to_seq);
                (*trip, events.map_err(sqlite))
            };
            Ok(trips.iter().map(read).collect())
        })
    }
}

fn gone() -> StoreError {
    StoreError::Stopped("a thread that reads the state has ended; run again".to_owned())
}
