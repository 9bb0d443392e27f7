//! The day in one screen: added up while the other files are written.
//!
//! Memory follows stores, currencies and kinds, not trips: of the trips at stake only the most
//! urgent hundred are kept by name.

use std::collections::BTreeMap;

use crate::books::{Ageing, EntryKind, Imbalance, LedgerEntry};
use crate::domain::{
    BooksDate, BreakKind, CaptureState, Currency, DayTotal, Head, LossReason, Money, MoneyError,
    Status, StoreId, Timestamp, TripKey,
};
use crate::reconcile::{BreakStatus, MatchStatus};

use super::breaks::BreakRow;
use super::postings::Posted;
use super::reconciliation::ReconciliationRow;
use super::{OutputError, SUMMARY_JSON, summary_json, summary_text};

/// How many trips a list names.
const NAMED: usize = 100;

/// A trip that somebody may have to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stake {
    /// The trip.
    pub key: TripKey,
    /// What is at stake.
    pub amount: Money,
    /// When its payment token is expected to die.
    pub deadline: Timestamp,
    /// What is known, in a few words.
    pub note: String,
}

/// Money by currency, in minor units.
pub(super) type ByCurrency = BTreeMap<Currency, i64>;

/// Trips at stake: all counted, the most urgent kept.
#[derive(Debug, Default)]
pub(super) struct Stakes {
    pub count: u64,
    pub money: ByCurrency,
    pub named: BTreeMap<(Timestamp, TripKey), (Money, String)>,
}

impl Stakes {
    fn add(&mut self, stake: Stake) -> Result<(), MoneyError> {
        self.count = self.count.saturating_add(1);
        add(&mut self.money, stake.amount)?;
        let place = (stake.deadline, stake.key);
        self.named.insert(place, (stake.amount, stake.note));
        if self.named.len() > NAMED {
            self.named.pop_last();
        }
        Ok(())
    }
}

/// Trips of one outcome.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Outcome {
    pub trips: u64,
    pub cart_total: i64,
    pub captured: i64,
    pub bad_debt: i64,
}

impl Outcome {
    pub fn add(&mut self, other: &Self) -> Result<(), MoneyError> {
        self.trips = self.trips.saturating_add(other.trips);
        let sums = [
            (&mut self.cart_total, other.cart_total),
            (&mut self.captured, other.captured),
            (&mut self.bad_debt, other.bad_debt),
        ];
        for (sum, more) in sums {
            *sum = plus(*sum, more)?;
        }
        Ok(())
    }
}

/// Everything that `summary.json` and `summary.txt` tell; see the module's text.
#[derive(Debug)]
pub struct Summary {
    pub(super) books_date: BooksDate,
    pub(super) at_risk_until: Timestamp,
    pub(super) totals: Vec<DayTotal>,
    pub(super) wrong: Vec<Imbalance>,
    pub(super) outcomes: BTreeMap<StoreId, BTreeMap<(Currency, Status), Outcome>>,
    pub(super) captures: BTreeMap<CaptureState, u64>,
    pub(super) matches: BTreeMap<MatchStatus, u64>,
    pub(super) ledger: BTreeMap<(EntryKind, LossReason, Currency), (u64, i64)>,
    pub(super) ageing: Ageing,
    pub(super) posted: Option<Posted>,
    pub(super) breaks: BTreeMap<BreakKind, BTreeMap<BreakStatus, u64>>,
    /// Days since the oldest open break of a kind was seen first.
    pub(super) oldest: BTreeMap<BreakKind, u64>,
    pub(super) doubts: Stakes,
    pub(super) at_risk: Stakes,
    pub(super) rejected: u64,
    pub(super) scan_codes: u64,
    pub(super) head: Head,
}

impl Summary {
    /// An empty summary. `at_risk_until` is the instant that [`Summary::add_at_risk`] looks ahead
    /// to; like everything here it must follow from the journal and the books date alone.
    pub fn new(books_date: BooksDate, at_risk_until: Timestamp) -> Self {
        Self {
            books_date,
            at_risk_until,
            totals: Vec::new(),
            wrong: Vec::new(),
            outcomes: BTreeMap::new(),
            captures: BTreeMap::new(),
            matches: BTreeMap::new(),
            ledger: BTreeMap::new(),
            ageing: Ageing::default(),
            posted: None,
            breaks: BTreeMap::new(),
            oldest: BTreeMap::new(),
            doubts: Stakes::default(),
            at_risk: Stakes::default(),
            rejected: 0,
            scan_codes: 0,
            head: Head::default(),
        }
    }

