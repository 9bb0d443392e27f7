//! The bad-debt ledger and the control equation, by example and for random nights.

#![allow(clippy::unwrap_used)]

mod journal;

use std::collections::BTreeMap;

use journal::{Journal, date, journal, money};
use proptest::prelude::*;
use tripsettle::books::{BooksError, Control, Counted, Ledger, LedgerEntry, check};
use tripsettle::domain::*;

fn end(journal: &Journal, status: Status) -> Balances {
    journal.standing(status, CaptureState::None).balances
}

fn yesterday(store: &str, open: i64, in_doubt: i64, debt: i64) -> DayTotal {
    let (store, usd) = (StoreId::of(store).unwrap(), Currency::of("USD").unwrap());
    DayTotal {
        closing_open: open,
        closing_in_doubt: in_doubt,
        debt_closing: debt,
        ..DayTotal::nothing(store, usd)
    }
}

fn counted(store: &str, open: i64, in_doubt: i64, debt: i64) -> Counted {
    let (store, currency) = (StoreId::of(store).unwrap(), Currency::of("USD").unwrap());
    Counted {
        store,
        currency,
        open,
        in_doubt,
        debt,
    }
}

fn told(entries: &[LedgerEntry]) -> Vec<String> {
    let told = entries.iter().map(|e| {
        format!(
            "{} {} {} {} balance {} {} of {}",
            e.entry_id, e.key, e.kind, e.amount, e.balance, e.reason, e.cart_total
        )
    });
    told.collect()
}

#[test]
fn the_ledger_runs_per_store_and_currency_from_the_day_before() {
    let mut ledger = Ledger::open(date(2), &[yesterday("S1", 0, 0, 500)]);
    let stories = [
        (
            "S1/T1",
            "taken 20.00 USD | lost 20.00 declined",
            Status::WrittenOff,
        ),
        (
            "S1/T2",
            "taken 20.00 USD | day 2 | lost 20.00 token_expired",
            Status::Expired,
        ),
        (
            "S1/T3",
            "taken 9.00 USD | lost 9.00 declined | day 2 | line 9.00 | found 9.00",
            Status::Captured,
        ),
        (
            "S1/T4",
            "taken 700 JPY | day 2 | lost 700 refused",
            Status::WrittenOff,
        ),
        (
            "S2/T5",
            "taken 8.00 USD | day 2 | lost 8.00 declined | found 8.00",
            Status::Captured,
        ),
        (
            "S2/T6",
            "taken 0.00 USD | day 2 | lost 0.00 token_expired",
            Status::Cancelled,
        ),
        (
            "S2/T7",
            "taken 3.00 USD | day 3 | lost 3.00 token_expired",
            Status::Expired,
        ),
    ];
    let mut entries = Vec::new();
    for (name, story, status) in stories {
        let journal = journal(name, story);
        let balances = end(&journal, status);
        entries.extend(
            ledger
                .enter(&journal.trip, &journal.events, &balances)
                .unwrap(),
        );
    }
    let expected = [
        "BD-2026-11-24-000001 S1/T2 new 20.00 USD balance 25.00 USD token_expired of 20.00 USD",
        "BD-2026-11-24-000002 S1/T3 reversal 9.00 USD balance 16.00 USD declined of 9.00 USD",
        "BD-2026-11-24-000003 S1/T4 new 700 JPY balance 700 JPY refused of 700 JPY",
        "BD-2026-11-24-000004 S2/T5 new 8.00 USD balance 8.00 USD declined of 8.00 USD",
        "BD-2026-11-24-000005 S2/T5 reversal 8.00 USD balance 0.00 USD declined of 8.00 USD",
    ];
    assert_eq!(told(&entries), expected);
}

#[test]
fn money_found_for_a_trip_without_a_loss_is_a_damaged_journal() {
    let mut ledger = Ledger::open(date(1), &[]);
    let journal = journal("S1/T1", "taken 20.00 USD | found 20.00");
    let entered = ledger.enter(
        &journal.trip,
        &journal.events,
        &end(&journal, Status::Captured),
    );
    assert_eq!(
        entered,
        Err(BooksError::NothingToReverse("S1/T1".to_owned()))
    );
}

#[test]
fn a_lost_trip_is_found_by_counting() {
    let store = StoreId::of("S1").unwrap();
    let mut control = Control::open(&[yesterday("S1", 1000, 0, 0)]);
    control
        .add(&store, None, &Balances::open(money("20.00")))
        .unwrap();
    let totals = control.finish(&[counted("S1", 2999, 0, 0)]).unwrap();
    let wrong = check(&totals).unwrap_err();
    let words: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        ["the control equation of store S1 is off by 0.01 USD"]
    );
}

#[test]
fn a_ledger_that_disagrees_with_the_trips_is_found() {
    let journal = journal("S1/T1", "taken 20.00 USD | lost 20.00 declined");
    let mut control = Control::open(&[]);
    let balances = end(&journal, Status::WrittenOff);
    control
        .add(&journal.trip.key.store, None, &balances)
        .unwrap();
    let wrong = check(&control.finish(&[]).unwrap()).unwrap_err();
    let words: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        ["the bad-debt ledger of store S1 is off by -20.00 USD"]
    );
}

#[test]
fn a_debt_that_nobody_counted_is_found() {
    let control = Control::open(&[yesterday("S1", 0, 0, 700)]);
    let totals = control.finish(&[counted("S1", 0, 0, 699)]).unwrap();
    let wrong = check(&totals).unwrap_err();
    let words: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        ["the bad-debt ledger of store S1 is off by 0.01 USD"]
    );
}

