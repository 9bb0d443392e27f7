//! The proof of a day's postings: two accounts that the day's other books know as well.

use std::collections::BTreeMap;

use crate::domain::{Currency, DayTotal, Money, Role, StoreId};

use super::BooksError;
use super::control::{Equation, Imbalance};
use super::share::sum;
use super::transaction::Transaction;

/// What the day did to the two accounts that other books prove.
#[derive(Debug, Default, Clone, Copy)]
struct Moved {
    clearing: i64,
    receivable: i64,
}

/// What the day did, by store and currency.
#[derive(Debug, Default)]
pub(super) struct Proof(BTreeMap<StoreId, BTreeMap<Currency, Moved>>);

impl Proof {
    /// Counts what a transaction did.
    pub fn count(&mut self, made: &Transaction) -> Result<(), BooksError> {
        let about = made.about();
        let overflow = |why| BooksError::Money(about.id.clone(), why);
        let of_store = self.0.entry(about.key.store.clone()).or_default();
        for line in made.postings() {
            let moved = of_store.entry(line.amount.currency()).or_default();
            let account = match line.role {
                Role::SalesClearing => &mut moved.clearing,
                Role::ShopperReceivable | Role::ShopperReceivableTax => &mut moved.receivable,
                Role::ProcessorReceivable
                | Role::BadDebtExpense
                | Role::BadDebtAllowance
                | Role::BadDebtRecovered
                | Role::RecoveryClearing
                | Role::TaxPayable
                | Role::Sales
                | Role::CancelledSales => continue,
            };
            *account = sum(*account, line.amount.minor()).map_err(overflow)?;
        }
        Ok(())
    }

    /// Proves the day's postings against the control equation and the bad-debt ledger.
    ///
    /// # Errors
    /// Every store and currency whose clearing or receivable moved by something else.
    pub fn check(&self, totals: &[DayTotal], post_sales: bool) -> Result<(), Vec<Imbalance>> {
        let mut wrong = Vec::new();
        let mut left = self.0.clone();
        for day in totals {
            let of_store = left.get_mut(&day.store);
            let moved = of_store.and_then(|of_store| of_store.remove(&day.currency));
            wrong.extend(difference(day, moved.unwrap_or_default(), post_sales));
        }
        for (store, of_store) in left {
            for (currency, moved) in of_store {
                let nothing = DayTotal::nothing(store.clone(), currency);
                wrong.extend(difference(&nothing, moved, post_sales));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn difference(day: &DayTotal, moved: Moved, post_sales: bool) -> Option<Imbalance> {
    let wide = |minor: i64| i128::from(minor);
    let went = wide(day.captured) + wide(day.bad_debt) + wide(day.cancelled);
    let came = match post_sales {
        true => wide(day.new) + wide(day.amended),
        false => 0,
    };
    let clearing = wide(moved.clearing) - (came - went);
    let debt = wide(day.debt_closing) - wide(day.debt_opening);
    let receivable = wide(moved.receivable) - debt;
    let off = if clearing == 0 { receivable } else { clearing };
    let minor = i64::try_from(off).unwrap_or(i64::MAX);
    (off != 0).then(|| Imbalance {
        store: day.store.clone(),
        equation: Equation::Postings,
        difference: Money::of_minor(minor, day.currency),
    })
}
