//! One day of one store in one currency: the control equation's terms.

use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::ids::StoreId;
use super::money::MoneyError;
use super::time::BooksDate;

/// What the journal says about closing: where the books begin and how far they are closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClosedDays {
    /// The books date of the first event or rejected row.
    pub first_event: Option<BooksDate>,
    /// The newest closed books date; days close in order, so all before it are closed.
    pub last_closed: Option<BooksDate>,
}

/// The terms of the control equation and of the bad-debt ledger for one books date, store and
/// currency, in minor units.
///
/// `opening open + opening in doubt + new + amended = captured + bad debt + cancelled +
/// closing in doubt + closing open`; `debt_opening + debt_new - debt_reversed - debt_recovered -
/// debt_written_off = debt_closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    /// The store.
    pub store: StoreId,
    /// The currency of every amount.
    pub currency: Currency,
    /// Open when the day began.
    pub opening_open: i64,
    /// In doubt when the day began.
    pub opening_in_doubt: i64,
    /// Cart totals of trips taken on the day.
    pub new: i64,
    /// Changes of cart totals by the feed, after the trip was taken.
    pub amended: i64,
    /// Captured on the day.
    pub captured: i64,
    /// Bad debt booked on the day: new minus reversals.
    pub bad_debt: i64,
    /// Cancelled elsewhere on the day, and debts that turned out never to have been owed.
    pub cancelled: i64,
    /// In doubt when the day ended.
    pub closing_in_doubt: i64,
    /// Open when the day ended.
    pub closing_open: i64,
    /// Open debt when the day began.
    pub debt_opening: i64,
    /// New bad debt.
    pub debt_new: i64,
    /// Bad debt reversed, as a positive number.
    pub debt_reversed: i64,
    /// Bad debt recovered, as a positive number; what was taken back is taken off.
    pub debt_recovered: i64,
    /// Bad debt written off, as a positive number; what was taken back is taken off.
    pub debt_written_off: i64,
    /// Open debt when the day ended, counted over all trips.
    pub debt_closing: i64,
}

impl DayTotal {
    /// A day on which nothing was and nothing happened.
    pub fn nothing(store: StoreId, currency: Currency) -> Self {
        Self {
            store,
            currency,
            opening_open: 0,
            opening_in_doubt: 0,
            new: 0,
            amended: 0,
            captured: 0,
            bad_debt: 0,
            cancelled: 0,
            closing_in_doubt: 0,
            closing_open: 0,
            debt_opening: 0,
            debt_new: 0,
            debt_reversed: 0,
            debt_recovered: 0,
            debt_written_off: 0,
            debt_closing: 0,
        }
    }

    /// Left side minus right side of the control equation: 0 when it holds.
    ///
    /// # Errors
    /// Overflow.
    pub fn difference(&self) -> Result<i64, MoneyError> {
        let came = [
            self.opening_open,
            self.opening_in_doubt,
            self.new,
            self.amended,
        ];
        let went = [
            self.captured,
            self.bad_debt,
            self.cancelled,
            self.closing_in_doubt,
            self.closing_open,
        ];
        exact(&came, &went)
    }

    /// What the bad-debt ledger's sides differ by: 0 when they agree with each other and with
    /// the day's bad debt.
    ///
    /// # Errors
    /// Overflow.
    pub fn debt_difference(&self) -> Result<i64, MoneyError> {
        let gone = [
            self.debt_reversed,
            self.debt_recovered,
            self.debt_written_off,
            self.debt_closing,
        ];
        let ledger = exact(&[self.debt_opening, self.debt_new], &gone)?;
        let booked = exact(&[self.debt_new], &[self.debt_reversed, self.bad_debt])?;
        Ok(if ledger == 0 { booked } else { ledger })
    }
}

fn exact(plus: &[i64], minus: &[i64]) -> Result<i64, MoneyError> {
    let sum = |terms: &[i64]| terms.iter().map(|term| i128::from(*term)).sum::<i128>();
    i64::try_from(sum(plus) - sum(minus))
        .map_err(|_| MoneyError::OutOfRange("a day's total".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> DayTotal {
        let usd = Currency::of("USD").unwrap();
        DayTotal::nothing(StoreId::of("S1").unwrap(), usd)
    }

    #[test]
    fn every_term_counts_on_its_side() {
        let mut day = day();
        (day.opening_open, day.opening_in_doubt, day.new, day.amended) = (1, 20, 300, -4);
        (day.captured, day.bad_debt, day.cancelled) = (100, 17, 100);
        (day.closing_in_doubt, day.closing_open) = (50, 50);
        assert_eq!(day.difference(), Ok(0));
        day.closing_open = 49;
        assert_eq!(day.difference(), Ok(1));
    }

    #[test]
    fn the_debt_ledger_agrees_with_the_days_bad_debt() {
        let mut day = day();
        (
            day.debt_opening,
            day.debt_new,
            day.debt_reversed,
            day.debt_closing,
        ) = (5, 10, 3, 12);
        day.bad_debt = 7;
        assert_eq!(day.debt_difference(), Ok(0));
        day.bad_debt = 8;
        assert_ne!(day.debt_difference(), Ok(0));
        day.debt_closing = 11;
        assert_ne!(day.debt_difference(), Ok(0));
    }

    #[test]
    fn sums_beyond_the_range_are_errors() {
        let mut day = day();
        (day.new, day.amended) = (i64::MAX, i64::MAX);
        assert!(day.difference().is_err());
    }
}