    /// Counts a row of `reconciliation.csv`.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_row(&mut self, row: &ReconciliationRow<'_>) -> Result<(), OutputError> {
        count(&mut self.captures, row.capture_state);
        count(&mut self.matches, row.match_status);
        let of_store = self.outcomes.entry(row.key.store.clone()).or_default();
        let place = (row.cart_total.currency(), row.outcome);
        let one = Outcome {
            trips: 1,
            cart_total: row.cart_total.minor(),
            captured: row.captured_amount.minor(),
            bad_debt: row.bad_debt_amount.minor(),
        };
        let sum = of_store.entry(place).or_default();
        sum.add(&one).map_err(too_large)
    }

    /// Counts a row of `breaks.csv`.
    pub fn add_break(&mut self, row: &BreakRow<'_>) {
        count(self.breaks.entry(row.found.kind).or_default(), row.status);
        if row.status == BreakStatus::Open {
            let age = row.books_date.days_since(row.first_seen);
            let oldest = self.oldest.entry(row.found.kind).or_default();
            *oldest = u64::try_from(age).unwrap_or(0).max(*oldest);
        }
    }

    /// Counts an entry of the bad-debt ledger.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_entry(&mut self, entry: &LedgerEntry) -> Result<(), OutputError> {
        let place = (entry.kind, entry.reason, entry.amount.currency());
        let (entries, sum) = self.ledger.entry(place).or_default();
        *entries = entries.saturating_add(1);
        *sum = plus(*sum, entry.amount.minor()).map_err(too_large)?;
        Ok(())
    }

    /// Names a capture in doubt; in any order.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_doubt(&mut self, stake: Stake) -> Result<(), OutputError> {
        self.doubts.add(stake).map_err(too_large)
    }

    /// Names a trip whose token may die before `at_risk_until`; in any order.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_at_risk(&mut self, stake: Stake) -> Result<(), OutputError> {
        self.at_risk.add(stake).map_err(too_large)
    }

    /// Tells how many rows of the feed were rejected, and how many trips of app entries were
    /// counted but not settled.
    pub fn feed(&mut self, rejected: u64, scan_codes: u64) {
        (self.rejected, self.scan_codes) = (rejected, scan_codes);
    }

    /// Tells how old the debts are that stand open at the end of the day.
    pub fn ageing(&mut self, ageing: Ageing) {
        self.ageing = ageing;
    }

    /// Tells what was posted, if there are files of it.
    pub fn posted(&mut self, posted: Option<Posted>) {
        self.posted = posted;
    }

    /// Tells where the journal ended when the edition was made; gives what was told before.
    pub fn journal(&mut self, head: Head) -> Head {
        std::mem::replace(&mut self.head, head)
    }

    /// Tells the day's totals and the equations that do not hold.
    pub fn close(&mut self, totals: &[DayTotal], wrong: &[Imbalance]) {
        (self.totals, self.wrong) = (totals.to_vec(), wrong.to_vec());
    }

    /// Open breaks by kind.
    pub fn open_breaks(&self) -> BTreeMap<BreakKind, u64> {
        let open = |(kind, by): (&BreakKind, &BTreeMap<BreakStatus, u64>)| {
            by.get(&BreakStatus::Open).map(|count| (*kind, *count))
        };
        self.breaks.iter().filter_map(open).collect()
    }

    /// Trips with an event on the day by what became of them, over all stores.
    ///
    /// # Errors
    /// Overflow.
    pub(super) fn outcomes_by_status(
        &self,
    ) -> Result<BTreeMap<Status, BTreeMap<Currency, Outcome>>, MoneyError> {
        let mut by_status: BTreeMap<_, BTreeMap<_, Outcome>> = BTreeMap::new();
        for ((currency, status), outcome) in self.outcomes.values().flatten() {
            let sums = by_status.entry(*status).or_default();
            sums.entry(*currency).or_default().add(outcome)?;
        }
        Ok(by_status)
    }

    /// The control equation's verdict, which is the first line of `summary.txt`.
    pub fn verdict(&self, edition: u32) -> String {
        summary_text::verdict(self, edition)
    }

    /// The bytes of `summary.json`.
    ///
    /// # Errors
    /// Overflow.
    pub fn to_json(&self, edition: u32) -> Result<Vec<u8>, OutputError> {
        summary_json::bytes(self, edition)
    }

    /// `summary.txt`: about 50 lines of at most 100 characters.
    ///
    /// # Errors
    /// Overflow.
    pub fn to_text(&self, edition: u32) -> Result<String, OutputError> {
        summary_text::text(self, edition).map_err(too_large)
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

pub(super) fn plus(sum: i64, more: i64) -> Result<i64, MoneyError> {
    let sum = sum.checked_add(more);
    sum.ok_or_else(|| MoneyError::OutOfRange("a sum of the summary".to_owned()))
}

fn add(sums: &mut ByCurrency, money: Money) -> Result<(), MoneyError> {
    let sum = sums.entry(money.currency()).or_default();
    *sum = plus(*sum, money.minor())?;
    Ok(())
}

fn too_large(why: MoneyError) -> OutputError {
    OutputError::Money {
        file: SUMMARY_JSON,
        why,
    }
}
