//! `*.review.csv`: the tables once more, for people who open CSVs in a spreadsheet.
//!
//! A program wants cells as they are; a spreadsheet runs what looks like a formula and eats what
//! looks like a number or a date. So there are two files: the table itself, to be imported, and
//! this one, to be looked at. It has the table's header and rows in the table's order, and:
//!
//! - a byte-order mark, so that a spreadsheet knows UTF-8 when it sees it;
//! - amounts and counts bare, as numbers, where a double holds them exactly (15 digits);
//! - all else in quotes. A text that a spreadsheet might read its own way gets a `'` in front: one
//!   that does not begin with a letter, has a digit, or is TRUE or FALSE. So `0042`, `1E05`, long
//!   ids, instants and formulas stay what they are, behind a `'` that is seen. A text with a `'` in
//!   front has one already; a day (2026-11-24) in a column of days may become one;
//! - blanks for control characters, and `…` at the end of a text longer than a cell.
//!
//! It is made for a spreadsheet that takes a comma between cells and a point before decimals. One
//! that wants `;` and a decimal comma would misread amounts (1.234 as 1234): there the workbook is
//! what to open.
//!
//! Rows are streamed. A table longer than a sheet is cut by the program that opens it, which says
//! so; the workbook goes on in the next sheet.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use crate::domain::BooksDate;

use super::columns::{Columns, fitting};
use super::table::FileTotals;
use super::{BAD_DEBT, BAD_DEBT_SUMMARY, BREAKS, OutputError, RECONCILIATION, REJECTED, cells};

/// What the names of all review files end with.
pub const REVIEW: &str = ".review.csv";

/// The tables that people read, each with the name of its review file.
pub const REVIEWED: [(&str, &str); 5] = [
    (RECONCILIATION, "reconciliation.review.csv"),
    (BREAKS, "breaks.review.csv"),
    (BAD_DEBT, "bad_debt.review.csv"),
    (BAD_DEBT_SUMMARY, "bad_debt_summary.review.csv"),
    (REJECTED, "rejected.review.csv"),
];

/// Writes the review file named `file` of a table of the edition, read back from its CSV. Only its
/// rows are told: its amounts are the table's, which has the control totals.
///
/// # Errors
/// I/O, or a file that is no table of ours.
pub fn review(
    file: &'static str,
    from: impl Read,
    to: impl Write,
) -> Result<FileTotals, OutputError> {
    let wrote = rows(from, to);
    let rows = wrote.map_err(|why| OutputError::Io { file, why })?;
    Ok(FileTotals {
        rows,
        ..FileTotals::default()
    })
}

fn rows(from: impl Read, mut to: impl Write) -> io::Result<u64> {
    let mut reader = csv::Reader::from_reader(from);
    let heads = reader.headers()?.clone();
    let columns = Columns::of(&heads);
    let mut line = "\u{feff}".as_bytes().to_vec();
    for head in &heads {
        quoted(&mut line, head);
        line.push(b',');
    }
    end(&mut line, &mut to)?;
    let (mut row, mut count) = (csv::StringRecord::new(), 0_u64);
    while reader.read_record(&mut row)? {
        count = count.saturating_add(1);
        for (head, (text, number)) in heads.iter().zip(columns.cells(&row)) {
            match number {
                _ if text.is_empty() => {}
                Some(_) => line.extend_from_slice(text.as_bytes()),
                None if is_day(head, text) => quoted(&mut line, text),
                None => quoted(&mut line, &fitting(&as_text(text))),
            }
            line.push(b',');
        }
        end(&mut line, &mut to)?;
    }
    to.flush()?;
    Ok(count)
}

fn quoted(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

fn end(line: &mut Vec<u8>, to: &mut impl Write) -> io::Result<()> {
    line.pop();
    line.extend_from_slice(b"\r\n");
    to.write_all(line)?;
    line.clear();
    Ok(())
}

/// True for a day in a column of days: what a spreadsheet makes of it is the same day.
fn is_day(head: &str, text: &str) -> bool {
    let holds_days = head == "first_seen" || head.ends_with("_date") || head.ends_with("_on");
    holds_days && BooksDate::parse(text).is_ok()
}

/// A text that a spreadsheet leaves as it is.
fn as_text(text: &str) -> Cow<'_, str> {
    let clean = match text.contains(cells::is_break) {
        true => Cow::Owned(text.replace(cells::is_break, " ")),
        false => Cow::Borrowed(text),
    };
    match is_plain(&clean) {
        true => clean,
        false => Cow::Owned(format!("'{clean}")),
    }
}

/// True when no spreadsheet makes anything else of the text.
fn is_plain(text: &str) -> bool {
    let word = text.trim();
    let is_word = word.chars().next().is_none_or(char::is_alphabetic);
    let is_truth = ["true", "false"]
        .iter()
        .any(|truth| word.eq_ignore_ascii_case(truth));
    text.starts_with('\'') || (is_word && !is_truth && !text.contains(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_read_its_own_way_gets_a_mark() {
        let marked = [
            "0042",
            "1E05",
            "9223372036854775807",
            "trip-1",
            "MAR1",
            "Nov 23",
            "2026-11-24T02:30:00Z",
            "=1+2",
            "+49 30 1",
            "-x",
            "@SUM(A1)",
            "  =x",
            "\u{a0}=x",
            "\u{feff}x",
            "\u{ff1d}\u{ff11}",
            "x\u{ff11}",
            "#N/A",
            "(x)",
            "TRUE",
            "False",
            " true ",
            "$x",
            "½",
            "\"x\"",
        ];
        for text in marked {
            assert_eq!(as_text(text), format!("'{text}"), "{text:?}");
        }
        for text in [
            "word",
            "Zürich 東京",
            "a=b",
            "  x",
            " ",
            "truly",
            "'=1+2",
            "'0042",
        ] {
            assert_eq!(as_text(text), text);
        }
        assert_eq!(as_text("a\tb\r\nc\u{2028}d"), "a b  c d");
        assert_eq!(as_text("\t=x"), "' =x");
        assert_eq!(as_text("\t'=x"), "' '=x");
    }

    #[test]
    fn days_are_days_only_where_days_stand() {
        assert!(is_day("books_date", "2026-11-24") && is_day("first_seen", "2026-11-24"));
        assert!(is_day("opened_on", "2026-11-24"));
        assert!(!is_day("note", "2026-11-24") && !is_day("reason", "2026-11-24"));
        for text in [
            "2026-11-31",
            "24.11.2026",
            "2026-11-24T00:00:00Z",
            "=1+2",
            " 2026-11-24",
        ] {
            assert!(!is_day("books_date", text), "{text}");
        }
    }
}
