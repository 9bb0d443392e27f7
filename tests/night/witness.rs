//! The witness: the sandbox's own ledger against what the program published.

use std::collections::BTreeMap;
use std::str::FromStr;

use rust_decimal::Decimal;
use tripsettle::sandbox::LedgerRow;

use super::stories::Tale;
use super::{Night, Row};

pub fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

/// What all published days say of one trip together.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub outcome: String,
    pub capture_state: String,
    pub captured: Decimal,
    pub bad_debt: Decimal,
    pub days: u32,
}

/// Every trip's published story: money is summed over the days, the newest day has the last word.
pub fn told(night: &Night) -> BTreeMap<(String, String), Told> {
    let mut all: BTreeMap<_, Told> = BTreeMap::new();
    for row in night.published("reconciliation.csv") {
        let key = (row["store_id"].clone(), row["shopping_trip_id"].clone());
        let told = all.entry(key).or_default();
        told.captured += decimal(&row["captured_amount"]);
        told.bad_debt += decimal(&row["bad_debt_amount"]);
        told.outcome.clone_from(&row["outcome"]);
        told.capture_state.clone_from(&row["capture_state"]);
        told.days += 1;
    }
    all
}

pub fn ledger(night: &Night) -> BTreeMap<(String, String), LedgerRow> {
    let rows = night.sandbox.ledger().into_iter();
    rows.map(|row| ((row.store_id.clone(), row.shopping_trip_id.clone()), row))
        .collect()
}

/// No trip is charged twice, above its cart or its hold, or both charged and released.
pub fn nobody_is_charged_wrongly(night: &Night, tales: &[Tale]) {
    let totals: BTreeMap<_, _> = tales.iter().map(|tale| (tale.key(), tale.total)).collect();
    for (key, row) in ledger(night) {
        assert!(row.captures.len() <= 1, "charged twice: {row:#?}");
        assert!(row.captured() <= row.authorized, "above the hold: {row:#?}");
        assert!(row.captured() <= totals[&key], "above the cart: {row:#?}");
        let both = row.cancelled && !row.captures.is_empty();
        assert!(!both, "charged and released: {row:#?}");
        assert!(row.refunds.is_empty(), "refunded: {row:#?}");
    }
}

/// What was published is what happened, trip by trip.
pub fn published_is_what_happened(night: &Night, tales: &[Tale]) {
    let (told, ledger) = (told(night), ledger(night));
    assert_eq!(
        told.len(),
        tales.len(),
        "every trip is told once: {told:#?}"
    );
    for tale in tales {
        let said = &told[&tale.key()];
        let did = ledger.get(&tale.key());
        compare(tale, said, did);
    }
}

fn compare(tale: &Tale, said: &Told, did: Option<&LedgerRow>) {
    let what = || format!("{tale:#?}\n{said:#?}\n{did:#?}");
    let captured = did.map_or(Decimal::ZERO, LedgerRow::captured);
    let cancelled = did.is_some_and(|row| row.cancelled);
    let is_charged = matches!(said.outcome.as_str(), "captured" | "captured_partial");
    let rest = tale.total - said.captured - said.bad_debt;
    match (said.outcome.as_str(), tale.is_elsewhere()) {
        (_, true) => assert_eq!(did, None, "it was asked about: {}", what()),
        ("captured" | "captured_partial", false) => {
            assert_eq!(said.captured, captured, "{}", what());
            assert_eq!(rest, Decimal::ZERO, "{}", what());
        }
        ("cancelled", false) => assert!(cancelled && tale.total.is_zero(), "{}", what()),
        ("written_off" | "expired", false) => {
            assert_eq!(captured, Decimal::ZERO, "{}", what());
            assert_eq!(said.bad_debt, tale.total, "{}", what());
            assert_eq!(cancelled, said.outcome == "written_off", "{}", what());
        }
        ("refused" | "open", false) => {
            assert_eq!(captured, Decimal::ZERO, "{}", what());
            assert_eq!(rest, tale.total, "{}", what());
        }
        ("in_doubt", false) => {
            assert_eq!(said.capture_state, "in_doubt", "{}", what());
            assert_eq!(rest, tale.total, "{}", what());
            assert!(!cancelled, "{}", what());
        }
        (other, false) => panic!("{other} is no outcome: {}", what()),
    }
    if !is_charged {
        assert_eq!(said.captured, Decimal::ZERO, "{}", what());
    }
}

