//! Verify: is everything still what was once written? Reads only, beside whatever runs.
//!
//! The journal against its own chain, the trips' rows and the closed days against the journal, the
//! published files against their manifests, and the journal's head against what was told of it
//! outside. Memory follows stores and closed days, not events.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::books::{Control, Counted, Ledger, check};
use crate::config::Config;
use crate::domain::{
    Balances, BooksDate, Currency, DayTotal, Event, Fact, Head, Standing, StoreId, Timestamp,
    Verdict,
};
use crate::settlement::History;
use crate::store::{ChainBreak, CloseRow, Store, StoreError, StoredTrip};

use super::RunError;
use super::render::around;
use super::stakes::debt_since;
use super::verify_files::files;

/// Faults that are named; the rest is counted.
const NAMED: usize = 100;

/// What was done to what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// It says something else.
    Altered,
    /// It is gone from the middle.
    Deleted,
    /// Its end is gone: an older state, or a journal cut short.
    Truncated,
    /// Something is there that nobody published.
    Added,
}

impl Damage {
    fn word(self) -> &'static str {
        match self {
            Self::Altered => "ALTERED",
            Self::Deleted => "DELETED",
            Self::Truncated => "TRUNCATED",
            Self::Added => "ADDED",
        }
    }
}

/// One place where it does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What was done.
    pub damage: Damage,
    /// Where: `journal seq 17`, a trip, a day, a file.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:<9}  {}: {}",
            self.damage.word(),
            self.place,
            self.what
        )
    }
}

/// Everything that was verified.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The version of this shape.
    pub schema: &'static str,
    /// True when nothing was found.
    pub clean: bool,
    /// The journal's head.
    pub head: String,
    /// Trips whose events were folded again.
    pub trips: u64,
    /// Closed days that were added up again.
    pub days: u64,
    /// Published files that were read.
    pub files: u64,
    /// How many faults there are.
    pub found: u64,
    /// The first of them, in the order in which they were found.
    pub faults: Vec<Fault>,
    /// True when the state holds less than what was told of it.
    #[serde(skip)]
    pub is_older: bool,
}

impl Verified {
    pub(super) fn fault(&mut self, damage: Damage, place: impl ToString, what: impl ToString) {
        self.clean = false;
        self.found = self.found.saturating_add(1);
        if self.faults.len() < NAMED {
            let (place, what) = (place.to_string(), what.to_string());
            self.faults.push(Fault {
                damage,
                place,
                what,
            });
        }
    }

    /// A fault of a state that holds less than what was told of it.
    pub(super) fn older(&mut self, place: impl ToString, what: impl ToString) {
        self.is_older = true;
        self.fault(Damage::Truncated, place, what);
    }

    /// What is true whether or not the rest can be read.
    fn unless(&mut self, place: &str, done: Result<(), RunError>) -> Result<(), RunError> {
        match done {
            Err(error) if error.exit_code() == 65 => {
                self.fault(Damage::Altered, place, error);
                Ok(())
            }
            other => other,
        }
    }
}

/// Verifies everything; `kept` are heads that were told outside.
///
/// # Errors
/// The disk; damage is never one.
pub fn verify(config: &Config, store: &Store, kept: &[Head]) -> Result<Verified, RunError> {
    let mut found = Verified {
        schema: "tripsettle.verified/1",
        clean: true,
        head: String::new(),
        trips: 0,
        days: 0,
        files: 0,
        found: 0,
        faults: Vec::new(),
        is_older: false,
    };
    for said in store.integrity()? {
        found.fault(Damage::Altered, store.path().display(), said);
    }
    let done = journal(store, kept, &mut found);
    found.unless("journal", done)?;
    let done = trips(store, &mut found);
    found.unless("trips", done)?;
    let closes = store.all_closes()?;
    let done = days(store, &closes, &mut found);
    found.unless("closed days", done)?;
    files(config, store, &closes, &mut found)?;
    Ok(found)
}

fn journal(store: &Store, kept: &[Head], found: &mut Verified) -> Result<(), RunError> {
    let head = store.walk_chain(&mut |broken| match broken {
        ChainBreak::Altered { seq } => found.fault(
            Damage::Altered,
            format!("journal seq {seq}"),
            "what is stored is not what was written",
        ),
        ChainBreak::Deleted { from, to } => found.fault(
            Damage::Deleted,
            format!("journal seq {from}"),
            format!("the events {from} to {to} are gone"),
        ),
    })?;
    found.head = head.to_string();
    for told in kept {
        against(store, *told, "the head that was given", found)?;
    }
    Ok(())
}

/// Holds the journal against a head that was told of it.
pub(super) fn against(
    store: &Store,
    told: Head,
    who: &str,
    found: &mut Verified,
) -> Result<(), StoreError> {
    let here = store.head(told.seq)?;
    let (from, to) = (here.seq.saturating_add(1), told.seq);
    if here.seq < told.seq {
        let what = format!("the events {from} to {to}, of which {who} tells, are gone");
        found.older(format!("journal seq {from}"), what);
    } else if here != told {
        let what = format!("the journal up to here is not the one of which {who} tells");
        found.fault(Damage::Altered, format!("journal seq {to}"), what);
    }
    Ok(())
}

fn trips(store: &Store, found: &mut Verified) -> Result<(), RunError> {
    let is_whole = found.clean;
    let each = &mut |row: StoredTrip, events: Result<Vec<Event>, StoreError>| {
        found.trips = found.trips.saturating_add(1);
        match events {
            Ok(events) => trip(&row, &events, is_whole, found),
            Err(why) => found.fault(Damage::Altered, format!("trip {}", row.name), why),
        }
    };
    Ok(store.each_stored_trip(each)?)
}

