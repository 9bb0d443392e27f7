//! Columns to words of the house and back.

use rusqlite::types::Type;
use rusqlite::{Error, Row};
use serde::Deserialize;

use crate::domain::{
    BooksDate, Call, Currency, DebtAct, Fact, Money, Reply, Source, StoreId, Timestamp,
    TransactionalData, Trip, TripId, TripKey, Verdict,
};

/// A stored value that is not what was once written.
pub(super) fn wrong(column: usize, why: impl ToString) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, why.to_string().into())
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::of_ms)
}

pub(super) fn instant_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::of_ms))
}

pub(super) fn date(row: &Row<'_>, column: usize) -> rusqlite::Result<BooksDate> {
    let text: String = row.get(column)?;
    BooksDate::parse(&text).map_err(|why| wrong(column, why))
}

pub(super) fn date_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<BooksDate>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| BooksDate::parse(&text))
        .transpose()
        .map_err(|why| wrong(column, why))
}

/// How many, or which line: never below zero.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let count: i64 = row.get(column)?;
    u64::try_from(count).map_err(|why| wrong(column, why))
}

pub(super) fn store(row: &Row<'_>, column: usize) -> rusqlite::Result<StoreId> {
    let text: String = row.get(column)?;
    StoreId::of(&text).map_err(|why| wrong(column, why))
}

/// A trip's name from two columns, store first.
pub(super) fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<TripKey> {
    let next = column.saturating_add(1);
    let trip: String = row.get(next)?;
    let trip = TripId::of(&trip).map_err(|why| wrong(next, why))?;
    Ok(TripKey {
        store: store(row, column)?,
        trip,
    })
}

pub(super) fn currency(row: &Row<'_>, column: usize) -> rusqlite::Result<Currency> {
    let text: String = row.get(column)?;
    Currency::of(&text).map_err(|why| wrong(column, why))
}

/// An amount from two columns: minor units, then the currency.
pub(super) fn money(row: &Row<'_>, column: usize) -> rusqlite::Result<Money> {
    let currency = currency(row, column.saturating_add(1))?;
    Ok(Money::of_minor(row.get(column)?, currency))
}

/// A word of an enum that has a spelling.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    of: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    of(&text).ok_or_else(|| wrong(column, format!("`{text}` is not one of the known words")))
}

/// A fact from its JSON. Those that every captured trip has are read straight into their fields:
/// of an enum with its tag inside serde keeps everything until it has seen the tag, and a night
/// reads each fact three times. What nobody writes (a second tag, unknown fields) is passed over.
pub(super) fn fact(json: &str) -> serde_json::Result<Fact> {
    macro_rules! straight {
        ($fact:ident { $($field:ident: $type:ty),+ }) => {{
            #[derive(Deserialize)]
            struct Fields {
                $($field: $type),+
            }
            serde_json::from_str(json).map(|Fields { $($field),+ }| Fact::$fact { $($field),+ })
        }};
    }
    let after = json.strip_prefix(r#"{"fact":""#);
    match after.and_then(|rest| rest.split_once('"')) {
        Some(("taken", _)) => straight!(Taken {
            trip: Box<Trip>,
            source: Source,
            after_loss: bool
        }),
        Some(("intent", _)) => straight!(Intent { call: Call }),
        Some(("replied", _)) => straight!(Replied {
            attempt: u32,
            reply: Reply
        }),
        Some(("evidence", _)) => straight!(Evidence {
            data: Box<TransactionalData>
        }),
        Some(_) | None => serde_json::from_str(json),
    }
}

/// Of a fact: its call, the attempt it answers, whether that was not executed, its verdict.
pub(super) type Columns = (
    Option<&'static str>,
    Option<u32>,
    Option<bool>,
    Option<&'static str>,
);

/// The columns beside the JSON, which the triggers look at.
pub(super) fn columns(fact: &Fact) -> Columns {
    match fact {
        Fact::Intent { call } => (Some(call.name()), None, None, None),
        Fact::Replied { attempt, reply } => (
            None,
            Some(*attempt),
            Some(reply.proves_not_executed()),
            None,
        ),
        Fact::Ruled { ruling } => {
            let verdict = match ruling.verdict {
                Verdict::Captured { .. } => "captured",
                Verdict::NotCaptured => "not_captured",
                Verdict::Retry => "retry",
                Verdict::MayBeCaptured => "may_be_captured",
            };
            (None, None, None, Some(verdict))
        }
        Fact::Debt { ruling } => {
            let step = match ruling.act {
                DebtAct::TakenBack { step } => Some(step),
                DebtAct::Recovered { .. }
                | DebtAct::WrittenOff { .. }
                | DebtAct::Reversed { .. } => None,
            };
            (None, step, None, Some(ruling.act.name()))
        }
        Fact::Taken { .. }
        | Fact::Amended { .. }
        | Fact::Elsewhere { .. }
        | Fact::Evidence { .. }
        | Fact::NoEvidence { .. }
        | Fact::Line { .. }
        | Fact::Lost { .. }
        | Fact::FoundCaptured { .. }
        | Fact::BreakOpened { .. }
        | Fact::BreakCured { .. } => (None, None, None, None),
    }
}
