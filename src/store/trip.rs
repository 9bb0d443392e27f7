//! A trip's row, found by its name.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::TripKey;

use super::Store;
use super::error::StoreError;
use super::row;

/// What a name typed by a person stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No trip.
    None,
    /// This one.
    One(i64, TripKey),
    /// Several stores have a trip of that id.
    Several(Vec<TripKey>),
}

impl Store {
    /// The trip that was taken last.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn newest_trip(&self) -> Result<Option<TripKey>, StoreError> {
        let sql = include_str!("../../sql/queries/trip_newest.sql");
        self.read(|db| db.query_row(sql, (), |row| row::key(row, 0)).optional())
    }

    /// Finds a trip by `STORE/TRIP_ID`, or by its id alone.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn find(&self, name: &str) -> Result<Found, StoreError> {
        let (store, trip) = match name.split_once('/') {
            Some((store, trip)) => (Some(store), trip),
            None => (None, name),
        };
        let sql = include_str!("../../sql/queries/trip_find.sql");
        let found: Vec<(i64, TripKey)> = self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows =
                statement.query_map((store, trip), |row| Ok((row.get(0)?, row::key(row, 1)?)));
            rows?.collect()
        })?;
        let mut found = found.into_iter();
        Ok(match (found.next(), found.next()) {
            (None, _) => Found::None,
            (Some((id, key)), None) => Found::One(id, key),
            (Some((_, a)), Some((_, b))) => Found::Several(
                [a, b]
                    .into_iter()
                    .chain(found.map(|(_, key)| key))
                    .collect(),
            ),
        })
    }
}

/// A trip's row by its name.
pub(super) fn trip_row(db: &Connection, key: &TripKey) -> rusqlite::Result<Option<i64>> {
    let sql = include_str!("../../sql/queries/trip_row.sql");
    let names = (key.store.as_str(), key.trip.as_str());
    db.prepare_cached(sql)?
        .query_row(names, |row| row.get(0))
        .optional()
}
