//! Files of postings: the same transactions for every target, a small module a format.
//!
//! These files are read by programs, so that nothing is ever prefixed (see [`super::cells`]): what
//! stands in them is numbers, dates, our own words and names, and the account names of the
//! configuration, which refuses those that a spreadsheet would run.
//!
//! A file never cuts through a transaction: what does not fit goes whole into the next file,
//! `postings.xero.2.csv` after `postings.xero.csv`. What a target cannot hold is not in its file
//! at all: it is told in `breaks.csv`, never rounded.

mod beancount;
mod generic;
mod journal;
mod netsuite;
mod posted;
mod qbo;
mod rows;
mod xero;

use std::collections::BTreeMap;
use std::io::Write;

use crate::books::Transaction;
use crate::domain::{
    BooksDate, Break, BreakKind, Currency, Dimensions, ExportFormat, Exports, Money, StoreId,
    Target,
};

use super::OutputError;
use super::table::FileTotals;

pub use posted::Posted;

/// Where files are put while they are written; only [`super::publish`] has one.
pub trait Shelf {
    /// A file under way.
    type File: Write;
    /// What can go wrong.
    type Error: From<OutputError>;

    /// A new file.
    ///
    /// # Errors
    /// I/O.
    fn open(&mut self, name: &str) -> Result<Self::File, Self::Error>;

    /// A file that is complete.
    ///
    /// # Errors
    /// I/O.
    fn close(&mut self, file: Self::File, totals: &FileTotals) -> Result<(), Self::Error>;
}

/// What a format makes of transactions.
trait Format {
    /// The first file's name.
    fn file(&self) -> &'static str;

    /// How much a file takes.
    fn limits(&self) -> Limits;

    /// Why the target cannot hold the transaction.
    fn refuses(&self, entry: &Transaction) -> Option<Refusal>;

    /// The beginning of a file.
    fn head(&mut self, to: &mut Vec<u8>);

    /// One transaction.
    fn entry(&mut self, entry: &Transaction, at: &Dimensions, to: &mut Vec<u8>);
}

/// How much a file takes.
#[derive(Debug, Clone, Copy)]
struct Limits {
    rows: u64,
    bytes: u64,
}

impl Limits {
    const NONE: Self = Self {
        rows: u64::MAX,
        bytes: u64::MAX,
    };
}

/// Why a target cannot hold a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    /// The file is configured for other currencies.
    LeftOut,
    /// The currency has more decimals than the target.
    TooFine { most: u8 },
    /// More digits before the point than the target has.
    TooLarge { most: u32 },
}

impl Refusal {
    fn kind(self) -> BreakKind {
        match self {
            Self::LeftOut => BreakKind::ExportLeftOut,
            Self::TooFine { .. } | Self::TooLarge { .. } => BreakKind::ExportRefused,
        }
    }

    fn words(self, currency: Currency) -> String {
        match self {
            Self::LeftOut => format!("is not configured for {currency}"),
            Self::TooFine { most } => format!(
                "holds {most} decimals and {currency} has {}",
                currency.exponent()
            ),
            Self::TooLarge { most } => format!("holds {most} digits before the point"),
        }
    }
}

/// Refuses what is not of the target's currencies or finer than its decimals.
fn refuse(target: &Target, most: u8, entry: &Transaction) -> Option<Refusal> {
    let currency = entry.currency()?;
    if !target.currencies.is_empty() && !target.currencies.contains(&currency) {
        return Some(Refusal::LeftOut);
    }
    (currency.exponent() > most).then_some(Refusal::TooFine { most })
}

/// A format with its file under way.
struct Open<F> {
    format: Box<dyn Format>,
    file: F,
    part: u32,
    bytes: u64,
    totals: FileTotals,
}

/// What the files of a day could not hold, as breaks of its stores.
pub type Refusals = BTreeMap<StoreId, Vec<Break>>;

type Refused = BTreeMap<StoreId, BTreeMap<(ExportFormat, Currency, Refusal), (u64, i64)>>;

/// Writes every file of postings that is switched on.
pub struct Exporter<'a, S: Shelf> {
    exports: &'a Exports,
    shelf: S,
    open: Vec<(ExportFormat, Open<S::File>)>,
    refused: Refused,
    posted: Posted,
    line: Vec<u8>,
    at: Option<(StoreId, Dimensions)>,
}

impl<'a, S: Shelf> Exporter<'a, S> {
    /// Begins the files of a day.
    ///
    /// # Errors
    /// I/O.
    pub fn begin(date: BooksDate, exports: &'a Exports, shelf: S) -> Result<Self, S::Error> {
        let mut exporter = Self {
            exports,
            shelf,
            open: Vec::new(),
            refused: BTreeMap::new(),
            posted: Posted::default(),
            line: Vec::with_capacity(2048),
            at: None,
        };
        for name in &exports.formats {
            let Some(format) = of(*name, date, exports) else {
                continue;
            };
            let file = exporter.shelf.open(format.file())?;
            let mut open = Open {
                format,
                file,
                part: 1,
                bytes: 0,
                totals: FileTotals::of(&["credit", "debit"]),
            };
            exporter.line.clear();
            open.format.head(&mut exporter.line);
            open.put(&exporter.line)?;
            exporter.open.push((*name, open));
        }
        Ok(exporter)
    }

