//! The one writer: a thread that owns the writing connection and commits many appends at once.
//!
//! Trips in flight share an fsync: every append that waits when a commit begins is part of it,
//! and one that is refused takes nothing else with it. An append is answered after the commit,
//! never before.
//!
//! Under a simulated clock the same work is done on the caller's thread, see [`Hand::Caller`].

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::error::{StoreError, of_sqlite};
use super::journal::Append;
use super::shelf::{Shelf, Work};
use super::witness::{Witness, commit};

/// A handle on the writer; dropping it ends its thread after the work that waits.
#[derive(Debug)]
pub(super) struct Writer {
    to: Option<mpsc::Sender<Work>>,
    hand: Hand,
    commits: Arc<AtomicU64>,
    witness: Option<Witness>,
}

/// Who does the writer's work.
#[derive(Debug)]
enum Hand {
    /// A thread of its own, so that no lane waits for another one's fsync.
    Thread(Option<JoinHandle<()>>),
    /// Whoever asks. A clock that is simulated moves on as soon as nothing can run, and does not
    /// see that a thread beside it still writes: with one, the same seed would not give the same
    /// night. Everything that is ready to run asks first, so that appends share commits here too.
    Caller(Box<Mutex<(Shelf, mpsc::Receiver<Work>)>>),
}

impl Writer {
    /// A writer with a thread of its own.
    pub fn start(connection: Connection, path: PathBuf) -> Result<Self, StoreError> {
        let (to, from) = mpsc::channel();
        let commits = Arc::new(AtomicU64::new(0));
        let shelf = Shelf::of(connection, path.clone(), commits.clone(), None);
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || shelf.work(&from));
        let thread = thread.map_err(|why| StoreError::disk(&path, "written", why))?;
        Ok(Self {
            to: Some(to),
            hand: Hand::Thread(Some(thread)),
            commits,
            witness: None,
        })
    }

    /// The writer of a state that is only read: it refuses.
    pub fn none() -> Self {
        Self {
            to: None,
            hand: Hand::Thread(None),
            commits: Arc::default(),
            witness: None,
        }
    }

    /// A writer that works on the caller's thread and tells `witness` of every commit.
    pub fn by_hand(connection: Connection, path: PathBuf, witness: Witness) -> Self {
        let (to, from) = mpsc::channel();
        let commits = Arc::new(AtomicU64::new(0));
        let witness = Some(witness);
        let shelf = Shelf::of(connection, path, commits.clone(), witness.clone());
        Self {
            to: Some(to),
            hand: Hand::Caller(Box::new(Mutex::new((shelf, from)))),
            commits,
            witness,
        }
    }

    /// How many commits were made: with many appends in flight fewer than appends.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub async fn append(&self, append: Append) -> Result<(), StoreError> {
        let answered = self.ask(append)?;
        if let Hand::Caller(_) = self.hand {
            tokio::task::yield_now().await;
            self.work_by_hand();
        }
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Does what waits, unless there is a thread that does.
    fn work_by_hand(&self) {
        if let Hand::Caller(desk) = &self.hand {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            let (shelf, from) = &mut *desk;
            while let Ok(work) = from.try_recv() {
                shelf.take(work, from);
            }
        }
    }

    fn ask(&self, append: Append) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work::Append(Box::new(append), answer))?;
        Ok(answered)
    }

    /// Runs `act` in one immediate transaction of its own and waits for its commit.
    pub fn transact<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::channel();
        let (commits, witness) = (self.commits.clone(), self.witness.clone());
        self.send(Work::Act(Box::new(move |path, connection| {
            let done =
                connection.and_then(|connection| transact(path, connection, witness.as_ref(), act));
            match &done {
                Ok(_) => commits.fetch_add(1, Ordering::Relaxed),
                Err(_) => 0,
            };
            let fatal = done.as_ref().err().filter(|error| error.is_fatal());
            let fatal = fatal.map(|error| StoreError::Stopped(error.to_string()));
            let _ = answer.send(done);
            fatal
        })))?;
        self.work_by_hand();
        answered.recv().unwrap_or_else(|_| Err(gone()))
    }

    fn send(&self, work: Work) -> Result<(), StoreError> {
        let to = self.to.as_ref().ok_or_else(gone)?;
        to.send(work).map_err(|_| gone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.to.take());
        match &mut self.hand {
            Hand::Thread(thread) => {
                let _ = thread.take().map(JoinHandle::join);
            }
            // What nobody stayed to be answered for is as lost as when a process ends.
            Hand::Caller(_) => {}
        }
    }
}

fn gone() -> StoreError {
    StoreError::Stopped("the writer of the state has ended; nothing is lost, run again".to_owned())
}

fn transact<T>(
    path: &Path,
    connection: &mut Connection,
    witness: Option<&Witness>,
    act: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let immediate = TransactionBehavior::Immediate;
    let transaction = connection
        .transaction_with_behavior(immediate)
        .map_err(sqlite)?;
    let done = act(&transaction)?;
    commit(transaction, witness).map_err(sqlite)?;
    Ok(done)
}
