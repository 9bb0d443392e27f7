//! CSV: a header row in any order, then rows; a ragged or unreadable row is rejected alone.

use std::borrow::Cow;
use std::io::Read;

use crate::domain::Timestamp;

use super::fields::{self, FIELDS, Fields, REQUIRED};
use super::lines::{LINE_BYTES, Line, Lines};
use super::{Item, Record, TripsError, raw_text};

/// A row goes on over at most so many lines: a quote that nobody closes would swallow the file.
const ROW_LINES: usize = 100;

pub(super) struct Records<R> {
    lines: Lines<R>,
    file: String,
    now: Timestamp,
    header: Option<Header>,
    ended: bool,
}

/// Where our fields stand in this file.
struct Header {
    columns: [Option<usize>; FIELDS.len()],
    width: usize,
}

impl<R: Read> Records<R> {
    pub fn new(reader: R, file: String, now: Timestamp) -> Self {
        Self {
            lines: Lines::new(reader),
            file,
            now,
            header: None,
            ended: false,
        }
    }

    fn step(&mut self) -> Result<Option<Item>, TripsError> {
        let header = match self.header.take() {
            Some(header) => header,
            None => Header::of(self.lines.take_filled()?)?,
        };
        let first = self.lines.take_filled()?;
        let item = first.map(|first| self.item(first, &header)).transpose();
        self.header = Some(header);
        item
    }

    fn item(&mut self, first: Line, header: &Header) -> Result<Item, TripsError> {
        let mut record = Record {
            file: self.file.clone(),
            line: first.number,
            raw: raw_text(&String::from_utf8_lossy(&first.bytes)),
        };
        if first.too_long {
            return Ok(record.rejected(None, "the line is longer than 1 MiB"));
        }
        let Ok(mut text) = String::from_utf8(first.bytes) else {
            return Ok(record.rejected(None, "the row is not UTF-8 text"));
        };
        if split(&text).is_none() {
            let Some(whole) = self.gone_on(&text, header.width)? else {
                let reason = "a quote is opened and not closed in this row";
                return Ok(record.rejected(None, reason));
            };
            (record.raw, text) = (raw_text(&whole), whole);
        }
        if text.contains('\0') {
            return Ok(record.rejected(None, "the row contains a NUL byte"));
        }
        let cells = split(&text).unwrap_or_default();
        if cells.len() != header.width {
            let (cells, width) = (cells.len(), header.width);
            let noun = if cells == 1 { "cell" } else { "cells" };
            let reason = format!("{cells} {noun}, but the header has {width}");
            return Ok(record.rejected(None, &reason));
        }
        let row = Row { cells, header };
        Ok(fields::row(record, &row, self.now))
    }

    /// A row whose quoted cell goes on over the next lines. They are given back unless they make
    /// the row whole: then the quote was a mistake, and they are rows of their own.
    fn gone_on(&mut self, first: &str, width: usize) -> Result<Option<String>, TripsError> {
        let (mut text, mut more) = (first.to_owned(), Vec::new());
        while more.len() < ROW_LINES && text.len() <= LINE_BYTES {
            let Some(line) = self.lines.take()? else {
                break;
            };
            let may_close = line.bytes.contains(&b'"');
            let added = std::str::from_utf8(&line.bytes).map(|next| {
                text.push('\n');
                text.push_str(next);
            });
            let readable = added.is_ok() && !line.too_long;
            more.push(line);
            if !readable {
                break;
            }
            match may_close.then(|| split(&text)).flatten() {
                Some(cells) if cells.len() == width => return Ok(Some(text)),
                Some(_) => break,
                None => {}
            }
        }
        self.lines.give_back(more);
        Ok(None)
    }
}

impl Header {
    fn of(line: Option<Line>) -> Result<Self, TripsError> {
        let Some(line) = line else {
            let found = "nothing, the file is empty".to_owned();
            return Err(TripsError::MissingColumn {
                missing: "store_id",
                found,
            });
        };
        let text = std::str::from_utf8(&line.bytes).map_err(|_| TripsError::HeaderNotText)?;
        let names = split(text).unwrap_or_else(|| vec![text.into()]);
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let mut columns = [None; FIELDS.len()];
        for (column, field) in columns.iter_mut().zip(FIELDS) {
            let mut places = names.iter().enumerate().filter(|(_, name)| **name == field);
            *column = places.next().map(|(place, _)| place);
            if places.next().is_some() {
                return Err(TripsError::DuplicateColumn(field.to_owned()));
            }
        }
        for missing in REQUIRED {
            if !names.contains(&missing) {
                let found = names.join(", ").chars().take(300).collect();
                return Err(TripsError::MissingColumn { missing, found });
            }
        }
        let width = names.len();
        Ok(Self { columns, width })
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Item, TripsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

struct Row<'a> {
    cells: Vec<Cow<'a, str>>,
    header: &'a Header,
}

impl Fields for Row<'_> {
    fn field(&self, name: &'static str) -> Option<&str> {
        let place = FIELDS.iter().position(|field| *field == name)?;
        let column = self.header.columns.get(place).copied().flatten()?;
        self.cells.get(column).map(|cell| cell.trim())
    }
}

/// The cells of a row; none while a quote is open.
fn split(row: &str) -> Option<Vec<Cow<'_, str>>> {
    let (mut cells, mut rest) = (Vec::new(), row);
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (cell, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (Cow::Borrowed(cell), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some(cells),
        }
    }
}

/// A quoted cell from behind its first quote, and what comes after it.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let (mut cell, mut rest) = (String::new(), quoted);
    loop {
        let (before, after) = rest.split_once('"')?;
        cell.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            cell.push('"');
            rest = more;
            continue;
        }
        // What stands between the closing quote and the comma belongs to the cell as it is.
        let (tail, after) = after.split_at(after.find(',').unwrap_or(after.len()));
        cell.push_str(tail);
        return Some((cell.into(), after));
    }
}
