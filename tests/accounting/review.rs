//! What a spreadsheet makes of `*.review.csv`: every cell is there, ids as text, amounts as numbers
//! that add up to what the manifest says of the table.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader, Xlsx};
use tripsettle::domain::Currency;
use tripsettle::outputs::{REVIEWED, review};

use super::programs::program;
use super::{cells, editions, office};

/// Cells that a spreadsheet would like to make something else of, as a table has them.
const NASTY: &str = "books_date,store_id,shopping_trip_id,currency,cart_total,captured_amount,\
    adjust_calls,trip_started_at,detail\r\n\
    2026-11-24,0042,1E05,USD,15.90,-0.01,3,2026-11-23T18:04:05Z,'=1+2\r\n\
    2026-11-24,=1+2,9223372036854775807,KWD,1.234,0.000,0,2026-11-23,+49 30 1234\r\n\
    2026-11-24,-x,00017,JPY,1500,,12,,@SUM(1)\r\n\
    2026-11-24,TRUE,2026-11-24,USD,9999999999999.99,12345678901234.56,1,18:04,\u{ff1d}\u{ff11}\r\n\
    2026-11-24,false,Nov-23,USD,0.00,,,1/2,\"=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\r\n\
    2026-11-24,S1,1e5,USD,0.00,,,12%,\" =1+2\"\r\n";
/// Columns of counts; those of amounts are told by the manifest or by their names.
const COUNTS: [&str; 3] = ["adjust_calls", "age_days", "line"];

type Rows = Vec<Vec<Data>>;

fn sheet(book: &[u8]) -> Rows {
    let mut book = Xlsx::new(Cursor::new(book.to_vec())).unwrap();
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).unwrap().is_empty(), "{name}");
    let range = book.worksheet_range(&name).unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

/// The day of a cell that became one.
fn day(cell: &Data) -> Option<String> {
    let Data::DateTime(serial) = cell else {
        return None;
    };
    // Day 25,569 of a spreadsheet is the first of 1970.
    let seconds = (serial.as_f64() as i64 - 25_569) * 86_400;
    let day = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
    Some(day.format("%Y-%m-%d").to_string())
}

/// Complains unless the sheet has the cells of the table, each of its type.
fn same_cells(name: &str, sheet: &Rows, table: &[Vec<String>]) {
    assert_eq!(sheet.len(), table.len(), "{name}");
    let heads = &table[0];
    for (at, (shown, row)) in sheet.iter().zip(table).enumerate() {
        for ((shown, text), head) in shown.iter().zip(row).zip(heads) {
            let marked = format!("'{text}");
            let is_number = at > 0
                && text.chars().filter(char::is_ascii_digit).count() <= 15
                && (COUNTS.contains(&head.as_str()) || AMOUNTS.contains(&head.as_str()));
            let same = match shown {
                Data::Empty => text.is_empty(),
                Data::String(shown) => !is_number && (shown == text || *shown == marked),
                Data::Float(number) => is_number && text.parse() == Ok(*number),
                Data::DateTime(_) => {
                    (head.ends_with("_date") || head == "first_seen")
                        && day(shown).as_ref() == Some(text)
                }
                Data::Int(_)
                | Data::Bool(_)
                | Data::DateTimeIso(_)
                | Data::DurationIso(_)
                | Data::Error(_) => false,
            };
            assert!(same, "{name}, row {at}, {head}: {shown:?} is not {text:?}");
        }
    }
}

/// Columns of amounts.
const AMOUNTS: [&str; 15] = [
    "cart_total",
    "authorized_amount",
    "captured_amount",
    "bad_debt_amount",
    "expected_amount",
    "actual_amount",
    "difference",
    "amount",
    "balance",
    "opening",
    "new",
    "reversed",
    "recovered",
    "written_off",
    "closing",
];

