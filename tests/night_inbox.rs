//! What lies in the inbox: what is taken, what stays and why, and who is told of it.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use night::stories::{self, Tale, as_csv, make_known};
use night::{Ended, Night, names};
use serde_json::Value;
use tripsettle::sandbox::SandboxTrip;

const HEADER: &str = "store_id,shopping_trip_id,started_at,amount,currency\n";

/// A few trips that wait in the inbox.
fn evening() -> (Night, Vec<Tale>) {
    let night = Night::begin();
    let tales = stories::tales("plain 3 captured captured captured", night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    (night, tales)
}

fn has(ended: &Ended, words: &[&str]) {
    let told = format!("{}{}", ended.out, ended.err);
    for words in words {
        assert!(told.contains(words), "`{words}`: {told}");
    }
}

#[test]
fn what_is_overlooked_is_named_and_what_is_hidden_is_not() {
    let (night, _) = evening();
    night.expect(0, &["init"]);
    for name in ["a.csv.tmp", "b.part", ".c.csv", "taken/old.csv"] {
        night.write(&format!("inbox/{name}"), "");
    }
    let told = night.expect(0, &["check"]);
    assert!(!told.out.contains("not taken"), "{told:?}");
    let told = night.expect(0, &["settle"]);
    assert!(!told.err.contains("not taken"), "{told:?}");

    for name in ["trips.txt", "trips.csv.1", "trips.csv.gz", "sub/a.csv"] {
        night.write(&format!("inbox/{name}"), "");
    }
    symlink(night.path("elsewhere.csv"), night.path("inbox/link.csv")).unwrap();
    let words = [
        "holds what is not taken: link.csv (a symbolic link), sub (a folder), trips.csv.1 (its",
        "trips.csv.gz (its name does not end in .csv, .jsonl or .ndjson), trips.txt (its name",
    ];
    has(&night.expect(0, &["check"]), &words);
    let left = names(&night.path("inbox"));
    has(&night.expect(0, &["settle"]), &words);
    has(&night.tripsettle(&["run"]), &words);
    assert_eq!(names(&night.path("inbox")), left);

    for number in 0..9 {
        night.write(&format!("inbox/x{number}"), "");
    }
    has(&night.expect(0, &["check"]), &[", and 4 more"]);
}

#[test]
fn an_inbox_that_is_not_there_is_told() {
    let (mut night, _) = evening();
    let gone = night.path("nowhere/inbox");
    night.set("TRIPSETTLE_INBOX_DIR", gone.to_str().unwrap());
    let told = night.expect(0, &["run"]);
    has(
        &told,
        &["nowhere/inbox does not exist", "is inbox_dir right?"],
    );
    assert!(!gone.exists());
    let told = night.expect(0, &["check"]);
    has(&told, &["nowhere/inbox did not exist, and was made"]);
    let told = night.expect(0, &["check"]);
    has(&told, &["nowhere/inbox can be written"]);
}

#[test]
fn a_plan_counts_the_files_that_wait_and_leaves_them() {
    let (night, tales) = evening();
    let plan = |args: &[&str]| night.expect(0, args).out;
    assert!(
        plan(&["plan"]).contains("1 file waits in the inbox; what it holds is not counted here"),
        "{}",
        plan(&["plan"])
    );
    let json: Value = serde_json::from_str(&plan(&["plan", "--json"])).unwrap();
    assert_eq!((&json["inbox_files"], &json["due"]), (&1.into(), &0.into()));
    assert_eq!(names(&night.path("inbox")), ["trips.csv"]);
    night.write("inbox/more.jsonl", "");
    assert!(plan(&["plan"]).contains("2 files wait in the inbox; what they hold"));
    night.expect(0, &["settle"]);
    let json: Value = serde_json::from_str(&plan(&["plan", "--json"])).unwrap();
    assert_eq!(json["inbox_files"], 0, "{json:#}");
    assert_eq!(night.sandbox.calls().capture as usize, tales.len());
}

#[test]
fn a_rejected_row_is_told_with_its_reason_at_once() {
    let (night, _) = evening();
    let began = night.began.to_rfc3339();
    let good = format!("S1,good-1,{began},1.00,USD\n");
    let conflict = format!("S1,good-1,{began},2.00,USD\n");
    let mut rows = format!("{HEADER}{good}S1,bad-1,yesterday,1.00,USD\n{conflict}");
    let told = |name: &str, rows: &str| {
        let file = night.write(name, rows);
        let ended = night.expect(10, &["import", file.to_str().unwrap()]);
        let json = night.write(&format!("again-{name}"), &rows.replace("-1,", "-2,"));
        let json = night.expect(10, &["import", "--json", json.to_str().unwrap()]);
        let json: Value = serde_json::from_str(&json.out).unwrap();
        (ended.out, json[0].clone())
    };
    let (text, json) = told("bad.csv", &rows);
    assert!(text.starts_with("bad.csv: 1 new, 2 rejected\n"), "{text}");
    assert!(text.contains("  bad.csv:3: started_at: "), "{text}");
    assert!(text.contains("  bad.csv:4: conflict"), "{text}");
    assert_eq!(json["counts"]["rejected"], 2, "{json:#}");
    assert_eq!(json["rejected"][0]["line"], 3, "{json:#}");
    assert_eq!(json["rejected"][0]["field"], "started_at", "{json:#}");
    assert_eq!(json["rejected"][1]["field"], Value::Null, "{json:#}");
    let reason = json["rejected"][1]["reason"].as_str().unwrap();
    assert!(reason.starts_with("conflict"), "{json:#}");

    for number in 0..20 {
        rows.push_str(&format!("S1,more-{number},{began},x,USD\n"));
    }
    let (text, json) = told("many.csv", &rows.replace("good", "fine"));
    assert!(text.contains("  many.csv:12: amount: "), "{text}");
    assert!(!text.contains("many.csv:13"), "{text}");
    assert!(text.contains("many.csv: 12 more; rejected.csv"), "{text}");
    assert_eq!(json["rejected"].as_array().unwrap().len(), 10, "{json:#}");

    night.write(
        "inbox/bad.csv",
        &format!("{HEADER}S1,bad-2,yesterday,1.00,USD\n"),
    );
    has(&night.expect(10, &["settle"]), &["bad.csv:2: started_at: "]);
}

/// Somebody copies into the inbox under the final name while a run reads.
#[test]
fn a_file_that_is_being_written_stays_for_the_next_run() {
    let (night, _) = evening();
    let began = (night.began - chrono::TimeDelta::hours(5)).to_rfc3339();
    let row = |number: u32| format!("S1,slow-{number},{began},1.00,USD,SCAN_CODE\n");
    let mut text = "store_id,shopping_trip_id,started_at,amount,currency,entry\n".to_owned();
    (0..4_000).for_each(|number| text.push_str(&row(number)));
    let slow = night.write("inbox/slow.csv", &text);
    let is_over = AtomicBool::new(false);
    let settled = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(&slow).unwrap();
            let (mut number, half) = (4_000, "S1,slow-half");
            while !is_over.load(Ordering::Relaxed) {
                // The end is half a row at any moment.
                file.write_all(half.as_bytes()).unwrap();
                file.write_all(&row(number).as_bytes()[half.len()..])
                    .unwrap();
                number += 1;
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        let settled = night.tripsettle(&["settle"]);
        is_over.store(true, Ordering::Relaxed);
        settled
    });
    assert_eq!(settled.code, Some(10), "somebody should look: {settled:#?}");
    has(&settled, &["! slow.csv: it changed while it was read"]);
    assert_eq!(names(&night.path("inbox")), ["slow.csv", "taken"]);
    assert_eq!(names(&night.path("inbox/taken")), ["trips.csv"]);
    night.expect(0, &["settle"]);
    assert_eq!(names(&night.path("inbox")), ["taken"]);
    assert_eq!(names(&night.path("inbox/taken")).len(), 2);
}

