//! What a run did, counted while it runs: kept with the run and told in the mail.
//!
//! No published file is made from it; those are functions of the journal.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::domain::{Balances, Call, Currency, Heard, Money, Status, Timestamp, TripKey};

/// How many pauses are kept with a run.
const KEPT_SLOWDOWNS: usize = 200;
/// How many trips an incident names.
const NAMED_TRIPS: usize = 20;

/// The service answered 5xx: what an incident report needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// Calls so answered.
    pub calls: u64,
    /// When the first was answered.
    #[serde(serialize_with = "text")]
    pub first: Timestamp,
    /// When the last was answered.
    #[serde(serialize_with = "text")]
    pub last: Timestamp,
    /// Calls by name and HTTP status.
    pub replies: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// The first trips concerned.
    #[serde(serialize_with = "texts")]
    pub trips: Vec<TripKey>,
    /// How many trips were concerned (counted per call once the list is full).
    pub trips_concerned: u64,
}

/// Trips that came to an outcome in this run, and their money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// How many.
    pub trips: u64,
    /// The sum of their cart totals.
    #[serde(serialize_with = "text")]
    pub cart_total: Money,
    /// What was captured of it.
    #[serde(serialize_with = "text")]
    pub captured: Money,
    /// What was booked as bad debt.
    #[serde(serialize_with = "text")]
    pub bad_debt: Money,
}

impl Outcome {
    fn add(&mut self, balances: &Balances) {
        self.trips = self.trips.saturating_add(1);
        for (sum, part) in self.with(balances) {
            *sum = sum.plus(part).unwrap_or(*sum);
        }
    }

    fn take_back(&mut self, balances: &Balances) {
        self.trips = self.trips.saturating_sub(1);
        for (sum, part) in self.with(balances) {
            *sum = sum.minus(part).unwrap_or(*sum);
        }
    }

    fn with(&mut self, balances: &Balances) -> [(&mut Money, Money); 3] {
        let money = |minor| Money::of_minor(minor, balances.currency);
        [
            (&mut self.cart_total, money(balances.cart_total)),
            (&mut self.captured, money(balances.captured)),
            (&mut self.bad_debt, money(balances.bad_debt)),
        ]
    }
}

/// The service asked for a pause: what became of the rate. Together they are the run's curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slowdown {
    /// When.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// How long nobody calls, in milliseconds: what it asked for, or our own pause.
    pub pause_ms: u64,
    /// The rate from the end of the pause, in calls per thousand seconds.
    pub calls_per_1000_seconds: u64,
}

/// The counters of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Calls by name and reply, e.g. `adjust` → `approved` → 12.
    pub calls: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Sum of the calls' latencies in milliseconds.
    pub latency_ms: u64,
    /// The longest call in milliseconds.
    pub slowest_ms: u64,
    /// Milliseconds that calls waited to keep the rate, without pauses, added up over the lanes.
    pub paced_ms: u64,
    /// How often the service asked for a pause.
    pub pauses: u64,
    /// Milliseconds of pauses asked for.
    pub pause_ms: u64,
    /// The first pauses, and the rate after each.
    pub slowdowns: Vec<Slowdown>,
    /// 5xx answers, if there were any.
    pub incident: Option<Incident>,
    /// Trips that came to an outcome in this run.
    pub outcomes: BTreeMap<Status, BTreeMap<Currency, Outcome>>,
    /// New doubts of this run.
    pub new_doubts: u64,
    /// Trips that expired in this run.
    pub expired: u64,
    /// Feed rows by what became of them.
    pub feed: BTreeMap<&'static str, u64>,
    /// Processor lines taken.
    pub lines_taken: u64,
    /// Lines of cumulative reports that earlier ones told; they are left out.
    pub lines_told_again: u64,
    /// Files that could not be read as a whole, with the reason.
    pub unreadable_files: Vec<String>,
    /// Warnings for people.
    pub warnings: Vec<String>,
}

