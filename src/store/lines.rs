//! Lines of processors' reports: each file once, each line matched to at most one trip.

mod told;

use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};

use crate::domain::{BooksDate, Money, ProcessorName, Timestamp};

use super::Store;
use super::error::StoreError;
use super::row;
use told::Told;

/// A report file by the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessorFile {
    /// SHA-256 in hex.
    pub sha256: String,
    /// Whose report it is.
    pub processor: ProcessorName,
    /// The name without folders.
    pub name: String,
    /// It tells lines of earlier reports again.
    pub cumulative: bool,
}

/// How a line names its trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineKey {
    /// The store.
    pub store: Option<String>,
    /// The shopping trip id.
    pub trip: Option<String>,
    /// The reconciliation id.
    pub reconciliation_id: Option<String>,
}

/// A line of a report, read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewLine {
    /// A line.
    Read {
        /// Its place in the file, from 1.
        line: u64,
        /// The trip as the line names it.
        key: LineKey,
        /// The amount, negative for money going back.
        amount: Money,
        /// The processor's date.
        date: Option<NaiveDate>,
        /// The processor's reference.
        reference: String,
        /// The processor's word for what it is.
        kind: String,
        /// True for kinds that show captured money.
        is_capture: bool,
    },
    /// A line that could not be read.
    Unreadable {
        /// Its place in the file, from 1.
        line: u64,
        /// Why.
        problem: String,
    },
}

/// A line that waits for its trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// Its row.
    pub id: i64,
    /// Whose report it is from.
    pub processor: ProcessorName,
    /// File and line.
    pub source: String,
    /// The trip as the line names it.
    pub key: LineKey,
    /// The amount.
    pub amount: Money,
    /// The processor's date.
    pub date: Option<NaiveDate>,
    /// The processor's reference.
    pub reference: String,
}

/// A line that could not be read, or that belongs to no trip we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemLine {
    /// File and line.
    pub source: String,
    /// Why it could not be read; none for a line without a trip.
    pub problem: Option<String>,
    /// The amount, where it could be read.
    pub amount: Option<Money>,
    /// The processor's reference.
    pub reference: String,
    /// The books date on which it was taken.
    pub taken_on: BooksDate,
    /// The books date on which its trip was found.
    pub matched_on: Option<BooksDate>,
}

impl Store {
    /// True when a report of these bytes was taken.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn processor_file_taken(&self, sha256: &str) -> Result<bool, StoreError> {
        let sql = include_str!("../../sql/queries/lines_file_taken.sql");
        self.read(|db| db.query_row(sql, [sha256], |row| row.get(0)))
    }

    /// Takes a report with all its lines, or nothing of it; one of the same bytes is taken once.
    /// Gives how many lines were kept: of a cumulative report those that no earlier one told.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn take_processor_lines(
        &self,
        file: &ProcessorFile,
        lines: Vec<NewLine>,
        books_date: BooksDate,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        let file = file.clone();
        self.write(move |db| {
            let sql = include_str!("../../sql/queries/lines_insert_file.sql");
            let values = (&file.sha256, file.processor.as_str(), &file.name, at.ms());
            if db.prepare_cached(sql)?.execute(values)? == 0 {
                return Ok(0);
            }
            let id = db.last_insert_rowid();
            let mut told = Told::by(&file.processor, id);
            let mut kept = 0_usize;
            for line in &lines {
                if !(file.cumulative && told.before(db, line)?) {
                    insert_line(db, id, line, books_date)?;
                    kept = kept.saturating_add(1);
                }
            }
            Ok(kept)
        })
    }

    /// Lines of captured money without a trip, by row, from behind `after`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn unmatched_lines(&self, after: i64, limit: usize) -> Result<Vec<StoredLine>, StoreError> {
        let sql = include_str!("../../sql/queries/lines_unmatched.sql");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_map((after, limit), stored_line)?
                .collect()
        })
    }

    /// The one trip that a line names; none when it names no trip, or several.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn trip_of_line(&self, key: &LineKey) -> Result<Option<i64>, StoreError> {
        let sql = include_str!("../../sql/queries/lines_trip.sql");
        let values = (&key.store, &key.trip, &key.reconciliation_id);
        let found: Vec<i64> = self.read(|db| {
            db.prepare_cached(sql)?
                .query_map(values, |row| row.get(0))?
                .collect()
        })?;
        Ok(match found.as_slice() {
            [trip] => Some(*trip),
            _ => None,
        })
    }

    /// Calls `each` with every line that could not be read on the day, and every line that was
    /// without a trip on it, by file and line, as the journal up to `up_to_seq` knows them.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_problem_line_of_day<E: From<StoreError>>(
        &self,
        date: BooksDate,
        up_to_seq: i64,
        each: &mut dyn FnMut(ProblemLine) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/lines_problems.sql");
        self.each_row(sql, (date.to_string(), up_to_seq), problem_line, each)
    }
}

