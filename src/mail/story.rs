//! Everything that a mail tells, as plain data: the run fills it in, the templates read it.

use serde::Serialize;

use crate::domain::{BooksDate, BreakKind, Money, RunId, Severity, Status, Timestamp, TripKey};

/// The story of one run. Lists may be longer than a mail names; the rest is counted.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    /// The run came to its end; otherwise the subject begins `NOT FINISHED`.
    pub finished: bool,
    /// Why it did not.
    pub why_not: Option<String>,
    /// The run.
    pub run: RunId,
    /// What was started: `run`, `settle`.
    pub command: String,
    /// The exit code the command ends with.
    pub exit_code: u8,
    /// When the run began.
    pub started_at: Timestamp,
    /// When it ended; the mail's date.
    pub finished_at: Timestamp,
    /// The days it closed, oldest first.
    pub days: Vec<DayClosed>,
    /// Trips this run brought to an outcome, a row per currency and outcome.
    pub outcomes: Vec<OutcomeTally>,
    /// Calls by name and reply.
    pub calls: Vec<CallTally>,
    /// What the run waited for.
    pub waits: Waits,
    /// Calls in 1000 seconds, as they were answered.
    pub calls_per_1000_seconds: u64,
    /// The service answered 5xx.
    pub incident: Option<Incident>,
    /// Captures in doubt, most urgent first.
    pub doubts: Listed,
    /// Trips whose token may die before the next planned run, most urgent first.
    pub at_risk: Listed,
    /// When the next run is planned.
    pub next_run: Option<Timestamp>,
    /// Breaks that are open, by kind.
    pub breaks: Vec<BreakTally>,
    /// How complete the transactional data is.
    pub evidence: EvidenceTally,
    /// Rows of the trip feed that were not taken.
    pub rejected_rows: u64,
    /// Warnings, each a sentence.
    pub warnings: Vec<String>,
    /// The journal's head when the mail was written, so that it is kept off the machine.
    pub journal: String,
    /// What somebody should look at beside doubts and trips at risk, each in a few words.
    pub attention: Vec<String>,
    /// What a person may want to do next.
    pub next_commands: Vec<NextCommand>,
}

/// A day that the run closed.
#[derive(Debug, Clone, Serialize)]
pub struct DayClosed {
    /// The books date.
    pub books_date: BooksDate,
    /// The edition, from 1.
    pub edition: u32,
    /// The control equation's verdict, one line.
    pub verdict: String,
    /// `summary.txt`, as published.
    pub summary: String,
    /// The folder of the published files.
    pub path: String,
}

/// Trips and money of one outcome in one currency.
#[derive(Debug, Clone, Serialize)]
pub struct OutcomeTally {
    /// The outcome.
    pub outcome: Status,
    /// How many trips.
    pub trips: u64,
    /// The sum of their cart totals.
    pub cart_total: Money,
    /// What was captured of it.
    pub captured: Money,
    /// What was booked as bad debt.
    pub bad_debt: Money,
}

/// How often a call was answered so.
#[derive(Debug, Clone, Serialize)]
pub struct CallTally {
    /// The call's name.
    pub call: String,
    /// The reply's name.
    pub reply: String,
    /// How often.
    pub calls: u64,
}

/// What a run waited for, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Waits {
    /// Pauses that the service asked for by 429.
    pub throttled: u64,
    /// How long they were, added up.
    pub throttled_ms: u64,
    /// How long calls waited to keep the rate, added up over the lanes: more than the run took
    /// where many waited side by side.
    pub paced_ms: u64,
}

/// The service answered 5xx during the run.
#[derive(Debug, Clone, Serialize)]
pub struct Incident {
    /// How many calls were answered so.
    pub calls: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// The trips concerned; the first twenty are named.
    pub trips: Vec<TripKey>,
    /// How many trips were concerned in all.
    pub trips_in_all: u64,
    /// By call and HTTP status.
    pub replies: Vec<IncidentReplies>,
}

/// How often a call was answered with this status.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentReplies {
    /// The call's name.
    pub call: String,
    /// The HTTP status.
    pub status: u16,
    /// How often.
    pub calls: u64,
}

/// Trips by name, the first of perhaps many.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Listed {
    /// The trips; the first twenty are named.
    pub trips: Vec<TripAtStake>,
    /// How many there are in all.
    pub in_all: u64,
}

/// A trip that somebody may have to act on.
#[derive(Debug, Clone, Serialize)]
pub struct TripAtStake {
    /// Its name.
    pub trip: TripKey,
    /// What is at stake.
    pub amount: Money,
    /// When its payment token dies.
    pub deadline: Timestamp,
    /// What is known, in a few words.
    pub note: String,
}

/// Open breaks of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct BreakTally {
    /// The kind.
    pub kind: BreakKind,
    /// How much it matters.
    pub severity: Severity,
    /// How many are open.
    pub open: u64,
}

/// How many captures have their transactional data.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct EvidenceTally {
    /// Captures initiated.
    pub initiated: u64,
    /// Captures whose transactional data is here.
    pub evidenced: u64,
    /// When the oldest capture without it was initiated.
    pub oldest_missing: Option<Timestamp>,
}

/// A command worth running, and why.
#[derive(Debug, Clone, Serialize)]
pub struct NextCommand {
    /// The command line.
    pub command: String,
    /// What it is good for.
    pub why: String,
}
