//! Reconcile: takes one trip's journal and gives its breaks, the findings to append, and its match.
//!
//! Pure and per trip. [`examine`] says what does not agree now; [`findings`] compares that with
//! the breaks already in the journal and says which facts the close must append before the books
//! are read. How a break ends:
//!
//! - *One-off* kinds ([`is_one_off`]) tell of something that is over and that nobody can undo:
//!   a dead token, an unconfirmed Cancel, more captured elsewhere than was owed, money that
//!   arrived after a write-off (the books carry it from that day on). They are opened once, are
//!   told on their first books date alone, and the first examination on a later one lays them to
//!   rest in the journal.
//! - `captured_twice`, `amount_differs`, `captured_elsewhere` and a `currency_differs` of a
//!   processor line are cured only by a line that shows the money going back.
//! - Every other kind is cured when it no longer holds, and is opened anew should it come again.

mod emv;
mod lines;
mod matching;
mod reading;
mod record;

use crate::domain::{
    BooksDate, Break, BreakKind, Currency, Event, Fact, Money, Standing, Status, Timestamp,
    TransactionalData, Trip, TripKey,
};

pub use matching::{MatchStatus, match_status};
use reading::Reading;
use record::open_breaks;
pub use record::{BreakStatus, is_one_off, known_breaks, status_on};

/// What is known about the trip from outside its own journal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outside<'a> {
    /// Another trip that carries the same reconciliation id.
    pub reconciliation_id_shared_with: Option<&'a TripKey>,
}

/// The terms of one examination.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// A capture initiated so many milliseconds ago should have its transactional data.
    pub evidence_missing_after_ms: i64,
    /// The instant of the examination.
    pub at: Timestamp,
    /// The books date that the findings will be booked on.
    pub books_date: BooksDate,
}

/// Every break that holds now, at most one of a kind, in the order of [`BreakKind`].
pub fn examine(
    trip: &Trip,
    events: &[Event],
    standing: &Standing,
    outside: &Outside<'_>,
    terms: &Terms,
) -> Vec<Break> {
    let reading = Reading::of(trip, events);
    let mut breaks: Vec<Break> = evidence(&reading, standing, outside, terms).collect();
    breaks.extend(standing_still(&reading, standing));
    breaks.extend(from_the_feed(&reading, trip));
    breaks.extend(lines::breaks(&reading, standing));
    if let Some(data) = reading.data {
        breaks.extend(emv::breaks(data, standing.balances.currency));
    }
    breaks.sort_by_key(|found| found.kind);
    breaks.dedup_by_key(|found| found.kind);
    breaks
}

/// The facts to append for what [`examine`] found: money found captured, breaks opened, breaks
/// cured. Empty when the journal says it all already, so that examining twice changes nothing.
pub fn findings(
    trip: &Trip,
    events: &[Event],
    standing: &Standing,
    now: &[Break],
    terms: &Terms,
) -> Vec<Fact> {
    let reading = Reading::of(trip, events);
    let open = open_breaks(events);
    let mut facts = Vec::new();
    if let Some(amount) = lines::found_captured(&reading, standing) {
        facts.extend(lines::taken_back(&reading, standing, amount));
        facts.push(Fact::FoundCaptured { amount });
    }
    for found in now {
        let told = is_one_off(found.kind) && reading.ever_opened.contains(&found.kind);
        if !told && !open.contains_key(&found.kind) {
            let found = found.clone();
            facts.push(Fact::BreakOpened { found });
        }
    }
    for (kind, first_seen) in &open {
        let over = is_one_off(*kind) && *first_seen < terms.books_date;
        if over || !now.iter().any(|found| found.kind == *kind) {
            facts.push(Fact::BreakCured { kind: *kind });
        }
    }
    facts
}

/// Whether transactional data by itself speaks against a capture in `currency`: it is of another
/// currency, or tells of a decline. A field of an unusual shape does not.
pub fn speaks_against(data: &TransactionalData, currency: Currency) -> bool {
    emv::breaks(data, currency)
        .iter()
        .any(|found| found.kind != BreakKind::MalformedField)
}

/// The break of a store that is not configured: one per store, without a trip.
pub fn unknown_store() -> Break {
    let detail = "the store is not configured; its trips took the defaults";
    worded(BreakKind::UnknownStore, detail.to_owned())
}

