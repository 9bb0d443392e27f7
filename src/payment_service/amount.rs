//! Amounts as they stand in JSON: the token itself, never a float.

use rust_decimal::Decimal;

/// Exponents beyond this are no amount of money; it also bounds what is written out below.
const LARGEST_EXPONENT: i32 = 30;

/// The exact value of a JSON number token such as `15.90` or `1.5E1`; the same in quotes is
/// taken too.
pub(super) fn exact(token: &str) -> Option<Decimal> {
    let unquoted = token.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let number = unquoted.unwrap_or(token);
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number),
    };
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    // Decimal's own reader takes `1_000`, `.5` and `5.`, which are no JSON numbers.
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    if !(-LARGEST_EXPONENT..=LARGEST_EXPONENT).contains(&exponent) {
        return None;
    }
    let plain = shifted(whole, fraction.unwrap_or(""), exponent);
    Decimal::from_str_exact(&format!("{sign}{plain}")).ok()
}

/// `whole.fraction` with its point moved `by` places to the right (to the left if negative).
fn shifted(whole: &str, fraction: &str, by: i32) -> String {
    let places = usize::try_from(by.unsigned_abs()).unwrap_or(0);
    let zeros = "0".repeat(places);
    let (whole, fraction) = if by < 0 {
        let digits = format!("{zeros}{whole}");
        let (left, right) = digits.split_at(digits.len().saturating_sub(places));
        (left.to_owned(), format!("{right}{fraction}"))
    } else {
        let digits = format!("{fraction}{zeros}");
        let (left, right) = digits.split_at(places);
        (format!("{whole}{left}"), right.to_owned())
    };
    let fraction = fraction.trim_end_matches('0');
    match fraction {
        "" => whole,
        _ => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_token_is_read_to_its_last_digit() {
        let rows = [
            ("15.90", "15.9"),
            ("15.99", "15.99"),
            ("0", "0"),
            ("-0.00", "0"),
            ("-1.5", "-1.5"),
            (r#""12.30""#, "12.3"),
            ("1.5E1", "15"),
            ("1.5e+2", "150"),
            ("1599E-2", "15.99"),
            ("5e-3", "0.005"),
            ("1e3", "1000"),
            ("0.0000", "0"),
            ("123456789012345678.91", "123456789012345678.91"),
            ("1.1000000000000000000000000000000000000", "1.1"),
        ];
        for (token, value) in rows {
            let read = exact(token).map(|d| d.normalize().to_string());
            assert_eq!(read.as_deref(), Some(value), "{token}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_number_is_not_read() {
        let rows = [
            "",
            "-",
            ".5",
            "5.",
            "1_000",
            "1,5",
            "+1",
            "0x10",
            "1e",
            "1e1.5",
            "1e99",
            "1e-99",
            "1e99999999999",
            "NaN",
            "null",
            "true",
            "{}",
            "[1]",
            "\"\"",
            "\" 1\"",
            "--1",
            "\"1",
            "0.12345678901234567890123456789",
            "99999999999999999999999999999999",
        ];
        for token in rows {
            assert_eq!(exact(token), None, "{token}");
        }
    }
}
