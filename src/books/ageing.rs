//! Ageing: the open debt at the end of a day by how long ago it was booked.

use std::collections::BTreeMap;

use crate::domain::{BooksDate, Currency, DebtAge, Money, MoneyError, StoreId};

use super::BooksError;

/// Open debts of one store, currency and age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DebtSum {
    /// How many trips.
    pub trips: u64,
    /// Minor units.
    pub minor: i64,
}

/// Adds up open debts in any order; every store and currency has all its ages, 0 where none is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ageing {
    sums: BTreeMap<StoreId, BTreeMap<Currency, BTreeMap<DebtAge, DebtSum>>>,
}

impl Ageing {
    /// Adds `trips` debts of a store that were booked on `since` and are open at the end of `date`.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(
        &mut self,
        store: &StoreId,
        debt: Money,
        trips: u64,
        since: BooksDate,
        date: BooksDate,
    ) -> Result<(), BooksError> {
        let of_store = self.sums.entry(store.clone()).or_default();
        let ages = of_store.entry(debt.currency()).or_insert_with(|| {
            let ages = DebtAge::ALL.iter().copied();
            ages.map(|age| (age, DebtSum::default())).collect()
        });
        let age = DebtAge::of_days(date.days_since(since));
        let sum = ages.entry(age).or_default();
        sum.trips = sum.trips.saturating_add(trips);
        let minor = sum.minor.checked_add(debt.minor());
        let too_much = || MoneyError::OutOfRange("the debts of an age".to_owned());
        sum.minor = minor.ok_or_else(|| BooksError::Money(store.to_string(), too_much()))?;
        Ok(())
    }

    /// The sums by store, currency and age, in that order.
    pub fn sums(&self) -> impl Iterator<Item = (&StoreId, Currency, DebtAge, DebtSum)> {
        self.sums.iter().flat_map(|(store, currencies)| {
            currencies.iter().flat_map(move |(currency, ages)| {
                let of_age = ages.iter();
                of_age.map(move |(age, sum)| (store, *currency, *age, *sum))
            })
        })
    }
}