/// Each trip ended as its story says, under the decline policy of its store.
pub fn each_story_ended(night: &Night, tales: &[Tale], policy: impl Fn(&str) -> &'static str) {
    let told = told(night);
    for tale in tales {
        let said = &told[&tale.key()];
        let ending = tale.ending(policy(tale.store));
        assert_eq!(said.outcome, ending, "{tale:#?}\n{said:#?}");
    }
}

/// The control equation holds, day by day, by our own sums; each day opens as the last one closed;
/// and its parts are those of the other files.
pub fn the_books_balance(night: &Night) {
    let debts = debts(&night.published("bad_debt_summary.csv"));
    let mut closing: BTreeMap<(String, String), (Decimal, Decimal)> = BTreeMap::new();
    for summary in night.summaries() {
        assert_eq!(summary["balanced"], true, "{summary:#}");
        let date = summary["books_date"].as_str().unwrap();
        for part in summary["control"].as_array().unwrap() {
            let amount = |name: &str| decimal(part[name].as_str().unwrap());
            let word = |name: &str| part[name].as_str().unwrap().to_owned();
            let key = (word("store_id"), word("currency"));
            let opening = (amount("opening_open"), amount("opening_in_doubt"));
            let before = closing.get(&key).copied().unwrap_or_default();
            assert_eq!(opening, before, "{part:#}");
            let came = opening.0 + opening.1 + amount("new") + amount("amended");
            let ended = (amount("closing_open"), amount("closing_in_doubt"));
            let went = amount("captured") + amount("bad_debt") + amount("cancelled");
            assert_eq!(came, went + ended.0 + ended.1, "{part:#}");
            let debt = debts[&(date.to_owned(), key.0.clone(), key.1.clone())];
            assert_eq!(amount("bad_debt"), debt, "{part:#}");
            closing.insert(key, ended);
        }
    }
    let booked = sums(night, |part| decimal(part["captured"].as_str().unwrap()));
    let mut rows: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in night.published("reconciliation.csv") {
        *rows.entry(row["currency"].clone()).or_default() += decimal(&row["captured_amount"]);
    }
    assert_eq!(rows, booked, "the rows add up to the control equation");
}

/// New bad debt minus reversals, by day, store and currency.
fn debts(rows: &[Row]) -> BTreeMap<(String, String, String), Decimal> {
    let of = |row: &Row| {
        let amount = |name: &str| decimal(&row[name]);
        let gone = amount("reversed") + amount("recovered") + amount("written_off");
        let came = amount("opening") + amount("new");
        assert_eq!(came - gone, amount("closing"), "{row:#?}");
        let word = |name: &str| row[name].clone();
        let key = (word("books_date"), word("store_id"), word("currency"));
        (key, amount("new") - amount("reversed"))
    };
    rows.iter().map(of).collect()
}

/// A part of the control equation, summed by currency over all days and stores.
fn sums(
    night: &Night,
    amount: impl Fn(&serde_json::Value) -> Decimal,
) -> BTreeMap<String, Decimal> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for summary in night.summaries() {
        for part in summary["control"].as_array().unwrap() {
            let currency = part["currency"].as_str().unwrap().to_owned();
            *sums.entry(currency).or_default() += amount(part);
        }
    }
    sums
}

/// All of it.
pub fn testifies(night: &Night, tales: &[Tale]) {
    nobody_is_charged_wrongly(night, tales);
    published_is_what_happened(night, tales);
    the_books_balance(night);
}
