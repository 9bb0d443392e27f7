//! Review files on a real night: made of what is published, part of the edition, made again to the
//! byte, and without a trace in the tables that programs import.

#![allow(clippy::unwrap_used)]

mod night;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use night::{Night, names};
use tripsettle::outputs::{REVIEW, REVIEWED, review};
use tripsettle::sandbox::SandboxConfig;

/// A night with captures, a debt, a doubt and a row that cannot be taken.
fn night() -> Night {
    let night = Night::begin_with(SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    });
    let began = (night.began - chrono::TimeDelta::hours(26)).to_rfc3339();
    let mut feed = "store_id,shopping_trip_id,started_at,amount,currency\n".to_owned();
    for (trip, amount, currency) in [
        ("0042", "15.90", "USD"),
        ("partial-1", "30.00", "USD"),
        ("declined-1", "8.00", "EUR"),
        ("doubt-1", "7.25", "USD"),
        ("1E05", "1.234", "KWD"),
        ("9223372036854775807", "700", "JPY"),
        ("=1+2", "4.00", "USD"),
    ] {
        feed.push_str(&format!("STORE_1,{trip},{began},{amount},{currency}\n"));
    }
    night.write("inbox/trips.csv", &feed);
    night
}

type Files = BTreeMap<String, Vec<u8>>;

fn contents(dir: &Path) -> Files {
    let read = |name: String| (name.clone(), fs::read(dir.join(&name)).unwrap());
    names(dir).into_iter().map(read).collect()
}

fn tables(files: &Files) -> Files {
    let is_table = |name: &&String| REVIEWED.iter().any(|(table, _)| *name == table);
    let tables = files.iter().filter(|(name, _)| is_table(name));
    tables
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

fn reviews(files: &Files) -> Vec<&String> {
    let names = files.keys();
    names.filter(|name| name.ends_with(REVIEW)).collect()
}

#[test]
fn review_switched_on_later_comes_with_the_next_edition_and_leaves_the_tables_alone() {
    let mut night = night();
    let ended = night.tripsettle(&["run"]);
    assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    let day = night.editions()[0].split_once('/').unwrap().0.to_owned();
    let edition = |number: u32| night.path("out").join(&day).join(format!("e{number}"));
    let (first_dir, second_dir) = (edition(1), edition(2));
    let first = contents(&first_dir);
    assert!(reviews(&first).is_empty(), "{:?}", first.keys());

    let backfill = ["backfill", "--from", &day, "--to", &day];
    night.tripsettle(&backfill);
    assert!(!second_dir.exists(), "nothing is new");
    night.configure_by_file("[output]\nformats = [\"review\"]\n");
    night.tripsettle(&backfill);
    let second = contents(&second_dir);
    assert_eq!(tables(&second), tables(&first));
    assert_eq!(reviews(&second).len(), REVIEWED.len());

    let manifest: serde_json::Value = serde_json::from_slice(&second["manifest.json"]).unwrap();
    let entries = manifest["files"].as_array().unwrap();
    let entry = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap();
    for (table, name) in REVIEWED {
        let mut made = Vec::new();
        review(name, second[table].as_slice(), &mut made).unwrap();
        assert!(made == second[name], "{name}");
        assert_eq!(entry(name)["rows"], entry(table)["rows"], "{name}");
        assert_eq!(entry(name)["bytes"], made.len(), "{name}");
    }
    let people = String::from_utf8(second["reconciliation.review.csv"].clone()).unwrap();
    assert!(
        people.contains(",\"'0042\",") && people.contains(",15.90,"),
        "{people}"
    );
    night.expect(0, &["verify"]);

    // Each edition is made again as it was, whatever is configured by then.
    night.configure_by_file("");
    for dir in [&first_dir, &second_dir] {
        fs::remove_dir_all(dir).unwrap();
    }
    night.tripsettle(&backfill);
    assert!(contents(&first_dir) == first && contents(&second_dir) == second);
    night.expect(0, &["verify"]);

    let spoiled = second_dir.join("breaks.review.csv");
    fs::write(&spoiled, "x").unwrap();
    let found = night.expect(65, &["verify"]);
    assert!(found.out.contains("breaks.review.csv"), "{found:?}");
}

/// A run was killed before it told of the second edition; then the first one was moved away.
#[test]
fn an_edition_that_cannot_be_summed_up_again_keeps_no_other_day_open() {
    let mut night = night();
    night.tripsettle(&["run"]);
    let day = night.editions()[0].split_once('/').unwrap().0.to_owned();
    let backfill = ["backfill", "--from", &day, "--to", &day];
    night.configure_by_file("[output]\nformats = [\"review\"]\n");
    night.tripsettle(&backfill);
    let edition = |number: u32| night.path("out").join(&day).join(format!("e{number}"));
    let second = contents(&edition(2));
    let state = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let sql = "UPDATE close SET published = 0 WHERE edition = 2";
    assert_eq!(state.execute(sql, ()).unwrap(), 1);
    drop(state);
    fs::remove_dir_all(edition(1)).unwrap();

    let ended = night.tripsettle(&["run", "--json"]);
    assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    let word = format!("{day} e2 is in place, and cannot be summed up");
    assert!(ended.out.contains(&word), "{ended:#?}");

    night.tripsettle(&backfill);
    assert!(edition(1).join("manifest.json").exists());
    let ended = night.tripsettle(&["run", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["closed"][0]["edition"], 2, "{told:#}");
    assert!(contents(&edition(2)) == second);
    assert_eq!(names(&night.path("out")), [day.as_str()]);
}
