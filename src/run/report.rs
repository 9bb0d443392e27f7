//! The report of a run: what it did, what stands, and the exit code that says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{BooksDate, BreakKind, Timestamp};
use crate::payment_service::PaymentService;

use super::RunError;
use super::outbox;
use super::pass::{House, Pass};
use super::tally::Tally;
use crate::store::{EvidenceCount, NamedTrips};

/// How many doubts or trips at risk a report names.
pub const NAMED: usize = 100;
/// Where the trips at risk that a mail has told of are remembered.
const AT_RISK_TOLD: &str = "at_risk_told";

/// One published edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// The books date.
    pub books_date: BooksDate,
    /// The edition.
    pub edition: u32,
    /// The control equation's verdict: the first line of `summary.txt`.
    pub verdict: String,
    /// The folder with the files.
    pub path: String,
    /// Open breaks of warning or critical weight, refusals among them.
    pub attention: u64,
    /// Open breaks by kind.
    pub breaks: BTreeMap<BreakKind, u64>,
    /// Rows of the feed that were rejected.
    pub rejected: u64,
    /// `summary.txt`.
    #[serde(skip)]
    pub summary: String,
    /// True for one that an earlier run has closed, and not told of.
    #[serde(skip)]
    pub is_found: bool,
}

/// A trip that somebody should know about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// `STORE/TRIP_ID`.
    pub trip: String,
    /// The amount with its currency.
    pub amount: String,
    /// When the token is expected to die.
    pub expires_at: String,
    /// The status.
    pub status: String,
}

/// A run's report; `--json` prints it, the run's row keeps it, the mail tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The version of this shape.
    pub schema: &'static str,
    /// The run's id.
    pub run: String,
    /// `run`, `settle` or `backfill`.
    pub command: &'static str,
    /// When it started.
    pub started_at: String,
    /// When it ended.
    pub finished_at: String,
    /// The accounting date of what it learnt.
    pub books_date: BooksDate,
    /// True when nothing stopped it.
    pub finished: bool,
    /// Why it stopped early, in words.
    pub why_not: Option<String>,
    /// The exit code.
    pub exit_code: u8,
    /// The days it closed.
    pub closed: Vec<Closed>,
    /// Captures in doubt that stand, at most 100 of them named.
    pub doubts: Vec<Named>,
    /// How many captures in doubt stand.
    pub doubts_standing: u64,
    /// Trips at risk before the next planned run, at most 100 of them named.
    pub at_risk: Vec<Named>,
    /// How many trips are at risk.
    pub at_risk_standing: u64,
    /// Refused trips that stand.
    pub refused_standing: u64,
    /// Captures initiated, and how many of them have their transactional data.
    pub evidence: Evidence,
    /// The next planned run.
    pub next_run: String,
    /// The journal's head, so that it is told off the machine.
    pub journal: String,
    /// The counters.
    pub tally: Tally,
    /// [`RunReport::finished_at`] as an instant.
    #[serde(skip)]
    pub ended_at: Timestamp,
    /// [`RunReport::doubts`] as found.
    #[serde(skip)]
    pub doubts_found: NamedTrips,
    /// [`RunReport::at_risk`] as found.
    #[serde(skip)]
    pub at_risk_found: NamedTrips,
    /// Since when the oldest transactional data is awaited.
    #[serde(skip)]
    pub oldest_missing_at: Option<Timestamp>,
    /// [`RunReport::evidence`] as counted.
    #[serde(skip)]
    pub evidence_counted: EvidenceCount,
}

impl RunReport {
    /// Rows of the trip feed that this run could not take.
    pub fn rejected(&self) -> u64 {
        self.tally.feed.get("rejected").copied().unwrap_or(0)
    }
}

/// Completeness of the evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Captures initiated.
    pub initiated: u64,
    /// Of these, with transactional data.
    pub evidenced: u64,
    /// When the oldest capture without data was initiated.
    pub oldest_missing: Option<String>,
}

/// Ends a run: counts what stands, chooses the exit code, keeps the report with the run and
/// mails it. An idle `settle` leaves no trace.
///
/// # Errors
/// The state cannot be read or written; the error that ended the run, if it did, comes first.
pub async fn finish<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    closed: Vec<Closed>,
    done: Result<(), RunError>,
) -> Result<RunReport, RunError> {
    let finished_at = house.clock.now();
    let report = standing_report(house, pass, closed, done.as_ref().err(), finished_at);
    let ended = match report {
        Ok(report) => keep(house, pass, &report).await.map(|()| report),
        Err(error) => Err(error),
    };
    let delivered = outbox::deliver(house).await;
    // The first thing that went wrong is what a person must know.
    match (done, ended, delivered) {
        (Err(first), Err(_), _) => Err(first),
        (_, Ok(report), Ok(())) | (Err(_), Ok(report), Err(_)) => Ok(report),
        (Ok(()), Err(error), _) | (Ok(()), Ok(_), Err(error)) => Err(error),
    }
}

