//! `summary.json`: the day for programs. Money is decimal text; its version is in `schema`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::books::{EntryKind, Equation};
use crate::domain::{
    BooksDate, BreakKind, CaptureState, Currency, DayTotal, DebtAge, LossReason, Money, Severity,
    Status, StoreId, Timestamp, TripKey,
};
use crate::reconcile::{BreakStatus, MatchStatus};

use super::manifest::json;
use super::summary::{ByCurrency, Outcome, Stakes, Summary};
use super::{OutputError, SUMMARY_JSON};

const SCHEMA: &str = "tripsettle.summary/1";

#[derive(Serialize)]
struct Shape<'a> {
    schema: &'static str,
    books_date: BooksDate,
    edition: u32,
    balanced: bool,
    imbalances: Vec<ImbalanceShape<'a>>,
    control: Vec<ControlShape<'a>>,
    bad_debt: Vec<DebtShape<'a>>,
    bad_debt_entries: Vec<EntryShape>,
    bad_debt_ageing: Vec<AgeShape<'a>>,
    outcomes: Vec<OutcomeShape<'a>>,
    captures: BTreeMap<CaptureState, u64>,
    matches: BTreeMap<MatchStatus, u64>,
    doubts: StakesShape<'a>,
    at_risk_until: String,
    at_risk: StakesShape<'a>,
    breaks: Vec<BreakShape>,
    not_known: Vec<String>,
    feed: FeedShape,
    journal: JournalShape,
}

#[derive(Serialize)]
struct ImbalanceShape<'a> {
    store_id: &'a StoreId,
    currency: Currency,
    equation: &'static str,
    difference: String,
}

#[derive(Serialize)]
struct ControlShape<'a> {
    store_id: &'a StoreId,
    currency: Currency,
    opening_open: String,
    opening_in_doubt: String,
    new: String,
    amended: String,
    captured: String,
    bad_debt: String,
    cancelled: String,
    closing_in_doubt: String,
    closing_open: String,
}

#[derive(Serialize)]
struct DebtShape<'a> {
    store_id: &'a StoreId,
    currency: Currency,
    opening: String,
    new: String,
    reversed: String,
    recovered: String,
    written_off: String,
    closing: String,
}

#[derive(Serialize)]
struct EntryShape {
    kind: EntryKind,
    reason: LossReason,
    currency: Currency,
    entries: u64,
    amount: String,
}

#[derive(Serialize)]
struct AgeShape<'a> {
    store_id: &'a StoreId,
    currency: Currency,
    days: DebtAge,
    trips: u64,
    amount: String,
}

#[derive(Serialize)]
struct OutcomeShape<'a> {
    store_id: &'a StoreId,
    currency: Currency,
    outcome: Status,
    trips: u64,
    cart_total: String,
    captured: String,
    bad_debt: String,
}

#[derive(Serialize)]
struct StakesShape<'a> {
    count: u64,
    money: BTreeMap<String, String>,
    not_listed: u64,
    listed: Vec<StakeShape<'a>>,
}

#[derive(Serialize)]
struct StakeShape<'a> {
    trip: String,
    amount: String,
    currency: Currency,
    deadline: String,
    note: &'a str,
}

#[derive(Serialize)]
struct BreakShape {
    #[serde(rename = "break")]
    kind: BreakKind,
    severity: Severity,
    open: u64,
    cured: u64,
    oldest_days: u64,
}

#[derive(Serialize)]
struct FeedShape {
    rejected_rows: u64,
    scan_code_trips: u64,
}

#[derive(Serialize)]
struct JournalShape {
    last_seq: i64,
    hash: String,
}

/// The file's bytes.
pub(super) fn bytes(summary: &Summary, edition: u32) -> Result<Vec<u8>, OutputError> {
    let totals = &summary.totals;
    let ledger = summary.ledger.iter();
    let shape = Shape {
        schema: SCHEMA,
        books_date: summary.books_date,
        edition,
        balanced: summary.wrong.is_empty(),
        imbalances: imbalances(summary).collect(),
        control: totals.iter().map(control).collect(),
        bad_debt: totals.iter().map(debt).collect(),
        bad_debt_entries: ledger
            .map(|((kind, reason, currency), (entries, minor))| EntryShape {
                kind: *kind,
                reason: *reason,
                currency: *currency,
                entries: *entries,
                amount: text(*minor, *currency),
            })
            .collect(),
        bad_debt_ageing: ageing(summary).collect(),
        outcomes: outcomes(summary).collect(),
        captures: every(CaptureState::ALL, &summary.captures),
        matches: every(MatchStatus::ALL, &summary.matches),
        doubts: stakes(&summary.doubts),
        at_risk_until: summary.at_risk_until.to_string(),
        at_risk: stakes(&summary.at_risk),
        breaks: summary
            .breaks
            .iter()
            .map(|of| breaks(summary, of))
            .collect(),
        not_known: summary.not_known(),
        feed: FeedShape {
            rejected_rows: summary.rejected,
            scan_code_trips: summary.scan_codes,
        },
        journal: JournalShape {
            last_seq: summary.head.seq,
            hash: summary.head.hash_text(),
        },
    };
    json(SUMMARY_JSON, &shape)
}

