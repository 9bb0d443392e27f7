//! The trip feed: rows become trips and amendments, in short transactions of their own.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::domain::{
    BooksDate, ClosedDays, Event, Fact, FeedRow, Rejection, RunId, Source, Standing, Timestamp,
};

use super::Store;
use super::appender::Appender;
use super::error::{StoreError, of_sqlite};
use super::journal::{Append, events_of};
use super::trip::trip_row;

/// A trip file by the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFile {
    /// SHA-256 in hex.
    pub sha256: String,
    /// The name without folders.
    pub name: String,
}

/// Chooses the books date, seeing which days are closed at the moment of writing.
pub type ChooseBooksDate = Arc<dyn Fn(&ClosedDays) -> BooksDate + Send + Sync>;

/// When rows are taken, and for which day's books.
#[derive(Clone)]
pub struct When {
    /// The instant.
    pub at: Timestamp,
    /// The accounting date, chosen within the transaction.
    pub books_date: ChooseBooksDate,
    /// The run that imports.
    pub run: Option<RunId>,
}

/// What the law says of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Append these facts.
    Append {
        /// The facts; for a new trip they begin with `taken`.
        facts: Vec<Fact>,
        /// Where the trip stands after them.
        standing: Standing,
        /// The store is not configured.
        unknown_store: bool,
    },
    /// The row says what is known.
    Nothing,
    /// A scan-code entry: counted only.
    Counted,
    /// The row cannot be taken.
    Rejected {
        /// The field at fault.
        field: Option<&'static str>,
        /// In words.
        reason: String,
    },
}

/// Asks the law about a row, given the trip's events so far.
pub type Admit = Arc<dyn Fn(Option<&[Event]>, &FeedRow) -> Admission + Send + Sync>;

/// Rows of a file by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TakenCounts {
    /// New trips.
    pub new: u64,
    /// Trips that were changed.
    pub amended: u64,
    /// Rows that said what was known.
    pub unchanged: u64,
    /// Rows that could not be taken.
    pub rejected: u64,
    /// Scan-code entries.
    pub scan_codes: u64,
    /// Rows of the future, which are among the rejected ones.
    pub early: u64,
}

impl TakenCounts {
    /// The counts with their names.
    pub fn by_word(&self) -> [(&'static str, u64); 5] {
        [
            ("new", self.new),
            ("amended", self.amended),
            ("unchanged", self.unchanged),
            ("rejected", self.rejected),
            ("scan_codes", self.scan_codes),
        ]
    }

    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.new, other.new),
            (&mut self.amended, other.amended),
            (&mut self.unchanged, other.unchanged),
            (&mut self.rejected, other.rejected),
            (&mut self.scan_codes, other.scan_codes),
            (&mut self.early, other.early),
        ] {
            *sum = sum.saturating_add(part);
        }
    }
}

/// What became of a chunk of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Its rows by what became of them.
    pub counts: TakenCounts,
    /// Those that could not be taken.
    pub rejected: Vec<Rejection>,
}

impl Store {
    /// What became of the rows of a file of these bytes, if it was taken to its end.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn feed_file_taken(&self, sha256: &str) -> Result<Option<TakenCounts>, StoreError> {
        let sql = include_str!("../../sql/queries/feed_file_taken.sql");
        let counts = self.read(|db| {
            let counts = db.query_row(sql, [sha256], |row| row.get::<_, String>(0));
            counts.optional()
        })?;
        Ok(counts.map(|json| serde_json::from_str(&json).unwrap_or_default()))
    }

    /// Remembers that a file was taken whole.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn finish_feed_file(
        &self,
        file: &FeedFile,
        at: Timestamp,
        counts: &TakenCounts,
    ) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/feed_finish_file.sql");
        let counts = serde_json::to_string(counts).unwrap_or_default();
        let values = (file.sha256.clone(), file.name.clone(), at.ms(), counts);
        self.write(move |db| db.execute(sql, values).map(|_| ()))
    }

    /// Takes a chunk of rows in one transaction: each is shown to `admit` with its trip's events,
    /// those of earlier rows of the chunk among them.
    ///
    /// # Errors
    /// The state cannot be written; then no row of the chunk is taken.
    pub fn take_rows(
        &self,
        rows: Vec<FeedRow>,
        file: &FeedFile,
        when: &When,
        admit: Admit,
    ) -> Result<Taken, StoreError> {
        let (file, when, path) = (file.clone(), when.clone(), self.path.clone());
        self.writer.transact(move |db| {
            let chunk = Chunk::begin(db, &path, &file, &when)?;
            let mut appender = Appender::begin(db, &path)?;
            let mut taken = Taken::default();
            for row in &rows {
                chunk.take(row, &mut appender, &admit, &mut taken)?;
            }
            Ok(taken)
        })
    }

    /// Keeps rows that could not be taken; the same line of the same file is kept once.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn reject_rows(
        &self,
        rows: Vec<Rejection>,
        file: &FeedFile,
        when: &When,
    ) -> Result<(), StoreError> {
        let (file, when, path) = (file.clone(), when.clone(), self.path.clone());
        self.writer.transact(move |db| {
            let chunk = Chunk::begin(db, &path, &file, &when)?;
            rows.iter().try_for_each(|row| chunk.reject(row))
        })
    }
}