    /// Writes a transaction into every file.
    ///
    /// # Errors
    /// I/O, or a control total that overflows.
    pub fn write(&mut self, entry: &Transaction) -> Result<(), S::Error> {
        let Some(currency) = entry.currency() else {
            return Ok(());
        };
        let counted = self.posted.count(entry);
        let file = "postings";
        counted.map_err(|why| OutputError::Money { file, why })?;
        let store = &entry.about().key.store;
        let at = match self.at.take() {
            Some((same, at)) if same == *store => at,
            Some(_) | None => self.exports.dimensions(store),
        };
        for (name, open) in &mut self.open {
            if let Some(why) = open.format.refuses(entry) {
                let of_store = self.refused.entry(store.clone()).or_default();
                let (entries, sum) = of_store.entry((*name, currency, why)).or_default();
                *entries = entries.saturating_add(1);
                *sum = sum.saturating_add(entry.debits());
                continue;
            }
            self.line.clear();
            open.format.entry(entry, &at, &mut self.line);
            if !open.has_room(entry, &self.line) {
                next_part(&mut self.shelf, open)?;
                self.line.clear();
                open.format.head(&mut self.line);
                open.format.entry(entry, &at, &mut self.line);
            }
            open.count(entry)?;
            open.put(&self.line)?;
        }
        self.at = Some((store.clone(), at));
        Ok(())
    }

    /// What was written so far; nothing where no file of postings is switched on.
    pub fn posted(&self) -> Option<Posted> {
        (!self.open.is_empty()).then(|| self.posted.clone())
    }

    /// Ends the files; gives the shelf back, and what was refused as breaks of its stores.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(mut self) -> Result<(S, Refusals), S::Error> {
        let mut breaks = BTreeMap::new();
        for (store, of_store) in std::mem::take(&mut self.refused) {
            let files = &self.open;
            let found = of_store
                .into_iter()
                .map(|((name, currency, why), (entries, sum))| {
                    let file = files.iter().find(|(of, _)| *of == name);
                    let file = file.map_or("", |(_, open)| open.format.file());
                    refused(file, currency, why, entries, sum)
                });
            let mut found: Vec<Break> = found.collect();
            found.sort_by_key(|found| found.kind.as_str());
            breaks.insert(store, found);
        }
        for (_, open) in self.open {
            self.shelf.close(open.file, &open.totals)?;
        }
        Ok((self.shelf, breaks))
    }
}

fn refused(file: &str, currency: Currency, why: Refusal, entries: u64, sum: i64) -> Break {
    let plural = if entries == 1 { "entry" } else { "entries" };
    let detail = format!(
        "{file} {}: {entries} {plural} of the day not in it",
        why.words(currency)
    );
    Break {
        kind: why.kind(),
        expected: Some(Money::of_minor(sum, currency)),
        actual: Some(Money::zero(currency)),
        detail,
    }
}

impl<F: Write> Open<F> {
    fn has_room(&self, entry: &Transaction, line: &[u8]) -> bool {
        let limits = self.format.limits();
        let rows = self
            .totals
            .rows
            .saturating_add(count(entry.postings().len()));
        let bytes = self.bytes.saturating_add(count(line.len()));
        self.totals.rows == 0 || (rows <= limits.rows && bytes <= limits.bytes)
    }

    fn put(&mut self, line: &[u8]) -> Result<(), OutputError> {
        self.bytes = self.bytes.saturating_add(count(line.len()));
        let file = self.format.file();
        let put = self.file.write_all(line);
        put.map_err(|why| OutputError::Io { file, why })
    }

    fn count(&mut self, entry: &Transaction) -> Result<(), OutputError> {
        let file = self.format.file();
        for line in entry.postings() {
            let (column, amount) = match line.amount.minor() > 0 {
                true => ("debit", line.amount),
                false => ("credit", rows::opposite(line.amount)),
            };
            self.totals.rows = self.totals.rows.saturating_add(1);
            let counted = self.totals.add(column, amount);
            counted.map_err(|why| OutputError::Money { file, why })?;
        }
        Ok(())
    }
}

/// Ends the file and begins the next one of the same format, still without its head.
fn next_part<S: Shelf>(shelf: &mut S, open: &mut Open<S::File>) -> Result<(), S::Error> {
    open.part = open.part.saturating_add(1);
    let (stem, end) = open.format.file().rsplit_once('.').unwrap_or_default();
    let next = shelf.open(&format!("{stem}.{}.{end}", open.part))?;
    let full = std::mem::replace(&mut open.file, next);
    let totals = std::mem::replace(&mut open.totals, FileTotals::of(&["credit", "debit"]));
    open.bytes = 0;
    shelf.close(full, &totals)
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The format of a name; what is for people is none of postings.
fn of(name: ExportFormat, date: BooksDate, exports: &Exports) -> Option<Box<dyn Format>> {
    Some(match name {
        ExportFormat::Journal => Box::new(journal::Journal::new(date, exports)),
        ExportFormat::Beancount => Box::new(beancount::Beancount::new(date, exports)),
        ExportFormat::Qbo => Box::new(qbo::Qbo::new(date, &exports.qbo)),
        ExportFormat::Xero => Box::new(xero::Xero::new(date, &exports.xero)),
        ExportFormat::Netsuite => Box::new(netsuite::Netsuite::new(date, &exports.netsuite)),
        ExportFormat::Csv => Box::new(generic::Generic::new(date, &exports.csv)),
        ExportFormat::Xlsx | ExportFormat::Review => return None,
    })
}
