//! The limits of a trip: null dates, absurd amounts, ids full of digits, endless reasons.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Cursor;
use std::path::Path;

use tripsettle::domain::Timestamp;
use tripsettle::trips::{FeedFormat, Item, TripsError, format_of, inbox_files, read};

const HEADER: &str = "store_id,shopping_trip_id,started_at,amount,currency";

fn items(text: impl Into<Vec<u8>>, format: FeedFormat) -> Vec<Result<Item, TripsError>> {
    let now = Timestamp::parse("2026-03-08T12:00:00Z").unwrap();
    read(Cursor::new(text.into()), format, "trips", now).collect()
}

/// Each record in one line of text: `line taken TRIP` or `line field: reason`.
fn told(text: impl Into<Vec<u8>>, format: FeedFormat) -> Vec<String> {
    let tell = |item: Result<Item, TripsError>| match item {
        Ok(Item::Row(row)) => format!("{} taken {}", row.source.line, row.key.trip),
        Ok(Item::Rejected(rejection)) => {
            let (line, field) = (rejection.source.line, rejection.field.unwrap_or("row"));
            format!("{line} {field}: {}", rejection.reason)
        }
        Err(error) => format!("file: {error}"),
    };
    items(text, format).into_iter().map(tell).collect()
}

fn row(trip: &str) -> String {
    format!("S1,{trip},2026-03-08T10:00:00Z,9.50,USD")
}

#[test]
fn ids_full_of_digits_are_not_card_numbers() {
    // Within this UUID stand 16 digits that pass the Luhn check, parted by hyphens.
    let uuid = "a4111111-1111-1111-1abc-0123456789ab";
    let text = format!(
        "{HEADER},purchase_id\n{},{uuid}\n{},4111111111111111\n",
        row(uuid),
        row("T2")
    );
    let items = items(text, FeedFormat::Csv);
    let [Ok(Item::Row(first)), Ok(Item::Row(second))] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!(first.purchase_id.as_deref(), Some(uuid));
    assert!(first.raw.contains(uuid), "{}", first.raw);
    // The trip is settled all the same: only the digits are not kept.
    assert_eq!(second.purchase_id.as_deref(), Some("[card number hidden]"));
    let kept = format!("{second:?}");
    assert!(!kept.contains("4111111111111111"), "{kept}");
}

#[test]
fn what_cannot_be_a_trip_is_rejected_with_its_field() {
    let rows = [
        ("S1,T1,0001-01-01T00:00:00Z,9.50,USD", "started_at: "),
        ("S1,T1,1970-01-01T00:00:00Z,9.50,USD", "started_at: "),
        ("S1,T1,2026-03-08T10:00:00,9.50,USD", "started_at: "),
        ("S1,T1,2026-03-08T12:05:01Z,9.50,USD", "started_at: "),
        // One such row would make the sums of the whole day overflow.
        (
            "S1,T1,2026-03-08T10:00:00Z,92233720368547758.07,USD",
            "amount: ",
        ),
        ("S1,T1,2026-03-08T10:00:00Z,10000000000.01,USD", "amount: "),
        ("S1,T1,2026-03-08T10:00:00Z,1000000000001,JPY", "amount: "),
    ];
    for (line, wanted) in rows {
        let told = told(format!("{HEADER}\n{line}\n"), FeedFormat::Csv);
        assert!(
            told[0].starts_with(&format!("2 {wanted}")),
            "{line}: {told:?}"
        );
    }
    let most = "S1,T1,2026-03-08T12:05:00Z,10000000000.00,USD";
    assert_eq!(
        told(format!("{HEADER}\n{most}\n"), FeedFormat::Csv),
        ["2 taken T1"]
    );
}

#[test]
fn a_reason_is_short_however_long_the_line_was() {
    let text = format!("\"{}\"\n", "a".repeat(500_000));
    let told = told(text, FeedFormat::JsonLines);
    assert!(
        told[0].starts_with("1 row: not a JSON object"),
        "{}",
        told[0].len()
    );
    assert!(told[0].len() < 400, "{} bytes", told[0].len());
}

#[test]
fn a_file_of_a_shouting_system_is_not_overlooked() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "B.CSV",
        "a.jsonl",
        ".c.csv",
        "d.csv.part",
        "e.csv.tmp",
        "f.txt",
    ] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    let found = inbox_files(dir.path()).unwrap();
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["B.CSV", "a.jsonl"]);
    assert_eq!(
        format_of(Path::new("x.NDJSON")),
        Some(FeedFormat::JsonLines)
    );
}
