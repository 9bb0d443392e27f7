//! Amounts: exact decimals, and how fine each currency goes.
//!
//! The table is the sandbox's own, so that a mistake in the other one cannot hide here.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NO_DECIMALS: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
const FOUR_DECIMALS: [&str; 2] = ["CLF", "UYW"];

/// How many decimals the smallest unit of the currency `code` has.
pub(super) fn decimals(code: &str) -> u32 {
    if NO_DECIMALS.contains(&code) {
        0
    } else if THREE_DECIMALS.contains(&code) {
        3
    } else if FOUR_DECIMALS.contains(&code) {
        4
    } else {
        2
    }
}

/// True when `value` is no finer than the smallest unit of `code`.
pub(super) fn fits(value: Decimal, code: &str) -> bool {
    value.normalize().scale() <= decimals(code)
}

/// Reads a JSON number token exactly; `None` for another token, or for more than 28 digits.
pub(super) fn exact(token: &str) -> Option<Decimal> {
    // RawValue has seen to the grammar: what begins like a number is one.
    let first = token.bytes().next()?;
    if first != b'-' && !first.is_ascii_digit() {
        return None;
    }
    match token.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(token).ok(),
        Some((base, _)) => {
            Decimal::from_str_exact(base).ok()?;
            Decimal::from_scientific(token).ok()
        }
    }
}

/// `value` with exactly the digits of `code`, as a JSON number.
pub(super) fn token(value: Decimal, code: &str) -> String {
    let mut value = value;
    value.rescale(decimals(code));
    value.to_string()
}

/// A decimal as JSON text, so that no reader makes a float of it.
pub(super) mod text {
    use super::{Decimal, Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Decimal, to: S) -> Result<S::Ok, S::Error> {
        value.to_string().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
        let text = String::deserialize(from)?;
        Decimal::from_str_exact(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_tokens_are_read_to_the_last_digit() {
        let rows = [
            ("15.99", Some("15.99")),
            ("0.1", Some("0.1")),
            ("-1", Some("-1")),
            ("1e2", Some("100")),
            ("1599E-2", Some("15.99")),
            ("1.5e+1", Some("15")),
            (
                "79228162514264337593543950335",
                Some("79228162514264337593543950335"),
            ),
            ("0.1000000000000000055511151231257827", None),
            ("1e999", None),
            ("\"15.99\"", None),
            ("true", None),
            ("null", None),
            ("[1]", None),
        ];
        for (given, expected) in rows {
            let read = exact(given).map(|value| value.normalize().to_string());
            assert_eq!(read.as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn a_currency_goes_as_fine_as_its_smallest_unit() {
        let rows = [
            ("USD", "15.99", true),
            ("USD", "15.990", true),
            ("USD", "15.995", false),
            ("JPY", "1500", true),
            ("JPY", "1500.5", false),
            ("KWD", "1.234", true),
            ("KWD", "1.2345", false),
            ("CLF", "1.2345", true),
            ("CLF", "1.23456", false),
        ];
        for (code, amount, expected) in rows {
            let value = exact(amount).unwrap();
            assert_eq!(fits(value, code), expected, "{amount} {code}");
        }
    }

    #[test]
    fn amounts_are_told_with_the_digits_of_their_currency() {
        let rows = [
            ("USD", "15.9", "15.90"),
            ("JPY", "1500", "1500"),
            ("KWD", "0", "0.000"),
        ];
        for (code, amount, expected) in rows {
            assert_eq!(token(exact(amount).unwrap(), code), expected);
        }
    }
}