#[test]
fn a_file_that_was_taken_and_cannot_be_moved_is_told_so() {
    let (night, tales) = evening();
    night.expect(0, &["init"]);
    let in_the_way = night.write("inbox/taken", "");
    for _ in 0..2 {
        let told = night.expect(74, &["settle"]);
        has(
            &told,
            &["trips.csv was taken, but cannot be moved to taken/"],
        );
        assert_eq!(night.sandbox.calls().capture as usize, tales.len());
    }
    let told = night.expect(74, &["import", "inbox/trip.csv"]);
    has(
        &told,
        &["inbox/trip.csv: there is no such file; is its name right?"],
    );
    assert!(!told.err.contains("run again"), "{told:?}");
    fs::remove_file(in_the_way).unwrap();
    night.expect(0, &["settle"]);
    assert_eq!(names(&night.path("inbox/taken")), ["trips.csv"]);
}

/// Where a clock is behind, good trips look as if they were of the future: they must not be lost.
#[test]
fn a_row_of_the_future_is_taken_when_its_time_has_come() {
    let night = Night::begin();
    let ahead = TimeDelta::minutes(5) + TimeDelta::seconds(4);
    let row = |id: &str, started: DateTime<Utc>| {
        let started = started.to_rfc3339_opts(SecondsFormat::Millis, true);
        format!("S1,{id},{started},10.00,USD\n")
    };
    let started_at = night.began - TimeDelta::hours(30);
    night.sandbox.add_trip(SandboxTrip {
        started_at,
        ..SandboxTrip::of("S1", "old")
    });
    let old = row("old", started_at);
    let early = row("early", Utc::now() + ahead);
    let header = "store_id,shopping_trip_id,started_at,amount,currency\n";
    night.write("inbox/t.csv", &format!("{header}{old}{early}"));
    let told = night.expect(10, &["settle"]);
    has(&told, &["t.csv: it has rows of the future", "set it right"]);
    assert_eq!(night.sandbox.calls().capture, 1, "the others go on");
    std::thread::sleep(std::time::Duration::from_secs(5));
    let again = night.expect(0, &["import", "inbox/taken/t.csv"]);
    has(&again, &["1 new, 1 unchanged"]);
    // A newer file has the last word on what is known.
    let amended = early.replace("10.00", "8.00");
    night.write("amended.csv", &format!("{header}{amended}"));
    has(&night.expect(0, &["import", "amended.csv"]), &["1 amended"]);
    let again = night.expect(0, &["import", "inbox/taken/t.csv"]);
    has(&again, &["2 unchanged"]);
    let shown = night.expect(0, &["show", "S1/early", "--json"]).out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["cart_total"], "8.00", "{shown}");
}

/// The word that a trip ended elsewhere must not be lost with the file that is given again, or the
/// shopper is charged twice.
#[test]
fn an_end_elsewhere_is_heard_from_a_file_that_is_given_again() {
    let night = Night::begin();
    let at = |started: DateTime<Utc>| started.to_rfc3339_opts(SecondsFormat::Millis, true);
    let early = at(Utc::now() + TimeDelta::minutes(5) + TimeDelta::seconds(4));
    let header = "store_id,shopping_trip_id,started_at,amount,currency,status\n";
    let ended = format!("S1,ended,{early},10.00,USD,cancelled\n");
    night.write("a.csv", &format!("{header}{ended}"));
    night.expect(10, &["import", "a.csv"]);
    std::thread::sleep(std::time::Duration::from_secs(5));
    // Another file hands the trip over meanwhile.
    let open = ended.replace("cancelled", "open");
    night.write("b.csv", &format!("{header}{open}"));
    has(&night.expect(0, &["import", "b.csv"]), &["1 new"]);
    has(&night.expect(0, &["import", "a.csv"]), &["1 amended"]);
    let shown = night.expect(0, &["show", "S1/ended", "--json"]).out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["status"], "cancelled", "{shown}");
}
