//! Settlement reports as processors really write them, and what must not pass as a capture.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Read};

use proptest::prelude::*;
use tripsettle::domain::GenericCsvFormat;
use tripsettle::processor::{ProcessorError, ReportItem, read};

fn format() -> GenericCsvFormat {
    GenericCsvFormat {
        trip_id: Some("Trip".to_owned()),
        reconciliation_id: Some("Psp Reference".to_owned()),
        amount: "Amount".to_owned(),
        currency: "Currency".to_owned(),
        date: Some("Booked".to_owned()),
        reference: Some("Batch".to_owned()),
        kind: Some("Type".to_owned()),
        capture_kinds: vec!["Settled".to_owned()],
        ..GenericCsvFormat::default()
    }
}

const HEADER: &str = "Trip,Psp Reference,Amount,Currency,Booked,Batch,Type";

/// Each record in one line of text.
fn told(text: &str, format: &GenericCsvFormat) -> Vec<String> {
    let tell = |item| match item {
        ReportItem::Line(line) => {
            let ids = [line.trip, line.reconciliation_id].map(Option::unwrap_or_default);
            let date = line.date.map_or_else(String::new, |date| date.to_string());
            let counts = if line.is_capture { "captured" } else { "other" };
            let [trip, id] = ids;
            format!(
                "{} {trip}|{id}|{}|{date}|{}|{counts}",
                line.line, line.amount, line.reference
            )
        }
        ReportItem::Unreadable { line, reason } => format!("{line} unreadable: {reason}"),
    };
    match read(Cursor::new(text.to_owned()), format) {
        Ok(items) => items.map(tell).collect(),
        Err(error) => vec![format!("file: {error}")],
    }
}

#[test]
fn every_line_says_whose_money_how_much_and_whether_it_is_a_capture() {
    let rows = [
        (
            "T1,P1,9.50,USD,2026-03-08,B7,Settled",
            "T1|P1|9.50 USD|2026-03-08|B7|captured",
        ),
        ("T1,,9.50,USD,,,Settled", "T1||9.50 USD|||captured"),
        (",P1,-9.50,USD,,,Refunded", "|P1|-9.50 USD|||other"),
        ("T1,P1,1500,JPY,,,Settled", "T1|P1|1500 JPY|||captured"),
        ("T1,P1,9.50,USD,,,Settled,,", "T1|P1|9.50 USD|||captured"),
        (
            "T1,P1,(9.50),USD,,,Settled",
            "unreadable: `(9.50)` is not an amount",
        ),
        (
            "T1,P1,1,234.50,USD,,,Settled",
            "unreadable: more cells than the header has",
        ),
        (
            "T1,P1,9.505,USD,,,Settled",
            "unreadable: `9.505` has more than the 2 decimals",
        ),
        (
            "T1,P1,9.50,usd,,,Settled",
            "unreadable: `usd` is not an ISO 4217",
        ),
        (",,9.50,USD,,,Settled", "unreadable: names no trip"),
        (
            "T1,P1,9.50,USD,8.3.2026,,Settled",
            "unreadable: `8.3.2026` is not a date",
        ),
        ("T1,P1,9.50", "unreadable: the row has too few cells"),
    ];
    for (row, wanted) in rows {
        let told = told(&format!("{HEADER}\n{row}\n"), &format());
        assert_eq!(told.len(), 1, "{row}");
        assert!(
            told[0].starts_with(&format!("2 {wanted}")),
            "{row}: {told:?}"
        );
    }
}

#[test]
fn a_column_that_was_configured_and_is_gone_stops_the_file() {
    // Without its kind column every refund and fee would pass as a capture.
    for gone in [
        "Type",
        "Amount",
        "Currency",
        "Trip",
        "Psp Reference",
        "Booked",
        "Batch",
    ] {
        let told = told(&format!("{}\n", HEADER.replace(gone, "X")), &format());
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with(&format!("file: column `{gone}` is missing")),
            "{told:?}"
        );
    }
    let twice = told(&format!("{HEADER},Amount\n"), &format());
    assert!(
        twice[0].starts_with("file: column `Amount` stands twice"),
        "{twice:?}"
    );
}

#[test]
fn the_usual_columns_need_only_be_there_as_far_as_they_name_trip_and_money() {
    let text = "shopping_trip_id,amount,currency\nT1,9.50,USD\n";
    assert_eq!(
        told(text, &GenericCsvFormat::default()),
        ["2 T1||9.50 USD|||captured"]
    );
    let nameless = told("amount,currency\n9.50,USD\n", &GenericCsvFormat::default());
    assert!(
        nameless[0].starts_with("file: column `shopping_trip_id`"),
        "{nameless:?}"
    );
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let row = "T1,P1,9.50,USD,,,Settled";
    let rows = [
        (format!("{HEADER}\n{row}\n{row}\n"), [2, 3]),
        (format!("{HEADER}\r\n{row}\r\n{row}\r\n"), [2, 3]),
        (
            format!("\u{feff}{HEADER}\r\n\r\n{row}\r\n \r\n{row}"),
            [3, 5],
        ),
    ];
    for (text, lines) in rows {
        let told = told(&text, &format());
        let wanted = lines.map(|line| format!("{line} T1|P1|9.50 USD|||captured"));
        assert_eq!(told, wanted, "{text:?}");
    }
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_line_in_silence() {
    let row = "T1,P1,9.50,USD,,,Settled";
    let text = format!("{HEADER},Memo\n{row},\"open\n{row},x\n{row},\"shut\"\n{row},x\n");
    let told = told(&text, &format());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("2 unreadable: a quote is not closed; lines 2 to 4"),
        "{told:?}"
    );
    assert!(told[1].starts_with("5 T1"), "{told:?}");
}

