//! What a day's close reads: trips in (store, trip) order with their events, streamed.

use std::collections::BTreeSet;

use rusqlite::{Connection, Params, Row};

use crate::domain::{
    BooksDate, Break, Currency, Event, Fact, Rejection, Source, Status, StoreId, Timestamp, TripKey,
};

use super::Store;
use super::ahead::Make;
use super::error::{StoreError, of_sqlite};
use super::journal::last_seq;
use super::row;

/// A trip's break as a day sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayBreak {
    /// The trip.
    pub key: TripKey,
    /// The break.
    pub found: Break,
    /// The books date on which it was first seen.
    pub opened_on: BooksDate,
    /// The books date on which it was cured, if it was.
    pub cured_on: Option<BooksDate>,
}

/// A trip with open money, or money in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwingTrip {
    /// The trip.
    pub key: TripKey,
    /// The currency.
    pub currency: Currency,
    /// Minor units open.
    pub open: i64,
    /// Minor units in doubt.
    pub in_doubt: i64,
    /// When the token is expected to die.
    pub expires_at: Timestamp,
    /// The moment to have acted by, if something is still to be done.
    pub act_by: Option<Timestamp>,
    /// The status.
    pub status: Status,
}

impl Store {
    /// Calls `each` with every trip that has an event on the day, in (store, trip) order, and its
    /// events up to `up_to_seq`.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_trip_of_day<E: From<StoreError> + Send>(
        &self,
        date: BooksDate,
        up_to_seq: i64,
        each: &mut dyn FnMut(i64, Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/days_trips.sql");
        self.each_trip(sql, (date.to_string(), up_to_seq), up_to_seq, each)
    }

    /// Asks `look` about every trip whose breaks may have changed by the day, with its events up to
    /// `up_to_seq`, and gives what it found in (store, trip) order. These are the trips with an
    /// event `from` then up to the day, those that await evidence, are in doubt or refused, and
    /// those with open breaks. `look` is asked from several threads at once.
    ///
    /// # Errors
    /// The state cannot be read, or `look` fails.
    pub fn examine_trips<T: Send, E: From<StoreError> + Send>(
        &self,
        from: BooksDate,
        date: BooksDate,
        up_to_seq: i64,
        look: &(dyn Fn(i64, Vec<Event>) -> Result<Option<T>, E> + Sync),
    ) -> Result<Vec<T>, E> {
        let sql = include_str!("../../sql/queries/days_trips_to_examine.sql");
        let days = (date.to_string(), up_to_seq, from.to_string());
        let mut all = Vec::new();
        self.each_made(sql, days, up_to_seq, look, &mut |found| {
            all.extend(found);
            Ok(())
        })?;
        Ok(all)
    }

    /// Calls `each` with every trip that has an event after the day, in (store, trip) order, and
    /// its events up to `up_to_seq`.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_trip_after_day<E: From<StoreError> + Send>(
        &self,
        date: BooksDate,
        up_to_seq: i64,
        each: &mut dyn FnMut(i64, Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/days_trips_after.sql");
        self.each_trip(sql, [date.to_string()], up_to_seq, each)
    }

