//! Import: trip files to journal, in chunks that are one short transaction each.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::config::Config;
use crate::domain::{
    ClosedDays, Entry, Event, Fact, FeedRow, Rejection, RunId, Source, Standing, Timestamp,
};
use crate::settlement::{Admitted, History, IllegalEvent, admit};
use crate::store::{Admission, FeedFile, Store, Taken, TakenCounts, When};
use crate::trips::{self, FeedFormat, Item, Look};

use super::RunError;
use super::books_date::books_date;

/// Rows to a transaction: short enough for a run beside it, long enough to share one fsync.
const CHUNK: usize = 2_000;

/// Rejected rows of a file that are told with their reasons; `rejected.csv` has all of them.
const TOLD: usize = 10;

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// Its line in the file.
    pub line: u64,
    /// The field at fault, if it was one.
    pub field: Option<&'static str>,
    /// What is wrong with it, in words.
    pub reason: String,
}

/// What became of one trip file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The file as named.
    pub file: String,
    /// Rows by what became of them.
    pub counts: TakenCounts,
    /// The same bytes were taken before: nothing was done.
    pub taken_before: bool,
    /// Why the file as a whole could not be read.
    pub unreadable: Option<String>,
    /// It changed while it was read, so that its end was not taken.
    pub changed: bool,
    /// It was taken before but for its rows of the future; of the trips that are known it tells
    /// nothing new but that they ended elsewhere.
    #[serde(skip)]
    pub again: bool,
    /// The first rows that could not be taken.
    pub rejected: Vec<RejectedRow>,
}

impl Imported {
    /// The rejected rows for people: `file:line: field: reason`, and how many there are more.
    pub fn told(&self) -> Vec<String> {
        let file = &self.file;
        let line = |row: &RejectedRow| {
            let field = row
                .field
                .map_or(String::new(), |field| format!("{field}: "));
            format!("{file}:{}: {field}{}", row.line, row.reason)
        };
        let mut lines: Vec<String> = self.rejected.iter().map(line).collect();
        let named = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let more = self.counts.rejected.saturating_sub(named);
        if more > 0 && named > 0 {
            lines.push(format!(
                "{file}: {more} more; rejected.csv of the day has all"
            ));
        }
        lines
    }

    fn count(&mut self, taken: Taken) {
        self.counts.add(&taken.counts);
        let room = TOLD.saturating_sub(self.rejected.len());
        let told = taken.rejected.into_iter().take(room);
        self.rejected.extend(told.map(|row| RejectedRow {
            line: row.source.line,
            field: row.field,
            reason: row.reason,
        }));
    }
}

/// The parts of the house that importing needs; no lock, no payment service.
pub struct Importer<'a> {
    /// The configuration.
    pub config: Arc<Config>,
    /// The state.
    pub store: &'a Store,
    /// The instant of the import.
    pub now: Timestamp,
    /// The run that imports, if it is one.
    pub run: Option<RunId>,
}

