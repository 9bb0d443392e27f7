//! `status`: where everything stands, and how the last runs went.

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::{Money, Timestamp};
use crate::store::{NamedTrips, RunRow, StatusCount, Store};

use super::args::StatusArgs;
use super::exit::Failure;
use super::print::Output;
use super::{state, wire};

/// How many trips a list names.
const NAMED: usize = 20;

/// `status`.
pub fn status(
    config: &Config,
    args: &StatusArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let store = state::open(config, now)?;
    let next_run = wire::schedule(config)?.next_run(now);
    let status = Status::of(&store, args.runs, next_run)?;
    output.either(&status.as_json(), &status.as_text());
    Ok(0)
}

struct Status {
    next_run: Timestamp,
    last_closed: Option<String>,
    counts: Vec<StatusCount>,
    initiated: u64,
    evidenced: u64,
    doubts: NamedTrips,
    at_risk: NamedTrips,
    mails_waiting: u64,
    runs: Vec<RunRow>,
}

impl Status {
    fn of(store: &Store, runs: u32, next_run: Timestamp) -> Result<Self, Failure> {
        let evidence = store.evidence()?;
        Ok(Self {
            next_run,
            last_closed: store
                .closed_days()?
                .last_closed
                .map(|date| date.to_string()),
            initiated: evidence.initiated,
            evidenced: evidence.evidenced,
            counts: store.counts()?,
            doubts: store.doubts(NAMED)?,
            at_risk: store.at_risk(next_run, NAMED)?,
            mails_waiting: store.mails_waiting()?,
            runs: store.runs(runs)?,
        })
    }

    fn as_text(&self) -> String {
        let closed = self.last_closed.as_deref().unwrap_or("none yet");
        let mut lines = vec![
            format!(
                "last closed books date: {closed}; next planned run: {}",
                self.next_run
            ),
            format!(
                "evidence: {} of {} captures",
                self.evidenced, self.initiated
            ),
        ];
        for count in &self.counts {
            let total = Money::of_minor(count.cart_total, count.currency);
            lines.push(format!(
                "{:<17} {:>8} trips  {total:>20}",
                count.status, count.trips
            ));
        }
        for (word, trips) in [("in doubt", &self.doubts), ("at risk", &self.at_risk)] {
            if trips.count > 0 {
                lines.push(format!("{word}: {}", trips.count));
            }
            for trip in &trips.named {
                let (key, amount, dies) = (&trip.key, &trip.amount, trip.expires_at);
                lines.push(format!("  {key}  {amount}  token dies {dies}"));
            }
        }
        if self.mails_waiting > 0 {
            lines.push(format!(
                "mails waiting in the outbox: {}",
                self.mails_waiting
            ));
        }
        for run in &self.runs {
            let end = run
                .exit_code
                .map_or("did not end".to_owned(), |code| format!("exit {code}"));
            lines.push(format!(
                "{} {:<8} {end}  {}",
                run.started_at, run.command, run.id
            ));
        }
        lines.join("\n") + "\n"
    }

    fn as_json(&self) -> Value {
        let text =
            |minor, count: &StatusCount| Money::of_minor(minor, count.currency).decimal_text();
        let counts = self.counts.iter().map(|count| {
            json!({
                "status": count.status.as_str(),
                "currency": count.currency.code(),
                "trips": count.trips,
                "cart_total": text(count.cart_total, count),
                "captured": text(count.captured, count),
                "bad_debt": text(count.bad_debt, count),
                "in_doubt": text(count.in_doubt, count),
                "open": text(count.open, count),
            })
        });
        json!({
            "schema": "tripsettle.status/1",
            "next_run": self.next_run.to_string(),
            "last_closed": self.last_closed,
            "captures_initiated": self.initiated,
            "captures_evidenced": self.evidenced,
            "trips": counts.collect::<Vec<_>>(),
            "doubts": named(&self.doubts),
            "at_risk": named(&self.at_risk),
            "mails_waiting": self.mails_waiting,
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
        })
    }
}

fn named(trips: &NamedTrips) -> Value {
    let named = trips.named.iter().map(|trip| {
        json!({
            "trip": trip.key.to_string(),
            "amount": trip.amount.decimal_text(),
            "currency": trip.amount.currency().code(),
            "expires_at": trip.expires_at.to_string(),
            "status": trip.status.as_str(),
        })
    });
    json!({ "count": trips.count, "named": named.collect::<Vec<_>>() })
}

/// The run with its report as it was kept: calls, waits and timings among it.
fn run(run: &RunRow) -> Value {
    let report = run.report.as_deref().map(serde_json::from_str::<Value>);
    json!({
        "run": run.id,
        "command": run.command,
        "started_at": run.started_at.to_string(),
        "finished_at": run.finished_at.map(|at| at.to_string()),
        "exit_code": run.exit_code,
        "report": report.and_then(Result::ok),
    })
}
