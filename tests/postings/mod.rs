//! Transactions made from stories, as the close makes them, and files made from transactions.
#![allow(dead_code, clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use tripsettle::books::{About, Booked, Journalist, Posting, Step, Transaction, TransactionKind};
use tripsettle::domain::*;
use tripsettle::outputs::{Exporter, FileTotals, OutputError, Shelf};
use tripsettle::settlement::History;

use crate::journal::{Journal, date, journal, key, money};

/// A trip: its name, the tax in its cart (or nothing), and its story.
pub type Told<'a> = (&'a str, &'a str, &'a str);

/// What is posted by default.
pub fn rules() -> BookRules {
    BookRules {
        method: WriteOffMethod::Direct,
        post_sales: false,
        tax_relief: false,
    }
}

/// The journals of stories, by store and trip.
pub fn journals(stories: &[Told<'_>]) -> Vec<Journal> {
    let mut journals: Vec<Journal> = stories.iter().map(told).collect();
    journals.sort_by(|a, b| a.trip.key.cmp(&b.trip.key));
    journals
}

fn told((name, tax, story): &Told<'_>) -> Journal {
    let mut journal = journal(name, story);
    let tax =
        (!tax.is_empty()).then(|| money(&format!("{tax} {}", journal.trip.cart_total.currency())));
    if let Fact::Taken { trip, .. } = &mut journal.events[0].fact {
        trip.tax = tax;
    }
    journal.trip.tax = tax;
    journal
}

/// The transactions of a day, and the day's journalist.
pub fn day(
    rules: BookRules,
    day: i64,
    journals: &[Journal],
    booked: Booked,
) -> (Vec<Transaction>, Journalist) {
    let mut journalist = Journalist::new(date(day), rules, booked);
    let mut made = Vec::new();
    for journal in journals {
        let mut events = journal.events.iter();
        let first = events.next().unwrap();
        let mut history = History::begin(&first.fact).unwrap();
        let step = |event, history: &History| Step {
            event,
            after: *history.balances(),
        };
        let mut steps = vec![step(first, &history)];
        for event in events {
            history.apply(event.at, &event.fact).unwrap();
            steps.push(step(event, &history));
        }
        made.extend(journalist.enter(&journal.trip, &steps).unwrap());
    }
    (made, journalist)
}

/// The transactions of every day up to the last one.
pub fn days(rules: BookRules, last: i64, journals: &[Journal]) -> Vec<Vec<Transaction>> {
    let rules: Vec<_> = (1..=last).map(|_| rules).collect();
    days_by(&rules, journals)
}

/// The transactions of days that have rules of their own each.
pub fn days_by(rules: &[BookRules], journals: &[Journal]) -> Vec<Vec<Transaction>> {
    let mut booked = Booked::new();
    (1..)
        .zip(rules)
        .map(|(number, rules)| {
            let (made, _) = day(*rules, number, journals, booked.clone());
            for debt in &made {
                let about = debt.about();
                if let TransactionKind::BadDebt
                | TransactionKind::Recovery
                | TransactionKind::WriteOff
                | TransactionKind::Reversal = about.kind
                {
                    booked.insert((about.key.clone(), about.step), debt.clone());
                }
            }
            made
        })
        .collect()
}

/// A night with every kind of transaction in four currencies: its second day.
pub fn night() -> Vec<Transaction> {
    let journals = journals(&[
        (
            "NYC/T1",
            "1.48",
            "taken 20.00 USD | day 2 | adjust 20.00 approved | capture 20.00 initiated",
        ),
        (
            "NYC/T2",
            "0.74",
            "taken 10.00 USD | day 2 | adjust 10.00 declined 6.00 \
                            | capture 6.00 initiated | lost 4.00 declined",
        ),
        (
            "NYC/T3",
            "1.00",
            "taken 9.99 USD | lost 9.99 declined | day 2 | line 9.99 | found 9.99",
        ),
        (
            "NYC/T4",
            "",
            "taken 5.00 USD | day 2 | adjust 5.00 expired dead | lost 5.00 token_expired",
        ),
        (
            "NYC/T5",
            "0.53",
            "taken 7.20 USD | day 2 | elsewhere cancelled",
        ),
        (
            "NYC/T6",
            "",
            "taken 3.00 USD | day 2 | adjust 3.00 approved | capture 3.00 unclear timeout",
        ),
        (
            "TYO/T7",
            "50",
            "taken 700 JPY | day 2 | adjust 700 declined 0 | lost 700 declined",
        ),
        (
            "KWI/T8",
            "0.090",
            "taken 1.234 KWD | day 2 | adjust 1.234 approved | capture 1.234 initiated",
        ),
        (
            "BER_1/T9",
            "0.05",
            "taken 0.33 EUR | day 2 | adjust 0.33 declined 0.10 \
                              | capture 0.10 initiated | lost 0.23 declined",
        ),
    ]);
    days(rules(), 2, &journals).remove(1)
}

/// What the second day's capture of this number says of itself, of the trip `S1/T<number>`.
pub fn about(number: usize) -> About {
    About {
        id: format!("JE-20261124-{number:06}"),
        books_date: date(2),
        business_date: BusinessDate::parse("2026-11-22").unwrap(),
        key: key(&format!("S1/T{number}")),
        step: 2,
        processor: None,
        kind: TransactionKind::Capture,
        corrects: None,
    }
}

/// That capture, of this amount.
pub fn capture(number: usize, amount: &str) -> Transaction {
    let amount = money(amount);
    let credit = Money::of_minor(-amount.minor(), amount.currency());
    let sides = [
        (Role::ProcessorReceivable, amount),
        (Role::SalesClearing, credit),
    ];
    let sides = sides.map(|(role, amount)| Posting { role, amount });
    Transaction::of(about(number), sides).unwrap()
}

/// The defaults, with these keys set.
pub fn exports(text: &str) -> Exports {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tripsettle.toml");
    std::fs::write(&file, text).unwrap();
    let config = tripsettle::config::Config::load(Some(&file), &[], dir.path());
    config.unwrap_or_else(|error| panic!("{error}")).exports
}

/// Every file switched on.
pub const ALL: &str = include_str!("../../src/cli/demo/exports.toml");

/// Files in memory.
#[derive(Clone, Default)]
pub struct Memory(Rc<RefCell<Pages>>);

type Pages = BTreeMap<String, (Vec<u8>, FileTotals)>;

pub struct Page(String, Vec<u8>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shelf for Memory {
    type File = Page;
    type Error = OutputError;
    fn open(&mut self, name: &str) -> Result<Page, OutputError> {
        Ok(Page(name.to_owned(), Vec::new()))
    }
    fn close(&mut self, Page(name, bytes): Page, totals: &FileTotals) -> Result<(), OutputError> {
        let before = self.0.borrow_mut().insert(name, (bytes, totals.clone()));
        assert!(before.is_none(), "a file was made twice");
        Ok(())
    }
}

/// Text and totals of every file, by name.
pub type Files = BTreeMap<String, (String, FileTotals)>;

/// The files of these transactions, and what was refused.
pub fn files(exports: &Exports, entries: &[Transaction]) -> (Files, BTreeMap<StoreId, Vec<Break>>) {
    let memory = Memory::default();
    let mut exporter = Exporter::begin(date(2), exports, memory.clone()).unwrap();
    for entry in entries {
        exporter.write(entry).unwrap();
    }
    let (_, refused) = exporter.finish().unwrap();
    let files = memory.0.borrow().clone();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let files = files
        .into_iter()
        .map(|(name, (bytes, totals))| (name, (text(bytes), totals)));
    (files.collect(), refused)
}
