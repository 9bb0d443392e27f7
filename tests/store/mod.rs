//! A state of its own for every test, and stories written into it as `run` would write them.

#![allow(dead_code, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;
use tripsettle::domain::*;
use tripsettle::settlement::{Admitted, History, admit};
use tripsettle::store::{
    Admission, Admit, Append, Close, FeedFile, Found, Store, StoreError, TakenCounts, When,
};

use crate::journal::{Journal, date, journal, key, money};

/// A state in a folder that goes with it.
pub struct State {
    pub store: Arc<Store>,
    pub dir: TempDir,
}

pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T02:30:00Z").unwrap()
}

/// A state that was just created.
pub fn state() -> State {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::create(&dir.path().join("state"), now(), None).unwrap());
    State { store, dir }
}

/// Taken at [`now`] for the N-th books date, or for the first open one after it.
pub fn when(day: i64) -> When {
    let open = move |closed: &ClosedDays| match closed.last_closed {
        Some(closed) => closed.next().max(date(day)),
        None => date(day),
    };
    When {
        at: now(),
        books_date: Arc::new(open),
        run: None,
    }
}

pub fn run_id() -> RunId {
    RunId::of("run-1").unwrap()
}

pub fn file(name: &str) -> FeedFile {
    FeedFile {
        sha256: format!("sha-{name}"),
        name: name.to_owned(),
    }
}

/// A row of the feed: `S1/t1 20.00 USD`, then perhaps `scan_code` or `cancelled`.
pub fn row(file: &str, line: u64, text: &str) -> FeedRow {
    let words: Vec<_> = text.split(' ').collect();
    let more = words.get(3).copied();
    let entry = match more {
        Some("scan_code") => Entry::ScanCode,
        _ => Entry::Financial,
    };
    let (file, digest) = (file.to_owned(), format!("sha-{file}"));
    FeedRow {
        key: key(words[0]),
        started_at: Timestamp::parse("2026-11-22T10:00:00Z").unwrap(),
        ended_at: None,
        amount: money(&words[1..3].join(" ")),
        processor: None,
        purchase_id: None,
        preauth: None,
        tax: None,
        entry,
        elsewhere: (more == Some("cancelled")).then_some(Elsewhere::Cancelled),
        source: Source { file, line, digest },
        raw: text.to_owned(),
    }
}

/// The law's word about a row, as `run` asks for it; the store `S9` is not configured.
pub fn law(lost_before: Option<Timestamp>) -> Admit {
    Arc::new(move |events: Option<&[Event]>, row: &FeedRow| {
        if row.entry == Entry::ScanCode {
            return Admission::Counted;
        }
        let history = events.map(|events| History::replay(events).unwrap());
        let taken = format!("taken {}", row.amount);
        let trip = journal(&row.key.to_string(), &taken).trip;
        let facts = match admit(history.as_ref(), row, &trip, lost_before) {
            Admitted::Facts(facts) => facts,
            Admitted::Nothing => return Admission::Nothing,
            Admitted::Rejected { field, reason } => return Admission::Rejected { field, reason },
        };
        let (known, new) = match history {
            Some(history) => (history, &facts[..]),
            None => (History::begin(&facts[0]).unwrap(), &facts[1..]),
        };
        let standing = after(known, new).standing();
        let unknown_store = row.key.store.as_str() == "S9";
        Admission::Append {
            facts,
            standing,
            unknown_store,
        }
    })
}

fn after(mut history: History, facts: &[Fact]) -> History {
    for fact in facts {
        history.apply(now(), fact).unwrap();
    }
    history
}

impl State {
    /// The folder of the state.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// A connection that knows nothing of our code.
    pub fn raw(&self) -> Connection {
        Connection::open(self.folder().join("tripsettle.db")).unwrap()
    }

    /// Takes rows as one chunk of a file, on the N-th books date.
    pub fn take(&self, name: &str, day: i64, rows: &[&str]) -> TakenCounts {
        let rows = (2..).zip(rows).map(|(line, text)| row(name, line, text));
        let (rows, admit) = (rows.collect(), law(None));
        let taken = self.store.take_rows(rows, &file(name), &when(day), admit);
        taken.unwrap().counts
    }

    /// The trip of this name.
    pub fn trip(&self, name: &str) -> i64 {
        match self.store.find(name).unwrap() {
            Found::One(trip, _) => trip,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Writes a whole story: its taking by the feed, every other fact by an append of its own.
    pub fn play(&self, name: &str, story: &str) -> i64 {
        let journal = journal(name, story);
        let trip = self.begin(&journal);
        for event in &journal.events[1..] {
            self.append(trip, &journal, event.step).unwrap();
        }
        trip
    }

    /// Writes the rest of a story whose beginning was played before.
    pub fn go_on(&self, name: &str, story: &str) {
        let (trip, journal) = (self.trip(name), journal(name, story));
        let known = self.store.events(trip).unwrap().len();
        for event in &journal.events[known..] {
            self.append(trip, &journal, event.step).unwrap();
        }
    }

    /// Takes a story's trip from the feed.
    pub fn begin(&self, journal: &Journal) -> i64 {
        let first = &journal.events[0];
        let standing = History::begin(&first.fact).unwrap().standing();
        let facts = vec![first.fact.clone()];
        let begins = move |_: Option<&[Event]>, _: &FeedRow| Admission::Append {
            facts: facts.clone(),
            standing: standing.clone(),
            unknown_store: false,
        };
        let name = journal.trip.key.to_string();
        let rows = vec![row("story", 2, &format!("{name} 1.00 USD"))];
        let taken = self
            .store
            .take_rows(rows, &file("story"), &when(1), Arc::new(begins));
        assert_eq!(taken.unwrap().counts.new, 1);
        self.trip(&name)
    }

    /// Appends one step of a story.
    pub fn append(&self, trip: i64, journal: &Journal, step: u32) -> Result<(), StoreError> {
        self.store.append_now(next(trip, journal, step))
    }
}

/// The append of one step of a story. Where the law forbids it, the trip is said to stand where it
/// stood: only the database is left to refuse.
pub fn next(trip: i64, journal: &Journal, step: u32) -> Append {
    let seen = usize::try_from(step).unwrap();
    let event = &journal.events[seen - 1];
    let standing = History::replay(&journal.events[..seen]).map(|history| history.standing());
    let standing = standing.unwrap_or_else(|_| {
        let before = History::replay(&journal.events[..seen - 1]).unwrap();
        let mut standing = before.standing();
        standing.steps = step;
        standing
    });
    Append {
        trip,
        expected_steps: step - 1,
        facts: vec![(event.at, event.fact.clone())],
        standing,
        books_date: event.books_date,
        run: event.run.clone(),
        line: None,
    }
}

/// The close of the N-th day as the store stands now, without files or totals.
pub fn close_of(store: &Store, day: i64, edition: u32) -> Close {
    Close {
        books_date: date(day),
        edition,
        last_seq: store.last_seq().unwrap(),
        feed_mark: store.feed_mark(date(day)).unwrap(),
        manifest_sha256: format!("manifest-{day}-{edition}"),
        previous_sha256: None,
        run: run_id(),
        at: now(),
        totals: Vec::new(),
    }
}

/// Commits it.
pub fn close(store: &Store, day: i64) {
    store.commit_close(close_of(store, day, 1)).unwrap();
}

/// The words of an error, by the kind that callers tell apart.
pub fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict { .. } => "conflict",
        StoreError::Refused(_) => "refused",
        StoreError::Stopped(_) => "stopped",
        StoreError::Disk { .. } => "disk",
        _ => "other",
    }
}
