//! Debts in the database: what it refuses whoever asks, and what it repeats of the journal.
#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use journal::{date, journal};
use rusqlite::Connection;
use store::{State, state};
use tripsettle::domain::{BooksDate, Money};
use tripsettle::store::{Store, StoreError};

/// What becomes of a story's last event where the law of a trip is silent: the standing that is
/// written beside it is the one before it.
fn outcome(story: &str) -> String {
    let (state, journal) = (state(), journal("S1/t", &format!("taken 20.00 | {story}")));
    let trip = state.begin(&journal);
    let (last, before) = journal.events[1..].split_last().unwrap();
    for event in before {
        state.append(trip, &journal, event.step).unwrap();
    }
    match state.append(trip, &journal, last.step) {
        Ok(_) => "accepted".to_owned(),
        Err(StoreError::Refused(why)) => why,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_database_itself_refuses_what_is_more_than_a_debt() {
    let below = "more is taken from a bad debt than stands open";
    let rows = [
        ("lost 20.00 declined | debt recovered 20.00", "accepted"),
        ("lost 20.00 declined | debt recovered 20.01", below),
        ("debt recovered 0.01", below),
        (
            "lost 20.00 declined | debt recovered 5.00 | debt recovered 15.01",
            below,
        ),
        (
            "lost 20.00 declined | debt recovered 5.00 | debt taken_back 3 | debt recovered 20.00",
            "accepted",
        ),
        (
            "lost 20.00 declined | debt written_off 20.00 | debt reversed 0.01 captured",
            below,
        ),
        (
            "lost 20.00 declined | line 20.00 | debt recovered 5.00 | found 20.00",
            below,
        ),
        (
            "lost 20.00 declined | line 20.00 | debt recovered 5.00 | found 15.00",
            "accepted",
        ),
        (
            "lost 20.00 declined | debt recovered 0.00",
            "a debt event without an amount above zero",
        ),
        (
            "lost 20.00 declined | debt taken_back 2",
            "takes back what is no recovery, write-off or reversal",
        ),
        (
            "lost 20.00 declined | debt reversed 1.00 captured | debt taken_back 3",
            "accepted",
        ),
        (
            "lost 20.00 declined | debt reversed 1.00 captured | debt taken_back 3 | \
             debt taken_back 3",
            "takes back a second time",
        ),
        (
            "lost 20.00 declined | debt reversed 20.00 cancelled | debt taken_back 3 | \
             debt recovered 20.01",
            below,
        ),
        (
            "lost 20.00 declined | debt recovered 1.00 | debt taken_back 3 | debt taken_back 4",
            "takes back what is no recovery, write-off or reversal",
        ),
        (
            "lost 20.00 declined | debt recovered 1.00 | debt taken_back 3 | debt taken_back 3",
            "takes back a second time",
        ),
        (
            "lost 20.00 declined | debt reversed 20.00 cancelled | capture 20.00",
            "a capture of a trip that is captured, in doubt or cancelled",
        ),
    ];
    for (story, expected) in rows {
        let got = outcome(story);
        assert!(got.contains(expected), "{story}: {got}");
    }
}

fn refused(raw: &Connection, sql: &str) -> String {
    raw.execute(sql, ()).unwrap_err().to_string()
}

#[test]
fn a_trips_row_never_says_more_than_its_debt() {
    let state = state();
    state.play(
        "S1/a",
        "taken 20.00 | lost 20.00 declined | debt recovered 5.00",
    );
    let raw = state.raw();
    for sql in [
        "UPDATE trip SET recovered = 2001",
        "UPDATE trip SET recovered = -1",
        "UPDATE trip SET written_off = -1",
        "UPDATE trip SET written_off = 1501",
        "UPDATE trip SET bad_debt = 499, captured = 1501",
    ] {
        let why = refused(&raw, sql);
        assert!(why.contains("CHECK constraint failed"), "{sql}: {why}");
    }
    let nameless = |by: &str, note: &str| {
        let act = r#"{"act":"recovered","amount":{"minor":1,"currency":"USD"}}"#;
        let detail =
            format!(r#"{{"fact":"debt","ruling":{{"act":{act},"by":"{by}","note":"{note}"}}}}"#);
        format!(
            "INSERT INTO journal (trip, step, at, books_date, kind, verdict, detail)
             VALUES (1, 4, 0, '2026-11-23', 'debt', 'recovered', '{detail}')"
        )
    };
    for (by, note) in [("", "why"), ("Ada", " ")] {
        let why = refused(&raw, &nameless(by, note));
        assert!(why.contains("without a name or a reason"), "{why}");
    }
    let unknown = nameless("Ada", "why").replace("'debt', 'recovered'", "'debt', 'forgiven'");
    assert!(refused(&raw, &unknown).contains("unknown act"));
}

fn sums(state: &State, day: i64) -> Vec<String> {
    let mut sums = Vec::new();
    let each = &mut |sum: tripsettle::store::DebtSums| {
        sums.push(format!(
            "{} {} {} {}",
            sum.store, sum.since, sum.trips, sum.debt
        ));
        Ok(())
    };
    state
        .store
        .each_debt_sum::<StoreError>(date(day), each)
        .unwrap();
    sums
}

#[test]
fn open_debts_are_summed_by_the_day_of_their_loss_and_listed_by_name() {
    let state = state();
    let lost =
        |day: i64, rest: &str| format!("taken 20.00 USD | day {day} | lost 20.00 declined{rest}");
    state.play("S1/a", &lost(1, " | day 2 | debt recovered 5.00"));
    state.play("S1/b", &lost(1, ""));
    state.play("S1/c", &lost(3, ""));
    state.play("S2/d", &lost(1, " | debt written_off 20.00"));
    state.play("S2/e", "taken 700 JPY | lost 700 refused");
    state.play("S2/f", "taken 7.00 USD");
    assert_eq!(
        sums(&state, 3),
        [
            "S1 2026-11-23 2 35.00 USD",
            "S1 2026-11-25 1 20.00 USD",
            "S2 2026-11-23 1 700 JPY",
        ]
    );
    // Those with a later event are for others to count.
    assert_eq!(
        sums(&state, 1),
        ["S1 2026-11-23 1 20.00 USD", "S2 2026-11-23 1 700 JPY"]
    );
    let listed = |settled| {
        let mut names = Vec::new();
        let each = &mut |trip: tripsettle::store::IndebtedTrip| {
            let open = Money::of_minor(trip.balances.debt(), trip.balances.currency);
            names.push(format!(
                "{} {open} {} {}",
                trip.key, trip.since, trip.reason
            ));
            Ok(())
        };
        state.store.each_debt::<StoreError>(settled, each).unwrap();
        names
    };
    let open = [
        "S1/a 15.00 USD 2026-11-23 declined",
        "S1/b 20.00 USD 2026-11-23 declined",
        "S1/c 20.00 USD 2026-11-25 declined",
        "S2/e 700 JPY 2026-11-23 refused",
    ];
    assert_eq!(listed(false), open);
    let mut all = open.to_vec();
    all.insert(3, "S2/d 0.00 USD 2026-11-23 declined");
    assert_eq!(listed(true), all);
}

#[test]
fn only_what_corrects_an_earlier_booking_names_the_days_of_it() {
    let lost = "taken 20.00 USD | lost 20.00 declined";
    for (story, expected) in [
        // What only comes of a debt corrects nothing.
        ("day 3 | debt recovered 5.00", ""),
        ("day 3 | debt written_off 20.00", ""),
        ("day 3 | debt written_off 20.00 | debt taken_back 3", "1"),
        ("debt recovered 5.00 | day 3 | debt taken_back 3", "1"),
        (
            "day 2 | debt recovered 5.00 | day 3 | debt taken_back 3",
            "1 2",
        ),
        ("day 2 | debt recovered 5.00 | day 3 | line 15.00", ""),
        ("day 3 | debt reversed 5.00 captured", "1"),
        ("day 3 | debt reversed 5.00 cancelled", "1"),
        ("day 2 | line 20.00 | day 3 | found 20.00", "1"),
        (
            "day 3 | debt recovered 5.00 | day 4 | debt taken_back 3",
            "",
        ),
    ] {
        let state = state();
        state.play("S1/a", &format!("{lost} | {story}"));
        // A neighbour that corrects nothing adds no day.
        state.play("S1/b", &format!("{lost} | day 3 | debt recovered 5.00"));
        let last = state.store.last_seq().unwrap();
        let days = state.store.corrected_days(date(3), last).unwrap();
        let number = |day: &BooksDate| (day.days_since(date(1)) + 1).to_string();
        let days: Vec<_> = days.iter().map(number).collect();
        assert_eq!(days.join(" "), expected, "{story}");
    }
}

#[test]
fn an_older_state_learns_when_its_debts_were_booked() {
    let state = state();
    state.play(
        "S1/a",
        "taken 20.00 USD | day 2 | lost 20.00 declined | day 3 | line 5.00",
    );
    state.play("S1/b", "taken 0.00 USD | lost 0.00 token_expired");
    let folder = state.folder();
    let State { store, dir } = state;
    drop(store);
    let raw = Connection::open(folder.join("tripsettle.db")).unwrap();
    // As it was before the migration.
    raw.execute_batch(
        "DROP TRIGGER journal_debts_are_settled_as_they_stand;
         DROP TRIGGER journal_debt_is_never_below_zero;
         DROP INDEX processor_line_told;
         DROP INDEX trip_indebted;
         ALTER TABLE trip DROP COLUMN written_off;
         ALTER TABLE trip DROP COLUMN recovered;
         ALTER TABLE trip DROP COLUMN debt_since;
         PRAGMA user_version = 3",
    )
    .unwrap();
    // What a later migration joined with others.
    for name in [
        "journal_is_never_overwritten",
        "journal_intents_are_of_calls_that_move_money",
        "journal_never_captures_what_is_paid",
        "journal_never_cancels_a_doubt",
    ] {
        let joined = format!("CREATE TRIGGER {name} BEFORE INSERT ON journal BEGIN SELECT 1; END");
        raw.execute_batch(&joined).unwrap();
    }
    raw.close().unwrap();
    let store = Store::open(&folder).unwrap();
    let mut rows = Vec::new();
    let each = &mut |row: tripsettle::store::StoredTrip, _| rows.push(row);
    store.each_stored_trip(each).unwrap();
    let since = |place: usize| {
        let columns = &rows[place].columns;
        let since = columns.iter().find(|(name, _)| *name == "debt_since");
        since.unwrap().1.clone()
    };
    assert_eq!((since(0).as_str(), since(1).as_str()), ("2026-11-24", ""));
    drop((store, dir));
}
