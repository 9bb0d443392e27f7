//! The control equation: what came, what went, and what was counted at the end of the day.
//!
//! Movements are added up trip by trip; what is still open, in doubt or owed is *counted* over
//! all trips, not derived from the movements. Only so can the equation find a trip that was lost.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::{Balances, Currency, DayTotal, Money, MoneyError, StoreId};

use super::BooksError;
use super::bad_debt::{EntryKind, LedgerEntry};

/// What stands at the end of the day in one store and currency, counted over all its trips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The store.
    pub store: StoreId,
    /// The currency.
    pub currency: Currency,
    /// Minor units still to be settled.
    pub open: i64,
    /// Minor units in doubt.
    pub in_doubt: i64,
    /// Minor units of open debt.
    pub debt: i64,
}

/// Adds up one books date; a row per store and currency.
#[derive(Debug, Default)]
pub struct Control {
    days: BTreeMap<StoreId, BTreeMap<Currency, DayTotal>>,
}

impl Control {
    /// A day that begins as the `previous` closed one ended; empty for the first day.
    pub fn open(previous: &[DayTotal]) -> Self {
        let mut control = Self::default();
        for before in previous {
            let day = control.day(&before.store, before.currency);
            day.opening_open = before.closing_open;
            day.opening_in_doubt = before.closing_in_doubt;
            day.debt_opening = before.debt_closing;
        }
        control
    }

    fn day(&mut self, store: &StoreId, currency: Currency) -> &mut DayTotal {
        let of_store = self.days.entry(store.clone()).or_default();
        of_store
            .entry(currency)
            .or_insert_with(|| DayTotal::nothing(store.clone(), currency))
    }

    /// Adds what the day did to one trip: how its cart total divided `before` (`None` when the
    /// trip was taken on the day) and at the `end`.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(
        &mut self,
        store: &StoreId,
        before: Option<&Balances>,
        end: &Balances,
    ) -> Result<(), BooksError> {
        let day = self.day(store, end.currency);
        let nothing = Balances::nothing(end.currency);
        let was = before.unwrap_or(&nothing);
        let total = match before {
            None => &mut day.new,
            Some(_) => &mut day.amended,
        };
        let parts = [
            (total, end.cart_total, was.cart_total),
            (&mut day.captured, end.captured, was.captured),
            (&mut day.bad_debt, end.bad_debt, was.bad_debt),
            (&mut day.cancelled, end.cancelled, was.cancelled),
        ];
        for (sum, end, was) in parts {
            *sum =
                exact(*sum, end, was).map_err(|why| BooksError::Money(store.to_string(), why))?;
        }
        Ok(())
    }

    /// Adds an entry of the bad-debt ledger.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_entry(&mut self, entry: &LedgerEntry) -> Result<(), BooksError> {
        let day = self.day(&entry.key.store, entry.amount.currency());
        let sum = match entry.kind {
            EntryKind::New => &mut day.debt_new,
            EntryKind::Reversal => &mut day.debt_reversed,
            EntryKind::Recovery => &mut day.debt_recovered,
            EntryKind::WriteOff => &mut day.debt_written_off,
        };
        let why = |why| BooksError::Money(entry.key.to_string(), why);
        *sum = exact(*sum, entry.amount.minor(), 0).map_err(why)?;
        Ok(())
    }

    /// The day's totals by store and currency, closed with what was `counted`, whose rows are
    /// added up; a store and currency that is not among them has nothing open and is owed nothing.
    /// Rows of nothing but zeros are left out.
    ///
    /// # Errors
    /// Overflow.
    pub fn finish(mut self, counted: &[Counted]) -> Result<Vec<DayTotal>, BooksError> {
        for count in counted {
            let why = |why| BooksError::Money(count.store.to_string(), why);
            let day = self.day(&count.store, count.currency);
            day.closing_open = exact(day.closing_open, count.open, 0).map_err(why)?;
            day.closing_in_doubt = exact(day.closing_in_doubt, count.in_doubt, 0).map_err(why)?;
            day.debt_closing = exact(day.debt_closing, count.debt, 0).map_err(why)?;
        }
        let days = self.days.into_values().flat_map(BTreeMap::into_values);
        Ok(days.filter(has_something).collect())
    }
}

fn has_something(day: &DayTotal) -> bool {
    *day != DayTotal::nothing(day.store.clone(), day.currency)
}

fn exact(sum: i64, plus: i64, minus: i64) -> Result<i64, MoneyError> {
    let exact = i128::from(sum) + i128::from(plus) - i128::from(minus);
    i64::try_from(exact).map_err(|_| MoneyError::OutOfRange("a day's total".to_owned()))
}

/// Which equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equation {
    /// Opening + new + amended = captured + bad debt + cancelled + closing.
    Control,
    /// Opening debt + new − reversed − recovered − written off = closing debt, and the day's
    /// bad debt is what the ledger booked.
    BadDebt,
    /// Clearing was credited with what was captured, lost and cancelled, and the receivables moved
    /// as the bad-debt ledger did.
    Postings,
}

/// An equation that does not hold: nothing of the day may be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imbalance {
    /// The store.
    pub store: StoreId,
    /// Which equation.
    pub equation: Equation,
    /// Left side minus right side; the largest amount there is when it leaves 64 bits.
    pub difference: Money,
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            store, difference, ..
        } = self;
        let equation = match self.equation {
            Equation::Control => "the control equation",
            Equation::BadDebt => "the bad-debt ledger",
            Equation::Postings => "the double entry",
        };
        write!(f, "{equation} of store {store} is off by {difference}")
    }
}

/// Proves both equations for every store and currency.
///
/// # Errors
/// Every equation that does not hold, in order of store and currency.
pub fn check(totals: &[DayTotal]) -> Result<(), Vec<Imbalance>> {
    let mut wrong = Vec::new();
    for day in totals {
        let sides = [
            (Equation::Control, day.difference()),
            (Equation::BadDebt, day.debt_difference()),
        ];
        for (equation, difference) in sides {
            let minor = difference.unwrap_or(i64::MAX);
            if minor != 0 {
                wrong.push(Imbalance {
                    store: day.store.clone(),
                    equation,
                    difference: Money::of_minor(minor, day.currency),
                });
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
