//! The state: takes facts and keeps them, gives them back in order; never decides about a trip.
//!
//! One SQLite database. Writes go through one thread with group commit ([`Store::append`] answers
//! after fsync); reads use connections that can only read. Every instant is handed in. The
//! database itself refuses what the law forbids, whoever asks: see `sql/migrations`.

mod ahead;
mod appender;
mod audit;
mod backup;
mod chain;
mod closes;
mod counts;
mod days;
mod debts;
mod error;
mod feed;
mod journal;
mod lines;
mod lock;
mod open;
mod outbox;
mod pulls;
mod row;
mod runs;
mod shelf;
mod sweep;
mod trip;
mod witness;
mod writer;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Transaction};

use crate::domain::Timestamp;

pub use audit::StoredTrip;
pub use chain::ChainBreak;
pub use closes::{Close, CloseRow};
pub use counts::{EvidenceCount, NamedTrip, NamedTrips, StatusCount};
pub use days::{DayBreak, OwingTrip};
pub use debts::{DebtSums, IndebtedTrip};
pub use error::StoreError;
pub use feed::{Admission, Admit, FeedFile, Taken, TakenCounts, When};
pub use journal::Append;
pub use lines::{LineKey, NewLine, ProblemLine, ProcessorFile, StoredLine};
pub use lock::Lock;
pub use outbox::Waiting;
pub use pulls::Pull;
pub use runs::{RunEnd, RunRow};
pub use trip::Found;
pub use witness::{Side, Witness};

use writer::Writer;

/// The state of one retailer.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    path: PathBuf,
    // Before the writer: the last connection to close copies the log home, and only it can write.
    readers: Mutex<Vec<Connection>>,
    writer: Writer,
    /// Device and inode of the database before it was opened.
    inode: Option<(u64, u64)>,
}

impl Store {
    /// True when `state_dir` holds a database.
    ///
    /// # Errors
    /// The folder cannot be looked into.
    pub fn exists(state_dir: &Path) -> Result<bool, StoreError> {
        open::is_there(&open::database(state_dir))
    }

    /// Creates the database. `lost_before` says that an older one was lost then.
    ///
    /// # Errors
    /// There is one already; disk trouble.
    pub fn create(
        state_dir: &Path,
        now: Timestamp,
        lost_before: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        open::create(state_dir, now, lost_before)?;
        Self::open(state_dir)
    }

    /// Opens the database, migrating an older one.
    ///
    /// # Errors
    /// Missing, newer, damaged, or disk trouble.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let path = open::database(state_dir);
        let inode = inode_of(&path);
        let writer = Writer::start(open::writer(state_dir)?, path.clone())?;
        Ok(Self {
            dir: state_dir.to_owned(),
            inode,
            path,
            writer,
            readers: Mutex::default(),
        })
    }

    /// Opens the database to read it only: nothing is migrated, nothing can be written.
    ///
    /// # Errors
    /// Missing, newer, older, or damaged.
    pub fn open_to_read(state_dir: &Path) -> Result<Self, StoreError> {
        let path = open::database(state_dir);
        let inode = inode_of(&path);
        open::is_current(state_dir)?;
        Ok(Self {
            dir: state_dir.to_owned(),
            inode,
            path,
            writer: Writer::none(),
            readers: Mutex::default(),
        })
    }

    /// Opens the database for a simulated clock: everything is written on the caller's thread, and
    /// `witness` is told of every commit.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_by_hand(state_dir: &Path, witness: Witness) -> Result<Self, StoreError> {
        let path = open::database(state_dir);
        let inode = inode_of(&path);
        let writer = Writer::by_hand(open::writer(state_dir)?, path.clone(), witness);
        Ok(Self {
            dir: state_dir.to_owned(),
            inode,
            path,
            writer,
            readers: Mutex::default(),
        })
    }

    /// The database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses one of the state's own files: to open and close it would take from this process the
    /// locks that SQLite has on it.
    ///
    /// # Errors
    /// It is one of them, under whatever name.
    pub fn refuse_own(&self, file: &Path) -> io::Result<()> {
        let given = inode_of(file);
        let own = ["", "-wal", "-shm"].map(|ending| inode_of(&open::beside(&self.path, ending)));
        match given.is_some() && own.contains(&given) {
            true => Err(io::Error::other("it is one of the state's own files")),
            false => Ok(()),
        }
    }

    /// How many commits were made since opening.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Reads the whole database for damage.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn quick_check(&self) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/mod_quick_check.sql");
        let said: String = self.read(|db| db.query_row(sql, (), |row| row.get(0)))?;
        if said == "ok" {
            return Ok(());
        }
        Err(StoreError::Damaged {
            path: self.path.clone(),
            why: said,
        })
    }

    /// The moment before which trips may have been captured by a state that was lost.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn lost_before(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("../../sql/queries/mod_lost_before.sql");
        self.read(|db| db.query_row(sql, (), |row| row::instant_or_none(row, 0)))
    }

    /// Reads with a connection of its own; connections are kept for the next read.
    fn read<T>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.with_reader(|db| act(db).map_err(|error| error::of_sqlite(&self.path, &error)))
    }

    /// Writes in one immediate transaction of its own, and answers after its commit.
    fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let act =
            move |db: &Transaction<'_>| act(db).map_err(|error| error::of_sqlite(&path, &error));
        self.writer.transact(act)
    }

    /// A connection to what was opened, and not to what somebody has put in its place since.
    fn new_reader(&self) -> Result<Connection, StoreError> {
        let is_there = || match inode_of(&self.path) == self.inode {
            true => Ok(()),
            false => Err(StoreError::Replaced(self.path.clone())),
        };
        is_there()?;
        let reader = open::reader(&self.dir)?;
        is_there()?;
        open::keep_little(&reader).map_err(|error| error::of_sqlite(&self.path, &error))?;
        Ok(reader)
    }

    fn with_reader<T, E: From<StoreError>>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.new_reader()?,
        };
        let done = act(&connection);
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        done
    }
}

fn inode_of(file: &Path) -> Option<(u64, u64)> {
    let found = fs::metadata(file).ok()?;
    Some((found.dev(), found.ino()))
}
