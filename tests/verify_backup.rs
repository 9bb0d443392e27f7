//! A backup beside a run, a restore, and a state that is older than what happened: nothing is
//! captured twice, whatever was copied where.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use night::stories::{self, Tale, as_csv, make_known};
use night::witness::ledger;
use night::{Night, names};

fn evening(night: &Night, table: &str) -> Vec<Tale> {
    let tales = stories::tales(table, night.began);
    make_known(night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    tales
}

/// By the service's own ledger, whatever our journal says.
fn nobody_is_captured_twice(night: &Night, what: &str) {
    for (trip, row) in ledger(night) {
        assert!(row.captures.len() <= 1, "{what}: {trip:?} {row:?}");
    }
}

fn captured(night: &Night) -> usize {
    ledger(night)
        .values()
        .filter(|row| !row.captures.is_empty())
        .count()
}

fn put_back(night: &Night, backup: &Path) {
    let state = night.path("state");
    for file in names(&state) {
        fs::remove_file(state.join(file)).unwrap();
    }
    fs::copy(backup, state.join("tripsettle.db")).unwrap();
}

#[test]
fn a_backup_beside_a_run_is_whole_private_and_never_overwrites() {
    let night = Night::begin();
    evening(&night, "plain 40 captured captured captured");
    let told = night.expect(0, &["init", "--json"]).out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("created "), "{message}");
    let mut run = night.start(&["run"]);
    let mut copies = Vec::new();
    while run.try_wait().unwrap().is_none() || copies.is_empty() {
        let to = format!("copy{}.db", copies.len());
        night.expect(0, &["backup", &to]);
        copies.push(night.path(&to));
    }
    for copy in &copies {
        let mode = fs::metadata(copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let raw = rusqlite::Connection::open(copy).unwrap();
        let check = "PRAGMA integrity_check";
        let said: String = raw.query_row(check, (), |row| row.get(0)).unwrap();
        assert_eq!(said, "ok");
    }
    let before = fs::read(&copies[0]).unwrap();
    let refused = night.expect(2, &["backup", "copy0.db"]);
    assert!(refused.err.contains("never overwrites"), "{refused:?}");
    assert_eq!(fs::read(&copies[0]).unwrap(), before);
    fs::create_dir(night.path("backups")).unwrap();
    night.expect(0, &["backup", "backups", "--quiet"]);
    let named = names(&night.path("backups"));
    assert!(
        named.len() == 1 && named[0].starts_with("tripsettle-2"),
        "{named:?}"
    );
    assert!(
        !names(night.dir.path())
            .iter()
            .any(|name| name.contains(".new-"))
    );
}

#[test]
fn what_was_captured_after_the_backup_is_never_captured_again() {
    let night = Night::begin();
    let tales = evening(
        &night,
        "plain 12 captured captured captured\nempty 2 cancelled c c",
    );
    night.expect(0, &["import", "inbox/trips.csv"]);
    night.expect(0, &["backup", "copy.db"]);
    night.expect(0, &["run"]);
    assert_eq!(captured(&night), 12);
    put_back(&night, &night.path("copy.db"));
    // Nothing works on it but what reads, and what says what it is.
    for command in [
        &["run"][..],
        &["settle"],
        &["status"],
        &["import", "inbox/trips.csv"],
    ] {
        let refused = night.expect(65, command);
        assert!(refused.err.contains("is a backup of"), "{refused:?}");
        assert!(refused.err.contains("init --after-restore"), "{refused:?}");
    }
    let found = night.expect(65, &["verify"]);
    assert!(found.out.contains("TRUNCATED"), "{found:?}");
    night.expect(65, &["init", "--after-loss"]);
    night.expect(0, &["init", "--after-restore"]);
    // The editions of the lost days are moved aside by hand, as the README tells.
    fs::rename(night.path("out"), night.path("out-before-restore")).unwrap();
    night.write("inbox/again.csv", &(as_csv(&tales) + "\n"));
    let ended = night.expect(11, &["run"]);
    nobody_is_captured_twice(&night, "after the restore");
    assert!(ended.out.contains("captures in doubt: 12"), "{ended:?}");
    night.expect(0, &["verify"]);
    let rulings: String = tales
        .iter()
        .filter(|tale| tale.story == "plain")
        .map(|tale| format!("{}/{},captured\n", tale.store, tale.id))
        .collect();
    night.write("rulings.csv", &format!("trip,verdict\n{rulings}"));
    let words = [
        "rule",
        "--file",
        "rulings.csv",
        "--by",
        "Ada",
        "--note",
        "portal",
    ];
    let ended = night.expect(0, &words);
    assert!(ended.out.contains("12 rulings taken"), "{ended:?}");
    night.expect(10, &["run"]);
    nobody_is_captured_twice(&night, "after the rulings");
}

/// The numbers of a day's postings come again after a restore, with other content: that, and what
/// persons did since, is told while the published files are still there to tell it.
#[test]
fn what_was_published_after_the_backup_is_named_when_it_is_put_back() {
    let night = Night::begin();
    let tales = evening(&night, "declined 1 written_off w w");
    night.expect(0, &["run"]);
    night.expect(0, &["backup", "copy.db"]);
    let trip = format!("{}/{}", tales[0].store, tales[0].id);
    let words = ["--by", "Ada", "--note", "paid at the desk"];
    night.expect(0, &[&["debt", "recover", &trip][..], &words].concat());
    let first = names(&night.path("out")).pop().unwrap();
    let today = tripsettle::domain::BooksDate::parse(&first).unwrap().next();
    night.expect(0, &["run", "--close", &today.to_string()]);
    put_back(&night, &night.path("copy.db"));
    let told = night.expect(0, &["init", "--after-restore"]).out;
    let step = format!("  {today}: recovery ");
    let whose = format!(" of {trip} by Ada: paid at the desk");
    let mut lines = told.lines();
    let is_told = lines.any(|line| line.starts_with(&step) && line.ends_with(&whose));
    assert!(is_told, "{step}{whose}: {told}");
    let ids = today.to_string().replace('-', "");
    for words in [
        format!("closed again by the next run: {today}.\n"),
        format!("(JE-{ids}-000001 …)"),
        "void in your accounting".to_owned(),
        "give them again".to_owned(),
    ] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    assert!(!told.contains(&first), "known to the copy: {told}");
}

/// A run that was killed leaves its log behind. Played into a backup it would take the mark away
/// and give a state in which trips are open that were captured.
#[test]
fn the_log_of_another_state_is_not_played_into_a_backup() {
    let night = Night::begin();
    evening(&night, "plain 12 captured captured captured");
    night.expect(0, &["import", "inbox/trips.csv"]);
    night.expect(0, &["backup", "copy.db"]);
    // Whoever reads keeps the log from being copied home, as a kill does.
    let reader = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let count = |row: &rusqlite::Row| row.get::<_, i64>(0);
    let known = reader.query_row("SELECT count(*) FROM trip", (), count);
    assert_eq!(known.unwrap(), 12);
    night.expect(0, &["run"]);
    let log = night.path("state/tripsettle.db-wal");
    let kept = fs::read(&log).unwrap();
    assert!(kept.len() > 100_000, "no log to speak of");
    drop(reader);
    put_back(&night, &night.path("copy.db"));
    fs::write(&log, &kept).unwrap();
    for command in [
        &["run"][..],
        &["status"],
        &["verify"],
        &["init", "--after-restore"],
    ] {
        let refused = night.expect(65, command);
        assert!(
            refused.err.contains("tripsettle.db-wal belongs"),
            "{refused:?}"
        );
    }
    assert_eq!(fs::read(&log).unwrap(), kept, "the log was touched");
    fs::remove_file(&log).unwrap();
    let refused = night.expect(65, &["run"]);
    assert!(refused.err.contains("is a backup of"), "{refused:?}");
    nobody_is_captured_twice(&night, "beside a log");
}

#[test]
fn a_plain_copy_that_is_older_than_the_published_files_is_refused() {
    let night = Night::begin();
    let tales = evening(&night, "plain 6 captured captured captured");
    night.expect(0, &["import", "inbox/trips.csv"]);
    fs::copy(
        night.path("state/tripsettle.db"),
        night.path("plain-copy.db"),
    )
    .unwrap();
    night.expect(0, &["run"]);
    put_back(&night, &night.path("plain-copy.db"));
    let refused = night.expect(65, &["run"]);
    assert!(refused.err.contains("is older than"), "{refused:?}");
    // Whoever asks is sent the same way.
    for command in ["verify", "check"] {
        let ended = night.expect(65, &[command]);
        assert!(ended.out.contains("init --after-restore"), "{ended:?}");
        assert!(!ended.out.contains("--after-loss"), "{ended:?}");
    }
    night.expect(0, &["init", "--after-restore"]);
    let ended = night.expect(65, &["verify"]);
    assert!(ended.out.contains("ADDED"), "restored once: {ended:?}");
    assert!(!ended.out.contains("--after-"), "restored once: {ended:?}");
    night.expect(0, &["check"]);
    let ended = night.tripsettle(&["run"]);
    assert_eq!(ended.code, Some(74), "never overwritten: {ended:?}");
    fs::rename(night.path("out"), night.path("out-before-restore")).unwrap();
    night.expect(11, &["run"]);
    night.expect(0, &["verify"]);
    nobody_is_captured_twice(&night, "plain copy");
    assert_eq!(captured(&night), tales.len());
}

/// What is there, and what each command does about it: the exit codes of `settle`, `init`,
/// `init --after-loss` and then of `run`.
///
/// state: `kept`, `gone` (no folder), `empty` (a folder without database), `moved`; files: `out`
/// kept or gone; `taken` kept or gone; `drop`: the same trips are dropped into the inbox again.
const GUARD: &str = "
kept  out  taken drop  : settle 0   run 0
kept  -    taken drop  : settle 0   run 0
kept  out  -     drop  : settle 0   run 0
gone  out  taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
gone  out  -     drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
gone  -    taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
gone  out  taken -     : settle 65  init 65  run 65  init-after-loss 0  run 0
empty out  taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
empty -    taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
empty out  -     -     : settle 65  init 65  run 65  init-after-loss 0  run 0
moved out  taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
moved -    taken drop  : settle 65  init 65  run 65  init-after-loss 0  run 11
kept  out  taken drop  : init 0     init-after-loss 65  run 0
";

#[test]
fn state_is_guarded_in_every_combination() {
    for line in GUARD.lines().filter(|line| !line.is_empty()) {
        let (there, commands) = line.split_once(':').unwrap();
        let there: Vec<&str> = there.split_whitespace().collect();
        let mut night = Night::begin();
        let tales = evening(&night, "plain 4 captured captured captured");
        night.expect(0, &["run"]);
        assert_eq!(captured(&night), 4, "{line}");
        let state = night.path("state");
        match there[0] {
            "kept" => {}
            "gone" => fs::remove_dir_all(&state).unwrap(),
            "empty" => {
                fs::remove_dir_all(&state).unwrap();
                fs::create_dir(&state).unwrap();
            }
            "moved" => night.set("TRIPSETTLE_STATE_DIR", night.path("else").to_str().unwrap()),
            other => panic!("{other}"),
        }
        if there[1] == "-" {
            fs::remove_dir_all(night.path("out")).unwrap();
        }
        if there[2] == "-" {
            fs::remove_dir_all(night.path("inbox/taken")).unwrap();
        }
        if there[3] == "drop" {
            // Other bytes, so that it is another file.
            night.write("inbox/again.csv", &(as_csv(&tales) + "\n"));
        }
        let words: Vec<&str> = commands.split_whitespace().collect();
        for pair in words.chunks(2) {
            let code = pair[1].parse().unwrap();
            match pair[0] {
                "init-after-loss" => night.expect(code, &["init", "--after-loss"]),
                command => {
                    let ended = night.tripsettle(&[command]);
                    assert_eq!(ended.code, Some(code), "{line}\n{command}: {ended:#?}");
                    ended
                }
            };
            nobody_is_captured_twice(&night, line);
        }
        assert_eq!(captured(&night), 4, "{line}");
    }
}