#[test]
fn a_store_without_events_carries_its_balances_over() {
    let control = Control::open(&[yesterday("S1", 1000, 500, 700), yesterday("S2", 0, 0, 0)]);
    let totals = control
        .finish(&[counted("S1", 400, 500, 300), counted("S1", 600, 0, 400)])
        .unwrap();
    let [day] = totals.as_slice() else {
        panic!("one row, not {totals:?}")
    };
    assert_eq!((day.opening_open, day.closing_open), (1000, 1000));
    assert_eq!((day.opening_in_doubt, day.closing_in_doubt), (500, 500));
    assert_eq!((day.debt_opening, day.debt_closing), (700, 700));
    assert_eq!(check(&totals), Ok(()));
}

#[test]
fn sums_beyond_the_range_are_errors() {
    let store = StoreId::of("S1").unwrap();
    let huge = Balances::open(Money::of_minor(i64::MAX, Currency::of("USD").unwrap()));
    let mut control = Control::open(&[]);
    control.add(&store, None, &huge).unwrap();
    assert!(control.add(&store, None, &huge).is_err());
    assert!(
        control
            .finish(&[counted("S1", i64::MAX, 0, 0), counted("S1", 1, 0, 0)])
            .is_err()
    );
}

/// What may happen to a random trip on a day; a step that does not fit is skipped.
#[derive(Debug, Clone, Copy)]
enum Step {
    Amend(u32),
    Doubt,
    Capture(u32),
    Lose,
    Find(u32),
    CancelElsewhere,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..5_000_u32).prop_map(Step::Amend),
        Just(Step::Doubt),
        (1..5_000_u32).prop_map(Step::Capture),
        Just(Step::Lose),
        (1..5_000_u32).prop_map(Step::Find),
        Just(Step::CancelElsewhere),
    ]
}

/// Applies a step to the balances, and to the journal where the ledger looks at it.
fn apply(journal: &mut Journal, balances: &mut Balances, step: Step) {
    let of = |minor| Money::of_minor(minor, balances.currency);
    match step {
        Step::Amend(total) if balances.open == balances.cart_total => {
            *balances = Balances::open(of(i64::from(total)));
        }
        Step::Doubt => {
            balances.in_doubt += balances.open;
            balances.open = 0;
        }
        Step::Capture(most) => {
            let amount = i64::from(most).min(balances.open);
            balances.captured += amount;
            balances.open -= amount;
        }
        Step::Lose if balances.open > 0 => {
            journal.push(Fact::Lost {
                amount: of(balances.open),
                reason: LossReason::Declined,
                policy: DeclinePolicy::WriteOff,
            });
            balances.bad_debt += balances.open;
            balances.open = 0;
        }
        Step::Find(most) if balances.bad_debt > 0 => {
            let amount = i64::from(most).min(balances.bad_debt);
            journal.push(Fact::FoundCaptured { amount: of(amount) });
            balances.captured += amount;
            balances.bad_debt -= amount;
        }
        Step::CancelElsewhere => {
            balances.cancelled += balances.open;
            balances.open = 0;
        }
        Step::Amend(_) | Step::Lose | Step::Find(_) => {}
    }
}

/// A trip's journal, its balances once it was taken, and the days to come.
type Going = (Journal, Option<Balances>, Vec<Vec<Step>>);
/// A trip: its store, its currency, its cart total, and what happens on each of three days.
type Night = (u8, u8, u32, Vec<Vec<Step>>);

fn night() -> impl Strategy<Value = Night> {
    let days = prop::collection::vec(prop::collection::vec(step(), 0..4), 3);
    (0..3_u8, 0..2_u8, 0..5_000_u32, days)
}

proptest! {
    #[test]
    fn the_equations_hold_for_every_day_of_random_trips(
        trips in prop::collection::vec(night(), 1..20),
    ) {
        let mut state: BTreeMap<String, Going> = BTreeMap::new();
        for (place, (store, currency, total, days)) in trips.into_iter().enumerate() {
            let currency = Currency::of(["USD", "JPY"][usize::from(currency)]).unwrap();
            let total = Money::of_minor(i64::from(total), currency);
            let name = format!("S{store}/T{place:02}");
            let journal = journal(&name, &format!("taken {total}"));
            state.insert(name, (journal, None, days));
        }
        let mut previous = Vec::new();
        for day in 0..3_usize {
            let books_date = date(i64::try_from(day).unwrap() + 1);
            let mut ledger = Ledger::open(books_date, &previous);
            let mut control = Control::open(&previous);
            let mut left = Vec::new();
            for (journal, before, days) in state.values_mut() {
                journal.books_date = books_date;
                let mut end = before.unwrap_or_else(|| Balances::open(journal.trip.cart_total));
                days[day].iter().for_each(|step| apply(journal, &mut end, *step));
                prop_assert!(end.hold());
                let store = journal.trip.key.store.clone();
                control.add(&store, before.as_ref(), &end).unwrap();
                for entry in ledger.enter(&journal.trip, &journal.events, &end).unwrap() {
                    control.add_entry(&entry).unwrap();
                }
                let (open, in_doubt, currency) = (end.open, end.in_doubt, end.currency);
                let debt = end.debt();
                left.push(Counted { store, currency, open, in_doubt, debt });
                *before = Some(end);
            }
            let totals = control.finish(&left).unwrap();
            prop_assert_eq!(check(&totals), Ok(()));
            previous = totals;
        }
    }
}
