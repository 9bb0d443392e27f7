//! `night.xlsx`, read back by another library: numbers are numbers, ids and words are text, and
//! the bytes follow from the cells.

#![allow(clippy::unwrap_used)]

mod edition;
mod journal;

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use journal::date;
use tripsettle::books::Ageing;
use tripsettle::domain::{Currency, DayTotal, Head, Money, StoreId, Timestamp};
use tripsettle::outputs::{OutputError, Posted, RECONCILIATION, Summary, Workbook};

const TABLE: &str = "store_id,trip_id,currency,cart_total,captured_amount,adjust_calls,detail\r\n\
    0042,1E05,USD,15.90,-0.01,3,'=1+2\r\n\
    S1,1234567890123456789,KWD,1.234,0.000,0,\"a, \"\"b\"\"\"\r\n\
    S1,0001,JPY,1500,,12,@SUM(1)\r\n\
    S1,T4,USD,9999999999999.99,12345678901234.56,1,=HYPERLINK(\"\"x\"\")\r\n";

fn workbook() -> Vec<u8> {
    let mut book = Workbook::begin(date(1), None).unwrap();
    let mut summary = Summary::new(date(1), Timestamp::parse("2026-11-25T02:30:00Z").unwrap());
    let (store, usd) = (StoreId::of("S1").unwrap(), Currency::of("USD").unwrap());
    let day = DayTotal {
        new: 1590,
        captured: 1590,
        ..DayTotal::nothing(store, usd)
    };
    let mut ageing = Ageing::default();
    let usd_7 = Money::of_minor(700, usd);
    ageing.add(&day.store, usd_7, 2, date(1), date(1)).unwrap();
    summary.ageing(ageing);
    summary.posted(Some(Posted::default()));
    summary.close(&[day], &[]);
    book.page(&summary.control_page(3).unwrap()).unwrap();
    book.table("trips", TABLE.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    book.finish(&mut bytes).unwrap();
    bytes
}

fn cells(bytes: &[u8], sheet: &str) -> Vec<Vec<Data>> {
    let mut book = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    assert!(
        book.worksheet_formula(sheet).unwrap().is_empty(),
        "a cell became a formula"
    );
    range.rows().map(<[Data]>::to_vec).collect()
}

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

#[test]
fn amounts_are_numbers_and_everything_else_is_text() {
    let rows = cells(&workbook(), "trips");
    let shown = |row: usize| -> Vec<String> {
        let shown = rows[row].iter().map(|cell| match cell {
            Data::Float(number) => format!("number {number}"),
            Data::String(text) => format!("text {text}"),
            Data::Empty => "nothing".to_owned(),
            other => format!("{other:?}"),
        });
        shown.collect()
    };
    assert_eq!(
        [shown(1), shown(2), shown(3), shown(4)],
        [
            [
                "text 0042",
                "text 1E05",
                "text USD",
                "number 15.9",
                "number -0.01",
                "number 3",
                "text '=1+2"
            ],
            [
                "text S1",
                "text 1234567890123456789",
                "text KWD",
                "number 1.234",
                "number 0",
                "number 0",
                "text a, \"b\""
            ],
            [
                "text S1",
                "text 0001",
                "text JPY",
                "number 1500",
                "nothing",
                "number 12",
                "text @SUM(1)"
            ],
            // Sixteen digits are more than a double holds exactly.
            [
                "text S1",
                "text T4",
                "text USD",
                "number 9999999999999.99",
                "text 12345678901234.56",
                "number 1",
                "text =HYPERLINK(\"\"x\"\")"
            ],
        ]
        .map(|row| row.map(str::to_owned).to_vec())
    );
}

/// Excel's cells hold 32,767 units of UTF-16; a day with more in one is published all the same.
#[test]
fn a_text_longer_than_a_cell_is_cut_and_blocks_nothing() {
    let table = [
        ("x".repeat(32_767), "x".repeat(32_767)),
        ("x".repeat(32_768), "x".repeat(32_766) + "…"),
        ("ö".repeat(40_000), "ö".repeat(32_766) + "…"),
        // Two units each; half of one is never written.
        ("🛒".repeat(16_383), "🛒".repeat(16_383)),
        ("🛒".repeat(16_384), "🛒".repeat(16_383) + "…"),
        (
            format!("x{}", "🛒".repeat(16_384)),
            format!("x{}…", "🛒".repeat(16_382)),
        ),
    ];
    let mut book = Workbook::begin(date(1), None).unwrap();
    let rows: String = table
        .iter()
        .map(|(note, _)| format!("S1,{note}\r\n"))
        .collect();
    let head = "n".repeat(40_000);
    let csv = format!("store_id,{head}\r\n{rows}");
    book.table("notes", csv.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    book.finish(&mut bytes).unwrap();
    let rows = cells(&bytes, "notes");
    assert_eq!(rows[0][1], text(&("n".repeat(32_766) + "…")));
    for (row, (_, expected)) in rows[1..].iter().zip(&table) {
        assert!(
            row[1] == text(expected),
            "{} characters",
            expected.chars().count()
        );
    }
}

#[test]
fn the_control_page_is_the_first_sheet_and_begins_with_the_equation() {
    let bytes = workbook();
    let book = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
    assert_eq!(book.sheet_names(), ["control", "trips"]);
    let rows = cells(&bytes, "control");
    let verdict = "BALANCED  2026-11-23, edition 3: every store and currency adds up";
    assert_eq!(rows[0][0], text(verdict));
    assert_eq!(rows[1][0], text(&format!("journal {}", Head::default())));
    let at = |title: &str| rows.iter().position(|row| row[0] == text(title)).unwrap();
    let control = at("Control equation");
    assert_eq!(rows[control + 1][2], text("open before"));
    assert_eq!(rows[control + 2][..2], [text("all"), text("USD")]);
    assert_eq!(rows[control + 3][..2], [text("S1"), text("USD")]);
    let sections = [
        "Control equation",
        "Bad debt",
        "Open bad debt by age",
        "Postings, the same in every edition",
        "Trips with an event on this day",
        "Bad debt of this day by reason",
        "In doubt: captures that may have happened or not",
        "At risk: the token may die before 2026-11-25T02:30:00Z",
        "Breaks by kind and age",
        "Not known",
        "Signed",
    ];
    let places: Vec<usize> = sections.into_iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}");
    let youngest = [
        text("S1"),
        text("USD"),
        text("0-30"),
        Data::Float(2.0),
        Data::Float(7.0),
    ];
    assert_eq!(rows[at("Open bad debt by age") + 2][..5], youngest);
    for line in ["Prepared by", "Reviewed by"] {
        assert!(at(line) > at("Signed"), "{line}");
    }
}

#[test]
fn the_same_cells_give_the_same_bytes() {
    let first = workbook();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(
        first == workbook(),
        "the bytes depend on when they were written"
    );
}

#[test]
fn every_row_of_a_published_table_is_in_it() {
    let output = tempfile::tempdir().unwrap();
    let [folder, _] = edition::published(output.path());
    let csv = std::fs::read(folder.join(RECONCILIATION)).unwrap();
    let mut book = Workbook::begin(date(1), None).unwrap();
    book.table("reconciliation", csv.as_slice()).unwrap();
    let mut bytes = Vec::new();
    book.finish(&mut bytes).unwrap();
    let rows = cells(&bytes, "reconciliation");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_slice());
    let expected: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        for (cell, expected) in row.iter().zip(expected) {
            let same = match cell {
                Data::Empty => expected.is_empty(),
                Data::String(text) => text == expected,
                Data::Float(number) => expected.parse::<f64>().unwrap() == *number,
                other => panic!("{other:?}"),
            };
            assert!(same, "{cell:?} is not {expected}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_read_back_is_no_earlier_editions() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let mut book = Workbook::begin(date(1), None).unwrap();
    let told = book.table("trips", Broken).unwrap_err();
    assert!(matches!(told, OutputError::Io { .. }), "{told:?}");
    assert_eq!(
        told.to_string(),
        "night.xlsx could not be written: the disk is gone; see to disk space and permissions, \
         then run again"
    );
}
