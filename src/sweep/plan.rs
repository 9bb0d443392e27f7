//! The plan of a pass and its forecast: what is due, and what will not fit the rate.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::domain::time::HOUR_MS;
use crate::domain::{Currency, Money, OpenTrip, Status, SweepPolicy, Timestamp};

use super::is_due;

/// How many trips, and how much of each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountAndMoney {
    /// How many trips.
    pub trips: u64,
    /// Minor units by currency; a sum that would not fit stands at the largest number.
    pub minor: BTreeMap<Currency, i64>,
}

impl CountAndMoney {
    fn add(&mut self, money: Money) {
        self.trips = self.trips.saturating_add(1);
        let sum = self.minor.entry(money.currency()).or_default();
        *sum = sum.saturating_add(money.minor());
    }
}

/// What a pass would do, and what it will not manage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Trips to handle now.
    pub due: u64,
    /// Open trips that can wait.
    pub waiting: u64,
    /// By the calls that are needed when all goes well: `adjust`, `capture`, `cancel`.
    pub by_call: BTreeMap<&'static str, CountAndMoney>,
    /// By the hour (its beginning) of `act_by`, without those already lost.
    pub by_hour: BTreeMap<Timestamp, CountAndMoney>,
    /// Payment tokens that are dead by our reckoning; they are still asked, once.
    pub already_lost: CountAndMoney,
    /// What does not fit the rate before its deadline; filled in by [`Planner::choosing`].
    pub will_not_fit: CountAndMoney,
    /// Calls that the plan needs at least.
    pub calls_needed: u64,
    /// Seconds that the granted rate needs for them.
    pub seconds_needed: u64,
    /// Not everything fits the rate before its deadline: have a planner choose.
    pub overloaded: bool,
    /// Trips (by row) to handle after all others: they do not fit, or are lost already.
    pub left_out: BTreeSet<i64>,
}

impl Plan {
    /// True when the trip comes after those that fit.
    pub fn leaves_out(&self, id: i64) -> bool {
        self.left_out.contains(&id)
    }
}

/// One trip as the forecast sees it; the least is given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    /// The money it saves, in ten-thousandths of the currency's major unit: without exchange rates
    /// there is no better comparison between currencies.
    weight: i128,
    id: i64,
    calls: u64,
    money: (i64, Currency),
}

/// Makes a plan of open trips handed over in order of `act_by`.
///
/// The deadline of a trip is its `act_by`, or its expiry once that is past; a trip cannot be
/// expected before those that come first, so no deadline is earlier than the one before.
///
/// Memory does not grow with the trips: only a planner that chooses remembers those it keeps, and
/// these are at most as many as the rate lets through. So count first, with [`Planner::new`], and
/// hand the trips over once more to [`Planner::choosing`] if the plan is `overloaded`.
#[derive(Debug)]
pub struct Planner {
    policy: SweepPolicy,
    next_run: Timestamp,
    now: Timestamp,
    plan: Plan,
    deadline: Timestamp,
    kept: Option<BinaryHeap<Reverse<Job>>>,
    used: u64,
}

impl Planner {
    /// A planner that counts and forecasts.
    pub fn new(policy: SweepPolicy, next_run: Timestamp, now: Timestamp) -> Self {
        let (plan, kept) = (Plan::default(), None);
        Self {
            policy,
            next_run,
            now,
            plan,
            deadline: now,
            kept,
            used: 0,
        }
    }

    /// A planner that also chooses, when not everything fits, the set that saves most money.
    pub fn choosing(policy: SweepPolicy, next_run: Timestamp, now: Timestamp) -> Self {
        Self {
            kept: Some(BinaryHeap::new()),
            ..Self::new(policy, next_run, now)
        }
    }

    /// Takes the next trip.
    pub fn add(&mut self, trip: &OpenTrip) {
        if !is_due(trip, &self.policy, self.next_run, self.now) {
            self.plan.waiting = self.plan.waiting.saturating_add(1);
            return;
        }
        let calls = self.count(trip);
        if self.is_lost(trip) {
            return self.lose(trip, calls);
        }
        let own = if trip.act_by > self.now {
            trip.act_by
        } else {
            trip.expires_at
        };
        self.deadline = self.deadline.max(own);
        self.used = self.used.saturating_add(calls);
        let money = (trip.cart_total.minor(), trip.cart_total.currency());
        self.fit(Job {
            weight: weight(trip),
            id: trip.id,
            calls,
            money,
        });
    }

