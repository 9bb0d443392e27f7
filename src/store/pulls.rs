//! Transactional data that is still to be asked for, each with its own next time.

use rusqlite::Connection;

use crate::domain::{BooksDate, Timestamp, TripKey};

use super::Store;
use super::error::StoreError;
use super::row;

/// A trip whose transactional data is due to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The trip's row.
    pub trip: i64,
    /// Its name.
    pub key: TripKey,
    /// Asks so far that brought nothing.
    pub tries: u32,
}

impl Store {
    /// Trips due at `now`, by row, from behind `after`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn due_pulls(
        &self,
        now: Timestamp,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Pull>, StoreError> {
        let sql = include_str!("../../sql/queries/pulls_due.sql");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map((now.ms(), after.unwrap_or(0), limit), |row| {
                Ok(Pull {
                    trip: row.get(0)?,
                    key: row::key(row, 1)?,
                    tries: row.get(3)?,
                })
            });
            rows?.collect()
        })
    }

    /// Trips in doubt whose transactional data is here, by row.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn doubts_with_data(&self) -> Result<Vec<i64>, StoreError> {
        let sql = include_str!("../../sql/queries/pulls_doubts_with_data.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map((), |row| row.get(0));
            rows?.collect()
        })
    }

    /// When the next ask is due, whether past or to come.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn next_pull(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("../../sql/queries/pulls_next.sql");
        self.read(|db| db.query_row(sql, (), |row| row::instant_or_none(row, 0)))
    }

    /// Asks again at `next_at`.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn postpone_pulls(&self, asked: Vec<(i64, Timestamp)>) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/pulls_postpone.sql");
        self.write(move |db| {
            let mut statement = db.prepare_cached(sql)?;
            asked
                .iter()
                .try_for_each(|(trip, next_at)| statement.execute((trip, next_at.ms())).map(|_| ()))
        })
    }

    /// Makes the missing data of trips with events on these days due at once; gives how many.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn pull_again(
        &self,
        from: BooksDate,
        to: BooksDate,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = include_str!("../../sql/queries/pulls_again.sql");
        let values = (from.to_string(), to.to_string(), now.ms());
        let made = self.write(move |db| db.execute(sql, values))?;
        Ok(u64::try_from(made).unwrap_or(u64::MAX))
    }
}

/// Keeps the row in step with what the trip's standing says.
pub(super) fn keep(
    db: &Connection,
    trip: i64,
    wanted: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if wanted {
        let sql = include_str!("../../sql/queries/pulls_want.sql");
        db.prepare_cached(sql)?.execute((trip, now.ms()))?;
    } else {
        let sql = include_str!("../../sql/queries/pulls_drop.sql");
        db.prepare_cached(sql)?.execute([trip])?;
    }
    Ok(())
}
