//! The summary: one screen on the worst night, the verdict first, the most urgent trips by name.

#![allow(clippy::unwrap_used)]

mod journal;
mod postings;

use journal::{date, journal, money};
use postings::capture;
use tripsettle::books::{Equation, Imbalance};
use tripsettle::domain::*;
use tripsettle::outputs::{BreakRow, Posted, ReconciliationRow, Stake, Summary, TripDay};
use tripsettle::reconcile::{BreakStatus, MatchStatus};

fn empty() -> Summary {
    Summary::new(date(1), Timestamp::parse("2026-11-25T02:30:00Z").unwrap())
}

fn currency(code: &str) -> Currency {
    Currency::of(code).unwrap()
}

fn stake(key: &TripKey, minor: i64, code: &str, deadline: i64, note: &str) -> Stake {
    Stake {
        key: key.clone(),
        amount: Money::of_minor(minor, currency(code)),
        deadline: Timestamp::of_ms(deadline),
        note: note.to_owned(),
    }
}

fn off(store: &StoreId, minor: i64) -> Imbalance {
    Imbalance {
        store: store.clone(),
        equation: Equation::Control,
        difference: Money::of_minor(minor, currency("USD")),
    }
}

/// A row of every status in this currency, as long as its cells can be.
fn add_rows(summary: &mut Summary, name: &str, code: &str) {
    let journal = journal(name, &format!("taken 0 {code}"));
    let standing = journal.standing(Status::Open, CaptureState::Initiated);
    let day = TripDay {
        books_date: date(1),
        trip: &journal.trip,
        events: &journal.events,
        before: None,
        end: &standing,
        known: &standing,
        match_status: MatchStatus::Pending,
        breaks: &[],
    };
    for status in Status::ALL {
        let row = ReconciliationRow {
            cart_total: Money::of_minor(i64::MAX, currency(code)),
            outcome: *status,
            ..ReconciliationRow::of(&day).unwrap()
        };
        summary.add_row(&row).unwrap();
    }
}

fn add_breaks(summary: &mut Summary, count: u32) {
    for kind in BreakKind::ALL {
        let found = Break {
            kind: *kind,
            expected: None,
            actual: None,
            detail: String::new(),
        };
        let row = BreakRow {
            books_date: date(1),
            store_id: None,
            shopping_trip_id: None,
            found: &found,
            first_seen: date(1),
            status: BreakStatus::Open,
        };
        (0..count).for_each(|_| summary.add_break(&row));
    }
}