fn text(minor: i64, currency: Currency) -> String {
    Money::of_minor(minor, currency).decimal_text()
}

/// All counts, 0 where nothing was counted: absent would leave a reader guessing.
fn every<K: Ord + Copy>(all: &[K], counts: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let count = |key: &K| (*key, counts.get(key).copied().unwrap_or(0));
    all.iter().map(count).collect()
}

fn imbalances(summary: &Summary) -> impl Iterator<Item = ImbalanceShape<'_>> {
    summary.wrong.iter().map(|wrong| ImbalanceShape {
        store_id: &wrong.store,
        currency: wrong.difference.currency(),
        equation: match wrong.equation {
            Equation::Control => "control",
            Equation::BadDebt => "bad_debt",
            Equation::Postings => "postings",
        },
        difference: wrong.difference.decimal_text(),
    })
}

fn control(day: &DayTotal) -> ControlShape<'_> {
    let text = |minor| text(minor, day.currency);
    ControlShape {
        store_id: &day.store,
        currency: day.currency,
        opening_open: text(day.opening_open),
        opening_in_doubt: text(day.opening_in_doubt),
        new: text(day.new),
        amended: text(day.amended),
        captured: text(day.captured),
        bad_debt: text(day.bad_debt),
        cancelled: text(day.cancelled),
        closing_in_doubt: text(day.closing_in_doubt),
        closing_open: text(day.closing_open),
    }
}

fn debt(day: &DayTotal) -> DebtShape<'_> {
    let text = |minor| text(minor, day.currency);
    DebtShape {
        store_id: &day.store,
        currency: day.currency,
        opening: text(day.debt_opening),
        new: text(day.debt_new),
        reversed: text(day.debt_reversed),
        recovered: text(day.debt_recovered),
        written_off: text(day.debt_written_off),
        closing: text(day.debt_closing),
    }
}

fn ageing(summary: &Summary) -> impl Iterator<Item = AgeShape<'_>> {
    let sums = summary.ageing.sums();
    sums.map(|(store_id, currency, days, sum)| AgeShape {
        store_id,
        currency,
        days,
        trips: sum.trips,
        amount: text(sum.minor, currency),
    })
}

fn outcomes(summary: &Summary) -> impl Iterator<Item = OutcomeShape<'_>> {
    let shape = |store_id, (currency, outcome): &(Currency, Status), sum: &Outcome| OutcomeShape {
        store_id,
        currency: *currency,
        outcome: *outcome,
        trips: sum.trips,
        cart_total: text(sum.cart_total, *currency),
        captured: text(sum.captured, *currency),
        bad_debt: text(sum.bad_debt, *currency),
    };
    summary
        .outcomes
        .iter()
        .flat_map(move |(store, of)| of.iter().map(move |(place, sum)| shape(store, place, sum)))
}

fn stakes(stakes: &Stakes) -> StakesShape<'_> {
    let listed = u64::try_from(stakes.named.len()).unwrap_or(u64::MAX);
    StakesShape {
        count: stakes.count,
        money: money(&stakes.money),
        not_listed: stakes.count.saturating_sub(listed),
        listed: stakes.named.iter().map(stake).collect(),
    }
}

fn stake<'a>(
    ((deadline, key), (amount, note)): (&(Timestamp, TripKey), &'a (Money, String)),
) -> StakeShape<'a> {
    StakeShape {
        trip: key.to_string(),
        amount: amount.decimal_text(),
        currency: amount.currency(),
        deadline: deadline.to_string(),
        note,
    }
}

fn money(sums: &ByCurrency) -> BTreeMap<String, String> {
    sums.iter()
        .map(|(currency, minor)| (currency.code().to_owned(), text(*minor, *currency)))
        .collect()
}

fn breaks(summary: &Summary, (kind, by): (&BreakKind, &BTreeMap<BreakStatus, u64>)) -> BreakShape {
    let of = |status| by.get(&status).copied().unwrap_or(0);
    BreakShape {
        kind: *kind,
        severity: kind.severity(),
        open: of(BreakStatus::Open),
        cured: of(BreakStatus::Cured),
        oldest_days: summary.oldest.get(kind).copied().unwrap_or(0),
    }
}
