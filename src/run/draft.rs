//! Draft: a trip's history, and what follows it but was not handed to the store yet.

use crate::domain::{BooksDate, Event, Fact, RunId, Timestamp};
use crate::settlement::{History, IllegalEvent};
use crate::store::Append;

use super::RunError;

/// Facts that the law allows after a trip's history, until they are an [`Append`].
pub struct Draft {
    trip: i64,
    /// With the facts.
    history: History,
    /// How many events were read, or handed to the store since.
    seen: u32,
    facts: Vec<(Timestamp, Fact)>,
}

impl Draft {
    /// Nothing follows yet; `trip` is the trip's row, and `events` are all that it has.
    ///
    /// # Errors
    /// The journal breaks the law.
    pub fn after(trip: i64, events: &[Event]) -> Result<Self, RunError> {
        let history = History::replay(events)?;
        Ok(Self {
            trip,
            seen: history.steps(),
            history,
            facts: Vec::new(),
        })
    }

    /// The trip's row.
    pub fn trip(&self) -> i64 {
        self.trip
    }

    /// What was read, and the facts that follow.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The facts, with when they were learnt.
    pub fn facts(&self) -> &[(Timestamp, Fact)] {
        &self.facts
    }

    /// One fact more, learnt `at` this instant.
    ///
    /// # Errors
    /// The law does not allow it.
    pub fn add(&mut self, at: Timestamp, fact: Fact) -> Result<(), RunError> {
        self.history.apply(at, &fact)?;
        self.facts.push((at, fact));
        Ok(())
    }

    /// What the store is to write, learnt by `run` if it was one; what follows then follows that.
    pub fn append(&mut self, books_date: BooksDate, run: Option<&RunId>) -> Append {
        Append {
            trip: self.trip,
            expected_steps: std::mem::replace(&mut self.seen, self.history.steps()),
            facts: std::mem::take(&mut self.facts),
            standing: self.history.standing(),
            books_date,
            run: run.cloned(),
            line: None,
        }
    }
}

impl From<IllegalEvent> for RunError {
    fn from(illegal: IllegalEvent) -> Self {
        Self::Law(illegal.to_string())
    }
}
