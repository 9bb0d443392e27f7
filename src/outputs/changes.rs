//! `changes.csv`: what an edition tells differently from the one before.
//!
//! Two sorted files are merged row by row, so that memory does not grow with them. In
//! `reconciliation.csv` only state, EMV and break columns may change; anything else is an error,
//! because a closed day's money is told once. In `breaks.csv` the column is named
//! `<break>.<column>`, or just `<break>` when the whole row came or went.

use std::cmp::Ordering;
use std::io::{Read, Write};

use csv::{Reader, StringRecord};

use super::reconciliation::MAY_CHANGE;
use super::table::{FileTotals, Table};
use super::{BREAKS, CHANGES, OutputError, RECONCILIATION};

const COLUMNS: [&str; 7] = [
    "store_id",
    "shopping_trip_id",
    "file",
    "column",
    "from",
    "to",
    "why",
];

/// Writes `changes.csv`: `reconciliation.csv` first, then `breaks.csv`.
#[derive(Debug)]
pub struct ChangesWriter<W> {
    table: Table<W>,
}

impl<W: Write> ChangesWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(to: W) -> Result<Self, OutputError> {
        let table = Table::begin(CHANGES, &COLUMNS, to)?;
        Ok(Self { table })
    }

    /// Compares two editions of `reconciliation.csv`.
    ///
    /// # Errors
    /// I/O, or a column that may not change.
    pub fn reconciliation(&mut self, old: impl Read, new: impl Read) -> Result<(), OutputError> {
        let mut old = Edition::open(RECONCILIATION, old)?;
        let mut new = Edition::open(RECONCILIATION, new)?;
        while let Some(order) = Edition::compare(&old, &new) {
            match order {
                Ordering::Equal => self.changed_cells(&old, &new)?,
                Ordering::Less => return Err(row_changed(&old, "present", "absent")),
                Ordering::Greater => return Err(row_changed(&new, "absent", "present")),
            }
            old.next()?;
            new.next()?;
        }
        Ok(())
    }

    fn changed_cells<A: Read, B: Read>(
        &mut self,
        old: &Edition<A>,
        new: &Edition<B>,
    ) -> Result<(), OutputError> {
        for (column, from, to) in differences(old, new) {
            if !MAY_CHANGE.contains(&column) {
                return Err(OutputError::ClosedColumnChanged {
                    file: RECONCILIATION,
                    key: new.key().join("/"),
                    column: column.to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                });
            }
            self.put(RECONCILIATION, new.key(), column, (from, to), why(column))?;
        }
        Ok(())
    }

    /// Compares two editions of `breaks.csv`.
    ///
    /// # Errors
    /// I/O.
    pub fn breaks(&mut self, old: impl Read, new: impl Read) -> Result<(), OutputError> {
        let mut old = Edition::open(BREAKS, old)?;
        let mut new = Edition::open(BREAKS, new)?;
        while let Some(order) = Edition::compare(&old, &new) {
            match order {
                Ordering::Equal => {
                    let kind = new.cell("break");
                    for (column, from, to) in differences(&old, &new) {
                        let column = format!("{kind}.{column}");
                        self.put(BREAKS, new.key(), &column, (from, to), "later evidence")?;
                    }
                }
                Ordering::Less => {
                    let change = (old.cell("status"), "");
                    self.put(
                        BREAKS,
                        old.key(),
                        old.cell("break"),
                        change,
                        "no longer told",
                    )?;
                }
                Ordering::Greater => {
                    let change = ("", new.cell("status"));
                    self.put(BREAKS, new.key(), new.cell("break"), change, "found since")?;
                }
            }
            if order.is_le() {
                old.next()?;
            }
            if order.is_ge() {
                new.next()?;
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        file: &'static str,
        [store, trip, _]: [&str; 3],
        column: &str,
        (from, to): (&str, &str),
        why: &str,
    ) -> Result<(), OutputError> {
        let table = &mut self.table;
        table.word(store).word(trip).word(file).word(column);
        table.verbatim(from).verbatim(to).word(why).end()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<FileTotals, OutputError> {
        self.table.finish()
    }
}

/// Why a column of `reconciliation.csv` may tell something else.
fn why(column: &str) -> &'static str {
    match column {
        "outcome" => "the trip went on",
        "capture_state" | "settled_at" => "later evidence",
        "match_status" | "breaks" => "breaks opened or cured",
        _ => "transactional data came",
    }
}

fn row_changed<R: Read>(at: &Edition<R>, from: &str, to: &str) -> OutputError {
    OutputError::ClosedColumnChanged {
        file: at.file,
        key: at.key().join("/"),
        column: "shopping_trip_id".to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

/// The cells that differ, by the names of the newer edition; a column that is new has no `from`.
fn differences<'a, A: Read, B: Read>(
    old: &'a Edition<A>,
    new: &'a Edition<B>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let cells = new.columns.iter().zip(new.row.iter());
    cells.enumerate().filter_map(|(place, (column, to))| {
        let from = old.row.get(place).unwrap_or_default();
        (from != to).then_some((column, from, to))
    })
}

/// One edition of a file, at one of its rows.
struct Edition<R> {
    file: &'static str,
    rows: Reader<R>,
    columns: StringRecord,
    row: StringRecord,
    ended: bool,
}

impl<R: Read> Edition<R> {
    fn open(file: &'static str, from: R) -> Result<Self, OutputError> {
        let mut rows = Reader::from_reader(from);
        let columns = rows
            .headers()
            .map_err(|why| unreadable(file, &why))?
            .clone();
        let mut edition = Self {
            file,
            rows,
            columns,
            row: StringRecord::new(),
            ended: false,
        };
        edition.next()?;
        Ok(edition)
    }

    fn next(&mut self) -> Result<(), OutputError> {
        let read = self.rows.read_record(&mut self.row);
        self.ended = !read.map_err(|why| unreadable(self.file, &why))?;
        Ok(())
    }

    fn cell(&self, column: &str) -> &str {
        let place = self.columns.iter().position(|name| name == column);
        place
            .and_then(|place| self.row.get(place))
            .unwrap_or_default()
    }

    fn key(&self) -> [&str; 3] {
        ["store_id", "shopping_trip_id", "break"].map(|column| self.cell(column))
    }

    /// Which row comes first; `None` when both files are read.
    fn compare<B: Read>(&self, new: &Edition<B>) -> Option<Ordering> {
        match (self.ended, new.ended) {
            (true, true) => None,
            (false, true) => Some(Ordering::Less),
            (true, false) => Some(Ordering::Greater),
            (false, false) => Some(self.key().cmp(&new.key())),
        }
    }
}

fn unreadable(file: &'static str, why: &csv::Error) -> OutputError {
    let why = why.to_string();
    OutputError::Unreadable { file, why }
}
