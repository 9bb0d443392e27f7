//! What was posted on a day: entries and the two sides, by currency.

use std::collections::BTreeMap;

use crate::books::Transaction;
use crate::domain::{Currency, MoneyError};

use super::super::summary::plus;

/// Entries of a currency, and their two sides in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// Transactions.
    pub entries: u64,
    /// What was debited.
    pub debits: i64,
    /// What was credited.
    pub credits: i64,
}

/// What was posted on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted(BTreeMap<Currency, Sides>);

impl Posted {
    /// Counts a transaction; each side by itself.
    ///
    /// # Errors
    /// Overflow.
    pub fn count(&mut self, entry: &Transaction) -> Result<(), MoneyError> {
        for (place, line) in entry.postings().iter().enumerate() {
            let sides = self.0.entry(line.amount.currency()).or_default();
            if place == 0 {
                sides.entries = sides.entries.saturating_add(1);
            }
            match line.amount.minor() {
                debit @ 0.. => sides.debits = plus(sides.debits, debit)?,
                credit => sides.credits = plus(sides.credits, credit.saturating_neg())?,
            }
        }
        Ok(())
    }

    /// The sums, in the order of the alphabet.
    pub fn by_currency(&self) -> impl Iterator<Item = (Currency, Sides)> {
        self.0.iter().map(|(currency, sides)| (*currency, *sides))
    }
}
