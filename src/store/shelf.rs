//! What the writer works on: its connection, and the appends of one commit.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::disk::sync_dir;

use super::appender::Appender;
use super::error::{StoreError, of_sqlite};
use super::journal::Append;
use super::witness::{Witness, commit};

/// Appends to one commit at most.
const GROUP: usize = 256;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;
pub(super) type Act =
    Box<dyn FnOnce(&Path, Result<&mut Connection, StoreError>) -> Option<StoreError> + Send>;

/// What is asked of the writer.
pub(super) enum Work {
    /// To be committed with the appends beside it.
    Append(Box<Append>, Answer<()>),
    /// A transaction of its own, with what ends the writing if it went wrong for good.
    Act(Act),
}

/// For each append of a group whether it was refused.
type Written = Vec<Result<(), StoreError>>;

/// What the writer owns.
#[derive(Debug)]
pub(super) struct Shelf {
    connection: Connection,
    path: PathBuf,
    commits: Arc<AtomicU64>,
    /// True once the log's name was forced to disk.
    is_named: bool,
    /// After a failed disk write nothing is tried again: what an fsync lost stays lost.
    broken: Option<String>,
    witness: Option<Witness>,
}

impl Shelf {
    pub fn of(
        connection: Connection,
        path: PathBuf,
        commits: Arc<AtomicU64>,
        witness: Option<Witness>,
    ) -> Self {
        Self {
            connection,
            path,
            commits,
            is_named: false,
            broken: None,
            witness,
        }
    }

    pub fn work(mut self, from: &mpsc::Receiver<Work>) {
        while let Ok(work) = from.recv() {
            self.take(work, from);
        }
    }

    /// Does `work`, together with the appends that wait behind it.
    pub fn take(&mut self, work: Work, from: &mpsc::Receiver<Work>) {
        let mut next = Some(work);
        while let Some(work) = next.take() {
            match work {
                Work::Act(act) => self.act(act),
                Work::Append(append, answer) => {
                    let mut group = vec![(append, answer)];
                    while group.len() < GROUP && next.is_none() {
                        match from.try_recv() {
                            Ok(Work::Append(append, answer)) => group.push((append, answer)),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
            }
        }
    }

    fn act(&mut self, act: Act) {
        let ready = self.get_ready();
        let connection = ready.map(|()| &mut self.connection);
        if let Some(error) = act(&self.path, connection) {
            self.break_down(error.to_string());
        }
    }

    fn commit(&mut self, group: Vec<(Box<Append>, Answer<()>)>) {
        let (appends, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        match self.try_commit(&appends) {
            Ok(written) => {
                for (answer, written) in answers.into_iter().zip(written) {
                    let _ = answer.send(written);
                }
            }
            Err(error) => {
                let why = error.to_string();
                for answer in answers {
                    let _ = answer.send(Err(StoreError::Stopped(why.clone())));
                }
                self.break_down(why);
            }
        }
    }

    /// Before the first write the log's name goes to disk: SQLite does so, too, but does not heed
    /// whether it could, and a cut may then take the log with every commit in it.
    fn get_ready(&mut self) -> Result<(), StoreError> {
        if let Some(why) = &self.broken {
            return Err(StoreError::Stopped(why.clone()));
        }
        if let (false, Some(dir)) = (self.is_named, self.path.parent()) {
            sync_dir(dir).map_err(|why| StoreError::disk(dir, "written", why))?;
        }
        self.is_named = true;
        Ok(())
    }

    /// Nothing more is written, not even by copying the log home at the end.
    fn break_down(&mut self, why: String) {
        self.broken.get_or_insert(why);
        let quietly = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        // An error leaves it as it is, which the next run finds sound as well.
        let _ = self.connection.set_db_config(quietly, true);
    }

    /// Outer error: nothing of the group is on disk. Inner: this one was refused.
    fn try_commit(&mut self, appends: &[Box<Append>]) -> Result<Written, StoreError> {
        self.get_ready()?;
        let written = match self.all_at_once(appends)? {
            Some(written) => written,
            None => self.one_by_one(appends)?,
        };
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(written)
    }

    /// Commits a group of which nothing is refused, as is nearly every one; otherwise none of it.
    fn all_at_once(&mut self, appends: &[Box<Append>]) -> Result<Option<Written>, StoreError> {
        let path = &self.path;
        let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(immediate);
        let transaction = transaction.map_err(sqlite)?;
        let all = Appender::begin(&transaction, path)
            .and_then(|mut appender| appends.iter().try_for_each(|it| appender.append(it)));
        match all {
            Ok(()) => commit(transaction, self.witness.as_ref()).map_err(sqlite)?,
            Err(error) if error.is_fatal() => return Err(error),
            Err(_) => return transaction.rollback().map_err(sqlite).map(|()| None),
        }
        Ok(Some(appends.iter().map(|_| Ok(())).collect()))
    }

    /// Commits what is not refused: a savepoint, which costs a copy of every page it touches,
    /// takes one append back without the others.
    fn one_by_one(&mut self, appends: &[Box<Append>]) -> Result<Written, StoreError> {
        let path = &self.path;
        let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(immediate);
        let mut transaction = transaction.map_err(sqlite)?;
        let mut written = Vec::with_capacity(appends.len());
        for append in appends {
            let savepoint = transaction.savepoint().map_err(sqlite)?;
            let begun = Appender::begin(&savepoint, path);
            let done = begun.and_then(|mut appender| appender.append(append));
            match &done {
                Ok(()) => savepoint.commit().map_err(sqlite)?,
                Err(error) if error.is_fatal() => return done.map(|()| Vec::new()),
                Err(_) => savepoint.finish().map_err(sqlite)?,
            }
            written.push(done);
        }
        commit(transaction, self.witness.as_ref()).map_err(sqlite)?;
        Ok(written)
    }
}