#[test]
fn apostrophes_semicolons_and_other_dates_are_configured() {
    let format = GenericCsvFormat {
        delimiter: b';',
        date_format: "%d.%m.%Y %H:%M".to_owned(),
        strip_apostrophe: true,
        ..format()
    };
    let text = format!(
        "{}\n'T1;'0012;'9.50;USD;08.03.2026 23:59;'B;Settled\n",
        HEADER.replace(',', ";")
    );
    assert_eq!(
        told(&text, &format),
        ["2 T1|0012|9.50 USD|2026-03-08|B|captured"]
    );
}

#[test]
fn card_numbers_are_not_kept_and_trip_ids_are() {
    let uuid = "a4111111-1111-1111-1abc-0123456789ab";
    let text = format!(
        "{HEADER}\n{uuid},,9.50,USD,,,Settled\n\
         T1,4111111111111111,9.50,USD,,,Settled\nT1,P1,4111111111111111,xx,,,Settled\n"
    );
    let told = told(&text, &format());
    assert_eq!(told[0], format!("2 {uuid}||9.50 USD|||captured"));
    assert!(told[1].starts_with("3 unreadable: "), "{told:?}");
    assert!(told[2].starts_with("4 unreadable: "), "{told:?}");
    assert!(!told.concat().contains("4111111111111111"), "{told:?}");
}

/// Gives its text, then fails: a disk or a network folder that goes away.
struct Breaks(Cursor<String>);

impl Read for Breaks {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(std::io::Error::other("gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_report_that_could_not_be_read_to_its_end_is_not_taken_in_part() {
    let text = format!("{HEADER}\nT1,P1,9.50,USD,,,Settled\n");
    let read = read(Breaks(Cursor::new(text)), &format());
    assert!(matches!(read.err(), Some(ProcessorError::Io(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_lines_or_unreadable_or_an_error(bytes in any::<Vec<u8>>(), headed: bool) {
        let header = if headed { format!("{HEADER}\n").into_bytes() } else { Vec::new() };
        let whole = [header, bytes].concat();
        let lines = whole.iter().filter(|byte| **byte == b'\n').count() + 1;
        let count = read(Cursor::new(whole), &format()).map_or(0, Iterator::count);
        prop_assert!(count <= lines);
    }
}

#[test]
fn a_processors_own_decimals_are_read_exactly_or_not_at_all() {
    let rows = [
        // decimals, whether amounts are whole units, the cell, what is read
        ("CLP 2", false, "1500.00,CLP", "1500 CLP"),
        ("CLP 2", false, "-1500,CLP", "-1500 CLP"),
        (
            "CLP 2",
            false,
            "1500.50,CLP",
            "unreadable: `1500.50` has more than the 0 decimals",
        ),
        ("CVE 0", false, "15,CVE", "15.00 CVE"),
        (
            "CVE 0",
            false,
            "15.5,CVE",
            "unreadable: `15.5` has more than the 0 decimals",
        ),
        ("CLP 2", true, "150000,CLP", "1500 CLP"),
        ("CLP 2", true, "1599,USD", "15.99 USD"),
        ("CLP 2", true, "-1599,USD", "-15.99 USD"),
        ("CLP 2", true, "1500,JPY", "1500 JPY"),
        (
            "CLP 2",
            true,
            "1599.0,USD",
            "unreadable: `1599.0` is not a whole number of units",
        ),
        (
            "CLP 2",
            true,
            "+5,USD",
            "unreadable: `+5` is not a whole number of units",
        ),
        (
            "CLP 2",
            true,
            ",USD",
            "unreadable: `` is not a whole number of units",
        ),
        (
            "CLP 2",
            true,
            "150,CLP",
            "unreadable: `1.50` has more than the 0 decimals",
        ),
    ];
    for (decimals, amounts_in_units, cell, wanted) in rows {
        let mut format = GenericCsvFormat {
            amounts_in_units,
            ..format()
        };
        format.exponents.add(decimals).unwrap();
        let told = told(&format!("{HEADER}\nT1,P1,{cell},,,Settled\n"), &format);
        assert!(told[0].contains(wanted), "{decimals}, {cell}: {told:?}");
    }
}

#[test]
fn a_cumulative_report_has_the_columns_by_which_its_lines_are_known_again() {
    let format = GenericCsvFormat {
        cumulative: true,
        ..GenericCsvFormat::default()
    };
    let whole = "shopping_trip_id,amount,currency,date,reference\nT1,9.50,USD,2026-03-08,R1\n";
    assert_eq!(
        told(whole, &format),
        ["2 T1||9.50 USD|2026-03-08|R1|captured"]
    );
    for lost in ["date", "reference"] {
        let told = told(&whole.replace(lost, "other"), &format);
        let [error] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(error.contains(&format!("`{lost}`")), "{error}");
    }
}
