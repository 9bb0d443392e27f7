//! What `verify` reads and nobody else: the rows as they are stored, whatever they hold.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::domain::Event;

use super::Store;
use super::closes::{CloseRow, close_row};
use super::error::{StoreError, of_sqlite};
use super::journal::events_of;

/// A trip's row: columns by name, as text, empty for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTrip {
    /// The row.
    pub id: i64,
    /// `STORE/TRIP_ID`, as the row has it.
    pub name: String,
    /// The other columns.
    pub columns: Vec<(&'static str, String)>,
}

const COLUMNS: [&str; 22] = [
    "store_id",
    "trip_id",
    "currency",
    "started_at",
    "expires_at",
    "status",
    "capture_state",
    "version",
    "steps",
    "act_by",
    "cart_total",
    "captured",
    "bad_debt",
    "cancelled",
    "in_doubt",
    "open",
    "recovered",
    "written_off",
    "debt_since",
    "intended",
    "evidenced_at",
    "last_books_date",
];

impl Store {
    /// What SQLite says of the file and of rows that point nowhere; empty when all is well.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let whole = include_str!("../../sql/queries/audit_integrity.sql");
        let keys = include_str!("../../sql/queries/audit_foreign_keys.sql");
        self.read(|db| {
            let mut said: Vec<String> = db
                .prepare(whole)?
                .query_map((), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            said.retain(|line| line != "ok");
            let mut statement = db.prepare(keys)?;
            let mut rows = statement.query(())?;
            while let Some(row) = rows.next()? {
                let (table, to) = (text(row, 0)?, text(row, 2)?);
                let place = text(row, 1)?;
                said.push(format!("row {place} of {table} points to no row of {to}"));
            }
            Ok(said)
        })
    }

    /// Every close, oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn all_closes(&self) -> Result<Vec<CloseRow>, StoreError> {
        let sql = include_str!("../../sql/queries/audit_closes.sql");
        self.read(|db| db.prepare(sql)?.query_map((), close_row)?.collect())
    }

    /// Calls `each` with every trip's row and its events, in one snapshot; events that cannot be
    /// read stop nothing.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn each_stored_trip(
        &self,
        each: &mut dyn FnMut(StoredTrip, Result<Vec<Event>, StoreError>),
    ) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/audit_trips.sql");
        self.streaming(|db, sqlite| {
            let mut statement = db.prepare(sql).map_err(sqlite)?;
            let mut rows = statement.query(()).map_err(sqlite)?;
            while let Some(row) = rows.next().map_err(sqlite)? {
                let trip = stored(row).map_err(sqlite)?;
                let events = events_of(db, trip.id, i64::MAX);
                each(trip, events.map_err(|error| of_sqlite(&self.path, &error)));
            }
            Ok(())
        })
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredTrip> {
    let mut columns = Vec::with_capacity(COLUMNS.len());
    for (place, name) in COLUMNS.into_iter().enumerate() {
        columns.push((name, text(row, place.saturating_add(1))?));
    }
    Ok(StoredTrip {
        id: row.get(0)?,
        name: format!("{}/{}", text(row, 1)?, text(row, 2)?),
        columns,
    })
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into(),
        // STRICT columns hold none.
        ValueRef::Real(_) => "?".to_owned(),
    })
}