impl Importer<'_> {
    /// Takes one file. Rows that cannot be taken are kept as rejections; the others go on. Of one
    /// that somebody writes to meanwhile the end is left, which may be half a row.
    ///
    /// # Errors
    /// The state cannot be written, or the file cannot be opened.
    pub fn file(&self, path: &Path) -> Result<Imported, RunError> {
        self.store
            .refuse_own(path)
            .map_err(|why| failed(path, why))?;
        let before = look(path)?;
        let sha256 = trips::sha256_of(path).map_err(|why| failed(path, why))?;
        let name = file_name(path);
        let mut imported = Imported {
            file: name.clone(),
            changed: look(path)? != before,
            ..Imported::default()
        };
        if imported.changed {
            return Ok(imported);
        }
        let before_counts = self.store.feed_file_taken(&sha256)?;
        // Its rows of the future may have become rows of today.
        imported.again = before_counts
            .as_ref()
            .is_some_and(|counts| counts.early > 0);
        if before_counts.is_some() && !imported.again {
            imported.taken_before = true;
            return Ok(imported);
        }
        let file = FeedFile { sha256, name };
        let Some(format) = trips::format_of(path) else {
            let why = "the name ends neither in .csv nor in .jsonl or .ndjson";
            return self.unreadable(imported, &file, why);
        };
        self.rows(path, &before, format, &file, imported)
    }

    /// Takes the rows of a file that looked like this `before`. What was read of one that looks
    /// otherwise by then is dropped: it may end with half a row.
    fn rows(
        &self,
        path: &Path,
        before: &Look,
        format: FeedFormat,
        file: &FeedFile,
        mut imported: Imported,
    ) -> Result<Imported, RunError> {
        let reader = BufReader::new(File::open(path).map_err(|why| failed(path, why))?);
        let digest: String = file.sha256.chars().take(16).collect();
        let (mut rows, mut rejections) = (Vec::new(), Vec::new());
        // A clock that went back makes no row of the future of what had begun by the last event.
        let last = self.store.last_event_at()?.unwrap_or(self.now);
        let mut items = trips::read(reader, format, &file.name, self.now.max(last));
        loop {
            let item = items.next();
            let is_last = matches!(item, None | Some(Err(_)));
            let unreadable = match item {
                Some(Ok(Item::Row(mut row))) => {
                    row.source.digest.clone_from(&digest);
                    rows.push(row);
                    None
                }
                Some(Ok(Item::Rejected(rejection))) => {
                    let early = u64::from(trips::is_early(&rejection));
                    imported.counts.early = imported.counts.early.saturating_add(early);
                    rejections.push(rejection);
                    None
                }
                Some(Err(error)) => Some(error.to_string()),
                None => None,
            };
            if !is_last && rows.len().max(rejections.len()) < CHUNK {
                continue;
            }
            imported.changed = look(path)? != *before;
            if imported.changed {
                return Ok(imported);
            }
            self.chunk(file, &mut rows, &mut rejections, &mut imported)?;
            if let Some(why) = unreadable {
                return self.unreadable(imported, file, &why);
            }
            if is_last {
                self.store
                    .finish_feed_file(file, self.now, &imported.counts)?;
                return Ok(imported);
            }
        }
    }

    fn unreadable(
        &self,
        mut imported: Imported,
        file: &FeedFile,
        why: &str,
    ) -> Result<Imported, RunError> {
        let (name, digest) = (file.name.clone(), String::new());
        let source = Source {
            file: name,
            line: 1,
            digest,
        };
        let reason = format!("the file cannot be taken: {why}");
        let rejection = Rejection {
            source,
            field: None,
            reason,
            raw: String::new(),
        };
        self.store
            .reject_rows(vec![rejection], file, &self.when())?;
        imported.counts.rejected = imported.counts.rejected.saturating_add(1);
        imported.unreadable = Some(why.to_owned());
        Ok(imported)
    }

    fn chunk(
        &self,
        file: &FeedFile,
        rows: &mut Vec<FeedRow>,
        rejections: &mut Vec<Rejection>,
        imported: &mut Imported,
    ) -> Result<(), RunError> {
        let mut chunk = Taken::default();
        if !rejections.is_empty() {
            chunk.counts.rejected = u64::try_from(rejections.len()).unwrap_or(u64::MAX);
            chunk.rejected.clone_from(rejections);
            self.store
                .reject_rows(std::mem::take(rejections), file, &self.when())?;
        }
        if !rows.is_empty() {
            let (config, now) = (self.config.clone(), self.now);
            let lost_before = self.store.lost_before()?;
            let again = imported.again;
            let admits = move |events: Option<&[Event]>, row: &FeedRow| match events {
                // A newer file may have told of it since; but that it ended elsewhere stays so.
                Some(_) if again && row.elsewhere.is_none() => Admission::Nothing,
                _ => admission(&config, events, row, lost_before, now),
            };
            let rows = std::mem::take(rows);
            let taken = self
                .store
                .take_rows(rows, file, &self.when(), Arc::new(admits))?;
            chunk.counts.add(&taken.counts);
            chunk.rejected.extend(taken.rejected);
        }
        chunk.rejected.sort_by_key(|row| row.source.line);
        imported.count(chunk);
        Ok(())
    }

    fn when(&self) -> When {
        let (config, now) = (self.config.clone(), self.now);
        let date = move |closed: &ClosedDays| books_date(&config.company, now, closed.last_closed);
        When {
            at: self.now,
            books_date: Arc::new(date),
            run: self.run.clone(),
        }
    }
}

/// What the law says to one row, given what is known of its trip.
fn admission(
    config: &Config,
    events: Option<&[Event]>,
    row: &FeedRow,
    lost_before: Option<Timestamp>,
    now: Timestamp,
) -> Admission {
    match row.entry {
        Entry::ScanCode => return Admission::Counted,
        Entry::Financial => {}
    }
    let refused = |reason: String| Admission::Rejected {
        field: None,
        reason,
    };
    let history = match events.map(History::replay).transpose() {
        Ok(history) => history,
        Err(illegal) => return refused(format!("the trip's journal is damaged: {illegal}")),
    };
    let trip = config.place(row);
    let facts = match admit(history.as_ref(), row, &trip, lost_before) {
        Admitted::Facts(facts) => facts,
        Admitted::Nothing => return Admission::Nothing,
        Admitted::Rejected { field, reason } => return Admission::Rejected { field, reason },
    };
    match standing_after(history, &facts, now) {
        Ok(standing) => {
            let unknown_store = !config.store_is_known(&row.key.store);
            Admission::Append {
                facts,
                standing,
                unknown_store,
            }
        }
        Err(reason) => refused(reason),
    }
}

fn standing_after(
    history: Option<History>,
    facts: &[Fact],
    now: Timestamp,
) -> Result<Standing, String> {
    let told = |illegal: IllegalEvent| illegal.to_string();
    let (mut history, facts) = match (history, facts) {
        (Some(history), facts) => (history, facts),
        (None, [first, rest @ ..]) => (History::begin(first).map_err(told)?, rest),
        (None, []) => return Err("a row without facts".to_owned()),
    };
    for fact in facts {
        history.apply(now, fact).map_err(told)?;
    }
    Ok(history.standing())
}

fn look(path: &Path) -> Result<Look, RunError> {
    Look::at(path).map_err(|why| failed(path, why))
}

fn failed(path: &Path, why: std::io::Error) -> RunError {
    let path = path.to_owned();
    RunError::File { path, why }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| "?".into(), |name| name.to_string_lossy())
        .into_owned()
}
