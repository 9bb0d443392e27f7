//! The bad-debt ledger under random commands: never below zero, chained without a gap, and always
//! the sum of the open debts that the journal alone tells of.
#![allow(clippy::unwrap_used)]

mod journal;

use std::collections::BTreeMap;

use journal::{Journal, date, journal, money};
use proptest::prelude::*;
use serde_json::Value;
use tripsettle::books::{Control, Counted, EntryKind, Ledger, LedgerEntry, check};
use tripsettle::domain::*;
use tripsettle::reconcile::{Outside, Terms, examine, findings};
use tripsettle::settlement::{History, recover_debt, rule_debt};

const DAYS: i64 = 5;

fn told(entries: &[LedgerEntry]) -> Vec<String> {
    let one = |entry: &LedgerEntry| {
        let corrects = entry
            .corrects
            .map(|(step, on)| format!(" of step {step}, {on}"));
        let by = entry.by.as_deref().map(|by| format!(" by {by}"));
        format!(
            "{} step {}: {} {}, balance {} ({}){}{}",
            entry.entry_id,
            entry.step,
            entry.kind,
            entry.amount,
            entry.balance,
            entry.reason,
            corrects.unwrap_or_default(),
            by.unwrap_or_default()
        )
    };
    entries.iter().map(one).collect()
}

fn entries_of(journal: &Journal, ledger: &mut Ledger) -> Vec<LedgerEntry> {
    let balances = *History::replay(&journal.events).unwrap().balances();
    ledger
        .enter(&journal.trip, &journal.events, &balances)
        .unwrap()
}

#[test]
fn every_act_is_an_entry_on_its_own_day_and_a_correction_names_what_it_corrects() {
    let story = "taken 20.00 USD | lost 20.00 token_expired | day 2 | debt recovered 5.00 | \
                 debt written_off 15.00 | day 3 | debt taken_back 4 | debt recovered 1.00 | \
                 debt reversed 4.00 cancelled | line 10.00 | found 10.00";
    let journal = journal("S1/T1", story);
    let rows = [
        (
            1,
            0,
            vec!["BD-2026-11-23-000001 step 2: new 20.00 USD, balance 20.00 USD (token_expired)"],
        ),
        (
            2,
            2000,
            vec![
                "BD-2026-11-24-000001 step 3: recovery 5.00 USD, balance 15.00 USD \
                 (token_expired) by kim",
                "BD-2026-11-24-000002 step 4: write_off 15.00 USD, balance 0.00 USD \
                 (token_expired) by kim",
            ],
        ),
        (
            3,
            0,
            vec![
                "BD-2026-11-25-000001 step 5: write_off -15.00 USD, balance 15.00 USD \
                 (token_expired) of step 4, 2026-11-24 by kim",
                "BD-2026-11-25-000002 step 6: recovery 1.00 USD, balance 14.00 USD \
                 (token_expired) by kim",
                "BD-2026-11-25-000003 step 7: reversal 4.00 USD, balance 10.00 USD \
                 (token_expired) of step 2, 2026-11-23 by kim",
                "BD-2026-11-25-000004 step 9: reversal 10.00 USD, balance 0.00 USD \
                 (token_expired) of step 2, 2026-11-23",
            ],
        ),
        (4, 0, vec![]),
    ];
    for (day, opening, expected) in rows {
        let store = journal.trip.key.store.clone();
        let before = DayTotal {
            debt_closing: opening,
            ..DayTotal::nothing(store, money("1.00").currency())
        };
        let mut ledger = Ledger::open(date(day), &[before]);
        assert_eq!(told(&entries_of(&journal, &mut ledger)), expected, "{day}");
    }
}

/// What somebody tries to do; the law says whether it may be.
#[derive(Debug, Clone, Copy)]
enum Attempt {
    Lose,
    Recover(i64),
    WriteOff,
    TakeBack(usize),
    Reverse(i64, bool),
    Line(i64),
}

