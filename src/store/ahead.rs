//! Trips with their events, read by threads beside the one that asks.
//!
//! A close looks at every trip of its day twice, and most of that time goes to reading. The journal
//! up to a place never changes, so that it does not matter whose snapshot an event is read from.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{Builder, Scope, scope};

use crate::domain::Event;

use super::Store;
use super::error::{StoreError, of_sqlite};
use super::journal::events_of;

/// So many threads read: more would only hold more memory, and the caller looks beside them.
const READERS: usize = 2;
/// So many trips are read at once: enough that handing them over costs nothing beside reading.
const CHUNK: usize = 64;
/// So many chunks are asked for ahead.
const AHEAD: usize = 4;

/// What was made of each trip, or why its events cannot be read.
type Read<T, E> = Result<Vec<Result<T, E>>, StoreError>;
/// Trips to read, and where what is made of them is waited for.
type Work<T, E> = (Vec<i64>, mpsc::SyncSender<Read<T, E>>);
/// Makes something of a trip and its events, on whichever thread has read them.
pub(super) type Make<'a, T, E> = &'a (dyn Fn(i64, Vec<Event>) -> Result<T, E> + Sync);

impl Store {
    /// Calls `each`, on the caller's thread and in the order of the trips, with what `make` makes
    /// of each and its events up to `up_to_seq`; not of one that has none so far.
    pub(super) fn each_with_events<T: Send, E: From<StoreError> + Send>(
        &self,
        trips: &mut dyn Iterator<Item = Result<i64, StoreError>>,
        up_to_seq: i64,
        make: Make<'_, T, E>,
        each: &mut dyn FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut look = |read: Read<T, E>| read?.into_iter().try_for_each(|made| each(made?));
        let mut next = || trips.take(CHUNK).collect::<Result<Vec<i64>, _>>();
        let mut chunk = next()?;
        if chunk.len() < CHUNK {
            return look(self.read_all(&chunk, up_to_seq, make));
        }
        let (to, from) = mpsc::channel();
        let from = Mutex::new(from);
        scope(|threads| {
            let to = to;
            let start = |_: &usize| self.start_reader(threads, &from, up_to_seq, make).is_ok();
            if (0..READERS).filter(start).count() == 0 {
                // The machine gives no threads: then on this one.
                while !chunk.is_empty() {
                    look(self.read_all(&chunk, up_to_seq, make))?;
                    chunk = next()?;
                }
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
    fn start_reader<'scope, T: Send, E: From<StoreError> + Send>(
        &'scope self,
        threads: &'scope Scope<'scope, '_>,
        from: &'scope Mutex<mpsc::Receiver<Work<T, E>>>,
        up_to_seq: i64,
        make: Make<'scope, T, E>,
    ) -> io::Result<()> {
        let next = || from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let read = move || {
            while let Ok((trips, answer)) = next() {
                // Whoever asked may have given up.
                let _ = answer.send(self.read_all(&trips, up_to_seq, make));
            }
        };
        let thread = Builder::new().name("store-reader".to_owned());
        thread.spawn_scoped(threads, read).map(|_| ())
    }

    fn read_all<T, E: From<StoreError>>(
        &self,
        trips: &[i64],
        up_to_seq: i64,
        make: Make<'_, T, E>,
    ) -> Read<T, E> {
        let sqlite = |error: rusqlite::Error| of_sqlite(&self.path, &error);
        self.with_reader(|db| {
            let snapshot = db.unchecked_transaction().map_err(sqlite)?;
            let read = |trip: &i64| match events_of(&snapshot, *trip, up_to_seq) {
                // One that was taken meanwhile has none so far.
                Ok(events) if events.is_empty() => None,
                Ok(events) => Some(make(*trip, events)),
                Err(error) => Some(Err(sqlite(error).into())),
            };
            Ok(trips.iter().filter_map(read).collect())
        })
    }
}

/// Said where a reader has panicked, which goes on to the caller when `scope` ends.
fn gone() -> StoreError {
    StoreError::Stopped("a thread that reads the state has ended".to_owned())
}
