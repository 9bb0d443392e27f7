//! A table under way: one line in memory, the rest already written.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use crate::domain::{Currency, Money, MoneyError};

use super::{OutputError, cells};

/// What a finished file holds: for the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTotals {
    /// Rows below the header.
    pub rows: u64,
    /// Minor units by money column and currency.
    pub sums: BTreeMap<&'static str, BTreeMap<Currency, i64>>,
}

impl FileTotals {
    /// Nothing so far, of these money columns.
    pub(super) fn of(columns: &[&'static str]) -> Self {
        let sums = columns.iter().map(|column| (*column, BTreeMap::new()));
        Self {
            rows: 0,
            sums: sums.collect(),
        }
    }

    /// Adds to a money column.
    pub(super) fn add(&mut self, column: &'static str, money: Money) -> Result<(), MoneyError> {
        let by_currency = self.sums.entry(column).or_default();
        let sum = by_currency.entry(money.currency()).or_default();
        let total = Money::of_minor(*sum, money.currency()).plus(money)?;
        *sum = total.minor();
        Ok(())
    }
}

/// A CSV file into which rows are pushed cell by cell.
#[derive(Debug)]
pub(super) struct Table<W> {
    file: &'static str,
    to: W,
    line: Vec<u8>,
    last_key: Vec<u8>,
    totals: FileTotals,
}

impl<W: Write> Table<W> {
    /// Writes the header row.
    pub fn begin(file: &'static str, columns: &[&str], to: W) -> Result<Self, OutputError> {
        let mut table = Self {
            file,
            to,
            line: Vec::with_capacity(1024),
            last_key: Vec::new(),
            totals: FileTotals::default(),
        };
        for column in columns {
            table.word(column);
        }
        table.put_line()?;
        Ok(table)
    }

    /// Makes sure that rows come sorted by `key`; equal keys pass only when they `may_repeat`.
    pub fn in_order(&mut self, key: [&str; 3], may_repeat: bool) -> Result<(), OutputError> {
        // Names hold no byte below `-`, so a 0 between them keeps the order of the parts.
        let joined = key.join("\0").into_bytes();
        let too_late = joined < self.last_key || (joined == self.last_key && !may_repeat);
        if too_late && self.totals.rows > 0 {
            let (file, key) = (self.file, key.join("/"));
            return Err(OutputError::OutOfOrder { file, key });
        }
        self.last_key = joined;
        Ok(())
    }

    fn cell(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        write(&mut self.line);
        self.line.push(b',');
        self
    }

    /// A cell from a safe alphabet: our names, dates, counts and words.
    pub fn word(&mut self, word: impl Display) -> &mut Self {
        // Writing to a Vec cannot fail.
        self.cell(|line| drop(write!(line, "{word}")))
    }

    /// The word, or an empty cell.
    pub fn word_if(&mut self, word: Option<impl Display>) -> &mut Self {
        match word {
            Some(word) => self.word(word),
            None => self.nothing(),
        }
    }

    /// Words parted by a blank.
    pub fn words(&mut self, words: &[impl Display]) -> &mut Self {
        for (place, word) in words.iter().enumerate() {
            let blank = if place > 0 { " " } else { "" };
            drop(write!(self.line, "{blank}{word}"));
        }
        self.nothing()
    }

    /// An id that others gave, or an empty cell.
    pub fn foreign_id(&mut self, id: Option<&str>) -> &mut Self {
        self.cell(|line| cells::foreign_id(line, id.unwrap_or_default()))
    }

    /// Free text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.cell(|line| cells::text(line, text))
    }

    /// A cell taken over from another of our files.
    pub fn verbatim(&mut self, text: &str) -> &mut Self {
        self.cell(|line| cells::verbatim(line, text))
    }

    /// An amount, or an empty cell.
    pub fn amount(&mut self, money: Option<Money>) -> &mut Self {
        match money {
            Some(money) => self.cell(|line| cells::amount(line, money)),
            None => self.nothing(),
        }
    }

    /// An amount that counts in the file's control totals.
    pub fn summed(&mut self, column: &'static str, money: Money) -> Result<&mut Self, OutputError> {
        let file = self.file;
        let added = self.totals.add(column, money);
        added.map_err(|why| OutputError::Money { file, why })?;
        Ok(self.amount(Some(money)))
    }

    /// An empty cell.
    pub fn nothing(&mut self) -> &mut Self {
        self.cell(|_| ())
    }

    /// Ends the row.
    pub fn end(&mut self) -> Result<(), OutputError> {
        self.totals.rows = self.totals.rows.saturating_add(1);
        self.put_line()
    }

    fn put_line(&mut self) -> Result<(), OutputError> {
        self.line.pop();
        self.line.extend_from_slice(b"\r\n");
        let put = self.to.write_all(&self.line);
        self.line.clear();
        put.map_err(|why| self.failed(why))
    }

    /// Flushes and gives the totals.
    pub fn finish(mut self) -> Result<FileTotals, OutputError> {
        let flushed = self.to.flush();
        flushed.map_err(|why| self.failed(why))?;
        Ok(self.totals)
    }

    fn failed(&self, why: std::io::Error) -> OutputError {
        let file = self.file;
        OutputError::Io { file, why }
    }
}
