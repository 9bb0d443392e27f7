//! What a run did, counted while it runs: kept with the run and told in the mail.
//!
//! No published file is made from it; those are functions of the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Call, Heard, Money, Timestamp, TripKey};

/// How many trips an incident names.
const NAMED_TRIPS: usize = 20;

/// The service answered 5xx: what an incident report needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Calls so answered.
    pub calls: u64,
    /// When the first was answered.
    pub first: Option<String>,
    /// When the last was answered.
    pub last: Option<String>,
    /// Calls by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// The first trips concerned.
    pub trips: Vec<String>,
    /// How many trips were concerned (counted per call once the list is full).
    pub trips_concerned: u64,
}

/// Count and money, the money as text per currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountAndMoney {
    /// How many.
    pub count: u64,
    /// Minor units per currency.
    pub minor: BTreeMap<String, i64>,
}

impl CountAndMoney {
    /// Counts one more of `money`.
    pub fn add(&mut self, money: Money) {
        self.count = self.count.saturating_add(1);
        let sum = self
            .minor
            .entry(money.currency().code().to_owned())
            .or_default();
        *sum = sum.saturating_add(money.minor());
    }
}

/// The counters of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Calls by name and reply, e.g. `adjust` → `approved` → 12.
    pub calls: BTreeMap<String, BTreeMap<String, u64>>,
    /// Sum of the calls' latencies in milliseconds.
    pub latency_ms: u64,
    /// The longest call in milliseconds.
    pub slowest_ms: u64,
    /// Milliseconds that lanes spent waiting for the rate limit, added up.
    pub paced_ms: u64,
    /// How often the service asked for a pause, and for how long in all.
    pub pauses: u64,
    /// Milliseconds of pauses asked for.
    pub pause_ms: u64,
    /// 5xx answers.
    pub incident: Incident,
    /// Trips that came to an end in this run, by outcome.
    pub outcomes: BTreeMap<String, CountAndMoney>,
    /// New doubts of this run.
    pub new_doubts: u64,
    /// Trips that expired in this run.
    pub expired: u64,
    /// Feed rows by what became of them.
    pub feed: BTreeMap<String, u64>,
    /// Processor lines taken.
    pub lines_taken: u64,
    /// Files that could not be read as a whole, with the reason.
    pub unreadable_files: Vec<String>,
    /// Warnings for people.
    pub warnings: Vec<String>,
}

impl Tally {
    /// Counts one call and its reply.
    pub fn count_call(
        &mut self,
        key: &TripKey,
        call: &Call,
        heard: &Heard,
        took_ms: u64,
        at: Timestamp,
    ) {
        let by_reply = self.calls.entry(call.name().to_owned()).or_default();
        let count = by_reply.entry(heard.reply.name().to_owned()).or_default();
        *count = count.saturating_add(1);
        self.latency_ms = self.latency_ms.saturating_add(took_ms);
        self.slowest_ms = self.slowest_ms.max(took_ms);
        if let Some(status) = heard.status.filter(|status| *status >= 500) {
            self.count_incident(key, status, at);
        }
    }

    fn count_incident(&mut self, key: &TripKey, status: u16, at: Timestamp) {
        let incident = &mut self.incident;
        incident.calls = incident.calls.saturating_add(1);
        incident.first.get_or_insert_with(|| at.to_string());
        incident.last = Some(at.to_string());
        let count = incident.statuses.entry(status).or_default();
        *count = count.saturating_add(1);
        let name = key.to_string();
        if incident.trips.contains(&name) {
            return;
        }
        incident.trips_concerned = incident.trips_concerned.saturating_add(1);
        if incident.trips.len() < NAMED_TRIPS {
            incident.trips.push(name);
        }
    }

    /// How many calls were made, whatever the reply.
    pub fn calls_made(&self) -> u64 {
        self.calls
            .values()
            .flat_map(BTreeMap::values)
            .fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// How many calls of this name got this reply.
    pub fn calls_of(&self, call: &str, reply: &str) -> u64 {
        self.calls
            .get(call)
            .and_then(|by| by.get(reply))
            .copied()
            .unwrap_or(0)
    }

    /// Adds `n` to what became of feed rows under `word`.
    pub fn count_feed(&mut self, word: &str, n: u64) {
        if n > 0 {
            let count = self.feed.entry(word.to_owned()).or_default();
            *count = count.saturating_add(n);
        }
    }
}
