//! Cells: what may stand in a CSV field, and how.
//!
//! The files are read by programs *and* opened in spreadsheets, which run a cell that begins with
//! `=`, `+`, `-` or `@` as a formula. Four kinds of cells keep both safe:
//!
//! - amounts, dates, times, counts and our own words are typed: written as they are, never
//!   prefixed, so that `-12.34` stays a number;
//! - our names (stores, trips, processors, runs) come from the alphabet `0-9 a-z A-Z _ -`:
//!   written as they are. One that begins with `-` can do no harm, since a formula that does
//!   anything needs a character outside this alphabet, and a prefix would break the import;
//! - foreign ids (purchase id, reconciliation id, terminal id, …) are written as they are when
//!   they keep to that alphabet, and as free text otherwise;
//! - free text (details, the service's words, raw rows, file names): control characters become
//!   spaces, card numbers are hidden, and if the first character after any blanks is `=`, `+`, `-`
//!   or `@`, also in its full-width form, a `'` goes before the cell.
//!
//! A cell is quoted only when it holds a comma, a quote or a line break (RFC 4180).

use std::io::Write;

use crate::domain::Money;
use crate::domain::cards::hide_card_numbers;

/// Writes an amount with exactly its currency's digits.
pub(super) fn amount(line: &mut Vec<u8>, money: Money) {
    let exponent = u32::from(money.currency().exponent());
    let minor = money.minor();
    if minor < 0 {
        line.push(b'-');
    }
    let minor = minor.unsigned_abs();
    let unit = 10_u64.saturating_pow(exponent);
    // Writing to a Vec cannot fail.
    let _ = match exponent {
        0 => write!(line, "{minor}"),
        digits => write!(
            line,
            "{}.{:0width$}",
            minor / unit,
            minor % unit,
            width = usize::try_from(digits).unwrap_or(0)
        ),
    };
}

/// Writes text that is safe already, quoted where RFC 4180 asks for it.
pub(super) fn verbatim(line: &mut Vec<u8>, text: &str) {
    let special = |byte: u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    if !text.bytes().any(special) {
        line.extend_from_slice(text.as_bytes());
        return;
    }
    line.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

/// Writes an id that others gave.
pub(super) fn foreign_id(line: &mut Vec<u8>, id: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.bytes().all(plain) && id.len() < CARD_NUMBER_LEN {
        line.extend_from_slice(id.as_bytes());
    } else {
        text(line, id);
    }
}

/// The shortest card number; shorter ids need not be searched for one.
const CARD_NUMBER_LEN: usize = 13;

/// Writes free text.
pub(super) fn text(line: &mut Vec<u8>, free: &str) {
    let shown = hide_card_numbers(free);
    if !shown.contains(is_break) && !begins_a_formula(&shown) {
        return verbatim(line, &shown);
    }
    let clean = shown.replace(is_break, " ");
    if begins_a_formula(&clean) {
        verbatim(line, &format!("'{clean}"));
    } else {
        verbatim(line, &clean);
    }
}

/// True for what ends a line somewhere, or does something else unseen.
pub(super) fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// True when a spreadsheet might take the text for a formula.
fn begins_a_formula(text: &str) -> bool {
    let blank = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    let first = text.trim_start_matches(blank).chars().next();
    matches!(
        first,
        Some('=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    fn written(cell: impl Fn(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        cell(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn free_text_is_safe_in_a_spreadsheet() {
        let rows = [
            ("plain words", "plain words"),
            ("", ""),
            ("=1+2", "'=1+2"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("  =1", "'  =1"),
            ("\t=1", "' =1"),
            ("\r=1", "' =1"),
            ("\tword", " word"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\u{ff20}A1", "'\u{ff20}A1"),
            ("1=1", "1=1"),
            ("a\r\nb", "a  b"),
            ("a\u{0}b\u{1b}[31m", "a b [31m"),
            ("a\u{2028}b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            (
                "=HYPERLINK(\"x\",\"y\")",
                "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"",
            ),
            ("card 4111111111111111", "card [card number hidden]"),
            ("Zürich 東京", "Zürich 東京"),
        ];
        for (free, cell) in rows {
            assert_eq!(written(|line| text(line, free)), cell, "{free:?}");
        }
    }

    #[test]
    fn foreign_ids_import_unchanged_unless_they_are_more_than_ids() {
        let rows = [
            ("ABC123456789", "ABC123456789"),
            ("00042", "00042"),
            ("-abc", "-abc"),
            ("1E5", "1E5"),
            ("pi_3N-x_LONGER-than-13", "pi_3N-x_LONGER-than-13"),
            ("-1+2", "'-1+2"),
            ("=cmd|x", "'=cmd|x"),
            ("a b,c", "\"a b,c\""),
            ("4111111111111111", "[card number hidden]"),
            ("4111111111111112", "4111111111111112"),
        ];
        for (id, cell) in rows {
            assert_eq!(written(|line| foreign_id(line, id)), cell, "{id:?}");
        }
    }

    #[test]
    fn amounts_are_numbers_with_their_currencys_digits() {
        for code in ["USD", "JPY", "KWD", "CLF"] {
            let currency = Currency::of(code).unwrap();
            for minor in [0, 1, -1, 9, 10, 99, 100, -12_345, i64::MAX, i64::MIN] {
                let money = Money::of_minor(minor, currency);
                assert_eq!(written(|line| amount(line, money)), money.decimal_text());
            }
        }
    }
}
