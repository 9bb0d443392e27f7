//! What the formats share: cells, accounts, descriptions.

use std::borrow::Cow;
use std::io::Write as _;

use chrono::NaiveDate;

use crate::books::{Posting, Transaction};
use crate::domain::{Chart, Money, Where};

use super::super::cells;

/// A row of a CSV file under way.
pub struct Row<'a> {
    to: &'a mut Vec<u8>,
    delimiter: char,
    first: bool,
}

impl<'a> Row<'a> {
    pub fn begin(to: &'a mut Vec<u8>, delimiter: char) -> Self {
        let first = true;
        Self {
            to,
            delimiter,
            first,
        }
    }

    fn part(&mut self) {
        if !std::mem::take(&mut self.first) {
            let mut bytes = [0; 4];
            self.to
                .extend_from_slice(self.delimiter.encode_utf8(&mut bytes).as_bytes());
        }
    }

    /// Text, quoted where it must be (RFC 4180, and where it holds the delimiter).
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.part();
        if text.contains(self.delimiter) && self.delimiter != ',' {
            // Writing to a Vec cannot fail.
            let _ = write!(self.to, "\"{}\"", text.replace('"', "\"\""));
        } else {
            cells::verbatim(self.to, text);
        }
        self
    }

    /// The amount.
    pub fn amount(&mut self, amount: Money) -> &mut Self {
        self.part();
        cells::amount(self.to, amount);
        self
    }

    /// The amount, or an empty cell.
    pub fn amount_if(&mut self, amount: Option<Money>) -> &mut Self {
        match amount {
            Some(amount) => self.amount(amount),
            None => self.text(""),
        }
    }

    /// The end of the row.
    pub fn end(&mut self, line_end: &str) {
        self.to.extend_from_slice(line_end.as_bytes());
    }
}

/// A header row.
pub fn header(to: &mut Vec<u8>, columns: &[&str], bom: bool) {
    if bom {
        to.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut row = Row::begin(to, ',');
    for column in columns {
        row.text(column);
    }
    row.end(CRLF);
}

/// The line end of CSV.
pub const CRLF: &str = "\r\n";

/// The amount with its sign turned.
pub fn opposite(amount: Money) -> Money {
    Money::of_minor(amount.minor().saturating_neg(), amount.currency())
}

/// An amount in plain text.
pub fn amount(to: &mut Vec<u8>, amount: Money) {
    cells::amount(to, amount);
}

/// The two sides of a line: one of them has the amount.
pub fn sides(line: &Posting) -> (Option<Money>, Option<Money>) {
    match line.amount.minor() > 0 {
        true => (Some(line.amount), None),
        false => (None, Some(opposite(line.amount))),
    }
}

/// The account of a line.
pub fn account<'c>(chart: &'c Chart, entry: &Transaction, line: &Posting) -> Cow<'c, str> {
    let about = entry.about();
    let at = Where {
        store: &about.key.store,
        processor: about.processor.as_ref(),
        currency: line.amount.currency(),
    };
    chart.account(line.role, &at)
}

/// What an entry is for, with its number first, so that it is never the same twice and survives
/// being cut to `length` characters.
pub fn narration(entry: &Transaction, length: usize) -> String {
    cut(
        &format!("{} {}", entry.about().id, description(entry)),
        length,
    )
}

/// What an entry is for.
pub fn description(entry: &Transaction) -> String {
    let about = entry.about();
    let corrects = about.corrects.as_ref();
    let corrects = corrects.map(|id| format!(", corrects {id}"));
    let (words, key) = (about.kind.words(), &about.key);
    format!("{words} {key}{}", corrects.unwrap_or_default())
}

/// The first `length` characters.
pub fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// A date in a target's form, which the configuration has proved to give the date back.
pub fn date(date: NaiveDate, form: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    match write!(text, "{}", date.format(form)) {
        Ok(()) => text,
        Err(_) => date.to_string(),
    }
}
