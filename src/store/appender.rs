//! Appending: facts become events at the journal's end, and the trip's row follows them.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, params};

use crate::domain::{BooksDate, Fact, FeedRow, Head, Standing, Timestamp, Verdict};

use super::chain;
use super::error::{StoreError, of_sqlite};
use super::journal::Append;
use super::{lines, pulls, row};

/// Appends within one transaction: it knows where the journal ends, and has at hand what it says
/// to the database for every event. After an error its transaction must be given up.
pub(super) struct Appender<'a> {
    db: &'a Connection,
    path: &'a Path,
    head: Head,
    before: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    step: CachedStatement<'a>,
}

/// Where a trip stood before an append.
struct Before {
    steps: u32,
    last_books_date: BooksDate,
    wants_data: bool,
}

impl<'a> Appender<'a> {
    /// Begins where the journal ends as the transaction sees it.
    pub fn begin(db: &'a Connection, path: &'a Path) -> Result<Self, StoreError> {
        let begin = || {
            Ok(Self {
                db,
                path,
                head: chain::head(db, i64::MAX)?,
                before: db.prepare_cached(include_str!("../../sql/queries/appender_before.sql"))?,
                insert: db.prepare_cached(include_str!("../../sql/queries/appender_insert.sql"))?,
                step: db.prepare_cached(include_str!("../../sql/queries/appender_step.sql"))?,
            })
        };
        begin().map_err(|error| of_sqlite(path, &error))
    }

    fn before(&mut self, trip: i64) -> rusqlite::Result<Before> {
        self.before.query_row([trip], |row| {
            Ok(Before {
                steps: row.get(0)?,
                last_books_date: row::date(row, 1)?,
                wants_data: row.get(2)?,
            })
        })
    }

    /// Appends what was learnt of one trip.
    pub fn append(&mut self, append: &Append) -> Result<(), StoreError> {
        let path = self.path;
        let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
        let (trip, standing) = (append.trip, &append.standing);
        let before = self.before(trip).map_err(sqlite)?;
        let steps = before.steps;
        if steps != append.expected_steps {
            return Err(self.conflict(trip, steps, append.expected_steps)?);
        }
        let books_date = append.books_date.max(before.last_books_date);
        self.write(append, steps, books_date)?;
        if standing.wants_data != before.wants_data {
            let last = append.facts.last();
            let at = last.map_or(Timestamp::of_ms(0), |(at, _)| *at);
            pulls::keep(self.db, trip, standing.wants_data, at).map_err(sqlite)?;
        }
        self.place(trip, standing, books_date).map_err(sqlite)?;
        if let Some(line) = append.line
            && !lines::mark_matched(self.db, line, trip, books_date).map_err(sqlite)?
        {
            return Err(StoreError::Conflict {
                what: format!("processor line {line}"),
            });
        }
        Ok(())
    }

    /// Somebody else wrote to the trip, unless the journal has just the events that were expected:
    /// then it is the row that is wrong, and to ask again would never end.
    fn conflict(&self, trip: i64, steps: u32, expected: u32) -> Result<StoreError, StoreError> {
        let sql = include_str!("../../sql/queries/appender_last_step.sql");
        let last = self.db.query_row(sql, [trip], |row| row.get(0));
        let last: u32 = last.map_err(|error| of_sqlite(self.path, &error))?;
        let what = format!("trip row {trip}");
        Ok(match last == expected {
            false => StoreError::Conflict { what },
            true => StoreError::Unreadable {
                what,
                why: format!("it stands after {steps} events, and the journal has {last}"),
            },
        })
    }

    /// Writes the facts, each a step after the one before it.
    fn write(
        &mut self,
        append: &Append,
        steps: u32,
        books_date: BooksDate,
    ) -> Result<(), StoreError> {
        let (trip, path) = (append.trip, self.path);
        let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
        let books_date = books_date.to_string();
        let mut step = steps;
        for (at, fact) in &append.facts {
            step = step.saturating_add(1);
            let seq = self.insert(append, step, *at, &books_date, fact);
            let seq = seq.map_err(sqlite)?;
            remember(self.db, trip, seq, *at, &books_date, fact).map_err(sqlite)?;
        }
        let said = append.standing.steps;
        if said != step {
            let why = format!("trip row {trip} is said to stand after {said} events, not {step}");
            return Err(StoreError::Refused(why));
        }
        Ok(())
    }

    /// Inserts one row of the journal; the columns beside the JSON are what the triggers look at.
    fn insert(
        &mut self,
        append: &Append,
        step: u32,
        at: Timestamp,
        books_date: &str,
        fact: &Fact,
    ) -> rusqlite::Result<i64> {
        let (call, attempt, not_executed, verdict) = row::columns(fact);
        let detail = serde_json::to_string(fact)
            .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
        let text = |word: &'static str| ValueRef::Text(word.as_bytes());
        let or_null = |value: Option<ValueRef<'static>>| value.unwrap_or(ValueRef::Null);
        let run = append.run.as_ref().map(|run| run.as_str().as_bytes());
        let values = [
            ValueRef::Null,
            ValueRef::Integer(append.trip),
            ValueRef::Integer(step.into()),
            ValueRef::Integer(at.ms()),
            ValueRef::Text(books_date.as_bytes()),
            run.map_or(ValueRef::Null, ValueRef::Text),
            text(fact.kind()),
            or_null(call.map(text)),
            or_null(attempt.map(|step| ValueRef::Integer(step.into()))),
            or_null(not_executed.map(|it| ValueRef::Integer(it.into()))),
            or_null(verdict.map(text)),
            ValueRef::Text(detail.as_bytes()),
        ];
        chain::append(&mut self.insert, &mut self.head, values)
    }