fn trip(row: &StoredTrip, events: &[Event], is_whole: bool, found: &mut Verified) {
    let place = format!("trip {}", row.name);
    let of_row = row.columns.iter().find(|(column, _)| *column == "steps");
    let steps: usize = of_row.and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
    if steps > events.len() {
        let what = format!("of its {steps} events {} are here", events.len());
        // With the chain whole to its last event, what is gone was at the end.
        return match is_whole {
            true => found.older(place, what),
            false => found.fault(Damage::Deleted, place, what),
        };
    }
    let history = match History::replay(events) {
        Ok(history) => history,
        Err(illegal) => return found.fault(Damage::Altered, place, illegal),
    };
    let standing = history.standing();
    if !standing.balances.hold() {
        found.fault(Damage::Altered, &place, "its parts are not its cart total");
    }
    let derived = columns(&history, &standing, events);
    for ((column, stored), derived) in row.columns.iter().zip(derived) {
        if *stored != derived {
            let what = format!("{column} is `{stored}`, by its events it is `{derived}`");
            found.fault(Damage::Altered, &place, what);
        }
    }
}

/// The row that the events make, in the order of [`StoredTrip::columns`].
fn columns(history: &History, standing: &Standing, events: &[Event]) -> [String; 22] {
    let (trip, balances) = (history.trip(), &standing.balances);
    let instant = |at: Option<Timestamp>| at.map(|at| at.ms().to_string()).unwrap_or_default();
    let intended = standing.intended.map(|amount| amount.minor().to_string());
    let since = debt_since(events, None);
    let last = events.last().map(|event| event.books_date.to_string());
    [
        trip.key.store.to_string(),
        trip.key.trip.to_string(),
        balances.currency.code().to_owned(),
        trip.started_at.ms().to_string(),
        trip.expires_at.ms().to_string(),
        standing.status.to_string(),
        standing.capture_state.to_string(),
        standing.version.to_string(),
        standing.steps.to_string(),
        instant(standing.act_by),
        balances.cart_total.to_string(),
        balances.captured.to_string(),
        balances.bad_debt.to_string(),
        balances.cancelled.to_string(),
        balances.in_doubt.to_string(),
        balances.open.to_string(),
        balances.recovered.to_string(),
        balances.written_off.to_string(),
        since.map(|date| date.to_string()).unwrap_or_default(),
        intended.unwrap_or_default(),
        instant(evidenced_at(events)),
        last.unwrap_or_default(),
    ]
}

fn evidenced_at(events: &[Event]) -> Option<Timestamp> {
    events.iter().fold(None, |at, event| {
        let undone = matches!(&event.fact, Fact::Ruled { ruling }
            if ruling.verdict == Verdict::NotCaptured);
        match matches!(event.fact, Fact::Evidence { .. }) {
            true => Some(event.at),
            false => at.filter(|_| !undone),
        }
    })
}

type Closing = BTreeMap<(StoreId, Currency), [i64; 3]>;

/// Adds every closed day up again, from the first; only the events are believed.
fn days(store: &Store, closes: &[CloseRow], found: &mut Verified) -> Result<(), RunError> {
    let mut previous: Vec<DayTotal> = Vec::new();
    for close in closes.iter().filter(|close| close.edition == 1) {
        let date = close.books_date;
        found.days = found.days.saturating_add(1);
        let place = format!("books date {date}");
        let totals = day(store, date, &previous)?;
        for wrong in check(&totals).err().into_iter().flatten() {
            found.fault(Damage::Altered, &place, wrong);
        }
        if totals != store.day_totals(date)? {
            let what = "the totals that were kept are not those of its events";
            found.fault(Damage::Altered, &place, what);
        }
        previous = totals;
    }
    Ok(())
}

fn day(store: &Store, date: BooksDate, previous: &[DayTotal]) -> Result<Vec<DayTotal>, RunError> {
    let (mut control, mut ledger) = (Control::open(previous), Ledger::open(date, previous));
    let mut closing = Closing::new();
    let opening = previous.iter().map(|day| {
        let place = (day.store.clone(), day.currency);
        let left = [day.closing_open, day.closing_in_doubt, day.debt_closing];
        (place, left)
    });
    closing.extend(opening);
    store.each_trip_of_day::<RunError>(date, i64::MAX, &mut |_, events| {
        let (history, before, end) = around(&events, date)?;
        let trip = history.trip();
        control.add(&trip.key.store, before.as_ref(), &end.balances)?;
        for entry in ledger.enter(trip, &events, &end.balances)? {
            control.add_entry(&entry)?;
        }
        let place = (trip.key.store.clone(), end.balances.currency);
        let left = |of: &Balances| [of.open, of.in_doubt, of.debt()];
        let was = before.as_ref().map_or([0; 3], left);
        let sums = closing.entry(place).or_default().iter_mut();
        for (sum, (was, is)) in sums.zip(was.into_iter().zip(left(&end.balances))) {
            *sum = moved(*sum, was, is)?;
        }
        Ok(())
    })?;
    let counted = closing.into_iter();
    let counted: Vec<Counted> = counted
        .map(|((store, currency), [open, in_doubt, debt])| Counted {
            store,
            currency,
            open,
            in_doubt,
            debt,
        })
        .collect();
    Ok(control.finish(&counted)?)
}

fn moved(sum: i64, was: i64, is: i64) -> Result<i64, RunError> {
    let sum = sum.checked_sub(was).and_then(|sum| sum.checked_add(is));
    sum.ok_or_else(|| RunError::Law("an open sum leaves 64 bits".to_owned()))
}