    /// The plan.
    pub fn finish(mut self) -> Plan {
        let rate = u128::from(self.policy.calls_per_1000_seconds.max(1));
        let seconds = (u128::from(self.plan.calls_needed) * 1000).div_ceil(rate);
        self.plan.seconds_needed = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.plan
    }

    fn is_lost(&self, trip: &OpenTrip) -> bool {
        trip.expires_at <= self.now
    }

    /// Counts a due trip; gives the calls that it needs when all goes well.
    fn count(&mut self, trip: &OpenTrip) -> u64 {
        let lost = self.is_lost(trip);
        let plan = &mut self.plan;
        plan.due = plan.due.saturating_add(1);
        if lost {
            plan.already_lost.add(trip.cart_total);
        } else {
            plan.by_hour
                .entry(hour_of(trip.act_by))
                .or_default()
                .add(trip.cart_total);
        }
        let mut calls = 0_u64;
        for name in needed(trip, lost) {
            plan.by_call.entry(name).or_default().add(trip.cart_total);
            calls = calls.saturating_add(1);
        }
        plan.calls_needed = plan.calls_needed.saturating_add(calls);
        calls
    }

    /// What is lost already takes its turn when there is room for all, and else comes last.
    fn lose(&mut self, trip: &OpenTrip, calls: u64) {
        if self.kept.is_some() {
            self.plan.left_out.insert(trip.id);
        } else {
            self.used = self.used.saturating_add(calls);
        }
    }

    /// Jobs with deadlines: taken in order of deadline, and whenever too many are taken the one
    /// that saves least is given up. That is exact for jobs of one size, and so it is here: those
    /// that save money take two calls each, the others are given up before any of them.
    fn fit(&mut self, job: Job) {
        let capacity = self.capacity();
        let Some(kept) = &mut self.kept else {
            self.plan.overloaded |= self.used > capacity;
            return;
        };
        kept.push(Reverse(job));
        while self.used > capacity {
            let Some(Reverse(given_up)) = kept.pop() else {
                break;
            };
            self.used = self.used.saturating_sub(given_up.calls);
            self.plan.overloaded = true;
            self.plan.left_out.insert(given_up.id);
            let (minor, currency) = given_up.money;
            self.plan.will_not_fit.add(Money::of_minor(minor, currency));
        }
    }

    /// Calls that the rate lets through until the deadline.
    fn capacity(&self) -> u64 {
        let ms = u128::try_from(self.deadline.ms_since(self.now)).unwrap_or(0);
        let calls = u128::from(self.policy.calls_per_1000_seconds) * ms / 1_000_000;
        u64::try_from(calls).unwrap_or(u64::MAX)
    }
}

/// The calls that a due trip needs when all goes well.
fn needed(trip: &OpenTrip, lost: bool) -> &'static [&'static str] {
    match trip.status {
        Status::WrittenOff | Status::Cancelled => &["cancel"],
        Status::Open if trip.cart_total.is_zero() => &["cancel"],
        Status::Open if lost => &["adjust"],
        Status::Open => &["adjust", "capture"],
        Status::Refused
        | Status::Captured
        | Status::CapturedPartial
        | Status::Expired
        | Status::InDoubt => &[],
    }
}

/// What handling the trip saves; the release of a hold saves nothing.
fn weight(trip: &OpenTrip) -> i128 {
    let open = match trip.status {
        Status::Open => trip.cart_total.minor(),
        Status::WrittenOff
        | Status::Refused
        | Status::Captured
        | Status::CapturedPartial
        | Status::Cancelled
        | Status::Expired
        | Status::InDoubt => 0,
    };
    let missing = 4_u32.saturating_sub(u32::from(trip.cart_total.currency().exponent()));
    i128::from(open) * 10_i128.pow(missing)
}

fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::of_ms(at.ms().div_euclid(HOUR_MS).saturating_mul(HOUR_MS))
}
