//! The journal: facts in, events out; the trip's row follows in the same breath.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::domain::{BooksDate, Event, Fact, RunId, Standing, Timestamp, Verdict};

use super::Store;
use super::chain;
use super::error::{StoreError, of_sqlite};
use super::row;
use super::trip::update_trip;

/// Facts about one trip, to be written together or not at all.
#[derive(Debug, Clone)]
pub struct Append {
    /// The trip's row.
    pub trip: i64,
    /// How many events the writer of these facts has seen; any other number is a conflict.
    pub expected_steps: u32,
    /// The facts with when they were learnt.
    pub facts: Vec<(Timestamp, Fact)>,
    /// Where the trip stands after them.
    pub standing: Standing,
    /// The accounting date; moved up to the trip's last one if that is later.
    pub books_date: BooksDate,
    /// The run that learnt them.
    pub run: Option<RunId>,
    /// The processor line that is matched by this.
    pub line: Option<i64>,
}

impl Store {
    /// Writes facts and answers when they are on disk.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else wrote to the trip meanwhile; a refusal of the
    /// database; disk trouble.
    pub async fn append(&self, append: Append) -> Result<Vec<Event>, StoreError> {
        self.writer.append(append).await
    }

    /// The same for callers that are not async.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_now(&self, append: Append) -> Result<Vec<Event>, StoreError> {
        let path = self.path.clone();
        self.writer
            .transact(move |db| append_in(db, &path, &append))
    }

    /// A trip's events in order.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn events(&self, trip: i64) -> Result<Vec<Event>, StoreError> {
        self.read(|db| events_of(db, trip, i64::MAX))
    }

    /// The events of several trips as they stand together, in one read; none for a trip whose
    /// events cannot be read, which [`Store::events`] then says of that trip alone.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn events_of_each(
        &self,
        trips: impl Iterator<Item = i64>,
    ) -> Result<Vec<Option<Vec<Event>>>, StoreError> {
        let mut all = Vec::new();
        self.streaming::<StoreError>(|db, _| {
            all.extend(trips.map(|trip| events_of(db, trip, i64::MAX).ok()));
            Ok(())
        })?;
        Ok(all)
    }

    /// The last event's place in the journal; 0 when there is none.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        self.read(last_seq)
    }

    /// When the last event was learnt; none in an empty journal.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn last_event_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("../../sql/queries/journal_last_at.sql");
        self.read(|db| db.query_row(sql, (), |row| row::instant_or_none(row, 0)))
    }
}

/// The last event's place.
pub(super) fn last_seq(db: &Connection) -> rusqlite::Result<i64> {
    let sql = include_str!("../../sql/queries/journal_last_seq.sql");
    db.query_row(sql, (), |row| row.get(0))
}

/// Events of a trip up to a place in the journal.
pub(super) fn events_of(db: &Connection, trip: i64, up_to: i64) -> rusqlite::Result<Vec<Event>> {
    let sql = include_str!("../../sql/queries/journal_events.sql");
    db.prepare_cached(sql)?
        .query_map((trip, up_to), event)?
        .collect()
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let run: Option<String> = row.get(4)?;
    let run = run
        .map(|run| RunId::of(&run))
        .transpose()
        .map_err(|why| row::wrong(4, why))?;
    let detail = row.get_ref(5)?.as_str()?;
    let fact = row::fact(detail).map_err(|why| row::wrong(5, why))?;
    let (at, books_date) = (row::instant(row, 2)?, row::date(row, 3)?);
    Ok(Event {
        seq: row.get(0)?,
        step: row.get(1)?,
        at,
        books_date,
        run,
        fact,
    })
}

/// Writes `append` within the transaction at hand.
pub(super) fn append_in(
    db: &Connection,
    path: &Path,
    append: &Append,
) -> Result<Vec<Event>, StoreError> {
    let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let sql = include_str!("../../sql/queries/journal_stand.sql");
    let mut statement = db.prepare_cached(sql).map_err(sqlite)?;
    let stand = statement.query_row([append.trip], |row| {
        Ok((row.get(0)?, row::date(row, 1)?, row.get(2)?))
    });
    let (steps, last, was_wanted): (u32, BooksDate, bool) = stand.map_err(sqlite)?;
    if steps != append.expected_steps {
        return Err(StoreError::Conflict {
            what: format!("trip row {}", append.trip),
        });
    }
    let after = steps.saturating_add(u32::try_from(append.facts.len()).unwrap_or(u32::MAX));
    if append.standing.steps != after {
        let said = append.standing.steps;
        let why = format!(
            "trip row {} is said to stand after {said} events, not {after}",
            append.trip
        );
        return Err(StoreError::Refused(why));
    }
    let books_date = append.books_date.max(last);
    let events = insert(db, append, steps, books_date).map_err(sqlite)?;
    if append.standing.wants_data != was_wanted {
        let at = append
            .facts
            .last()
            .map_or(Timestamp::of_ms(0), |(at, _)| *at);
        super::pulls::keep(db, append.trip, !was_wanted, at).map_err(sqlite)?;
    }
    update_trip(db, append.trip, &append.standing, books_date).map_err(sqlite)?;
    if let Some(line) = append.line {
        let marked = super::lines::mark_matched(db, line, append.trip, books_date);
        if !marked.map_err(sqlite)? {
            return Err(StoreError::Conflict {
                what: format!("processor line {line}"),
            });
        }
    }
    Ok(events)
}