struct Chunk<'a> {
    db: &'a Connection,
    path: &'a Path,
    file: &'a FeedFile,
    when: &'a When,
    books_date: BooksDate,
}

impl<'a> Chunk<'a> {
    fn begin(
        db: &'a Transaction<'_>,
        path: &'a Path,
        file: &'a FeedFile,
        when: &'a When,
    ) -> Result<Self, StoreError> {
        let closed = super::closes::closed_days(db).map_err(|error| of_sqlite(path, &error))?;
        let books_date = (when.books_date)(&closed);
        Ok(Self {
            db,
            path,
            file,
            when,
            books_date,
        })
    }

    fn take(
        &self,
        row: &FeedRow,
        appender: &mut Appender<'_>,
        admit: &Admit,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let counts = &mut taken.counts;
        let sqlite = |error: rusqlite::Error| of_sqlite(self.path, &error);
        let trip = trip_row(self.db, &row.key).map_err(sqlite)?;
        let events = trip.map(|trip| events_of(self.db, trip, i64::MAX));
        let events = events.transpose().map_err(sqlite)?;
        let count = match admit(events.as_deref(), row) {
            Admission::Append {
                facts,
                standing,
                unknown_store,
            } => {
                if unknown_store {
                    self.unknown_store(row).map_err(sqlite)?;
                }
                let append = self.append(trip, facts, standing);
                match trip {
                    None => {
                        appender.begin_trip(row, append)?;
                        &mut counts.new
                    }
                    Some(_) => {
                        appender.append(&append)?;
                        &mut counts.amended
                    }
                }
            }
            Admission::Nothing => &mut counts.unchanged,
            Admission::Counted => {
                self.scan_code(row).map_err(sqlite)?;
                &mut counts.scan_codes
            }
            Admission::Rejected { field, reason } => {
                let (source, raw) = (row.source.clone(), row.raw.clone());
                let rejection = Rejection {
                    source,
                    field,
                    reason,
                    raw,
                };
                self.reject(&rejection)?;
                taken.rejected.push(rejection);
                &mut counts.rejected
            }
        };
        *count = count.saturating_add(1);
        Ok(())
    }

    fn append(&self, trip: Option<i64>, facts: Vec<Fact>, standing: Standing) -> Append {
        let learnt = u32::try_from(facts.len()).unwrap_or(u32::MAX);
        let facts = facts.into_iter().map(|fact| (self.when.at, fact));
        Append {
            trip: trip.unwrap_or_default(),
            expected_steps: standing.steps.saturating_sub(learnt),
            facts: facts.collect(),
            standing,
            books_date: self.books_date,
            run: self.when.run.clone(),
            line: None,
        }
    }

    fn unknown_store(&self, row: &FeedRow) -> rusqlite::Result<()> {
        let sql = include_str!("../../sql/queries/feed_unknown_store.sql");
        let values = (row.key.store.as_str(), self.books_date.to_string());
        self.db.prepare_cached(sql)?.execute(values).map(|_| ())
    }

    fn scan_code(&self, row: &FeedRow) -> rusqlite::Result<()> {
        let sql = include_str!("../../sql/queries/feed_scan_code.sql");
        let line = line_of(&row.source);
        let (store, date) = (row.key.store.as_str(), self.books_date.to_string());
        self.db
            .prepare_cached(sql)?
            .execute((&self.file.sha256, line, store, date))
            .map(|_| ())
    }

    fn reject(&self, row: &Rejection) -> Result<(), StoreError> {
        let sqlite = |error: rusqlite::Error| of_sqlite(self.path, &error);
        let sql = include_str!("../../sql/queries/feed_reject.sql");
        let mut statement = self.db.prepare_cached(sql).map_err(sqlite)?;
        let done = statement.execute(params![
            self.file.sha256,
            row.source.file,
            line_of(&row.source),
            row.field,
            row.reason,
            row.raw,
            self.books_date.to_string(),
        ]);
        done.map(|_| ()).map_err(sqlite)
    }
}

fn line_of(source: &Source) -> i64 {
    i64::try_from(source.line).unwrap_or(i64::MAX)
}
