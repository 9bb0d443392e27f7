//! The inbox, taken files, large files and random bytes.

#![allow(clippy::unwrap_used)]

mod trips;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use trips::{items, now};
use tripsettle::trips::{
    FeedFormat, Item, format_of, inbox_files, move_to_taken, overlooked, read, sha256_of,
};

fn names(paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(name).collect()
}

#[test]
fn the_inbox_is_taken_in_byte_order_and_what_is_being_written_is_left_alone() {
    let inbox = tempfile::tempdir().unwrap();
    let files = [
        "b.csv",
        "B.csv",
        "a10.csv",
        "a2.jsonl",
        "a-2.csv",
        "ä.ndjson",
        "z.csv.csv",
        "a.CSV", // taken
        ".a.csv",
        ".csv",
        "a.csv.tmp",
        "a.csv.part",
        "a.tmp",
        "a.json",
        "a.txt",
        "csv",
    ];
    for name in files {
        fs::write(inbox.path().join(name), name).unwrap();
    }
    fs::create_dir(inbox.path().join("taken")).unwrap();
    fs::create_dir(inbox.path().join("folder.csv")).unwrap();
    std::os::unix::fs::symlink(inbox.path().join("b.csv"), inbox.path().join("link.csv")).unwrap();
    let found = inbox_files(inbox.path()).unwrap();
    let taken = [
        "B.csv",
        "a-2.csv",
        "a.CSV",
        "a10.csv",
        "a2.jsonl",
        "b.csv",
        "z.csv.csv",
        "ä.ndjson",
    ];
    assert_eq!(names(&found), taken);
    let why = "its name does not end in .csv, .jsonl or .ndjson";
    let mut others = ["a.json", "a.txt", "csv"]
        .map(|name| format!("{name} ({why})"))
        .to_vec();
    others.push("folder.csv (a folder)".to_owned());
    others.push("link.csv (a symbolic link)".to_owned());
    assert_eq!(overlooked(inbox.path()).unwrap(), others);
    assert!(inbox_files(&inbox.path().join("gone")).unwrap().is_empty());
    assert!(inbox_files(&inbox.path().join("b.csv")).is_err());
}

#[test]
fn the_name_tells_the_format() {
    let of = |name: &str| format_of(Path::new(name));
    assert_eq!(of("a.b/x.csv"), Some(FeedFormat::Csv));
    assert_eq!(of("x.jsonl"), Some(FeedFormat::JsonLines));
    assert_eq!(of("x.ndjson"), Some(FeedFormat::JsonLines));
    assert!(
        [of("x.json"), of("x"), of(".csv"), of("x.csv.tmp")]
            .iter()
            .all(Option::is_none)
    );
}

#[test]
fn a_place_that_a_killed_run_left_empty_is_used() {
    let inbox = tempfile::tempdir().unwrap();
    fs::create_dir(inbox.path().join("taken")).unwrap();
    fs::write(inbox.path().join("taken/NYC.csv"), "").unwrap();
    let path = inbox.path().join("NYC.csv");
    fs::write(&path, "a").unwrap();

    let place = move_to_taken(&path).unwrap();

    assert_eq!(place, inbox.path().join("taken/NYC.csv"));
    assert_eq!(fs::read(place).unwrap(), b"a");
}

#[test]
fn a_taken_file_never_replaces_another() {
    let inbox = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for content in ["first", "second", "third"] {
        let path = inbox.path().join("day.2.csv");
        fs::write(&path, content).unwrap();
        places.push(move_to_taken(&path).unwrap());
        assert!(!path.exists());
    }
    assert_eq!(names(&places), ["day.2.csv", "day.2-2.csv", "day.2-3.csv"]);
    let contents: Vec<String> = places
        .iter()
        .map(|place| fs::read_to_string(place).unwrap())
        .collect();
    assert_eq!(contents, ["first", "second", "third"]);
    assert!(
        places
            .iter()
            .all(|place| place.parent().unwrap().ends_with("taken"))
    );
}

#[test]
fn a_file_that_cannot_be_moved_leaves_nothing_behind() {
    let inbox = tempfile::tempdir().unwrap();
    assert!(move_to_taken(&inbox.path().join("gone.csv")).is_err());
    let taken = fs::read_dir(inbox.path().join("taken"));
    assert_eq!(taken.map_or(0, Iterator::count), 0);
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, "abc").unwrap();
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_of(&path).unwrap(), known);
    assert!(sha256_of(&dir.path().join("gone")).is_err());
}

