//! The journal: facts in, events out.

use rusqlite::{Connection, Row};

use crate::domain::{BooksDate, Event, Fact, RunId, Standing, Timestamp};

use super::Store;
use super::appender::Appender;
use super::error::StoreError;
use super::row;

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
    pub async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.writer.append(append).await
    }

    /// The same for callers that are not async.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_now(&self, append: Append) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.writer
            .transact(move |db| Appender::begin(db, &path)?.append(&append))
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