fn attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        3 => Just(Attempt::Lose),
        4 => (-10..2_500_i64).prop_map(Attempt::Recover),
        2 => Just(Attempt::WriteOff),
        3 => (0..12_usize).prop_map(Attempt::TakeBack),
        2 => (-10..2_500_i64, any::<bool>()).prop_map(|(x, y)| Attempt::Reverse(x, y)),
        1 => (1..2_500_i64).prop_map(Attempt::Line),
    ]
}

/// Appends what the law allows of the attempt; what the line contradicts is found at once.
fn play(journal: &mut Journal, attempt: Attempt, number: usize) {
    let history = History::replay(&journal.events).unwrap();
    let balances = *history.balances();
    let of = |minor| Money::of_minor(minor, balances.currency);
    let act = match attempt {
        Attempt::Lose => {
            let fact = Fact::Lost {
                amount: of(balances.open),
                reason: LossReason::Declined,
                policy: DeclinePolicy::WriteOff,
            };
            if balances.open > 0 && history.clone().apply(journal.at, &fact).is_ok() {
                journal.push(fact);
            }
            return;
        }
        Attempt::Line(minor) => {
            let story = format!("line {}", of(minor));
            let line = journal::journal("S1/L", &format!("taken {} | {story}", of(1)));
            journal.push(line.events[1].fact.clone());
            return examined(journal);
        }
        Attempt::Recover(minor) => {
            let words = ("kim", &*format!("number {number}"));
            let lost = balances.bad_debt - balances.recovered;
            let facts = recover_debt(&history, of(minor), words, journal.at);
            assert_eq!(
                facts.is_ok(),
                (1..=lost).contains(&minor),
                "{minor} of {balances:?}"
            );
            facts
                .into_iter()
                .flatten()
                .for_each(|fact| journal.push(fact));
            return;
        }
        Attempt::WriteOff => DebtAct::WrittenOff {
            amount: of(balances.debt()),
        },
        Attempt::TakeBack(place) => DebtAct::TakenBack {
            step: u32::try_from(place).unwrap(),
        },
        Attempt::Reverse(minor, captured) => DebtAct::Reversed {
            amount: of(minor),
            into: match captured {
                true => ReversedInto::Captured,
                false => ReversedInto::Cancelled,
            },
        },
    };
    let (by, note) = ("kim".to_owned(), format!("number {number}"));
    if let Ok(fact) = rule_debt(&history, &DebtRuling { act, by, note }, journal.at) {
        journal.push(fact);
    }
}

fn examined(journal: &mut Journal) {
    let standing = History::replay(&journal.events).unwrap().standing();
    let terms = Terms {
        evidence_missing_after_ms: i64::MAX,
        at: journal.at,
        books_date: journal.books_date,
    };
    let (trip, events) = (&journal.trip, &journal.events);
    let breaks = examine(trip, events, &standing, &Outside::default(), &terms);
    let found = findings(trip, events, &standing, &breaks, &terms);
    found.into_iter().for_each(|fact| journal.push(fact));
}

/// The open debt by the journal's text alone, which knows nothing of histories and ledgers.
fn witness(journal: &Journal) -> i64 {
    let facts: Vec<Value> = journal
        .events
        .iter()
        .map(|event| serde_json::to_value(&event.fact).unwrap())
        .collect();
    let minor = |value: &Value| value["amount"]["minor"].as_i64().unwrap();
    let of = |fact: &Value| match fact["fact"].as_str().unwrap() {
        "lost" => minor(fact),
        "found_captured" => -minor(fact),
        "debt" => {
            let act = &fact["ruling"]["act"];
            match act["act"].as_str().unwrap() {
                "taken_back" => {
                    let step = usize::try_from(act["step"].as_u64().unwrap()).unwrap();
                    minor(&facts[step - 1]["ruling"]["act"])
                }
                _ => -minor(act),
            }
        }
        _ => 0,
    };
    facts.iter().map(of).sum()
}

/// Where a trip stood at the end of a day, and before it.
fn around(journal: &Journal, day: BooksDate) -> (Option<Balances>, Balances) {
    let up_to = |last: BooksDate| {
        let events: Vec<Event> = journal.events.clone();
        let events: Vec<_> = events
            .into_iter()
            .filter(|e| e.books_date <= last)
            .collect();
        (!events.is_empty()).then(|| *History::replay(&events).unwrap().balances())
    };
    (up_to(day.previous()), up_to(day).unwrap())
}