impl Tally {
    /// Counts a pause that is longer than the one in force by `longer_ms`.
    pub fn count_pause(&mut self, longer_ms: u64, slowdown: Slowdown) {
        self.pauses = self.pauses.saturating_add(1);
        self.pause_ms = self.pause_ms.saturating_add(longer_ms);
        if self.slowdowns.len() < KEPT_SLOWDOWNS {
            self.slowdowns.push(slowdown);
        }
    }

    /// Counts one call and its reply.
    pub fn count_call(
        &mut self,
        key: &TripKey,
        call: &Call,
        heard: &Heard,
        took_ms: u64,
        at: Timestamp,
    ) {
        let by_reply = self.calls.entry(call.name()).or_default();
        let count = by_reply.entry(heard.reply.name()).or_default();
        *count = count.saturating_add(1);
        self.latency_ms = self.latency_ms.saturating_add(took_ms);
        self.slowest_ms = self.slowest_ms.max(took_ms);
        if let Some(status) = heard.status.filter(|status| *status >= 500) {
            self.count_incident(key, call, status, at);
        }
    }

    fn count_incident(&mut self, key: &TripKey, call: &Call, status: u16, at: Timestamp) {
        let incident = self.incident.get_or_insert_with(|| Incident {
            calls: 0,
            first: at,
            last: at,
            replies: BTreeMap::new(),
            trips: Vec::new(),
            trips_concerned: 0,
        });
        incident.calls = incident.calls.saturating_add(1);
        incident.last = at;
        let by_status = incident.replies.entry(call.name()).or_default();
        let count = by_status.entry(status).or_default();
        *count = count.saturating_add(1);
        if incident.trips.contains(key) {
            return;
        }
        incident.trips_concerned = incident.trips_concerned.saturating_add(1);
        if incident.trips.len() < NAMED_TRIPS {
            incident.trips.push(key.clone());
        }
    }

    /// Counts a trip that came to `status`.
    pub fn count_outcome(&mut self, status: Status, balances: &Balances) {
        let zero = Money::zero(balances.currency);
        let by_currency = self.outcomes.entry(status).or_default();
        let fresh = Outcome {
            trips: 0,
            cart_total: zero,
            captured: zero,
            bad_debt: zero,
        };
        by_currency
            .entry(balances.currency)
            .or_insert(fresh)
            .add(balances);
        match status {
            Status::InDoubt => self.new_doubts = self.new_doubts.saturating_add(1),
            Status::Expired => self.expired = self.expired.saturating_add(1),
            Status::Captured
            | Status::CapturedPartial
            | Status::Cancelled
            | Status::WrittenOff
            | Status::Refused
            | Status::Open => {}
        }
    }

    /// Takes back that a trip came to be in doubt in this run: it did not stay so.
    pub fn uncount_doubt(&mut self, balances: &Balances) {
        self.new_doubts = self.new_doubts.saturating_sub(1);
        let Some(by_currency) = self.outcomes.get_mut(&Status::InDoubt) else {
            return;
        };
        if let Some(outcome) = by_currency.get_mut(&balances.currency) {
            outcome.take_back(balances);
        }
        by_currency.retain(|_, outcome| outcome.trips > 0);
        self.outcomes
            .retain(|_, by_currency| !by_currency.is_empty());
    }

    /// How many calls were made, whatever the reply.
    pub fn calls_made(&self) -> u64 {
        let counts = self.calls.values().flat_map(BTreeMap::values);
        counts.fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// How many money-moving calls were made.
    pub fn money_calls_made(&self) -> u64 {
        let moving = self
            .calls
            .iter()
            .filter(|(name, _)| **name != Call::TransactionalData.name());
        let counts = moving.flat_map(|(_, by_reply)| by_reply.values());
        counts.fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// How many calls of this name got this reply.
    pub fn calls_of(&self, call: &str, reply: &str) -> u64 {
        let by_reply = self.calls.get(call);
        by_reply
            .and_then(|by_reply| by_reply.get(reply))
            .copied()
            .unwrap_or(0)
    }

    /// Adds `n` to what became of feed rows under `word`.
    pub fn count_feed(&mut self, word: &'static str, n: u64) {
        if n > 0 {
            let count = self.feed.entry(word).or_default();
            *count = count.saturating_add(n);
        }
    }
}

fn text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn texts<T: Display, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(ToString::to_string))
}
