//! `*.review.csv`: the bytes of a small one, and every cell of a published edition found again.

#![allow(clippy::unwrap_used)]

mod edition;
mod journal;

use std::fs;

use tripsettle::outputs::{REVIEW, REVIEWED, review};

const TABLE: &str = "books_date,store_id,card_last4,currency,cart_total,captured_amount,line,\
    trip_started_at,detail\r\n\
    2026-11-23,0042,0017,USD,15.90,-0.01,3,2026-11-23T18:04:05Z,'=1+2\r\n\
    2026-11-23,=1+2,1E05,KWD,1.234,,0,,\"a, \"\"b\"\"\"\r\n\
    ,S,9223372036854775807,JPY,1500,0,,2026-11-23,+49 30\r\n\
    24/11/26,-x,,USD,9999999999999.99,12345678901234.56,x,@SUM(1),\u{ff1d}\u{ff11}\r\n\
    2026-11-24,true,,,1.00,,1234567890123456,,\"two\u{1b}\r\nlines; more\"\r\n";

const REVIEWED_TABLE: &str = "\u{feff}\"books_date\",\"store_id\",\"card_last4\",\"currency\",\
    \"cart_total\",\"captured_amount\",\"line\",\"trip_started_at\",\"detail\"\r\n\
    \"2026-11-23\",\"'0042\",\"'0017\",\"USD\",15.90,-0.01,3,\"'2026-11-23T18:04:05Z\",\
    \"'=1+2\"\r\n\
    \"2026-11-23\",\"'=1+2\",\"'1E05\",\"KWD\",1.234,,0,,\"a, \"\"b\"\"\"\r\n\
    ,\"S\",\"'9223372036854775807\",\"JPY\",1500,0,,\"'2026-11-23\",\"'+49 30\"\r\n\
    \"'24/11/26\",\"'-x\",,\"USD\",9999999999999.99,\"'12345678901234.56\",\"x\",\"'@SUM(1)\",\
    \"'\u{ff1d}\u{ff11}\"\r\n\
    \"2026-11-24\",\"'true\",,,\"'1.00\",,\"'1234567890123456\",,\"two   lines; more\"\r\n";

fn reviewed(table: &[u8]) -> (u64, String) {
    let mut bytes = Vec::new();
    let totals = review("breaks.review.csv", table, &mut bytes).unwrap();
    assert!(totals.sums.is_empty(), "{totals:?}");
    (totals.rows, String::from_utf8(bytes).unwrap())
}

#[test]
fn a_review_file_byte_for_byte() {
    assert_eq!(reviewed(TABLE.as_bytes()), (5, REVIEWED_TABLE.to_owned()));
}

#[test]
fn a_text_longer_than_a_cell_is_cut_with_its_mark() {
    let note = "7".repeat(40_000);
    let (_, text) = reviewed(format!("note\r\n{note}\r\n").as_bytes());
    let cut = format!("\"'{}…\"", "7".repeat(32_765));
    assert_eq!(text.lines().nth(1), Some(cut.as_str()));
}

#[test]
fn what_is_no_table_is_an_error() {
    let mut bytes = Vec::new();
    let ragged = review("breaks.review.csv", "a,b\r\n1\r\n".as_bytes(), &mut bytes);
    let said = ragged.unwrap_err().to_string();
    assert!(said.contains("breaks.review.csv"), "{said}");
}

fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_cell_of_a_published_table_is_in_it_with_at_most_a_mark() {
    let output = tempfile::tempdir().unwrap();
    for folder in edition::published(output.path()) {
        for (table, name) in REVIEWED {
            assert_eq!(table.replace(".csv", REVIEW), name);
            let machine = fs::read_to_string(folder.join(table)).unwrap();
            let (rows, people) = reviewed(machine.as_bytes());
            let body = people.strip_prefix('\u{feff}').unwrap();
            assert_eq!(body.matches('\n').count(), body.matches("\r\n").count());
            assert!(body.ends_with("\r\n"), "{name}");
            let (machine, people) = (cells(&machine), cells(body));
            assert_eq!(people[0], machine[0], "{name}");
            assert_eq!(rows as usize, people.len() - 1, "{name}");
            assert_eq!(people.len(), machine.len(), "{name}");
            for (person, machine) in people.iter().flatten().zip(machine.iter().flatten()) {
                let bare = person.strip_prefix('\'').unwrap_or(person);
                assert!(person == machine || bare == machine, "{person}, {machine}");
            }
        }
    }
}