/// Makes rows while they are read: nobody could hold the file.
struct Endless {
    format: FeedFormat,
    rows: u64,
    made: u64,
    left: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.left.is_empty() && self.made < self.rows {
            self.made += 1;
            let n = self.made;
            let row = match self.format {
                FeedFormat::Csv if n == 1 => {
                    "store_id,shopping_trip_id,started_at,amount,currency\r\n".to_owned()
                }
                FeedFormat::Csv => format!("S{},T{n},2026-03-08T10:00:00Z,15.99,USD\r\n", n % 50),
                FeedFormat::JsonLines => format!(
                    "{{\"store_id\":\"S\",\"shopping_trip_id\":\"T{n}\",\"amount\":15.99,\
                     \"currency\":\"USD\",\"started_at\":\"2026-03-08T10:00:00Z\"}}\n"
                ),
            };
            self.left = row.into_bytes();
        }
        let read = self.left.as_slice().read(to)?;
        self.left.drain(..read);
        Ok(read)
    }
}

#[test]
fn two_hundred_thousand_rows_stream_through() {
    for (format, rows, expected) in [
        (FeedFormat::Csv, 200_001, 200_000),
        (FeedFormat::JsonLines, 50_000, 50_000),
    ] {
        let endless = Endless {
            format,
            rows,
            made: 0,
            left: Vec::new(),
        };
        let (mut taken, mut minor, mut last) = (0_u64, 0_i64, 0);
        for item in read(endless, format, "f", now()) {
            let Item::Row(row) = item.unwrap() else {
                panic!("a row was rejected")
            };
            (taken, minor, last) = (taken + 1, minor + row.amount.minor(), row.source.line);
        }
        assert_eq!(
            (taken, minor, last),
            (expected, 1_599 * i64::try_from(expected).unwrap(), rows)
        );
    }
}

/// The first row is given before the second was read: nothing waits for the end of the file.
#[test]
fn rows_are_given_as_they_come() {
    let endless = Endless {
        format: FeedFormat::Csv,
        rows: u64::MAX,
        made: 0,
        left: Vec::new(),
    };
    let items = read(endless, FeedFormat::Csv, "f", now());
    assert_eq!(
        items
            .take(3)
            .filter(|item| matches!(item, Ok(Item::Row(_))))
            .count(),
        3
    );
}

/// What holds for any bytes: the reading ends, lines go up, texts are short.
fn holds(format: FeedFormat, bytes: &[u8]) {
    let mut before = 0;
    for item in items(format, bytes) {
        let (line, raw) = match item {
            Ok(Item::Row(row)) => (row.source.line, row.raw),
            Ok(Item::Rejected(rejection)) => {
                assert!(!rejection.reason.is_empty());
                (rejection.source.line, rejection.raw)
            }
            Err(_) => continue,
        };
        assert!(line > before && raw.len() <= 1_024);
        before = line;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let header = b"store_id,shopping_trip_id,started_at,amount,currency\n";
        let with_header = [header.as_slice(), &bytes].concat();
        for format in [FeedFormat::Csv, FeedFormat::JsonLines] {
            holds(format, &bytes);
            holds(format, &with_header);
        }
    }

    #[test]
    fn random_pieces_of_rows_never_panic(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "S1", ",", "\"", "\"\"", "\n", "\r\n", "\r", "15.99", "USD", "2026-03-08T10:00:00Z",
            "{", "}", "\"amount\":", "1e9", "\\u", "ä", "\u{feff}", "4111111111111111", "\0", " ",
        ]),
        0..80,
    )) {
        let text = pieces.concat();
        let with_header =
            format!("store_id,shopping_trip_id,started_at,amount,currency\n{text}");
        holds(FeedFormat::Csv, with_header.as_bytes());
        holds(FeedFormat::JsonLines, text.as_bytes());
    }

    /// A row between two broken ones is found whatever they are, if they close their quotes.
    #[test]
    fn a_good_row_is_found_among_broken_ones(broken in "[^\"\n]{0,40}") {
        let row = "S1,T1,2026-03-08T10:00:00Z,15.99,USD";
        let header = "store_id,shopping_trip_id,started_at,amount,currency";
        let text = format!("{header}\n{broken}\n{row}\n{broken}\n\"{row}\n");
        let taken = items(FeedFormat::Csv, text.as_bytes());
        let taken = taken.iter().filter(|item| matches!(item, Ok(Item::Row(_)))).count();
        prop_assert_eq!(taken, 1);
    }
}
