//! `verify`: whatever is changed, removed or cut short afterwards is found, told apart and named.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::path::{Path, PathBuf};

use night::stories::{self, as_csv, make_known};
use night::{Ended, Night, names};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// A published night of a few trips.
fn published() -> Night {
    let night = Night::begin();
    let table = "plain 6 captured captured captured\n\
        declined 2 written_off written_off written_off\n\
        capture_500_after 1 in_doubt in_doubt in_doubt";
    let tales = stories::tales(table, night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    night.expect(11, &["run"]);
    night
}

/// A copy of the night's state and files, to be damaged.
struct Copy {
    state: PathBuf,
    out: PathBuf,
}

fn copy(night: &mut Night, name: &str) -> Copy {
    let (state, out) = (night.path(name).join("state"), night.path(name).join("out"));
    copy_dir(&night.path("state"), &state);
    copy_dir(&night.path("out"), &out);
    night.set("TRIPSETTLE_STATE_DIR", state.to_str().unwrap());
    night.set("TRIPSETTLE_OUTPUT_DIR", out.to_str().unwrap());
    Copy { state, out }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        match path.is_dir() {
            true => copy_dir(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

impl Copy {
    /// A connection that knows nothing of our code, and that no trigger holds back.
    fn raw(&self) -> Connection {
        let raw = Connection::open(self.state.join("tripsettle.db")).unwrap();
        let triggers: Vec<String> = {
            let mut named = raw
                .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .unwrap();
            let names = named.query_map((), |row| row.get(0)).unwrap();
            names.collect::<Result<_, _>>().unwrap()
        };
        for name in triggers {
            raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        raw
    }

    /// The only edition.
    fn edition(&self) -> PathBuf {
        let day = names(&self.out).pop().unwrap();
        self.out.join(day).join("e1")
    }
}

/// Verifies; gives damage and place of the first fault.
fn first_fault(night: &Night, what: &str) -> (String, String) {
    let ended = night.expect(65, &["verify", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(found["clean"], false, "{what}");
    let first = &found["faults"][0];
    let word = |name: &str| first[name].as_str().unwrap().to_owned();
    (word("damage"), word("place"))
}

/// The text that the hash of every event is over, as `0003_journal_chain.sql` tells an outsider.
fn texts(raw: &Connection) -> Vec<(i64, Vec<u8>, Vec<u8>, String)> {
    let columns = "seq trip step at books_date run kind call attempt not_executed verdict detail";
    let texts = columns
        .split(' ')
        .map(|c| format!("coalesce(length(CAST({c} AS BLOB)) || ':' || {c}, '~')"));
    let text = texts.collect::<Vec<_>>().join(" || ");
    let sql = format!("SELECT seq, previous, hash, {text} FROM journal ORDER BY seq");
    let mut rows = raw.prepare(&sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    rows.query_map((), row)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn hash(previous: &[u8], text: &str) -> Vec<u8> {
    Sha256::digest([previous, text.as_bytes()].concat()).to_vec()
}

#[test]
fn an_outsider_can_compute_the_chain() {
    let night = published();
    let raw = Connection::open(night.path("state/tripsettle.db")).unwrap();
    let (mut last, mut seen) = (vec![0; 32], 0);
    for (seq, previous, stored, text) in texts(&raw) {
        assert_eq!(seq, seen + 1);
        assert_eq!(previous, last, "{seq}");
        assert_eq!(hash(&previous, &text), stored, "{seq}: {text}");
        (last, seen) = (stored, seq);
    }
    assert!(seen > 20, "{seen}");
    let hex: String = last.iter().map(|byte| format!("{byte:02x}")).collect();
    let ended = night.expect(0, &["verify", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let head = found["head"].as_str().unwrap();
    assert_eq!(head.replace('.', ""), format!("{seen}:{hex}"));
    night.expect(0, &["verify", "--quiet", "--head", head]);
    let told = fs::read_to_string(night.newest_editions()[0].join("summary.txt")).unwrap();
    assert!(told.contains(&format!("Journal: {head}")), "{told}");
}

/// What is done to the database: the damage, and where it is first seen.
const IN_THE_DATABASE: &[(&str, &str, &str)] = &[
    (
        "UPDATE journal SET at = at + 1 WHERE seq = 5",
        "altered",
        "journal seq 5",
    ),
    (
        "UPDATE journal SET detail = replace(detail, 'a', 'b') WHERE seq = 7",
        "altered",
        "journal seq 7",
    ),
    (
        "UPDATE journal SET run = 'x' WHERE seq = 12",
        "altered",
        "journal seq 12",
    ),
    (
        "UPDATE journal SET hash = zeroblob(32) WHERE seq = 6",
        "altered",
        "journal seq 6",
    ),
    (
        "UPDATE journal SET hash = NULL WHERE seq = 6",
        "altered",
        "journal seq 6",
    ),
    (
        "DELETE FROM journal WHERE seq = 11",
        "deleted",
        "journal seq 11",
    ),
    (
        "DELETE FROM journal WHERE seq < 4",
        "deleted",
        "journal seq 1",
    ),
    (
        "DELETE FROM journal WHERE seq > (SELECT max(seq) - 3 FROM journal)",
        "truncated",
        "trip ",
    ),
    (
        "UPDATE trip SET status = 'open' WHERE id = 2",
        "altered",
        "trip ",
    ),
    (
        "UPDATE trip SET captured = captured - 1, open = open + 1 WHERE id = 1",
        "altered",
        "trip ",
    ),
    (
        "UPDATE trip SET act_by = 5 WHERE id = 3",
        "altered",
        "trip ",
    ),
    (
        "UPDATE trip SET trip_id = 'another' WHERE id = 3",
        "altered",
        "trip ",
    ),
    (
        "UPDATE day_total SET totals = replace(totals, '\"new\":', '\"new\":1')",
        "altered",
        "books date ",
    ),
    ("DELETE FROM day_total", "altered", "books date "),
    (
        "UPDATE close SET manifest_sha256 = 'x'",
        "altered",
        "manifest.json",
    ),
    ("DELETE FROM close", "truncated", "/e1"),
    (
        "UPDATE close SET last_seq = last_seq + 1",
        "truncated",
        "journal seq ",
    ),
    (
        "PRAGMA foreign_keys = 0; UPDATE trip_break SET trip = 99; DELETE FROM trip WHERE id = 1",
        "altered",
        "tripsettle.db",
    ),
];

#[test]
fn what_was_done_to_the_database_is_told_apart_and_named() {
    let mut night = published();
    night.expect(0, &["verify"]);
    for (number, (sql, damage, place)) in IN_THE_DATABASE.iter().enumerate() {
        let copy = copy(&mut night, &format!("copy{number}"));
        night.expect(0, &["verify", "--quiet"]);
        copy.raw().execute_batch(sql).unwrap();
        let found = first_fault(&night, sql);
        assert_eq!(found.0, *damage, "{sql}: {found:?}");
        assert!(found.1.contains(place), "{sql}: {found:?}");
    }
}

#[test]
fn a_journal_that_was_written_anew_is_not_the_one_that_was_told() {
    let mut night = published();
    let copy = copy(&mut night, "copy");
    let raw = copy.raw();
    raw.execute_batch("UPDATE journal SET at = at + 1 WHERE seq = 5")
        .unwrap();
    let mut last = vec![0; 32];
    for (seq, _, _, text) in texts(&raw) {
        let next = hash(&last, &text);
        let sql = "UPDATE journal SET previous = ?2, hash = ?3 WHERE seq = ?1";
        raw.execute(sql, (seq, &last, &next)).unwrap();
        last = next;
    }
    drop(raw);
    let found = first_fault(&night, "rewritten");
    assert_eq!(found.0, "altered");
    assert!(found.1.starts_with("journal seq "), "{found:?}");
}

/// What is done to the edition: the damage, and the file.
type Doing = fn(&Path);

#[test]
fn what_was_done_to_the_files_is_told_apart_and_named() {
    let mut night = published();
    let cells: [(&str, Doing, &str, &str); 7] = [
        (
            "a digit changed",
            |dir| {
                let path = dir.join("reconciliation.csv");
                let text = fs::read_to_string(&path).unwrap().replacen(".", ",", 1);
                fs::write(path, text).unwrap();
            },
            "altered",
            "reconciliation.csv",
        ),
        (
            "cut short",
            |dir| {
                let path = dir.join("bad_debt.csv");
                let bytes = fs::read(&path).unwrap();
                fs::write(path, &bytes[..bytes.len() - 9]).unwrap();
            },
            "truncated",
            "bad_debt.csv",
        ),
        (
            "a file gone",
            |dir| fs::remove_file(dir.join("breaks.csv")).unwrap(),
            "deleted",
            "breaks.csv",
        ),
        (
            "a file more",
            |dir| fs::write(dir.join("note.txt"), "x").unwrap(),
            "added",
            "note.txt",
        ),
        (
            "no manifest",
            |dir| fs::remove_file(dir.join("manifest.json")).unwrap(),
            "deleted",
            "manifest.json",
        ),
        (
            "another manifest",
            |dir| fs::write(dir.join("manifest.json"), "{}").unwrap(),
            "altered",
            "manifest.json",
        ),
        (
            "the edition gone",
            |dir| fs::remove_dir_all(dir).unwrap(),
            "deleted",
            "manifest.json",
        ),
    ];
    for (number, (what, act, damage, place)) in cells.into_iter().enumerate() {
        let copy = copy(&mut night, &format!("copy{number}"));
        act(&copy.edition());
        let found = first_fault(&night, what);
        assert_eq!(found.0, damage, "{what}: {found:?}");
        assert!(found.1.ends_with(place), "{what}: {found:?}");
        let told = night.expect(65, &["verify"]).out;
        assert!(!told.contains("init --after"), "{what}: {told}");
    }
}

#[test]
fn bytes_that_rotted_are_damage_and_no_crash() {
    let mut night = published();
    let copy = copy(&mut night, "copy");
    let path = copy.state.join("tripsettle.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let Ended { out, err, .. } = night.expect(65, &["verify"]);
    assert!(
        format!("{out}{err}").contains("damaged") || out.contains("DAMAGED"),
        "{out}{err}"
    );
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn a_head_that_was_kept_shows_an_older_state() {
    let mut night = published();
    let head = |night: &Night| {
        let ended = night.expect(0, &["verify", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        found["head"].as_str().unwrap().to_owned()
    };
    let before = copy(&mut night, "before");
    let old = head(&night);
    let (state, out) = (night.path("state"), night.path("out"));
    night.set("TRIPSETTLE_STATE_DIR", state.to_str().unwrap());
    night.set("TRIPSETTLE_OUTPUT_DIR", out.to_str().unwrap());
    let late = night.began - chrono::TimeDelta::hours(30);
    let row = format!("S9,late-1,{},5.00,USD\n", late.to_rfc3339());
    let columns = "store_id,shopping_trip_id,started_at,amount,currency\n";
    let file = night.write("late.csv", &format!("{columns}{row}"));
    night.expect(0, &["import", file.to_str().unwrap()]);
    let new = head(&night);
    night.expect(0, &["verify", "--head", &old, "--head", &new]);
    night.set("TRIPSETTLE_STATE_DIR", before.state.to_str().unwrap());
    night.expect(0, &["verify", "--head", &old]);
    let ended = night.expect(65, &["verify", "--head", &new]);
    assert!(ended.out.contains("TRUNCATED"), "{ended:#?}");
    assert!(ended.out.contains("init --after-restore"), "{ended:#?}");
    assert!(!ended.out.contains("--after-loss"), "{ended:#?}");
    night.expect(2, &["verify", "--head", "12:34"]);
}
