//! Currencies: those of ISO 4217 that have minor units, and how many decimals each has.
//!
//! An interface may count some of them in its own way: [`Exponents`].

mod exponents;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::money::MoneyError;

pub use exponents::Exponents;

/// An ISO 4217 currency that has minor units (`XAU`, `XXX` and their like are refused).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// The currency of an upper-case three-letter `code`.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for anything ISO 4217 does not list with minor units.
    pub fn of(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(16).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        if !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(unknown());
        }
        let listed = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        let exponent = listed.exponent().ok_or_else(unknown)?;
        let exponent = u8::try_from(exponent).map_err(|_| unknown())?;
        Ok(Self {
            code: bytes,
            exponent,
        })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// How many decimals the currency's minor unit has (USD 2, JPY 0, KWD 3).
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::of(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_kept_as_their_code_and_know_their_decimals() {
        for (code, exponent) in [("JPY", 0), ("USD", 2), ("KWD", 3), ("CLF", 4)] {
            let currency = Currency::of(code).unwrap();
            assert_eq!(currency.exponent(), exponent, "{code}");
            assert_eq!(String::from(currency), code);
            assert_eq!(format!("{currency:?}"), code);
        }
    }

    #[test]
    fn what_is_not_a_currency_with_minor_units_is_refused() {
        for code in ["XXX", "usd", "ZZZ"] {
            assert!(Currency::of(code).is_err(), "{code} was taken");
        }
    }
}