#[test]
fn the_page_fits_one_screen_on_the_worst_night() {
    let mut summary = empty();
    let name = format!("{}/{}", "S".repeat(255), "T".repeat(255));
    let mut totals = Vec::new();
    for code in ["CLF", "EUR", "JPY", "KWD", "USD"] {
        add_rows(&mut summary, &name, code);
        let key = journal::key(&name);
        for deadline in 0..4 {
            let note = "timed out\r\n".repeat(50);
            summary
                .add_doubt(stake(&key, i64::MAX / 8, code, deadline, &note))
                .unwrap();
            summary
                .add_at_risk(stake(&key, i64::MAX / 8, code, deadline, &note))
                .unwrap();
        }
        totals.push(DayTotal {
            opening_open: i64::MIN,
            ..DayTotal::nothing(key.store, currency(code))
        });
    }
    add_breaks(&mut summary, 12_345);
    summary.close(&totals, &[off(&journal::key(&name).store, 1)]);
    summary.feed(u64::MAX, u64::MAX);
    let text = summary.to_text(12).unwrap();
    // A screen for three currencies, and their columns again for the two others.
    assert!(text.lines().count() <= 50 + 32, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn no_currency_is_left_out() {
    let mut summary = empty();
    let codes = ["CLF", "EUR", "JPY", "KWD", "USD"];
    let (mut totals, mut amounts) = (Vec::new(), Vec::new());
    for (code, minor) in codes
        .into_iter()
        .zip([110_001, 220_002, 330_003, 440_004, 550_005])
    {
        add_rows(&mut summary, "S1/T1", code);
        let deadline = minor;
        let key = journal::key("S1/T1");
        summary
            .add_doubt(stake(&key, minor, code, deadline, ""))
            .unwrap();
        totals.push(DayTotal {
            new: minor,
            debt_closing: minor,
            ..DayTotal::nothing(key.store, currency(code))
        });
        amounts.push(Money::of_minor(minor, currency(code)));
    }
    summary.close(&totals, &[]);
    let text = summary.to_text(1).unwrap();
    for amount in amounts {
        // New, and owed.
        let cells = text.split_whitespace();
        let told = cells.filter(|cell| *cell == amount.decimal_text()).count();
        assert!(told >= 2, "{amount}: {text}");
        assert!(text.contains(&amount.to_string()), "{amount}: {text}");
    }
    assert_eq!(text.matches("\n1 store ").count(), 2, "{text}");
    assert_eq!(text.matches("  1 captured ").count(), 0, "{text}");
    assert_eq!(text.matches("  3 captured ").count(), 1, "{text}");
    assert_eq!(text.matches("  2 captured ").count(), 1, "{text}");
}

#[test]
fn postings_are_told_with_both_sides_and_a_later_edition_says_that_they_are_the_same() {
    let mut summary = empty();
    assert!(!summary.to_text(2).unwrap().contains("Postings"));
    let mut posted = Posted::default();
    for (number, amount) in ["15.90 USD", "0.10 USD", "700 JPY"].into_iter().enumerate() {
        posted.count(&capture(number, amount)).unwrap();
    }
    summary.posted(Some(posted));
    let line = "\nPostings: 1 entry of 700 JPY, 2 entries of 16.00 USD\n";
    let (first, second) = (summary.to_text(1).unwrap(), summary.to_text(2).unwrap());
    assert!(first.contains(line) && second.contains(line), "{second}");
    let again = "what was imported is not imported again";
    assert!(!first.contains(again) && second.contains(again), "{second}");
}

#[test]
fn the_first_line_is_the_verdict() {
    let store = StoreId::of("S1").unwrap();
    let day = DayTotal::nothing(store.clone(), currency("USD"));
    let one = off(&store, -1);
    let rows: [(&[DayTotal], &[Imbalance], &str); 4] = [
        (
            &[],
            &[],
            "BALANCED  2026-11-23, edition 2: nothing was open and nothing happened",
        ),
        (
            std::slice::from_ref(&day),
            &[],
            "BALANCED  2026-11-23, edition 2: every store and currency adds up",
        ),
        (
            std::slice::from_ref(&day),
            std::slice::from_ref(&one),
            "NOT BALANCED  2026-11-23, edition 2: the control equation of store S1 is off by \
             -0.01 USD",
        ),
        (
            std::slice::from_ref(&day),
            &[one.clone(), one.clone(), one.clone()],
            "NOT BALANCED  2026-11-23, edition 2: 3 faults, the control equation of store S1 is \
             off by -0.01 USD",
        ),
    ];
    for (totals, wrong, expected) in rows {
        let mut summary = empty();
        summary.close(totals, wrong);
        assert_eq!(summary.verdict(2), expected);
        let text = summary.to_text(2).unwrap();
        assert_eq!(text.lines().next(), Some(expected));
    }
}

#[test]
fn an_empty_day_says_so() {
    let text = empty().to_text(1).unwrap();
    for words in [
        "No trip had an event",
        "In doubt: none",
        "At risk: none",
        "Breaks: none open",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn of_many_trips_the_most_urgent_hundred_are_named() {
    let mut summary = empty();
    for n in (0..250_i64).rev() {
        let key = journal::key(&format!("S1/T{n:03}"));
        summary
            .add_doubt(stake(&key, 1, "USD", n / 10, ""))
            .unwrap();
    }
    let json: serde_json::Value = serde_json::from_slice(&summary.to_json(1).unwrap()).unwrap();
    let doubts = &json["doubts"];
    let listed = doubts["listed"].as_array().unwrap();
    assert_eq!(listed.len(), 100);
    assert_eq!(
        (&listed[0]["trip"], &listed[99]["trip"]),
        (&"S1/T000".into(), &"S1/T099".into())
    );
    assert_eq!(
        (&doubts["count"], &doubts["not_listed"]),
        (&250.into(), &150.into())
    );
    assert_eq!(doubts["money"]["USD"], "2.50");
}

#[test]
fn money_is_text_with_its_currencys_digits_and_every_state_is_counted() {
    let mut summary = empty();
    let yen = DayTotal {
        new: 1500,
        closing_open: 1500,
        ..DayTotal::nothing(StoreId::of("S1").unwrap(), money("1500 JPY").currency())
    };
    summary.close(&[yen], &[]);
    let json: serde_json::Value = serde_json::from_slice(&summary.to_json(3).unwrap()).unwrap();
    assert_eq!(json["schema"], "tripsettle.summary/1");
    assert_eq!(
        (&json["edition"], &json["balanced"]),
        (&3.into(), &true.into())
    );
    assert_eq!(json["control"][0]["new"], "1500");
    for state in CaptureState::ALL {
        assert_eq!(json["captures"][state.as_str()], 0, "{state}");
    }
}

#[test]
fn sums_beyond_the_range_are_errors() {
    let (mut summary, key) = (empty(), journal::key("S1/T1"));
    summary
        .add_doubt(stake(&key, i64::MAX, "USD", 0, ""))
        .unwrap();
    assert!(summary.add_doubt(stake(&key, 1, "USD", 0, "")).is_err());
}