/// Marks a line as belonging to a trip; false when it belongs to one already.
pub(super) fn mark_matched(
    db: &Connection,
    line: i64,
    trip: i64,
    books_date: BooksDate,
) -> rusqlite::Result<bool> {
    let sql = include_str!("../../sql/queries/lines_mark_matched.sql");
    db.prepare_cached(sql)?
        .execute((line, trip, books_date.to_string()))
        .map(|marked| marked == 1)
}

fn insert_line(
    db: &Connection,
    file: i64,
    line: &NewLine,
    books_date: BooksDate,
) -> rusqlite::Result<()> {
    let sql = include_str!("../../sql/queries/lines_insert.sql");
    let mut statement = db.prepare_cached(sql)?;
    let place = |line: u64| i64::try_from(line).unwrap_or(i64::MAX);
    let taken_on = books_date.to_string();
    let none: Option<String> = None;
    match line {
        NewLine::Read {
            line,
            key,
            amount,
            date,
            reference,
            kind,
            is_capture,
        } => statement.execute(params![
            file,
            place(*line),
            taken_on,
            key.store,
            key.trip,
            key.reconciliation_id,
            amount.minor(),
            amount.currency().code(),
            date.map(|date| date.to_string()),
            reference,
            kind,
            is_capture,
            none,
        ]),
        NewLine::Unreadable { line, problem } => statement.execute(params![
            file,
            place(*line),
            taken_on,
            none,
            none,
            none,
            none,
            none,
            none,
            "",
            "",
            false,
            problem,
        ]),
    }?;
    Ok(())
}

fn stored_line(row: &Row<'_>) -> rusqlite::Result<StoredLine> {
    let processor: String = row.get(1)?;
    let processor = ProcessorName::of(&processor).map_err(|why| row::wrong(1, why))?;
    let date: Option<String> = row.get(9)?;
    let date = date
        .map(|date| date.parse())
        .transpose()
        .map_err(|why| row::wrong(9, why))?;
    Ok(StoredLine {
        id: row.get(0)?,
        processor,
        source: source(row, 2)?,
        key: LineKey {
            store: row.get(4)?,
            trip: row.get(5)?,
            reconciliation_id: row.get(6)?,
        },
        amount: row::money(row, 7)?,
        date,
        reference: row.get(10)?,
    })
}

fn problem_line(row: &Row<'_>) -> rusqlite::Result<ProblemLine> {
    let amount: Option<i64> = row.get(3)?;
    Ok(ProblemLine {
        source: source(row, 0)?,
        problem: row.get(2)?,
        amount: amount.map(|_| row::money(row, 3)).transpose()?,
        reference: row.get(5)?,
        taken_on: row::date(row, 6)?,
        matched_on: row::date_or_none(row, 7)?,
    })
}

/// File and line from two columns, as people write it.
fn source(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let (file, line): (String, i64) = (row.get(column)?, row.get(column.saturating_add(1))?);
    Ok(format!("{file}:{line}"))
}