    /// The earlier days on which was booked what is corrected on the day.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn corrected_days(
        &self,
        date: BooksDate,
        up_to_seq: i64,
    ) -> Result<Vec<BooksDate>, StoreError> {
        let sql = include_str!("../../sql/queries/days_corrected.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_map((date.to_string(), up_to_seq), |row| row::date(row, 0))?
                .collect()
        })
    }

    fn each_trip<E: From<StoreError> + Send>(
        &self,
        sql: &'static str,
        params: impl Params,
        up_to_seq: i64,
        each: &mut dyn FnMut(i64, Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let as_it_is = |trip, events| Ok((trip, events));
        let mut each = |(trip, events)| each(trip, events);
        self.each_made(sql, params, up_to_seq, &as_it_is, &mut each)
    }

    fn each_made<T: Send, E: From<StoreError> + Send>(
        &self,
        sql: &'static str,
        params: impl Params,
        up_to_seq: i64,
        make: Make<'_, T, E>,
        each: &mut dyn FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.streaming(|db, sqlite| {
            let last = last_seq(db).map_err(sqlite)?;
            let mut statement = db.prepare_cached(sql).map_err(sqlite)?;
            let trips = statement.query_map(params, |row| row.get(0));
            let mut trips = trips.map_err(sqlite)?.map(|trip| trip.map_err(sqlite));
            self.each_with_events(&mut trips, up_to_seq.min(last), make, each)
        })
    }

    /// Calls `each` with every trip that owes something and has no event after the day; the others
    /// are those of [`Store::each_trip_after_day`].
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_owing_trip<E: From<StoreError>>(
        &self,
        date: BooksDate,
        each: &mut dyn FnMut(OwingTrip) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/days_owing.sql");
        self.each_row(sql, [date.to_string()], owing, each)
    }

    /// Calls `each` with every break that was open on the day or was cured on it or later, by
    /// store, trip and kind.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_break_of_day<E: From<StoreError>>(
        &self,
        date: BooksDate,
        up_to_seq: i64,
        each: &mut dyn FnMut(DayBreak) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/days_breaks.sql");
        self.each_row(sql, (date.to_string(), up_to_seq), day_break, each)
    }

    /// Calls `each` with every row of the trip feed that was rejected on the day, by file and line.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_rejected_of_day<E: From<StoreError>>(
        &self,
        date: BooksDate,
        each: &mut dyn FnMut(Option<String>, Rejection) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/days_rejected.sql");
        self.each_row(sql, [date.to_string()], rejected, &mut |(field, row)| {
            each(field, row)
        })
    }

    /// Scan-code entries of the day.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn scan_codes_of_day(&self, date: BooksDate) -> Result<u64, StoreError> {
        let sql = include_str!("../../sql/queries/days_scan_codes.sql");
        self.read(|db| db.query_row(sql, [date.to_string()], |row| row::count(row, 0)))
    }

    /// Stores first seen on the day that are not configured.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn unknown_stores_of_day(&self, date: BooksDate) -> Result<Vec<StoreId>, StoreError> {
        let sql = include_str!("../../sql/queries/days_unknown_stores.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            statement
                .query_map([date.to_string()], |row| row::store(row, 0))?
                .collect()
        })
    }

    /// Stores of which a trip was taken on the day.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn stores_of_day(&self, date: BooksDate) -> Result<BTreeSet<StoreId>, StoreError> {
        let sql = include_str!("../../sql/queries/days_stores.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            statement
                .query_map([date.to_string()], |row| row::store(row, 0))?
                .collect()
        })
    }

    /// Another trip whose transactional data carries the same reconciliation id.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn reconciliation_id_shared(&self, trip: i64) -> Result<Option<TripKey>, StoreError> {
        let sql = include_str!("../../sql/queries/days_reconciliation_id_shared.sql");
        let found: Vec<TripKey> = self.read(|db| {
            db.prepare_cached(sql)?
                .query_map([trip], |row| row::key(row, 0))?
                .collect()
        })?;
        Ok(found.into_iter().next())
    }

    /// Calls `each` with what `read` makes of every row, within one snapshot.
    pub(super) fn each_row<T, E: From<StoreError>>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        each: &mut dyn FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.streaming(|db, sqlite| {
            let mut statement = db.prepare_cached(sql).map_err(sqlite)?;
            let mut rows = statement.query(params).map_err(sqlite)?;
            while let Some(row) = rows.next().map_err(sqlite)? {
                each(read(row).map_err(sqlite)?)?;
            }
            Ok(())
        })
    }

    /// Streams within one snapshot: what is written meanwhile is not seen.
    pub(super) fn streaming<E: From<StoreError>>(
        &self,
        act: impl FnOnce(&Connection, &dyn Fn(rusqlite::Error) -> StoreError) -> Result<(), E>,
    ) -> Result<(), E> {
        let sqlite = |error: rusqlite::Error| of_sqlite(&self.path, &error);
        self.with_reader(|db| {
            let snapshot = db.unchecked_transaction().map_err(sqlite)?;
            act(&snapshot, &sqlite)
        })
    }
}

fn owing(row: &Row<'_>) -> rusqlite::Result<OwingTrip> {
    Ok(OwingTrip {
        key: row::key(row, 0)?,
        currency: row::currency(row, 2)?,
        open: row.get(3)?,
        in_doubt: row.get(4)?,
        expires_at: row::instant(row, 5)?,
        act_by: row::instant_or_none(row, 6)?,
        status: row::word(row, 7, Status::of)?,
    })
}

fn day_break(row: &Row<'_>) -> rusqlite::Result<DayBreak> {
    let fact = row::fact(row.get_ref(2)?.as_str()?);
    let Fact::BreakOpened { found } = fact.map_err(|why| row::wrong(2, why))? else {
        return Err(row::wrong(2, "not the opening of a break"));
    };
    Ok(DayBreak {
        key: row::key(row, 0)?,
        found,
        opened_on: row::date(row, 3)?,
        cured_on: row::date_or_none(row, 4)?,
    })
}

/// A rejected row, and the field at fault in words.
fn rejected(row: &Row<'_>) -> rusqlite::Result<(Option<String>, Rejection)> {
    let source = Source {
        file: row.get(0)?,
        line: row::count(row, 1)?,
        digest: String::new(),
    };
    let rejection = Rejection {
        source,
        field: None,
        reason: row.get(3)?,
        raw: row.get(4)?,
    };
    Ok((row.get(2)?, rejection))
}