    /// Begins a trip with `append`, whose row it makes known to it: the row is written once, as the
    /// trip stands after these facts. There are no steps before them, and no line.
    pub fn begin_trip(&mut self, row: &FeedRow, mut append: Append) -> Result<(), StoreError> {
        let sqlite = |error: rusqlite::Error| of_sqlite(self.path, &error);
        append.trip = insert_trip(self.db, row, &append).map_err(sqlite)?;
        self.write(&append, 0, append.books_date)?;
        match append.facts.last() {
            Some((at, _)) if append.standing.wants_data => {
                pulls::keep(self.db, append.trip, true, *at).map_err(sqlite)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Writes where the trip stands into its row.
    fn place(
        &mut self,
        trip: i64,
        standing: &Standing,
        books_date: BooksDate,
    ) -> rusqlite::Result<()> {
        let balances = &standing.balances;
        let books_date = books_date.to_string();
        let values = params![
            trip,
            standing.status.as_str(),
            standing.capture_state.as_str(),
            standing.version,
            standing.steps,
            standing.act_by.map(Timestamp::ms),
            balances.cart_total,
            balances.captured,
            balances.bad_debt,
            balances.cancelled,
            balances.in_doubt,
            balances.open,
            balances.recovered,
            balances.written_off,
            standing.intended.map(|amount| amount.minor()),
            books_date,
        ];
        // Most facts move neither money nor status nor day: the trip's indexes are left alone.
        if self.step.execute(values)? == 0 {
            let sql = include_str!("../../sql/queries/appender_update_trip.sql");
            self.db.prepare_cached(sql)?.execute(values)?;
        }
        Ok(())
    }
}

fn insert_trip(db: &Connection, row: &FeedRow, append: &Append) -> rusqlite::Result<i64> {
    let expires_at = append.facts.iter().find_map(|(_, fact)| {
        let Fact::Taken { trip, .. } = fact else {
            return None;
        };
        Some(trip.expires_at)
    });
    let standing = &append.standing;
    let balances = &standing.balances;
    let sql = include_str!("../../sql/queries/appender_insert_trip.sql");
    db.prepare_cached(sql)?.insert(params![
        row.key.store.as_str(),
        row.key.trip.as_str(),
        balances.currency.code(),
        row.started_at.ms(),
        expires_at.unwrap_or(row.started_at).ms(),
        standing.status.as_str(),
        standing.capture_state.as_str(),
        standing.version,
        standing.steps,
        standing.act_by.map(Timestamp::ms),
        balances.cart_total,
        balances.captured,
        balances.bad_debt,
        balances.cancelled,
        balances.in_doubt,
        balances.open,
        balances.recovered,
        balances.written_off,
        standing.intended.map(|amount| amount.minor()),
        append.books_date.to_string(),
    ])
}

/// Keeps the tables that only repeat the journal for the sake of a search.
fn remember(
    db: &Connection,
    trip: i64,
    seq: i64,
    at: Timestamp,
    books_date: &str,
    fact: &Fact,
) -> rusqlite::Result<()> {
    match fact {
        Fact::Evidence { data } => {
            let sql = include_str!("../../sql/queries/appender_evidenced.sql");
            db.prepare_cached(sql)?.execute((trip, Some(at.ms())))?;
            let sql = include_str!("../../sql/queries/appender_reconciliation_id.sql");
            if let Some(id) = &data.reconciliation_id {
                db.prepare_cached(sql)?.execute((id, trip))?;
            }
        }
        // What was read belonged to a capture that never was.
        Fact::Ruled { ruling } if ruling.verdict == Verdict::NotCaptured => {
            let sql = include_str!("../../sql/queries/appender_evidenced.sql");
            db.prepare_cached(sql)?.execute((trip, None::<i64>))?;
        }
        Fact::BreakOpened { found } => {
            let sql = include_str!("../../sql/queries/appender_open_break.sql");
            let kind = found.kind.as_str();
            db.prepare_cached(sql)?
                .execute((seq, trip, kind, books_date))?;
        }
        Fact::BreakCured { kind } => {
            let sql = include_str!("../../sql/queries/appender_cure_break.sql");
            db.prepare_cached(sql)?
                .execute((trip, kind.as_str(), seq, books_date))?;
        }
        Fact::Lost { amount, .. } if amount.is_positive() => {
            let sql = include_str!("../../sql/queries/appender_debt_since.sql");
            db.prepare_cached(sql)?.execute((trip, books_date))?;
        }
        Fact::Taken { .. }
        | Fact::Amended { .. }
        | Fact::Elsewhere { .. }
        | Fact::Intent { .. }
        | Fact::Replied { .. }
        | Fact::NoEvidence { .. }
        | Fact::Line { .. }
        | Fact::Ruled { .. }
        | Fact::Lost { .. }
        | Fact::FoundCaptured { .. }
        | Fact::Debt { .. } => {}
    }
    Ok(())
}
