//! Lines that a cumulative report tells again.

use std::collections::HashMap;

use chrono::NaiveDate;
use rusqlite::{Connection, params};

use crate::domain::{Money, ProcessorName};

use super::NewLine;

/// What makes two lines the same: all that they say, but not where it stands.
#[derive(PartialEq, Eq, Hash)]
struct Words<'a> {
    reference: &'a str,
    date: NaiveDate,
    amount: Money,
    store: Option<&'a str>,
    trip: Option<&'a str>,
    reconciliation_id: Option<&'a str>,
    kind: &'a str,
    is_capture: bool,
}

impl<'a> Words<'a> {
    /// None for a line that lacks its date or its reference: such a one is never the same.
    fn of(line: &'a NewLine) -> Option<Self> {
        match line {
            NewLine::Read {
                line: _,
                key,
                amount,
                date: Some(date),
                reference,
                kind,
                is_capture,
            } if !reference.is_empty() => Some(Self {
                reference,
                date: *date,
                amount: *amount,
                store: key.store.as_deref(),
                trip: key.trip.as_deref(),
                reconciliation_id: key.reconciliation_id.as_deref(),
                kind,
                is_capture: *is_capture,
            }),
            NewLine::Read { .. } | NewLine::Unreadable { .. } => None,
        }
    }
}

/// What a report has told so far, beside what earlier ones of its processor told.
pub(super) struct Told<'a> {
    processor: &'a ProcessorName,
    file: i64,
    copies: HashMap<Words<'a>, i64>,
}

impl<'a> Told<'a> {
    pub(super) fn by(processor: &'a ProcessorName, file: i64) -> Self {
        let copies = HashMap::new();
        Self {
            processor,
            file,
            copies,
        }
    }

    /// True for a line that earlier reports told: as many copies as they told are no new ones, and
    /// what this report tells more often happened once more.
    pub(super) fn before(&mut self, db: &Connection, line: &'a NewLine) -> rusqlite::Result<bool> {
        let Some(words) = Words::of(line) else {
            return Ok(false);
        };
        let sql = include_str!("../../../sql/queries/lines_told.sql");
        let currency = words.amount.currency();
        let values = params![
            words.reference,
            words.date.to_string(),
            words.amount.minor(),
            currency.code(),
            words.store,
            words.trip,
            words.reconciliation_id,
            words.kind,
            words.is_capture,
            self.processor.as_str(),
            self.file,
        ];
        let earlier: i64 = db
            .prepare_cached(sql)?
            .query_row(values, |row| row.get(0))?;
        let copies = self.copies.entry(words).or_default();
        *copies = copies.saturating_add(1);
        Ok(*copies <= earlier)
    }
}
