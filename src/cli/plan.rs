//! `plan`: what a run would do now; sends nothing.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::{Money, Timestamp};
use crate::run::{CountAndMoney, Plan, batches};
use crate::trips::inbox_files;

use super::exit::Failure;
use super::print::{Output, many, trips};
use super::{state, wire};

/// `plan`.
pub fn plan(config: &Config, now: Timestamp, output: &Output) -> Result<u8, Failure> {
    let schedule = wire::schedule(config)?;
    let store = state::open(config, now)?;
    let next_run = schedule.next_run(now);
    let plan = batches::sweep(config, &store, next_run, now)?;
    // Only counted: whoever cannot look into the inbox may still see the plan.
    let waiting = inbox_files(&config.inbox_dir).map(|files| files.len());
    let mut json = as_json(&plan, now, next_run);
    json["inbox_files"] = json!(waiting.as_ref().ok());
    let mut text = as_text(&plan, now, next_run);
    text.push_str(&of_inbox(waiting, &config.inbox_dir));
    output.either(&json, &text);
    Ok(0)
}

fn of_inbox(waiting: io::Result<usize>, dir: &Path) -> String {
    match waiting {
        Ok(0) => String::new(),
        Ok(1) => "1 file waits in the inbox; what it holds is not counted here\n".to_owned(),
        Ok(n) => format!("{n} files wait in the inbox; what they hold is not counted here\n"),
        Err(why) => format!("{} cannot be read: {why}\n", dir.display()),
    }
}

fn amounts(counted: &CountAndMoney) -> String {
    let sums = counted.minor.iter();
    let sums: Vec<String> = sums
        .map(|(currency, minor)| Money::of_minor(*minor, *currency).to_string())
        .collect();
    sums.join(", ")
}

fn as_text(plan: &Plan, now: Timestamp, next_run: Timestamp) -> String {
    let mut lines = vec![
        format!("as of {now}; the next planned run is {next_run}"),
        format!(
            "due now: {}; {} can wait",
            many(plan.due, "trip"),
            plan.waiting
        ),
    ];
    for (word, counted) in &plan.by_call {
        lines.push(format!(
            "  {word:<8} {:>8} {}  {}",
            counted.trips,
            trips(counted.trips),
            amounts(counted)
        ));
    }
    if plan.due > 0 {
        lines.push("by hour of deadline:".to_owned());
    }
    for (hour, counted) in &plan.by_hour {
        lines.push(format!(
            "  {hour}  {:>8} {}  {}",
            counted.trips,
            trips(counted.trips),
            amounts(counted)
        ));
    }
    let (calls, seconds) = (many(plan.calls_needed, "call"), plan.seconds_needed);
    lines.push(format!("at least {calls}, {seconds} s at the granted rate"));
    if plan.will_not_fit.trips > 0 {
        let count = many(plan.will_not_fit.trips, "trip");
        let money = amounts(&plan.will_not_fit);
        lines.push(format!("WILL NOT FIT THE RATE: {count}  {money}"));
    }
    if plan.already_lost.trips > 0 {
        let count = many(plan.already_lost.trips, "trip");
        let money = amounts(&plan.already_lost);
        lines.push(format!(
            "token dead by our reckoning, asked once: {count}  {money}"
        ));
    }
    lines.join("\n") + "\n"
}

fn counted(counted: &CountAndMoney) -> Value {
    let sums = counted.minor.iter().map(|(currency, minor)| {
        let text = Money::of_minor(*minor, *currency).decimal_text();
        (currency.code().to_owned(), json!(text))
    });
    json!({ "trips": counted.trips, "money": sums.collect::<serde_json::Map<_, _>>() })
}

fn as_json(plan: &Plan, now: Timestamp, next_run: Timestamp) -> Value {
    let by_call = plan
        .by_call
        .iter()
        .map(|(word, sums)| ((*word).to_owned(), counted(sums)));
    let by_hour = plan
        .by_hour
        .iter()
        .map(|(hour, sums)| (hour.to_string(), counted(sums)));
    json!({
        "schema": "tripsettle.plan/1",
        "as_of": now.to_string(),
        "next_run": next_run.to_string(),
        "due": plan.due,
        "waiting": plan.waiting,
        "by_call": by_call.collect::<serde_json::Map<_, _>>(),
        "by_hour": by_hour.collect::<serde_json::Map<_, _>>(),
        "will_not_fit": counted(&plan.will_not_fit),
        "already_lost": counted(&plan.already_lost),
        "calls_needed": plan.calls_needed,
        "seconds_needed": plan.seconds_needed,
    })
}
