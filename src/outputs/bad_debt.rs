//! `bad_debt.csv`, the day's ledger entries, and `bad_debt_summary.csv`, what they add up to.

use std::io::{Read, Write};

use crate::books::LedgerEntry;
use crate::domain::{BooksDate, DayTotal, Money};

use super::table::{FileTotals, Table};
use super::{BAD_DEBT, BAD_DEBT_SUMMARY, OutputError};

const COLUMNS: [&str; 19] = [
    "entry_id",
    "books_date",
    "business_date",
    "store_id",
    "shopping_trip_id",
    "currency",
    "kind",
    "amount",
    "balance",
    "reason",
    "policy",
    "cart_total",
    "captured_amount",
    "run_id",
    "step",
    "corrects_step",
    "corrects_books_date",
    "by",
    "note",
];

const SUMMARY_COLUMNS: [&str; 9] = [
    "books_date",
    "store_id",
    "currency",
    "opening",
    "new",
    "reversed",
    "recovered",
    "written_off",
    "closing",
];

/// Writes `bad_debt.csv`.
#[derive(Debug)]
pub struct BadDebtWriter<W> {
    table: Table<W>,
}

impl<W: Write> BadDebtWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(to: W) -> Result<Self, OutputError> {
        let table = Table::begin(BAD_DEBT, &COLUMNS, to)?;
        Ok(Self { table })
    }

    /// Writes one entry. Entries come in the order of the ledger.
    ///
    /// # Errors
    /// I/O, an entry out of order, or a control total that overflows.
    pub fn write(&mut self, entry: &LedgerEntry) -> Result<(), OutputError> {
        let (store, trip) = (&entry.key.store, &entry.key.trip);
        let table = &mut self.table;
        table.in_order([store.as_str(), trip.as_str(), ""], true)?;
        table
            .word(&entry.entry_id)
            .word(entry.books_date)
            .word(entry.business_date)
            .word(store)
            .word(trip)
            .word(entry.amount.currency())
            .word(entry.kind)
            .summed("amount", entry.amount)?
            .amount(Some(entry.balance))
            .word(entry.reason)
            .word(entry.policy)
            .amount(Some(entry.cart_total))
            .amount(Some(entry.captured_amount))
            .word_if(entry.run_id.as_ref())
            .word(entry.step)
            .word_if(entry.corrects.map(|(step, _)| step))
            .word_if(entry.corrects.map(|(_, date)| date))
            .text(entry.by.as_deref().unwrap_or_default())
            .text(entry.note.as_deref().unwrap_or_default())
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

/// What persons did to debts, by a published `bad_debt.csv`: a line each, for people. What the
/// night does by itself has a run, and is done again by it.
///
/// # Errors
/// I/O, or a file that is none of ours.
pub fn by_hand(from: impl Read) -> Result<Vec<String>, OutputError> {
    let unreadable = |why: csv::Error| OutputError::Unreadable {
        file: BAD_DEBT,
        why: why.to_string(),
    };
    let mut reader = csv::Reader::from_reader(from);
    let heads = reader.headers().map_err(unreadable)?.clone();
    let mut lines = Vec::new();
    for row in reader.records() {
        let row = row.map_err(unreadable)?;
        let cell = |column: &str| {
            let place = heads.iter().position(|head| head == column);
            place.and_then(|place| row.get(place)).unwrap_or_default()
        };
        if cell("by").is_empty() || !cell("run_id").is_empty() {
            continue;
        }
        let (store, trip) = (cell("store_id"), cell("shopping_trip_id"));
        lines.push(format!(
            "{} {} {} of {store}/{trip} by {}: {}",
            cell("kind"),
            cell("amount"),
            cell("currency"),
            cell("by"),
            cell("note"),
        ));
    }
    Ok(lines)
}

/// Writes `bad_debt_summary.csv`.
#[derive(Debug)]
pub struct BadDebtSummaryWriter<W> {
    table: Table<W>,
    books_date: BooksDate,
}

impl<W: Write> BadDebtSummaryWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(books_date: BooksDate, to: W) -> Result<Self, OutputError> {
        let table = Table::begin(BAD_DEBT_SUMMARY, &SUMMARY_COLUMNS, to)?;
        Ok(Self { table, books_date })
    }

    /// Writes the row of one store and currency. Rows come sorted by store, then currency.
    ///
    /// # Errors
    /// I/O, a row out of order, or a control total that overflows.
    pub fn write(&mut self, day: &DayTotal) -> Result<(), OutputError> {
        let of = |minor| Money::of_minor(minor, day.currency);
        let table = &mut self.table;
        table.in_order([day.store.as_str(), day.currency.code(), ""], false)?;
        table
            .word(self.books_date)
            .word(&day.store)
            .word(day.currency)
            .summed("opening", of(day.debt_opening))?
            .summed("new", of(day.debt_new))?
            .summed("reversed", of(day.debt_reversed))?
            .summed("recovered", of(day.debt_recovered))?
            .summed("written_off", of(day.debt_written_off))?
            .summed("closing", of(day.debt_closing))?
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
