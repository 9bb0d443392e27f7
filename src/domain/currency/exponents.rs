//! Exponents: how many decimals an interface gives a currency where it differs from ISO 4217.
//!
//! Processors count some currencies in their own way (Chilean pesos with two decimals, for one).
//! The differences are data, and an amount passes an interface only where nothing of it is lost.

use std::collections::BTreeMap;

use super::Currency;
use crate::domain::{Money, MoneyError};

/// The most decimals that an interface may give a currency.
const MOST: u8 = 6;

/// The decimals of one interface; those of ISO 4217 where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exponents(BTreeMap<Currency, u8>);

impl Exponents {
    /// Adds a difference such as `CLP 2`; false when it names a currency for the second time.
    ///
    /// # Errors
    /// Not a currency, or not a number of decimals up to 6.
    pub fn add(&mut self, text: &str) -> Result<bool, String> {
        let wrong = || format!("`{text}` is not a currency and its decimals such as CLP 2");
        let (code, digits) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let currency = Currency::of(code).map_err(|why| why.to_string())?;
        let digits = digits.trim().parse().ok().filter(|digits| *digits <= MOST);
        Ok(self.0.insert(currency, digits.ok_or_else(wrong)?).is_none())
    }

    /// The decimals of a currency at this interface.
    pub fn of(&self, currency: Currency) -> u8 {
        let own = self.0.get(&currency).copied();
        own.unwrap_or_else(|| currency.exponent())
    }

    /// Reads decimal text as the interface writes it, of the form that [`Money::parse`] takes.
    ///
    /// # Errors
    /// As [`Money::parse`]; an amount that is no whole number of minor units.
    pub fn parse(&self, text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let exponent = self.of(currency);
        let foreign = Currency {
            exponent,
            ..currency
        };
        let units = Money::parse(text, foreign)?.minor();
        self.from_units(units, currency)
    }

    /// An amount from the interface's own smallest units.
    ///
    /// # Errors
    /// It is no whole number of minor units, or out of range.
    pub fn from_units(&self, units: i64, currency: Currency) -> Result<Money, MoneyError> {
        let (theirs, ours) = (self.of(currency), currency.exponent());
        let minor = rescaled(units, theirs, ours);
        match minor {
            Some(minor) => Ok(Money::of_minor(minor, currency)),
            None => Err(no_way(units, theirs, currency)),
        }
    }
}

/// The same value with `to` decimals instead of `from`; none where that is not exact.
fn rescaled(units: i64, from: u8, to: u8) -> Option<i64> {
    let ten = |digits: u8| 10_i64.checked_pow(u32::from(digits));
    match from.checked_sub(to) {
        None => units.checked_mul(ten(to.saturating_sub(from))?),
        Some(digits) => {
            let factor = ten(digits)?;
            let exact = units.checked_rem(factor)? == 0;
            units.checked_div(factor).filter(|_| exact)
        }
    }
}

fn no_way(units: i64, theirs: u8, currency: Currency) -> MoneyError {
    let foreign = Currency {
        exponent: theirs,
        ..currency
    };
    let text = Money::of_minor(units, foreign).decimal_text();
    let exponent = currency.exponent();
    match theirs > exponent {
        true => MoneyError::TooFine {
            text,
            exponent,
            currency,
        },
        false => MoneyError::OutOfRange(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adyen() -> Exponents {
        let mut exponents = Exponents::default();
        for text in ["CLP 2", "CVE 0", "ISK 2", "IDR 0"] {
            assert_eq!(exponents.add(text), Ok(true), "{text}");
        }
        exponents
    }

    #[test]
    fn an_interfaces_own_decimals_are_read_exactly() {
        let rows = [
            // text, currency, minor units, the interface's units
            ("1500.00", "CLP", 1500, 150_000),
            ("1500", "CLP", 1500, 150_000),
            ("0.00", "CLP", 0, 0),
            ("15", "CVE", 1500, 15),
            ("15.99", "USD", 1599, 1599),
            ("1.234", "KWD", 1234, 1234),
            ("500", "JPY", 500, 500),
        ];
        for (text, code, minor, units) in rows {
            let currency = Currency::of(code).unwrap();
            let money = adyen().parse(text, currency).unwrap();
            assert_eq!(money, Money::of_minor(minor, currency), "{text} {code}");
            assert_eq!(adyen().from_units(units, currency), Ok(money));
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        for (text, code) in [
            ("1500.50", "CLP"),
            ("15.5", "CVE"),
            ("1.5", "JPY"),
            ("-1", "CLP"),
        ] {
            let read = adyen().parse(text, Currency::of(code).unwrap());
            assert!(read.is_err(), "{text} {code}: {read:?}");
        }
        let of = |units, code| adyen().from_units(units, Currency::of(code).unwrap());
        for (units, code) in [(i64::MAX, "CVE"), (i64::MIN, "IDR")] {
            let told = of(units, code).unwrap_err().to_string();
            assert_eq!(told, format!("`{units}` is out of range"));
        }
        let told = of(150_050, "CLP").unwrap_err().to_string();
        assert_eq!(told, "`1500.50` has more than the 0 decimals of CLP");
    }

    #[test]
    fn a_difference_that_makes_no_sense_is_refused() {
        for text in ["CLP", "CLP 7", "CLP -1", "XXX 2", "clp 2", ""] {
            assert!(Exponents::default().add(text).is_err(), "{text:?}");
        }
        let mut twice = adyen();
        assert_eq!(twice.add("CLP 2"), Ok(false));
    }
}