fn insert(
    db: &Connection,
    append: &Append,
    steps: u32,
    books_date: BooksDate,
) -> rusqlite::Result<Vec<Event>> {
    let mut events = Vec::with_capacity(append.facts.len());
    let mut step = steps;
    for (at, fact) in &append.facts {
        step = step.saturating_add(1);
        let seq = insert_fact(
            db,
            append.trip,
            step,
            *at,
            books_date,
            append.run.as_ref(),
            fact,
        )?;
        remember(db, append.trip, seq, *at, books_date, fact)?;
        let (run, fact) = (append.run.clone(), fact.clone());
        events.push(Event {
            seq,
            step,
            at: *at,
            books_date,
            run,
            fact,
        });
    }
    Ok(events)
}

/// Inserts one row of the journal; the columns beside the JSON are what the triggers look at.
pub(super) fn insert_fact(
    db: &Connection,
    trip: i64,
    step: u32,
    at: Timestamp,
    books_date: BooksDate,
    run: Option<&RunId>,
    fact: &Fact,
) -> rusqlite::Result<i64> {
    let (call, attempt, not_executed, verdict) = row::columns(fact);
    let detail = serde_json::to_string(fact)
        .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
    let text = |word: &'static str| ValueRef::Text(word.as_bytes());
    let or_null = |value: Option<ValueRef<'static>>| value.unwrap_or(ValueRef::Null);
    let books_date = books_date.to_string();
    let run = run.map(|run| ValueRef::Text(run.as_str().as_bytes()));
    chain::append(
        db,
        [
            ValueRef::Null,
            ValueRef::Integer(trip),
            ValueRef::Integer(step.into()),
            ValueRef::Integer(at.ms()),
            ValueRef::Text(books_date.as_bytes()),
            run.unwrap_or(ValueRef::Null),
            text(fact.kind()),
            or_null(call.map(text)),
            or_null(attempt.map(|step| ValueRef::Integer(step.into()))),
            or_null(not_executed.map(|it| ValueRef::Integer(it.into()))),
            or_null(verdict.map(text)),
            ValueRef::Text(detail.as_bytes()),
        ],
    )
}

/// Keeps the tables that only repeat the journal for the sake of a search.
fn remember(
    db: &Connection,
    trip: i64,
    seq: i64,
    at: Timestamp,
    books_date: BooksDate,
    fact: &Fact,
) -> rusqlite::Result<()> {
    match fact {
        Fact::Evidence { data } => {
            let sql = include_str!("../../sql/queries/journal_evidenced.sql");
            db.prepare_cached(sql)?.execute((trip, Some(at.ms())))?;
            let sql = include_str!("../../sql/queries/journal_remember_reconciliation_id.sql");
            if let Some(id) = &data.reconciliation_id {
                db.prepare_cached(sql)?.execute((id, trip))?;
            }
        }
        // What was read belonged to a capture that never was.
        Fact::Ruled { ruling } if ruling.verdict == Verdict::NotCaptured => {
            let sql = include_str!("../../sql/queries/journal_evidenced.sql");
            db.prepare_cached(sql)?.execute((trip, None::<i64>))?;
        }
        Fact::BreakOpened { found } => {
            let sql = include_str!("../../sql/queries/journal_open_break.sql");
            let kind = found.kind.as_str();
            db.prepare_cached(sql)?
                .execute((seq, trip, kind, books_date.to_string()))?;
        }
        Fact::BreakCured { kind } => {
            let sql = include_str!("../../sql/queries/journal_cure_break.sql");
            db.prepare_cached(sql)?
                .execute((trip, kind.as_str(), seq, books_date.to_string()))?;
        }
        Fact::Lost { amount, .. } if amount.is_positive() => {
            let sql = include_str!("../../sql/queries/journal_debt_since.sql");
            db.prepare_cached(sql)?
                .execute((trip, books_date.to_string()))?;
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
