//! Debts: what stands open of the trips' bad debt, and since when.

use rusqlite::Row;

use crate::domain::{Balances, BooksDate, Currency, LossReason, Money, Status, StoreId, TripKey};

use super::Store;
use super::error::StoreError;
use super::row;

/// Open debts of one store and currency that were booked on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtSums {
    /// The store.
    pub store: StoreId,
    /// The books date of the losses.
    pub since: BooksDate,
    /// How many trips.
    pub trips: u64,
    /// The open debt.
    pub debt: Money,
}

/// A trip that was booked as bad debt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndebtedTrip {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub key: TripKey,
    /// The status.
    pub status: Status,
    /// How its cart total divides; what is open or in doubt is not looked at.
    pub balances: Balances,
    /// The books date of the loss.
    pub since: BooksDate,
    /// Why it was booked.
    pub reason: LossReason,
}

impl Store {
    /// Calls `each` with the open debts of trips that have no event after the day, added up; the
    /// others are among those of [`Store::each_trip_after_day`].
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_debt_sum<E: From<StoreError>>(
        &self,
        date: BooksDate,
        each: &mut dyn FnMut(DebtSums) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = include_str!("../../sql/queries/debts_sums.sql");
        self.each_row(sql, [date.to_string()], sums, each)
    }

    /// Calls `each` with every trip that has an open debt, or with `settled` with every one that
    /// ever had a debt, in (store, trip) order.
    ///
    /// # Errors
    /// The state cannot be read, or `each` fails.
    pub fn each_debt<E: From<StoreError>>(
        &self,
        settled: bool,
        each: &mut dyn FnMut(IndebtedTrip) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = match settled {
            true => include_str!("../../sql/queries/debts_all.sql"),
            false => include_str!("../../sql/queries/debts_open.sql"),
        };
        self.each_row(sql, (), indebted, each)
    }
}

fn sums(row: &Row<'_>) -> rusqlite::Result<DebtSums> {
    let currency = row::currency(row, 1)?;
    Ok(DebtSums {
        store: row::store(row, 0)?,
        since: row::date(row, 2)?,
        trips: row::count(row, 3)?,
        debt: Money::of_minor(row.get(4)?, currency),
    })
}

fn indebted(row: &Row<'_>) -> rusqlite::Result<IndebtedTrip> {
    let currency: Currency = row::currency(row, 3)?;
    let balances = Balances {
        cart_total: row.get(5)?,
        captured: row.get(6)?,
        bad_debt: row.get(7)?,
        recovered: row.get(8)?,
        written_off: row.get(9)?,
        ..Balances::nothing(currency)
    };
    Ok(IndebtedTrip {
        id: row.get(0)?,
        key: row::key(row, 1)?,
        status: row::word(row, 4, Status::of)?,
        balances,
        since: row::date(row, 10)?,
        reason: row::word(row, 11, LossReason::of)?,
    })
}