/// Keeps the report, and the mail if it is worth one. Where the state does not take them (its disk
/// is full, as a rule) the mail goes out all the same: that is when somebody must know.
async fn keep<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    report: &RunReport,
) -> Result<(), RunError> {
    let told = told_of(house)?;
    let worth_a_mail = worth_a_mail(report, &told);
    if let Err(error) = write_down(house, pass, report, worth_a_mail).await {
        if worth_a_mail {
            let report = unkept(report, &error, house.halt.exit_code());
            outbox::send_unkept(house, pass, &report).await;
        }
        return Err(error);
    }
    if worth_a_mail {
        tell_of(house, report, &told)?;
    }
    Ok(())
}

async fn write_down<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    report: &RunReport,
    worth_a_mail: bool,
) -> Result<(), RunError> {
    if worth_a_mail {
        pass.begin(house).await?;
    }
    if pass.has_begun() {
        outbox::keep(house, pass, report, worth_a_mail)?;
    }
    Ok(())
}

/// The report of a run that ends with this error at the very last.
fn unkept(report: &RunReport, error: &RunError, stop: u8) -> RunReport {
    let mut report = report.clone();
    report.finished = false;
    report.why_not.get_or_insert_with(|| error.to_string());
    report.exit_code = exit_code(&report, Some(error.exit_code()), stop);
    report
}

/// Every `run` is; a `settle` only for a new doubt or a trip that is newly at risk.
fn worth_a_mail(report: &RunReport, told: &BTreeSet<i64>) -> bool {
    match report.command {
        "run" => true,
        "settle" => report.tally.new_doubts > 0 || !at_risk(report).is_subset(told),
        _ => false,
    }
}

fn at_risk(report: &RunReport) -> BTreeSet<i64> {
    report
        .at_risk_found
        .named
        .iter()
        .map(|trip| trip.id)
        .collect()
}

/// The trips at risk that the last mail has told of.
fn told_of<S>(house: &House<S>) -> Result<BTreeSet<i64>, RunError> {
    let json = house.store.memo(AT_RISK_TOLD)?;
    let told = json.and_then(|json| serde_json::from_str(&json).ok());
    Ok(told.unwrap_or_default())
}

fn tell_of<S>(house: &House<S>, report: &RunReport, told: &BTreeSet<i64>) -> Result<(), RunError> {
    let at_risk = at_risk(report);
    if at_risk == *told {
        return Ok(());
    }
    let json = serde_json::to_string(&at_risk).unwrap_or_default();
    Ok(house.store.set_memo(AT_RISK_TOLD, &json)?)
}

fn standing_report<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    closed: Vec<Closed>,
    error: Option<&RunError>,
    finished_at: Timestamp,
) -> Result<RunReport, RunError> {
    let doubts = house.store.doubts(NAMED)?;
    let at_risk = house.store.at_risk(pass.next_run, NAMED)?;
    let (evidence, oldest_missing) = (house.store.evidence()?, house.store.oldest_missing()?);
    let why = house.halt.why();
    let why_not = error
        .map(ToString::to_string)
        .or(why.as_ref().map(|why| why.sentence()));
    let waited = u64::try_from(pass.pacer.waiting().as_millis()).unwrap_or(u64::MAX);
    pass.tally().paced_ms = waited;
    let mut report = RunReport {
        schema: "tripsettle.run/1",
        run: pass.run.to_string(),
        command: pass.command,
        started_at: pass.started_at.to_string(),
        finished_at: finished_at.to_string(),
        books_date: pass.books_date,
        finished: why_not.is_none(),
        why_not,
        exit_code: 0,
        closed,
        doubts: doubts.named.iter().map(named).collect(),
        doubts_standing: doubts.count,
        at_risk: at_risk.named.iter().map(named).collect(),
        at_risk_standing: at_risk.count,
        refused_standing: house.store.refused()?,
        evidence: Evidence {
            initiated: evidence.initiated,
            evidenced: evidence.evidenced,
            oldest_missing: oldest_missing.map(|at| at.to_string()),
        },
        next_run: pass.next_run.to_string(),
        journal: house.store.head(i64::MAX)?.to_string(),
        tally: pass.tally().clone(),
        ended_at: finished_at,
        doubts_found: doubts,
        at_risk_found: at_risk,
        oldest_missing_at: oldest_missing,
        evidence_counted: evidence,
    };
    let error = error.map(RunError::exit_code);
    report.exit_code = exit_code(&report, error, house.halt.exit_code());
    Ok(report)
}

fn named(trip: &crate::store::NamedTrip) -> Named {
    Named {
        trip: trip.key.to_string(),
        amount: trip.amount.to_string(),
        expires_at: trip.expires_at.to_string(),
        status: trip.status.as_str().to_owned(),
    }
}

/// The largest code that applies, but 1 beats all.
pub fn exit_code(report: &RunReport, error: Option<u8>, stop: u8) -> u8 {
    let attention = report.refused_standing > 0
        || report.tally.feed.get("rejected").is_some_and(|n| *n > 0)
        || !report.tally.unreadable_files.is_empty()
        || report
            .closed
            .iter()
            .any(|day| day.attention > 0 || day.rejected > 0);
    let danger = report.tally.expired > 0 || report.at_risk_standing > 0;
    let codes = [
        (attention, 10),
        (report.doubts_standing > 0, 11),
        (danger, 12),
        (true, stop),
        (error.is_some(), error.unwrap_or(0)),
    ];
    let applying = codes
        .iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, code)| *code);
    if error == Some(1) {
        1
    } else {
        applying.max().unwrap_or(0)
    }
}