/// The break of a processor line that names no trip we know; `source` is its file and line.
pub fn unknown_line(source: &str, amount: Money, reference: &str) -> Break {
    Break {
        kind: BreakKind::UnknownLine,
        expected: None,
        actual: Some(amount),
        detail: format!("{source}: no trip of ours is meant (reference `{reference}`)"),
    }
}

/// The break of a report's line that could not be read; `source` is its file and line.
pub fn unreadable_line(source: &str, problem: &str) -> Break {
    let detail = format!("{source}: {problem}");
    worded(BreakKind::UnreadableLine, detail)
}

fn worded(kind: BreakKind, detail: String) -> Break {
    Break {
        kind,
        expected: None,
        actual: None,
        detail,
    }
}

fn evidence<'a>(
    reading: &'a Reading<'_>,
    standing: &'a Standing,
    outside: &Outside<'_>,
    terms: &'a Terms,
) -> impl Iterator<Item = Break> {
    let late = |since: &Timestamp| terms.at.ms_since(*since) >= terms.evidence_missing_after_ms;
    let missing = reading.captured_at.filter(|_| standing.wants_data);
    let missing = missing.filter(late).map(|since| Break {
        kind: BreakKind::EvidenceMissing,
        expected: reading.claim,
        actual: None,
        detail: format!("captured at {since}, but there is no transactional data yet"),
    });
    let refused = reading.no_evidence.filter(|_| reading.data.is_none());
    let refused = refused.map(|words| worded(BreakKind::EvidenceRefused, words.to_owned()));
    let shared = outside.reconciliation_id_shared_with.map(|other| {
        let detail = format!("{other} carries the same reconciliation id");
        worded(BreakKind::ReconciliationIdShared, detail)
    });
    [missing, refused, shared].into_iter().flatten()
}

/// Breaks that say where the trip stands: parked, in doubt, dead, not surely released.
fn standing_still(reading: &Reading<'_>, standing: &Standing) -> impl Iterator<Item = Break> {
    let balances = &standing.balances;
    let total = Money::of_minor(balances.cart_total, balances.currency);
    let refused = (standing.status == Status::Refused).then(|| Break {
        kind: BreakKind::Refused,
        expected: Some(total),
        actual: None,
        detail: why_parked(reading),
    });
    let in_doubt = (standing.status == Status::InDoubt).then(|| Break {
        kind: BreakKind::InDoubt,
        expected: standing.intended,
        actual: None,
        detail: reading.doubt.clone().unwrap_or_default(),
    });
    let dead = reading.lost.filter(|lost| lost.reason.token_died());
    let expired = dead.map(|lost| Break {
        kind: BreakKind::Expired,
        expected: Some(total),
        actual: Some(Money::of_minor(
            balances.cart_total.saturating_sub(lost.amount.minor()),
            balances.currency,
        )),
        detail: format!("{} booked as bad debt: {}", lost.amount, lost.reason),
    });
    let unconfirmed = reading.cancel_unconfirmed.map(|words| {
        let detail = format!("an unanswered Cancel was repeated and refused: {words}");
        worded(BreakKind::CancelUnconfirmed, detail)
    });
    [refused, in_doubt, expired, unconfirmed]
        .into_iter()
        .flatten()
}

fn why_parked(reading: &Reading<'_>) -> String {
    let conflict = reading.elsewhere_conflict.as_ref();
    let outside = conflict.map(|conflict| conflict.words.as_str());
    let words = reading.refused.or(outside);
    words.unwrap_or("no words were given").to_owned()
}

fn from_the_feed(reading: &Reading<'_>, trip: &Trip) -> impl Iterator<Item = Break> {
    let elsewhere = reading.elsewhere_conflict.clone().map(|conflict| Break {
        kind: BreakKind::CapturedElsewhere,
        expected: reading.claim,
        actual: conflict.amount,
        detail: conflict.words,
    });
    let above = reading.above_total.map(|above| Break {
        kind: BreakKind::ElsewhereAboveTotal,
        expected: Some(above.total),
        actual: Some(above.captured),
        detail: "the feed says that more than the cart total was captured".to_owned(),
    });
    let name = trip.processor.as_ref().filter(|_| trip.unknown_processor);
    let processor = name.map(|name| {
        let detail = format!("`{name}` is not configured; the shortest lifetime was taken");
        worded(BreakKind::UnknownProcessor, detail)
    });
    [elsewhere, above, processor].into_iter().flatten()
}
