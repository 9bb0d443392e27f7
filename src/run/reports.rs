//! Reports: the processors' settlement reports become evidence in the journal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::config::ProcessorConfig;
use crate::domain::{Fact, ProcessorLine, ProcessorName};
use crate::payment_service::PaymentService;
use crate::processor::{self, ReportItem};
use crate::store::{Append, LineKey, NewLine, ProcessorFile, StoreError, StoredLine};
use crate::trips::sha256_of;

use super::RunError;
use super::draft::Draft;
use super::pass::{House, Pass};

/// Lines to a transaction, and to a page of matching.
const CHUNK: usize = 2_000;
/// A line whose trip somebody writes to is tried so often; then the next run records it.
const ROUNDS: u32 = 8;

/// Takes new report files and matches every line that belongs to a trip we know. What cannot be
/// read keeps nothing else from being taken.
///
/// # Errors
/// The first report that cannot be read; the state cannot be read or written.
pub async fn take_reports<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    let mut taken = Ok(());
    for (name, processor) in &house.config.processors {
        let of_one = take_reports_of(house, pass, name, processor).await;
        taken = taken.and(of_one);
    }
    match_lines(house, pass).await?;
    taken
}

async fn take_reports_of<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    name: &ProcessorName,
    processor: &ProcessorConfig,
) -> Result<(), RunError> {
    let Some(dir) = &processor.reports_dir else {
        return Ok(());
    };
    let files = processor::report_files(dir).map_err(|why| RunError::File {
        path: dir.clone(),
        why,
    })?;
    let mut taken = Ok(());
    for path in files {
        taken = taken.and(take_report(house, pass, name, processor, &path).await);
    }
    taken
}

async fn take_report<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    name: &ProcessorName,
    processor: &ProcessorConfig,
    path: &Path,
) -> Result<(), RunError> {
    let failed = |why| RunError::File {
        path: path.to_owned(),
        why,
    };
    if let Err(why) = house.store.refuse_own(path) {
        let why = format!(
            "{}: {why}; reports_dir must be another folder",
            path.display()
        );
        pass.tally().unreadable_files.push(why);
        return Ok(());
    }
    let sha256 = sha256_of(path).map_err(failed)?;
    if house.store.processor_file_taken(&sha256)? {
        return Ok(());
    }
    let file_name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let reader = BufReader::new(File::open(path).map_err(failed)?);
    let items = match processor::read(reader, &processor.format) {
        Ok(items) => items,
        Err(error) => {
            pass.tally()
                .unreadable_files
                .push(format!("{file_name}: {error}"));
            return Ok(());
        }
    };
    pass.begin(house).await?;
    // A report is taken whole or not at all: its hash and its lines are one transaction.
    let lines: Vec<NewLine> = items.map(new_line).collect();
    let count = |lines: usize| u64::try_from(lines).unwrap_or(u64::MAX);
    let told = count(lines.len());
    let file = ProcessorFile {
        sha256,
        processor: name.clone(),
        name: file_name,
        cumulative: processor.format.cumulative,
    };
    let now = house.clock.now();
    let kept = house
        .store
        .take_processor_lines(&file, lines, pass.books_date, now)?;
    let kept = count(kept);
    let again = told.saturating_sub(kept);
    tracing::info!(report = %file.name, kept, again, "a processor's report is taken");
    let mut tally = pass.tally();
    tally.lines_taken = tally.lines_taken.saturating_add(kept);
    tally.lines_told_again = tally.lines_told_again.saturating_add(again);
    Ok(())
}

fn new_line(item: ReportItem) -> NewLine {
    match item {
        ReportItem::Unreadable { line, reason } => NewLine::Unreadable {
            line,
            problem: reason,
        },
        ReportItem::Line(read) => NewLine::Read {
            line: read.line,
            key: LineKey {
                store: read.store,
                trip: read.trip,
                reconciliation_id: read.reconciliation_id,
            },
            amount: read.amount,
            date: read.date,
            reference: read.reference,
            kind: read.kind,
            is_capture: read.is_capture,
        },
    }
}

/// Lines of an earlier report may find their trip only now: its data or its row came later. Those
/// of one trip are recorded in their order; trips go side by side, so that they share commits.
async fn match_lines<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    let mut after = 0;
    while !house.halt.is_stopping() {
        let page = house.store.unmatched_lines(after, CHUNK)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let mut of_trips: BTreeMap<i64, Vec<StoredLine>> = BTreeMap::new();
        for line in page {
            if let Some(trip) = house.store.trip_of_line(&line.key)? {
                of_trips.entry(trip).or_default().push(line);
            }
        }
        let mut running = JoinSet::new();
        for (trip, lines) in of_trips {
            let (house, pass) = (house.clone(), pass.clone());
            running.spawn(async move {
                let recorded = record_all(&house, &pass, trip, lines).await;
                recorded.err().map(|error| (trip, error))
            });
        }
        let (mut failed, mut panicked) = (BTreeMap::new(), None);
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(ended) => failed.extend(ended),
                Err(panic) => panicked = Some(RunError::Lane(panic.to_string())),
            }
        }
        // In the order of the trips, whoever came first.
        let (of_one, of_all): (Vec<_>, Vec<_>) =
            failed.into_values().partition(RunError::is_of_one_trip);
        of_one.into_iter().for_each(|error| pass.damaged(error));
        if let Some(error) = of_all.into_iter().next().or(panicked) {
            return Err(error);
        }
    }
    Ok(())
}

async fn record_all<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
    lines: Vec<StoredLine>,
) -> Result<(), RunError> {
    for line in lines {
        let source = line.source.clone();
        if !record(house, pass, trip, line).await? {
            let warning = format!(
                "{source}: somebody else wrote to its trip each time that it was to be recorded; \
                 the next run records it"
            );
            pass.tally().warnings.push(warning);
            break;
        }
    }
    Ok(())
}

/// Records a line; false when it was left to the next run, and so are those after it.
async fn record<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
    line: StoredLine,
) -> Result<bool, RunError> {
    pass.begin(house).await?;
    let id = line.id;
    let line = ProcessorLine {
        processor: line.processor,
        source: line.source,
        amount: line.amount,
        date: line.date,
        reference: line.reference,
        line_id: id,
    };
    let fact = Fact::Line { line };
    for _ in 0..ROUNDS {
        let mut draft = Draft::after(trip, &house.store.events(trip)?)?;
        draft.add(house.clock.now(), fact.clone())?;
        let append = Append {
            line: Some(id),
            ..draft.append(pass.books_date, Some(&pass.run))
        };
        match house.store.append(append).await {
            Ok(()) => return Ok(true),
            Err(StoreError::Conflict { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(false)
}
