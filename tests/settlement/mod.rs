//! What the tests of the law share: trips, feed rows, events.
#![allow(dead_code, clippy::unwrap_used)]

use chrono::NaiveDate;
use tripsettle::domain::time::{HOUR_MS, MINUTE_MS};
use tripsettle::domain::{
    BooksDate, BusinessDate, Currency, DeclinePolicy, Elsewhere, Entry, Event, Fact, FeedRow,
    Money, ProcessorLine, ProcessorName, SettlementPolicy, Source, StoreId, Timestamp, Trip,
    TripId, TripKey,
};

/// Every trip of the tests begins here; its token lives 46 hours, to be acted on by hour 44.
pub fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T08:00:00Z").unwrap()
}

/// So many minutes after the trip began.
pub fn minute(minutes: i64) -> Timestamp {
    start().plus_ms(minutes * MINUTE_MS)
}

/// So many hours after the trip began.
pub fn hour(hours: i64) -> Timestamp {
    start().plus_ms(hours * HOUR_MS)
}

pub fn money(text: &str, currency: &str) -> Money {
    let currency = Currency::of(currency).unwrap();
    match text.strip_prefix('-') {
        Some(text) => Money::of_minor(-Money::parse(text, currency).unwrap().minor(), currency),
        None => Money::parse(text, currency).unwrap(),
    }
}

pub fn usd(minor: i64) -> Money {
    Money::of_minor(minor, Currency::of("USD").unwrap())
}

pub fn key() -> TripKey {
    TripKey {
        store: StoreId::of("S1").unwrap(),
        trip: TripId::of("trip-1").unwrap(),
    }
}

pub fn trip(cart_total: Money) -> Trip {
    let date = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    Trip {
        key: key(),
        started_at: start(),
        ended_at: None,
        cart_total,
        processor: None,
        purchase_id: None,
        preauth: None,
        tax: None,
        business_date: BusinessDate::of(date),
        expires_at: hour(46),
        act_by: hour(44),
        unknown_processor: false,
    }
}

/// Line `line` of a file whose bytes have this digest.
pub fn source(digest: &str, line: u64) -> Source {
    Source {
        file: "trips.csv".to_owned(),
        line,
        digest: digest.to_owned(),
    }
}

pub fn taken(cart_total: Money, after_loss: bool) -> Fact {
    Fact::Taken {
        trip: Box::new(trip(cart_total)),
        source: source("monday", 2),
        after_loss,
    }
}

pub fn feed_row(amount: Money, elsewhere: Option<Elsewhere>, source: Source) -> FeedRow {
    FeedRow {
        key: key(),
        started_at: start(),
        ended_at: None,
        amount,
        processor: None,
        purchase_id: None,
        preauth: None,
        tax: None,
        entry: Entry::Financial,
        elsewhere,
        source,
        raw: String::new(),
    }
}

pub fn line(amount: Money) -> Fact {
    let line = ProcessorLine {
        processor: ProcessorName::of("acme").unwrap(),
        source: "acme.csv:2".to_owned(),
        amount,
        date: None,
        reference: "R1".to_owned(),
        line_id: 1,
    };
    Fact::Line { line }
}

/// The facts as the journal would keep them.
pub fn events(facts: &[(Timestamp, Fact)]) -> Vec<Event> {
    let books_date = BooksDate::of(NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let event = |(step, (at, fact)): (u32, &(Timestamp, Fact))| Event {
        seq: i64::from(step),
        step,
        at: *at,
        books_date,
        run: None,
        fact: fact.clone(),
    };
    (1..).zip(facts).map(event).collect()
}

pub fn policy(on_decline: DeclinePolicy) -> SettlementPolicy {
    SettlementPolicy {
        on_decline,
        max_probes: 4,
        min_gain_percent: 5,
        transactional_data_proves_capture: false,
    }
}
