//! Columns: which of them hold numbers, for what people open in a spreadsheet.
//!
//! A spreadsheet keeps a number as a double, so that it is one there only where a double holds it
//! exactly (15 digits); anything else that looks like a number is text.

use std::borrow::Cow;

use crate::domain::{Currency, Money};

use super::control_page::Item;
use super::tally;

/// What a cell holds of a text, in units of UTF-16.
const CELL_UNITS: usize = 32_767;
/// Digits that a double holds exactly.
const DIGITS: usize = 15;
/// Columns of counts.
const COUNTS: [&str; 4] = ["adjust_calls", "age_days", "line", "entries"];
/// What the names of amounts end with or are.
const AMOUNTS: [&str; 12] = [
    "cart_total",
    "balance",
    "opening",
    "new",
    "reversed",
    "recovered",
    "written_off",
    "closing",
    "difference",
    "amount",
    "debit",
    "credit",
];

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Count,
    Amount,
}

/// The columns of a table.
pub(super) struct Columns {
    kinds: Vec<Kind>,
    currency_at: Option<usize>,
}

impl Columns {
    /// Those that are headed so.
    pub fn of(heads: &csv::StringRecord) -> Self {
        Self {
            kinds: heads.iter().map(kind).collect(),
            currency_at: heads.iter().position(|head| head == "currency"),
        }
    }

    /// The cells of a row, each with its number if it is one.
    pub fn cells<'a>(
        &'a self,
        row: &'a csv::StringRecord,
    ) -> impl Iterator<Item = (&'a str, Option<Item>)> {
        let code = self.currency_at.and_then(|at| row.get(at));
        let currency = code.and_then(|code| Currency::of(code).ok());
        let cells = row.iter().zip(&self.kinds);
        cells.map(move |(text, kind)| (text, number(text, *kind, currency)))
    }
}

fn kind(head: &str) -> Kind {
    if COUNTS.contains(&head) {
        Kind::Count
    } else if AMOUNTS.contains(&head) || head.ends_with("_amount") {
        Kind::Amount
    } else {
        Kind::Text
    }
}

fn number(text: &str, kind: Kind, currency: Option<Currency>) -> Option<Item> {
    if !is_exact(text) {
        return None;
    }
    match (kind, currency) {
        (Kind::Count, _) => text.parse().ok().map(Item::Count),
        (Kind::Amount, Some(currency)) => {
            let minor = tally::amount(text, currency);
            minor.map(|minor| Item::Amount(Money::of_minor(minor, currency)))
        }
        (Kind::Amount, None) | (Kind::Text, _) => None,
    }
}

/// True when a double holds the digits of a number.
pub(super) fn is_exact(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() <= DIGITS
}

/// As much of a text as a cell holds: a longer one must not keep the day from being published.
pub(super) fn fitting(text: &str) -> Cow<'_, str> {
    // A character has at least as many bytes as units.
    if text.len() <= CELL_UNITS || text.encode_utf16().count() <= CELL_UNITS {
        return Cow::Borrowed(text);
    }
    let mut left = CELL_UNITS.saturating_sub('…'.len_utf16());
    let fits = |char: &char| match left.checked_sub(char.len_utf16()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    Cow::Owned(cut)
}