/// A trip: its store, its currency, its cart total, and what is tried on each day.
type Tale = (u8, u8, i64, Vec<Vec<Attempt>>);

fn tale() -> impl Strategy<Value = Tale> {
    let days = prop::collection::vec(
        prop::collection::vec(attempt(), 0..6),
        usize::try_from(DAYS).unwrap(),
    );
    (0..2_u8, 0..2_u8, 1..2_000_i64, days)
}

/// The day's entries and totals.
fn close(
    trips: &BTreeMap<String, Journal>,
    day: BooksDate,
    previous: &[DayTotal],
) -> (Vec<LedgerEntry>, Vec<DayTotal>) {
    let (mut ledger, mut control) = (Ledger::open(day, previous), Control::open(previous));
    let (mut entries, mut counted) = (Vec::new(), Vec::new());
    for journal in trips.values() {
        let (before, end) = around(journal, day);
        let store = journal.trip.key.store.clone();
        control.add(&store, before.as_ref(), &end).unwrap();
        for entry in ledger.enter(&journal.trip, &journal.events, &end).unwrap() {
            control.add_entry(&entry).unwrap();
            entries.push(entry);
        }
        counted.push(Counted {
            store,
            currency: end.currency,
            open: end.open,
            in_doubt: end.in_doubt,
            debt: end.debt(),
        });
    }
    (entries, control.finish(&counted).unwrap())
}

proptest! {
    #[test]
    fn the_ledger_is_the_sum_of_the_open_debts_whatever_is_tried(
        tales in prop::collection::vec(tale(), 1..8),
    ) {
        let mut trips: BTreeMap<String, Journal> = BTreeMap::new();
        for (place, (store, currency, total, _)) in tales.iter().enumerate() {
            let currency = Currency::of(["USD", "JPY"][usize::from(*currency)]).unwrap();
            let (name, total) = (format!("S{store}/T{place}"), Money::of_minor(*total, currency));
            trips.insert(name.clone(), journal(&name, &format!("taken {total}")));
        }
        let mut previous: Vec<DayTotal> = Vec::new();
        let mut closed = Vec::new();
        for day in 1..=DAYS {
            for (place, (store, .., days)) in tales.iter().enumerate() {
                let journal = trips.get_mut(&format!("S{store}/T{place}")).unwrap();
                journal.books_date = date(day);
                let today = &days[usize::try_from(day - 1).unwrap()];
                for (number, attempt) in today.iter().enumerate() {
                    play(journal, *attempt, number);
                    prop_assert!(witness(journal) >= 0);
                }
            }
            let (entries, totals) = close(&trips, date(day), &previous);
            prop_assert_eq!(check(&totals), Ok(()));
            for entry in &entries {
                prop_assert!(entry.balance.minor() >= 0, "{:?}", told(&entries));
                let negative = entry.amount.minor() < 0;
                let back = entry.kind != EntryKind::New && entry.corrects.is_some();
                prop_assert!(!negative || back);
            }
            for total in &totals {
                let here = |j: &&Journal| {
                    let (store, currency) = (&j.trip.key.store, j.trip.cart_total.currency());
                    *store == total.store && currency == total.currency
                };
                let owed: i64 = trips.values().filter(here).map(witness).sum();
                prop_assert_eq!(total.debt_closing, owed);
                let before = previous.iter().find(|old| {
                    old.store == total.store && old.currency == total.currency
                });
                prop_assert_eq!(total.debt_opening, before.map_or(0, |old| old.debt_closing));
            }
            closed.push((previous, entries, totals.clone()));
            previous = totals;
        }
        // A later edition of a day has the same entries under the same ids.
        for (day, (previous, entries, totals)) in (1..).zip(&closed) {
            let again = close(&trips, date(day), previous);
            prop_assert_eq!(&again, &(entries.clone(), totals.clone()));
        }
    }
}
