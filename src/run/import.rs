//! Import: trip files to journal, in chunks that are one short transaction each.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::config::Config;
use crate::domain::{
    ClosedDays, Entry, Event, Fact, FeedRow, Rejection, RunId, Source, Standing, Timestamp,
};
use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::settlement::{Admitted, History, IllegalEvent, admit};
use crate::store::{Admission, FeedFile, Store, TakenCounts, When};
use crate::trips::{self, Item};

use super::RunError;
use super::books_date::books_date;
use super::pass::{House, Pass};

/// Rows to a transaction: short enough for a run beside it, long enough to share one fsync.
const CHUNK: usize = 2_000;

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
    /// Takes one file. Rows that cannot be taken are kept as rejections; the others go on.
    ///
    /// # Errors
    /// The state cannot be written, or the file cannot be opened.
    pub fn file(&self, path: &Path) -> Result<Imported, RunError> {
        let name = file_name(path);
        let opened = |why: std::io::Error| RunError::File {
            path: path.to_owned(),
            why,
        };
        let sha256 = trips::sha256_of(path).map_err(opened)?;
        let mut imported = Imported {
            file: name.clone(),
            ..Imported::default()
        };
        if self.store.feed_file_taken(&sha256)? {
            imported.taken_before = true;
            return Ok(imported);
        }
        let digest: String = sha256.chars().take(16).collect();
        let file = FeedFile {
            sha256,
            name: name.clone(),
        };
        let Some(format) = trips::format_of(path) else {
            let why = "the name ends neither in .csv nor in .jsonl or .ndjson";
            return self.unreadable(imported, &file, why);
        };
        let reader = BufReader::new(File::open(path).map_err(opened)?);
        let (mut rows, mut rejections) = (Vec::new(), Vec::new());
        for item in trips::read(reader, format, &name, self.now) {
            match item {
                Ok(Item::Row(mut row)) => {
                    row.source.digest.clone_from(&digest);
                    rows.push(row);
                }
                Ok(Item::Rejected(rejection)) => rejections.push(rejection),
                Err(error) => {
                    self.chunk(&file, &mut rows, &mut rejections, &mut imported.counts)?;
                    return self.unreadable(imported, &file, &error.to_string());
                }
            }
            if rows.len().max(rejections.len()) >= CHUNK {
                self.chunk(&file, &mut rows, &mut rejections, &mut imported.counts)?;
            }
        }
        self.chunk(&file, &mut rows, &mut rejections, &mut imported.counts)?;
        self.store
            .finish_feed_file(&file, self.now, &imported.counts)?;
        Ok(imported)
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
        counts: &mut TakenCounts,
    ) -> Result<(), RunError> {
        if !rejections.is_empty() {
            let n = u64::try_from(rejections.len()).unwrap_or(u64::MAX);
            self.store
                .reject_rows(std::mem::take(rejections), file, &self.when())?;
            counts.rejected = counts.rejected.saturating_add(n);
        }
        if !rows.is_empty() {
            let (config, now) = (self.config.clone(), self.now);
            let lost_before = self.store.lost_before()?;
            let admits = move |events: Option<&[Event]>, row: &FeedRow| {
                admission(&config, events, row, lost_before, now)
            };
            let rows = std::mem::take(rows);
            counts.add(
                &self
                    .store
                    .take_rows(rows, file, &self.when(), Arc::new(admits))?,
            );
        }
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

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| "?".into(), |name| name.to_string_lossy())
        .into_owned()
}

/// Takes every file of the inbox, in byte order of name; a taken file moves to `taken/` after
/// commit. A file that cannot be read as a whole stays, for a person to mend; the first one that
/// cannot be opened or moved is given beside what was taken.
///
/// # Errors
/// The inbox or the state cannot be read or written.
pub fn inbox(importer: &Importer<'_>) -> Result<(Vec<Imported>, Option<RunError>), RunError> {
    let dir = &importer.config.inbox_dir;
    let failed = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |why| RunError::File { path, why }
    };
    let (mut all, mut first) = (Vec::new(), None);
    for mut path in trips::inbox_files(dir).map_err(failed(dir))? {
        if planted::is(Bug::InboxMovedFirst) {
            path = trips::move_to_taken(&path).map_err(failed(&path))?;
        }
        let imported = importer.file(&path).and_then(|imported| {
            if imported.unreadable.is_none() {
                trips::move_to_taken(&path).map_err(failed(&path))?;
            }
            Ok(imported)
        });
        match imported {
            Ok(imported) => all.push(imported),
            // One file that cannot be opened or moved does not keep the others waiting.
            Err(error @ RunError::File { .. }) => {
                first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((all, first))
}

/// The inbox as a part of a pass: what was taken is counted, an idle one leaves no trace.
///
/// # Errors
/// The inbox or the state cannot be read or written.
pub async fn take_inbox<S: PaymentService>(house: &House<S>, pass: &Pass) -> Result<(), RunError> {
    let waiting = trips::inbox_files(&house.config.inbox_dir);
    let dir = || house.config.inbox_dir.clone();
    if waiting
        .map_err(|why| RunError::File { path: dir(), why })?
        .is_empty()
    {
        return Ok(());
    }
    pass.begin(house).await?;
    let (config, now) = (house.config.clone(), house.clock.now());
    let run = Some(pass.run.clone());
    let (imported, trouble) = inbox(&Importer {
        config,
        store: &house.store,
        now,
        run,
    })?;
    let mut tally = pass.tally();
    for file in imported {
        for (word, count) in file.counts.by_word() {
            tally.count_feed(word, count);
        }
        if let Some(why) = file.unreadable {
            tally.unreadable_files.push(format!("{}: {why}", file.file));
        }
    }
    trouble.map_or(Ok(()), Err)
}