/// What the numbers of the sheet add up to, in the shape of the manifest's totals.
fn sums(sheet: &Rows, told: &serde_json::Value) -> serde_json::Value {
    let heads: Vec<String> = sheet[0].iter().map(ToString::to_string).collect();
    let place = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let mut totals = serde_json::Map::new();
    for column in told.as_object().unwrap().keys() {
        let mut minor: BTreeMap<String, i128> = BTreeMap::new();
        for row in &sheet[1..] {
            let Data::Float(number) = &row[place(column)] else {
                continue;
            };
            let code = row[place("currency")].to_string();
            let digits = usize::from(Currency::of(&code).unwrap().exponent());
            let text = format!("{number:.digits$}").replace('.', "");
            *minor.entry(code).or_default() += text.parse::<i128>().unwrap();
        }
        let text = |(code, sum): (String, i128)| (code, sum.to_string().into());
        let of_column: serde_json::Map<_, _> = minor.into_iter().map(text).collect();
        totals.insert(column.clone(), of_column.into());
    }
    totals.into()
}

/// The manifest's totals in minor units, as text.
fn minor(told: &serde_json::Value) -> serde_json::Value {
    let mut told = told.clone();
    let columns = told.as_object_mut().unwrap().values_mut();
    for sum in columns.flat_map(|sums| sums.as_object_mut().unwrap().values_mut()) {
        let digits = sum.as_str().unwrap().replace('.', "");
        *sum = digits.parse::<i128>().unwrap().to_string().into();
    }
    told
}

#[test]
fn a_spreadsheet_leaves_the_cells_of_review_files_alone() {
    let edition = &editions()[0];
    let dir = tempfile::tempdir().unwrap();
    let (plain, marked) = (dir.path().join("plain.csv"), dir.path().join("nasty.csv"));
    fs::write(&plain, NASTY).unwrap();
    let mut bytes = Vec::new();
    review("breaks.review.csv", NASTY.as_bytes(), &mut bytes).unwrap();
    fs::write(&marked, bytes).unwrap();
    let mut files = vec![marked];
    files.extend(REVIEWED.map(|(_, name)| edition.join(name)));
    assert!(files.iter().all(|path| path.exists()), "{files:?}");
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(edition.join("manifest.json")).unwrap()).unwrap();
    let Some(soffice) = program("soffice") else {
        return;
    };
    for how in [office::PLAINLY, office::EAGERLY] {
        no_formula(&soffice, how, &files, &plain);
        let books = office::opened(&soffice, how, &files, office::BOOK);
        assert_eq!(books.len(), files.len());
        same_cells("nasty", &sheet(&books["nasty.xlsx"]), &cells(NASTY));
        for (table, name) in REVIEWED {
            let shown = sheet(&books[&name.replace(".csv", ".xlsx")]);
            let text = fs::read_to_string(edition.join(table)).unwrap();
            same_cells(name, &shown, &cells(&text));
            let entries = manifest["files"].as_array().unwrap();
            let of_table = entries.iter().find(|entry| entry["name"] == table).unwrap();
            let told = &of_table["totals"];
            assert_eq!(sums(&shown, told), minor(told), "{name}");
        }
    }
    // The witness for the witness: without the marks it eats zeros, powers of ten and long ids.
    let eaten = office::opened(&soffice, office::EAGERLY, &[plain], office::FLAT);
    let eaten = String::from_utf8(eaten["plain.fods"].clone()).unwrap();
    for (number, what) in [
        ("42\"", "0042"),
        ("100000\"", "1E05"),
        ("9.2233720368547", "9223372036854775807"),
    ] {
        let seen = format!("office:value=\"{number}");
        assert!(eaten.contains(&seen), "{what} is not eaten");
    }
}

/// Complains of a formula in what is made of the files; there is one in what is made of `plain`.
fn no_formula(soffice: &Path, how: &str, files: &[PathBuf], plain: &Path) {
    let all = [files, &[plain.to_owned()]].concat();
    let flat = office::opened(soffice, how, &all, office::FLAT);
    assert_eq!(flat.len(), all.len());
    for (name, bytes) in flat {
        let text = String::from_utf8(bytes).unwrap();
        let runs = text.contains("table:formula");
        assert_eq!(runs, name == "plain.fods", "{name}");
    }
}
