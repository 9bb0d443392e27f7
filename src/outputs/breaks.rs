//! `breaks.csv`: the breaks that were open on the books date, or cured on it.
//!
//! Rows without a trip come first: processor lines (without a store, in the order of the report
//! files), then, at the head of each store, `unknown_store`.

use std::io::Write;

use crate::domain::{BooksDate, Break, Money, StoreId, TripId};
use crate::reconcile::BreakStatus;

use super::table::{FileTotals, Table};
use super::{BREAKS, OutputError};

const COLUMNS: [&str; 13] = [
    "books_date",
    "store_id",
    "shopping_trip_id",
    "break",
    "severity",
    "currency",
    "expected_amount",
    "actual_amount",
    "difference",
    "detail",
    "first_seen",
    "age_days",
    "status",
];

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct BreakRow<'a> {
    /// The accounting date.
    pub books_date: BooksDate,
    /// The store; none for a processor line that belongs to no trip.
    pub store_id: Option<&'a StoreId>,
    /// The trip; none when the break is not about one.
    pub shopping_trip_id: Option<&'a TripId>,
    /// The kind, the amounts and the words.
    pub found: &'a Break,
    /// The books date on which it was first seen.
    pub first_seen: BooksDate,
    /// Whether it stands, as known when the edition is made.
    pub status: BreakStatus,
}

/// Writes `breaks.csv`.
#[derive(Debug)]
pub struct BreaksWriter<W> {
    table: Table<W>,
}

impl<W: Write> BreaksWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(to: W) -> Result<Self, OutputError> {
        let table = Table::begin(BREAKS, &COLUMNS, to)?;
        Ok(Self { table })
    }

    /// Writes one row. Rows come sorted by store, then trip, then the break's spelling.
    ///
    /// # Errors
    /// I/O, or a row out of order.
    pub fn write(&mut self, row: &BreakRow<'_>) -> Result<(), OutputError> {
        let found = row.found;
        let store = row.store_id.map_or("", StoreId::as_str);
        let trip = row.shopping_trip_id.map_or("", TripId::as_str);
        let currency = found.expected.or(found.actual).map(|sum| sum.currency());
        // An actual amount in another currency stands in the detail; a column has one currency.
        let same = |money: &Money| Some(money.currency()) == currency;
        let actual = found.actual.filter(same);
        let difference = match (found.expected, actual) {
            (Some(expected), Some(actual)) => Some(actual.minus(expected)),
            (Some(_) | None, Some(_) | None) => None,
        };
        let too_large = |why| OutputError::Money { file: BREAKS, why };
        let difference = difference.transpose().map_err(too_large)?;
        let table = &mut self.table;
        table.in_order([store, trip, found.kind.as_str()], true)?;
        table
            .word(row.books_date)
            .word(store)
            .word(trip)
            .word(found.kind)
            .word(found.kind.severity())
            .word_if(currency)
            .amount(found.expected)
            .amount(actual)
            .amount(difference)
            .text(&found.detail)
            .word(row.first_seen)
            .word(row.books_date.days_since(row.first_seen))
            .word(row.status)
            .end()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<FileTotals, OutputError> {
        self.table.finish()
    }
}
