//! A whole night as files: byte for byte, read back by a CSV reader, and published.

#![allow(clippy::unwrap_used)]

mod edition;
mod journal;

use std::io::Write;
use std::path::Path;

use edition::{published, stage, trips};
use journal::{Journal, date, journal, key};
use tripsettle::domain::{CaptureState, Status};
use tripsettle::outputs::publish::published_manifest;
use tripsettle::outputs::*;
use tripsettle::reconcile::MatchStatus;

/// `BLESS=1 cargo test` writes the files instead.
#[test]
fn the_night_is_published_byte_for_byte() {
    let output = tempfile::tempdir().unwrap();
    for (edition, folder) in ["e1", "e2"].into_iter().zip(published(output.path())) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/outputs/night");
        let golden = golden.join(edition);
        std::fs::create_dir_all(&golden).unwrap();
        let mut names = Vec::new();
        for file in std::fs::read_dir(&folder).unwrap() {
            let name = file.unwrap().file_name();
            let bytes = std::fs::read(folder.join(&name)).unwrap();
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(golden.join(&name), &bytes).unwrap();
            }
            let expected = std::fs::read(golden.join(&name)).unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            assert_eq!(text(&bytes), text(&expected), "{edition}/{name:?}");
            names.push(name);
        }
        let expected = std::fs::read_dir(&golden).unwrap().count();
        assert_eq!(names.len(), expected, "{edition}");
    }
}

#[test]
fn every_table_is_read_back_by_a_csv_reader() {
    let output = tempfile::tempdir().unwrap();
    let [_, folder] = published(output.path());
    let manifest = std::fs::read(folder.join(MANIFEST)).unwrap();
    let manifest = Manifest::parse(&manifest).unwrap();
    let mut tables = 0;
    for file in &manifest.files {
        let Some(rows) = file.rows else { continue };
        let bytes = std::fs::read(folder.join(&file.name)).unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.ends_with("\r\n"), "{}", file.name);
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n', '\t']),
            "{}",
            file.name
        );
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(
            u64::try_from(reader.records().map(Result::unwrap).count()).unwrap(),
            rows
        );
        tables += 1;
    }
    assert_eq!(tables, 6);
}

#[test]
fn ids_and_amounts_import_unchanged_and_formulas_do_not() {
    let output = tempfile::tempdir().unwrap();
    let [folder, _] = published(output.path());
    let cells = |name: &str, column: &str| -> Vec<String> {
        let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
        let place = reader
            .headers()
            .unwrap()
            .iter()
            .position(|h| h == column)
            .unwrap();
        reader
            .records()
            .map(|row| row.unwrap()[place].to_owned())
            .collect()
    };
    let expected: Vec<String> = trips()
        .iter()
        .map(|[name, ..]| key(name).trip.to_string())
        .collect();
    assert_eq!(cells(RECONCILIATION, "shopping_trip_id"), expected);
    let differences = cells(BREAKS, "difference");
    assert!(differences.contains(&"-9.99".to_owned()), "{differences:?}");
    let details = cells(BREAKS, "detail");
    assert!(
        details.contains(&"'=HYPERLINK(\"http://x\",\"y\")".to_owned()),
        "{details:?}"
    );
    let raw = cells(REJECTED, "raw");
    assert_eq!(
        raw,
        [
            "S1,T1,15.999,USD",
            " S1,\"T2\",1.00 ",
            "'=cmd|' /C calc'!A0"
        ]
    );
}

#[test]
fn the_manifest_has_every_files_hash_and_follows_the_one_before() {
    let output = tempfile::tempdir().unwrap();
    let folders = published(output.path());
    let mut previous = None;
    for (edition, folder) in (1..).zip(&folders) {
        let bytes = published_manifest(output.path(), date(1), edition)
            .unwrap()
            .unwrap();
        let manifest = Manifest::parse(&bytes).unwrap();
        assert_eq!(manifest.previous_manifest_sha256, previous);
        for file in &manifest.files {
            let bytes = std::fs::read(folder.join(&file.name)).unwrap();
            assert_eq!(sha256_hex(&bytes), file.sha256, "{}", file.name);
            assert_eq!(
                u64::try_from(bytes.len()).unwrap(),
                file.bytes,
                "{}",
                file.name
            );
        }
        let on_disk = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(
            on_disk,
            manifest.files.len() + 1,
            "all files and the manifest itself"
        );
        previous = Some(sha256_hex(&bytes));
    }
}

#[test]
fn an_edition_that_says_nothing_new_is_recognised() {
    let output = tempfile::tempdir().unwrap();
    let (files, staging) = stage(output.path(), 1);
    let first = staging.finish(None, files).unwrap().manifest;
    let (same, _) = stage(output.path(), 1);
    assert!(first.says_the_same(&same));
    let [.., folder] = published(output.path());
    let second = Manifest::parse(&std::fs::read(folder.join(MANIFEST)).unwrap()).unwrap();
    assert!(!first.says_the_same(&second.files));
    let without = |name: &str| -> Vec<FileEntry> {
        let kept = second.files.iter().filter(|file| file.name != name);
        kept.cloned().collect()
    };
    assert!(second.says_the_same(&without(CHANGES)));
    assert!(!second.says_the_same(&without(BREAKS)));
    // The workbook names its edition: what it holds is compared by the files that it lays out.
    let of = |bytes: &[u8]| {
        let mut files = first.files.clone();
        files.push(FileEntry::of_bytes(WORKBOOK, bytes));
        Manifest::of(date(1), 1, None, files)
    };
    assert!(of(b"e1").says_the_same(&of(b"e2").files));
    assert!(!first.says_the_same(&of(b"e1").files));
}

#[test]
fn rows_out_of_order_are_a_defect_and_are_not_written() {
    let trips = [
        journal("S2/T1", "taken 1.00 USD"),
        journal("S1/T9", "taken 1.00 USD"),
    ];
    let mut bytes = Vec::new();
    let mut writer = ReconciliationWriter::new(&mut bytes).unwrap();
    let write = |journal: &Journal, writer: &mut ReconciliationWriter<_>| {
        let standing = journal.standing(Status::Open, CaptureState::None);
        let day = TripDay {
            books_date: date(1),
            trip: &journal.trip,
            events: &journal.events,
            before: None,
            end: &standing,
            known: &standing,
            match_status: MatchStatus::None,
            breaks: &[],
        };
        writer.write(&ReconciliationRow::of(&day).unwrap())
    };
    write(&trips[0], &mut writer).unwrap();
    for late in [&trips[1], &trips[0]] {
        let error = write(late, &mut writer).unwrap_err();
        assert!(matches!(error, OutputError::OutOfOrder { .. }), "{error}");
    }
    assert_eq!(writer.finish().unwrap().rows, 1);
}

#[test]
fn a_full_disk_is_told_with_the_files_name() {
    #[derive(Debug)]
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = RejectedWriter::new(Full).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("rejected.csv could not be written"),
        "{error}"
    );
}
