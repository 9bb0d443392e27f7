//! Money: integer minor units that never travel without their currency.
//!
//! Decimal text stands only at the edges; inside there is one `i64` and checked arithmetic.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::currency::Currency;

/// Why an amount or a currency could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not an ISO 4217 code with minor units.
    #[error("`{0}` is not an ISO 4217 currency with minor units")]
    UnknownCurrency(String),
    /// Not of the form digits, or digits point digits.
    #[error("`{0}` is not an amount (digits, then at most one point and digits)")]
    NotAnAmount(String),
    /// Finer than the currency's smallest unit.
    #[error("`{text}` has more than the {exponent} decimals of {currency}")]
    TooFine {
        /// The text as given.
        text: String,
        /// Decimals that the currency has.
        exponent: u8,
        /// The currency.
        currency: Currency,
    },
    /// Does not fit 64 bits of minor units.
    #[error("`{0}` is out of range")]
    OutOfRange(String),
    /// Two currencies met in one sum.
    #[error("{0} and {1} cannot be added or compared")]
    CurrenciesDiffer(Currency, Currency),
}

/// An amount in minor units of its currency; may be negative (a reversal).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub fn of_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing of `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self::of_minor(0, currency)
    }

    /// Reads `[0-9]+(\.[0-9]+)?`; fewer decimals than the currency has are padded.
    ///
    /// # Errors
    /// Any other form, more decimals than the currency has, or a value out of range.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let shown = || text.chars().take(40).collect::<String>();
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !fraction.is_none_or(digits) {
            return Err(MoneyError::NotAnAmount(shown()));
        }
        let fraction = fraction.unwrap_or("");
        let exponent = usize::from(currency.exponent());
        if fraction.len() > exponent {
            let exponent = currency.exponent();
            return Err(MoneyError::TooFine {
                text: shown(),
                exponent,
                currency,
            });
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', exponent.saturating_sub(fraction.len()));
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit.saturating_sub(b'0'))))
                .ok_or_else(|| MoneyError::OutOfRange(shown()))?;
        }
        Ok(Self { minor, currency })
    }

    /// Reads an exact decimal, as the payment service's JSON numbers carry it.
    ///
    /// # Errors
    /// A value finer than the currency, or out of range. Trailing zeros are not "finer".
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = u32::from(currency.exponent());
        let normal = value.normalize();
        if normal.scale() > exponent {
            let (text, exponent) = (value.to_string(), currency.exponent());
            return Err(MoneyError::TooFine {
                text,
                exponent,
                currency,
            });
        }
        let out_of_range = || MoneyError::OutOfRange(value.to_string());
        let factor = 10_i128.checked_pow(exponent.saturating_sub(normal.scale()));
        let minor = factor
            .and_then(|factor| normal.mantissa().checked_mul(factor))
            .and_then(|minor| i64::try_from(minor).ok())
            .ok_or_else(out_of_range)?;
        Ok(Self { minor, currency })
    }

    /// The amount in minor units.
    pub fn minor(&self) -> i64 {
        self.minor
    }

    /// The amount's currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// True for 0.
    pub fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// True above 0.
    pub fn is_positive(&self) -> bool {
        self.minor > 0
    }

    fn same(&self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrenciesDiffer(self.currency, other.currency))
    }

    /// The sum.
    ///
    /// # Errors
    /// Two currencies, or overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let sum = self.minor.checked_add(other.minor);
        let minor = sum.ok_or_else(|| MoneyError::OutOfRange(format!("{self} + {other}")))?;
        Ok(Self { minor, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// Two currencies, or overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let rest = self.minor.checked_sub(other.minor);
        let minor = rest.ok_or_else(|| MoneyError::OutOfRange(format!("{self} - {other}")))?;
        Ok(Self { minor, ..self })
    }

    /// The smaller of two amounts of one currency.
    ///
    /// # Errors
    /// Two currencies.
    pub fn at_most(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        Ok(Self {
            minor: self.minor.min(other.minor),
            ..self
        })
    }

    /// The amount as decimal text with exactly the currency's digits, no sign for zero.
    pub fn decimal_text(&self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.minor.unsigned_abs().to_string();
        if exponent == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = exponent.saturating_add(1));
        let (whole, fraction) = padded.split_at(padded.len().saturating_sub(exponent));
        format!("{sign}{whole}.{fraction}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.decimal_text(), self.currency))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::of(code).unwrap()
    }

    #[test]
    fn amounts_are_read_and_written_with_exactly_the_digits_of_their_currency() {
        let rows = [
            ("15.99", "USD", 1599, "15.99"),
            ("15.9", "USD", 1590, "15.90"),
            ("15", "USD", 1500, "15.00"),
            ("0", "USD", 0, "0.00"),
            ("0.05", "EUR", 5, "0.05"),
            ("1500", "JPY", 1500, "1500"),
            ("1.234", "KWD", 1234, "1.234"),
            ("0.0001", "CLF", 1, "0.0001"),
            ("007.50", "USD", 750, "7.50"),
        ];
        for (text, code, minor, shown) in rows {
            let money = Money::parse(text, currency(code)).unwrap();
            assert_eq!(money.minor(), minor, "{text} {code}");
            assert_eq!(money.decimal_text(), shown, "{text} {code}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        let rows = [
            "",
            ".5",
            "5.",
            "-1",
            "+1",
            "1_000",
            "1,000.00",
            "1e3",
            " 1",
            "1 ",
            "0x10",
            "1.2.3",
            "NaN",
            "１５",
            "92233720368547758.08",
        ];
        for text in rows {
            assert!(
                Money::parse(text, currency("USD")).is_err(),
                "{text:?} was taken"
            );
        }
        assert!(Money::parse("1.001", currency("USD")).is_err());
        assert!(Money::parse("1.0", currency("JPY")).is_err());
    }

    #[test]
    fn decimals_of_the_wire_are_exact() {
        let exact = |text: &str| Decimal::from_str_exact(text).unwrap();
        let usd = currency("USD");
        assert_eq!(
            Money::from_decimal(exact("15.990"), usd).unwrap().minor(),
            1599
        );
        assert_eq!(
            Money::from_decimal(exact("100"), usd).unwrap().minor(),
            10_000
        );
        assert!(Money::from_decimal(exact("15.995"), usd).is_err());
        assert_eq!(
            Money::from_decimal(exact("7.5"), currency("KWD"))
                .unwrap()
                .minor(),
            7500
        );
    }

    #[test]
    fn differences_and_the_smaller_of_two_stay_in_their_currency() {
        let usd = |minor| Money::of_minor(minor, currency("USD"));
        assert_eq!(usd(750).minus(usd(1000)).unwrap(), usd(-250));
        assert_eq!(usd(750).plus(usd(1000)).unwrap(), usd(1750));
        assert_eq!(usd(750).at_most(usd(1000)).unwrap(), usd(750));
        assert_eq!(usd(1000).at_most(usd(750)).unwrap(), usd(750));
        let eur = Money::of_minor(1, currency("EUR"));
        assert!(usd(1).minus(eur).is_err() && usd(1).at_most(eur).is_err());
        assert!(usd(i64::MIN).minus(usd(1)).is_err());
    }

    #[test]
    fn amounts_are_shown_with_their_currency() {
        let money = Money::of_minor(-1590, currency("USD"));
        assert_eq!(money.to_string(), "-15.90 USD");
        assert_eq!(format!("{money:?}"), "-15.90 USD");
    }

    #[test]
    fn sums_refuse_two_currencies_and_overflow() {
        let (usd, eur) = (currency("USD"), currency("EUR"));
        assert!(
            Money::of_minor(1, usd)
                .plus(Money::of_minor(1, eur))
                .is_err()
        );
        assert!(
            Money::of_minor(i64::MAX, usd)
                .plus(Money::of_minor(1, usd))
                .is_err()
        );
        assert_eq!(Money::of_minor(-5, usd).decimal_text(), "-0.05");
    }
}
