//! Closed days: committed before their files are put in place, one row an edition.

use rusqlite::{Connection, Row, Transaction, params};

use crate::domain::{BooksDate, ClosedDays, DayTotal, RunId, Timestamp};

use super::Store;
use super::error::{StoreError, of_sqlite};
use super::row;

/// A close to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The day.
    pub books_date: BooksDate,
    /// The edition, from 1.
    pub edition: u32,
    /// The last event that the edition knows of.
    pub last_seq: i64,
    /// [`Store::feed_mark`] as it was when the files were rendered.
    pub feed_mark: i64,
    /// SHA-256 of `manifest.json`.
    pub manifest_sha256: String,
    /// The manifest that it follows.
    pub previous_sha256: Option<String>,
    /// The run that closes.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// What the day adds up to; kept with the first edition only.
    pub totals: Vec<DayTotal>,
}

/// A committed close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseRow {
    /// The day.
    pub books_date: BooksDate,
    /// The edition.
    pub edition: u32,
    /// The last event that the edition knows of.
    pub last_seq: i64,
    /// SHA-256 of `manifest.json`.
    pub manifest_sha256: String,
    /// The manifest that it follows.
    pub previous_sha256: Option<String>,
    /// True when its files are in place, and a run has told of them.
    pub published: bool,
}

impl Store {
    /// Where the books begin, and how far they are closed.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn closed_days(&self) -> Result<ClosedDays, StoreError> {
        self.read(closed_days)
    }

    /// The editions of a day, oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn closes(&self, date: BooksDate) -> Result<Vec<CloseRow>, StoreError> {
        let sql = include_str!("../../sql/queries/closes_of_day.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_map([date.to_string()], close_row)?
                .collect()
        })
    }

    /// The newest edition of the last closed day before `date`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn close_before(&self, date: BooksDate) -> Result<Option<CloseRow>, StoreError> {
        let sql = include_str!("../../sql/queries/closes_before.sql");
        let mut found: Vec<CloseRow> = self.read(|db| {
            db.prepare_cached(sql)?
                .query_map([date.to_string()], close_row)?
                .collect()
        })?;
        Ok(found.pop())
    }

    /// Editions that are committed but perhaps not in place, or not told of.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn unpublished_closes(&self) -> Result<Vec<CloseRow>, StoreError> {
        let sql = include_str!("../../sql/queries/closes_unpublished.sql");
        self.read(|db| db.prepare_cached(sql)?.query_map((), close_row)?.collect())
    }

    /// What a closed day adds up to, sorted by store and currency.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn day_totals(&self, date: BooksDate) -> Result<Vec<DayTotal>, StoreError> {
        let sql = include_str!("../../sql/queries/closes_day_totals.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([date.to_string()], |row| {
                let text = row.get_ref(0)?.as_str()?;
                serde_json::from_str(text).map_err(|why| row::wrong(0, why))
            });
            rows?.collect()
        })
    }

    /// A number that grows with every rejected row, scan code and unknown store of the day.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn feed_mark(&self, date: BooksDate) -> Result<i64, StoreError> {
        self.read(|db| feed_mark(db, date))
    }

    /// Commits a close.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the day changed since it was rendered, an earlier day is
    /// open, or the edition exists; disk trouble.
    pub fn commit_close(&self, close: Close) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.writer.transact(move |db| {
            let sqlite = |error: rusqlite::Error| of_sqlite(&path, &error);
            if changed(db, &close).map_err(sqlite)? {
                return Err(StoreError::Conflict {
                    what: close.books_date.to_string(),
                });
            }
            insert(db, &close).map_err(sqlite)
        })
    }
}

/// True when what was rendered is not the day any more.
fn changed(db: &Transaction<'_>, close: &Close) -> rusqlite::Result<bool> {
    let date = close.books_date;
    let sql = include_str!("../../sql/queries/closes_has_later_event.sql");
    let later: bool = db.query_row(sql, (date.to_string(), close.last_seq), |row| row.get(0))?;
    let days = closed_days(db)?;
    let sql = include_str!("../../sql/queries/closes_last_edition.sql");
    let edition: u32 = db.query_row(sql, [date.to_string()], |row| row.get(0))?;
    let in_turn = match close.edition {
        1 => match days.last_closed {
            Some(last) => last.next() == date,
            None => days.first_event.is_none_or(|first| date <= first),
        },
        _ => true,
    };
    let next = close.edition == edition.saturating_add(1);
    Ok(later || !next || !in_turn || feed_mark(db, date)? != close.feed_mark)
}

fn insert(db: &Transaction<'_>, close: &Close) -> rusqlite::Result<()> {
    let date = close.books_date.to_string();
    db.execute(
        include_str!("../../sql/queries/closes_insert.sql"),
        params![
            date,
            close.edition,
            close.last_seq,
            close.manifest_sha256,
            close.previous_sha256,
            close.run.as_str(),
            close.at.ms(),
        ],
    )?;
    if close.edition > 1 {
        return Ok(());
    }
    let mut statement =
        db.prepare_cached(include_str!("../../sql/queries/closes_insert_total.sql"))?;
    for total in &close.totals {
        let text = serde_json::to_string(total)
            .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
        statement.execute((&date, total.store.as_str(), total.currency.code(), text))?;
    }
    Ok(())
}

pub(super) fn closed_days(db: &Connection) -> rusqlite::Result<ClosedDays> {
    let sql = include_str!("../../sql/queries/closes_closed_days.sql");
    db.prepare_cached(sql)?.query_row((), |row| {
        let (first_event, last_closed) = (row::date_or_none(row, 0)?, row::date_or_none(row, 1)?);
        Ok(ClosedDays {
            first_event,
            last_closed,
        })
    })
}

fn feed_mark(db: &Connection, date: BooksDate) -> rusqlite::Result<i64> {
    let sql = include_str!("../../sql/queries/closes_feed_mark.sql");
    db.prepare_cached(sql)?
        .query_row([date.to_string()], |row| row.get(0))
}

pub(super) fn close_row(row: &Row<'_>) -> rusqlite::Result<CloseRow> {
    Ok(CloseRow {
        books_date: row::date(row, 0)?,
        edition: row.get(1)?,
        last_seq: row.get(2)?,
        manifest_sha256: row.get(3)?,
        previous_sha256: row.get(4)?,
        published: row.get(5)?,
    })
}
