//! Publishing: atomic, repeatable, never overwriting, whatever the moment of a crash.

#![allow(clippy::unwrap_used)]

mod journal;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use journal::date;
use tripsettle::outputs::publish::{
    Modes, PublishError, StagedEdition, Staging, discard, edition_dir, publish, published_manifest,
    staged_manifest,
};
use tripsettle::outputs::{FileTotals, MANIFEST, SUMMARY_TEXT};

fn staged_as(output: &Path, text: &str, modes: Modes) -> StagedEdition {
    let staging = Staging::begin(output, date(1), 1, modes).unwrap();
    let file = staging.put(SUMMARY_TEXT, text.as_bytes()).unwrap();
    staging.finish(None, vec![file]).unwrap()
}

fn staged(output: &Path, text: &str) -> StagedEdition {
    staged_as(output, text, Modes::default())
}

/// Everything in the output folder, `*` for a folder.
fn names(output: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn put(output: &Path, staged: &StagedEdition) -> Result<std::path::PathBuf, PublishError> {
    publish(output, date(1), 1, &staged.sha256, Modes::default())
}

#[test]
fn an_edition_appears_whole_and_its_staging_folder_is_gone() {
    let output = tempfile::tempdir().unwrap();
    let edition = staged(output.path(), "BALANCED\n");
    assert_eq!(names(output.path()), [".staging-2026-11-23-e1"]);
    let folder = put(output.path(), &edition).unwrap();
    assert_eq!(folder, edition_dir(output.path(), date(1), 1));
    assert_eq!(names(output.path()), ["2026-11-23"]);
    assert_eq!(names(&folder), [MANIFEST, SUMMARY_TEXT]);
    let manifest = published_manifest(output.path(), date(1), 1).unwrap();
    assert_eq!(manifest, Some(edition.bytes));
}

#[test]
fn publishing_again_changes_nothing() {
    let output = tempfile::tempdir().unwrap();
    let edition = staged(output.path(), "BALANCED\n");
    put(output.path(), &edition).unwrap();
    let folder = put(output.path(), &edition).unwrap();
    assert_eq!(fs::read(folder.join(SUMMARY_TEXT)).unwrap(), b"BALANCED\n");
}

#[test]
fn a_crash_after_the_commit_is_made_good_by_publishing_later() {
    let output = tempfile::tempdir().unwrap();
    let edition = staged(output.path(), "BALANCED\n");
    // Here the process died; the next one knows the manifest's hash from the committed close.
    let left = staged_manifest(output.path(), date(1), 1).unwrap();
    assert_eq!(left.as_ref(), Some(&edition.bytes));
    put(output.path(), &edition).unwrap();
    assert_eq!(staged_manifest(output.path(), date(1), 1).unwrap(), None);
}

#[test]
fn a_crash_after_the_days_folder_was_made_is_made_good_too() {
    let output = tempfile::tempdir().unwrap();
    let edition = staged(output.path(), "BALANCED\n");
    fs::create_dir(output.path().join("2026-11-23")).unwrap();
    put(output.path(), &edition).unwrap();
    assert_eq!(names(&output.path().join("2026-11-23")), ["e1"]);
}

#[test]
fn a_crash_while_staging_leaves_nothing_that_could_be_published() {
    let output = tempfile::tempdir().unwrap();
    let staging = Staging::begin(output.path(), date(1), 1, Modes::default()).unwrap();
    let mut file = staging.file(SUMMARY_TEXT).unwrap();
    file.write_all(b"half a").unwrap();
    drop((file, staging));
    assert_eq!(staged_manifest(output.path(), date(1), 1).unwrap(), None);
    let error = publish(output.path(), date(1), 1, "00", Modes::default()).unwrap_err();
    assert!(matches!(error, PublishError::NotStaged(_)), "{error}");
    // The next run begins afresh.
    let edition = staged(output.path(), "BALANCED\n");
    let folder = put(output.path(), &edition).unwrap();
    assert_eq!(fs::read(folder.join(SUMMARY_TEXT)).unwrap(), b"BALANCED\n");
}

#[test]
fn an_edition_is_never_overwritten() {
    let output = tempfile::tempdir().unwrap();
    put(output.path(), &staged(output.path(), "BALANCED\n")).unwrap();
    let error = put(
        output.path(),
        &staged(output.path(), "BALANCED  otherwise\n"),
    )
    .unwrap_err();
    assert!(matches!(error, PublishError::OtherBytes(_)), "{error}");
    let folder = edition_dir(output.path(), date(1), 1);
    assert_eq!(fs::read(folder.join(SUMMARY_TEXT)).unwrap(), b"BALANCED\n");
}

#[test]
fn an_empty_folder_in_the_place_of_an_edition_is_not_replaced() {
    let output = tempfile::tempdir().unwrap();
    let edition = staged(output.path(), "BALANCED\n");
    fs::create_dir_all(edition_dir(output.path(), date(1), 1)).unwrap();
    let error = put(output.path(), &edition).unwrap_err();
    assert!(matches!(error, PublishError::OtherBytes(_)), "{error}");
}

#[test]
fn what_is_staged_must_be_what_was_committed() {
    let output = tempfile::tempdir().unwrap();
    let committed = staged(output.path(), "BALANCED\n");
    staged(output.path(), "BALANCED  otherwise\n");
    let error = put(output.path(), &committed).unwrap_err();
    assert!(matches!(error, PublishError::NotStaged(_)), "{error}");
}

#[test]
fn a_staged_edition_can_be_discarded_and_discarding_nothing_is_fine() {
    let output = tempfile::tempdir().unwrap();
    staged(output.path(), "BALANCED\n");
    for _ in 0..2 {
        discard(output.path(), date(1), 1).unwrap();
        assert!(names(output.path()).is_empty());
    }
}

#[test]
fn modes_are_as_configured_whatever_the_umask() {
    let rows = [
        (Modes::default(), 0o640, 0o750),
        // A group-writable folder, which no usual umask would leave so.
        (
            Modes {
                file: 0o666,
                dir: 0o777,
            },
            0o666,
            0o777,
        ),
        (
            Modes {
                file: 0o600,
                dir: 0o700,
            },
            0o600,
            0o700,
        ),
    ];
    for (modes, file, dir) in rows {
        let output = tempfile::tempdir().unwrap();
        let edition = staged_as(output.path(), "BALANCED\n", modes);
        let folder = publish(output.path(), date(1), 1, &edition.sha256, modes).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for name in [MANIFEST, SUMMARY_TEXT] {
            assert_eq!(mode(&folder.join(name)), file, "{name}");
        }
        assert_eq!(mode(&folder), dir);
        assert_eq!(mode(folder.parent().unwrap()), dir);
    }
}

#[test]
fn a_file_is_hashed_and_counted_however_it_is_written() {
    let output = tempfile::tempdir().unwrap();
    let staging = Staging::begin(output.path(), date(1), 1, Modes::default()).unwrap();
    let mut file = staging.file("rejected.csv").unwrap();
    for byte in b"in pieces" {
        file.write_all(&[*byte]).unwrap();
    }
    let totals = FileTotals {
        rows: 7,
        ..FileTotals::default()
    };
    let entry = file.finish(Some(&totals)).unwrap();
    let whole = staging.put(SUMMARY_TEXT, b"in pieces").unwrap();
    assert_eq!((entry.bytes, entry.rows), (9, Some(7)));
    assert_eq!((entry.sha256, None), (whole.sha256, whole.rows));
}

#[test]
fn an_output_folder_that_cannot_be_written_is_named() {
    let output = tempfile::tempdir().unwrap();
    let blocked = output.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = Staging::begin(&blocked, date(1), 1, Modes::default()).unwrap_err();
    assert!(
        error.to_string().contains(blocked.to_str().unwrap()),
        "{error}"
    );
}
