//! `rejected.csv`: rows of the trip feed that were not taken.

use std::io::Write;

use crate::domain::Rejection;

use super::table::{FileTotals, Table};
use super::{OutputError, REJECTED};

/// Writes `rejected.csv`.
#[derive(Debug)]
pub struct RejectedWriter<W> {
    table: Table<W>,
}

impl<W: Write> RejectedWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// I/O.
    pub fn new(to: W) -> Result<Self, OutputError> {
        let table = Table::begin(REJECTED, &["file", "line", "reason", "raw"], to)?;
        Ok(Self { table })
    }

    /// Writes one row; the reason begins with the field at fault, if it was one.
    ///
    /// # Errors
    /// I/O.
    pub fn write(&mut self, row: &Rejection) -> Result<(), OutputError> {
        let table = &mut self.table;
        table.text(&row.source.file).word(row.source.line);
        match row.field {
            Some(field) => table.text(&format!("{field}: {}", row.reason)),
            None => table.text(&row.reason),
        };
        table.text(&row.raw).end()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<FileTotals, OutputError> {
        self.table.finish()
    }
}
