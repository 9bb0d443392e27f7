//! Expected: a store that took no trip on a day that is no holiday is told, in case that its feed
//! is missing. Nothing that is published depends on it.

use crate::domain::{BooksDate, BusinessDate};

use super::RunError;
use super::pass::{House, Pass};

/// Warns of every configured store that should have had trips on `date`.
///
/// # Errors
/// The state cannot be read.
pub fn warn_of_missing<S>(house: &House<S>, pass: &Pass, date: BooksDate) -> Result<(), RunError> {
    let day = BusinessDate::of(date.date());
    let stores = house.config.stores.iter();
    let mut expected = stores
        .filter(|(_, store)| store.expects.trips && !store.expects.holidays.contains(&day))
        .peekable();
    if expected.peek().is_none() {
        return Ok(());
    }
    let seen = house.store.stores_of_day(date)?;
    for (store, _) in expected.filter(|(store, _)| !seen.contains(store)) {
        pass.tally().warnings.push(format!(
            "store {store} took no trip on {date}: is its feed missing? (a day without trips is \
             one of store.{store}.holidays)"
        ));
    }
    Ok(())
}
