//! The trip feed: taken once, in chunks; what could not be taken is kept once.

#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use std::time::Instant;

use journal::{date, key};
use store::{State, close, file, law, now, row, state, when};
use tripsettle::domain::*;
use tripsettle::store::{StoreError, TakenCounts};

/// `new amended unchanged rejected scan_codes`
fn said(counts: &TakenCounts) -> String {
    counts
        .by_word()
        .map(|(_, count)| count.to_string())
        .join(" ")
}

fn rejected(state: &State, day: i64) -> Vec<String> {
    let mut rows = Vec::new();
    let each = &mut |field: Option<String>, rejection: Rejection| {
        let (source, field) = (rejection.source, field.unwrap_or_default());
        rows.push(format!(
            "{}:{} {field} {}",
            source.file, source.line, rejection.reason
        ));
        Ok::<(), StoreError>(())
    };
    state.store.each_rejected_of_day(date(day), each).unwrap();
    rows
}

#[test]
fn rows_are_counted_by_what_became_of_them() {
    let state = state();
    let rows = [
        ("a", "S1/a 20.00 USD", "1 0 0 0 0"),
        ("b", "S1/a 20.00 USD", "0 0 1 0 0"),
        ("c", "S1/a 25.00 USD", "0 1 0 0 0"),
        ("d", "S1/a 25.00 EUR", "0 0 0 1 0"),
        ("e", "S1/b 3.00 USD scan_code", "0 0 0 0 1"),
        ("f", "S1/c 20.00 USD cancelled", "1 0 0 0 0"),
        ("g", "S1/a 25.00 USD cancelled", "0 1 0 0 0"),
    ];
    for (file, text, expected) in rows {
        assert_eq!(said(&state.take(file, 1, &[text])), expected, "{text}");
    }
    assert_eq!(state.store.scan_codes_of_day(date(1)).unwrap(), 1);
    assert_eq!(state.store.scan_codes_of_day(date(2)).unwrap(), 0);
    assert_eq!(rejected(&state, 1).len(), 1);
}

#[test]
fn a_file_that_is_taken_again_after_a_crash_changes_nothing() {
    let state = state();
    let rows = [
        "S1/a 20.00 USD",
        "S1/b 5.00 USD",
        "S1/a 20.00 USD",
        "S1/a 21.00 USD",
        "S1/c 3.00 USD scan_code",
        "S9/d 4.00 USD",
    ];
    assert_eq!(said(&state.take("monday", 1, &rows[..4])), "2 0 1 1 0");
    let (events, before) = (state.store.last_seq().unwrap(), rejected(&state, 1));
    assert!(before[0].starts_with("monday:5  conflict"), "{before:?}");
    assert!(state.store.feed_file_taken("sha-monday").unwrap().is_none());
    assert_eq!(said(&state.take("monday", 1, &rows)), "1 0 3 1 1");
    assert_eq!(said(&state.take("monday", 2, &rows)), "0 0 4 1 1");
    assert_eq!(state.store.last_seq().unwrap(), events + 1);
    assert_eq!(rejected(&state, 1), before);
    assert_eq!(rejected(&state, 2), Vec::<String>::new());
    assert_eq!(state.store.scan_codes_of_day(date(1)).unwrap(), 1);
    assert_eq!(state.store.scan_codes_of_day(date(2)).unwrap(), 0);
    let stores = state.store.unknown_stores_of_day(date(1)).unwrap();
    assert_eq!(stores, [StoreId::of("S9").unwrap()]);
    let counts = TakenCounts::default();
    for _ in 0..2 {
        let finished = state
            .store
            .finish_feed_file(&file("monday"), now(), &counts);
        finished.unwrap();
        assert!(state.store.feed_file_taken("sha-monday").unwrap().is_some());
    }
}

#[test]
fn a_rejected_line_is_kept_once_and_told_in_order() {
    let state = state();
    let reject = |name: &str, lines: &[u64]| {
        let rows = lines.iter().map(|line| Rejection {
            source: row(name, *line, "S1/a 1.00 USD").source,
            field: Some("amount"),
            reason: "not an amount".to_owned(),
            raw: "S1,a,x".to_owned(),
        });
        state
            .store
            .reject_rows(rows.collect(), &file(name), &when(1))
            .unwrap();
    };
    let mark = state.store.feed_mark(date(1)).unwrap();
    reject("b", &[9, 10]);
    reject("a", &[3]);
    assert_eq!(state.store.feed_mark(date(1)).unwrap(), mark + 3);
    reject("b", &[10, 2]);
    assert_eq!(state.store.feed_mark(date(1)).unwrap(), mark + 4);
    let lines = ["a:3", "b:2", "b:9", "b:10"];
    assert_eq!(
        rejected(&state, 1),
        lines.map(|line| format!("{line} amount not an amount"))
    );
}

#[test]
fn a_chunk_is_taken_whole_or_not_at_all() {
    let state = state();
    close(&state.store, 1);
    let closed = tripsettle::store::When {
        books_date: std::sync::Arc::new(|_| date(1)),
        ..when(1)
    };
    let rows = vec![
        row("a", 2, "S1/b 3.00 USD scan_code"),
        row("a", 3, "S1/a 20.00 USD"),
    ];
    let refused = state.store.take_rows(rows, &file("a"), &closed, law(None));
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    assert_eq!(state.store.last_seq().unwrap(), 0);
    assert_eq!(state.store.scan_codes_of_day(date(1)).unwrap(), 0);
    state.take("a", 1, &["S1/a 20.00 USD"]);
    assert_eq!(
        state.store.events(1).unwrap()[0].books_date,
        date(2),
        "the first open day"
    );
}

#[test]
fn trips_in_doubt_since_a_loss_await_their_data_from_the_start() {
    let state = state();
    let rows = vec![row("a", 2, "S1/a 20.00 USD"), row("a", 3, "S1/b 0.00 USD")];
    let lost = law(Some(now()));
    state
        .store
        .take_rows(rows, &file("a"), &when(1), lost)
        .unwrap();
    let due = state.store.due_pulls(now(), None, 9).unwrap();
    let due: Vec<_> = due.into_iter().map(|pull| pull.key).collect();
    assert_eq!(due, [key("S1/a")]);
    assert_eq!(state.store.doubts(9).unwrap().count, 1);
}

#[test]
fn twenty_thousand_rows_are_taken_while_somebody_waits() {
    let state = state();
    let begun = Instant::now();
    for chunk in 0..10_u64 {
        let row = |at: u64| {
            let n = chunk * 2_000 + at;
            let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            row("big", n + 2, &format!("S{}/{mixed:016x} 12.34 USD", n % 50))
        };
        let rows = (0..2_000).map(row).collect();
        let taken = state
            .store
            .take_rows(rows, &file("big"), &when(1), law(None));
        assert_eq!(taken.unwrap().counts.new, 2_000);
    }
    assert_eq!(state.store.last_seq().unwrap(), 20_000);
    assert_eq!(state.store.commits(), 10);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}
