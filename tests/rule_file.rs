//! `rule --file`: a thousand rulings in one command, beside a run, twice, and with bad rows.
#![allow(clippy::unwrap_used)]

mod night;

use std::fmt::Write;

use chrono::{SecondsFormat, TimeDelta};
use night::Night;

const TRIPS: i64 = 1_000;

/// A state that was lost, and a thousand trips from before: all in doubt.
fn doubts() -> Night {
    let night = Night::begin();
    night.expect(0, &["init", "--after-loss"]);
    let began = night.began - TimeDelta::hours(20);
    let began = began.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut feed = "store_id,shopping_trip_id,started_at,amount,currency\n".to_owned();
    for trip in 0..TRIPS {
        writeln!(feed, "S{},t{trip},{began},10.00,USD", trip % 3).unwrap();
    }
    night.write("feed.csv", &feed);
    night.expect(0, &["import", "feed.csv"]);
    night
}

fn json(night: &Night, code: i32, args: &[&str]) -> serde_json::Value {
    let ended = night.expect(code, &[args, &["--json"]].concat());
    serde_json::from_str(&ended.out).unwrap()
}

fn in_doubt(night: &Night) -> i64 {
    let raw = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let count = "SELECT count(*) FROM trip WHERE in_doubt > 0";
    raw.query_row(count, (), |row| row.get(0)).unwrap()
}

#[test]
fn a_thousand_rulings_are_one_command_beside_a_run_and_harmless_twice() {
    let night = doubts();
    assert_eq!(in_doubt(&night), TRIPS);
    let mut rulings = "trip,verdict,amount,by,note\r\n".to_owned();
    for trip in 0..TRIPS {
        let (amount, by) = match trip % 2 {
            0 => ("4.50", "Ada"),
            _ => ("", ""),
        };
        writeln!(
            rulings,
            "S{}/t{trip},captured,{amount},{by},\"seen, row {trip}\"\r",
            trip % 3
        )
        .unwrap();
    }
    night.write("rulings.csv", &rulings);
    let words = ["rule", "--file", "rulings.csv", "--by", "Grace"];
    let mut beside = night.start(&["run"]);
    let told = json(&night, 0, &words);
    beside.wait().unwrap();
    assert_eq!(
        (told["taken"].as_u64(), told["before"].as_u64()),
        (Some(1_000), Some(0)),
        "{told}"
    );
    assert_eq!(in_doubt(&night), 0);
    let told = json(&night, 0, &words);
    assert_eq!(
        (told["taken"].as_u64(), told["before"].as_u64()),
        (Some(0), Some(1_000)),
        "{told}"
    );
    let again = night.expect(0, &words);
    assert!(
        again.out.contains("1000 stood in the journal before"),
        "{again:?}"
    );
    let shown = night.expect(0, &["show", "S1/t1"]);
    assert!(
        shown
            .out
            .contains("Grace ruled: 10.00 USD was captured (seen, row 1)"),
        "{shown:?}"
    );
    let shown = night.expect(0, &["show", "S0/t0"]);
    assert!(
        shown.out.contains("Ada ruled: 4.50 USD was captured"),
        "{shown:?}"
    );
    night.expect(0, &["verify"]);
    assert_eq!(night.sandbox.calls().capture, 0);
}

#[test]
fn bad_rows_are_told_by_line_and_stop_no_other() {
    let night = doubts();
    let rows = [
        ("S0/t0,captured,,Ada,seen", ""),
        ("S0/none,captured,,Ada,seen", "no trip `S0/none` is known"),
        ("S1/t1,settled,,Ada,seen", "`settled` is no verdict"),
        ("S1/t1,captured,1.234,Ada,seen", ""),
        ("S1/t1,captured,99.00,Ada,seen", "a ruling of 99.00 USD"),
        ("S1/t1,captured,,,seen", "needs a name and a reason"),
        ("S1/t1,captured,,Ada,", "needs a name and a reason"),
        ("S2/t2,retry,,Ada,seen", "not refused"),
        (",captured,,Ada,seen", "no trip"),
        ("S2/t2,not_captured,,Ada,seen", ""),
        // Taken back, and then it stands.
        ("S2/t2,captured,,Ada,it was", ""),
        (
            "S2/t2,not_captured,,Ada,it was not",
            "no capture is in doubt",
        ),
        (
            "S2/t2,not_captured,5.00,Ada,no",
            "goes with `captured` only",
        ),
    ];
    let text = rows.map(|(row, _)| row).join("\n");
    night.write(
        "rulings.csv",
        &format!("trip,verdict,amount,by,note\n{text}\n"),
    );
    let told = json(&night, 10, &["rule", "--file", "rulings.csv", "--quiet"]);
    assert_eq!(told["taken"], 3, "{told}");
    let refused = told["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 10, "{told}");
    for (line, (row, reason)) in (2..).zip(rows) {
        let of_line = refused.iter().find(|refusal| refusal["line"] == line);
        if let Some(refusal) = of_line {
            let said = refusal["reason"].as_str().unwrap();
            assert!(said.contains(reason), "{row}: {said}");
        } else {
            assert_eq!(reason, "", "{row}");
        }
    }
    assert_eq!(in_doubt(&night), TRIPS - 2);
    for (text, reason) in [
        ("trip;verdict\n", "unknown column"),
        ("trip,amount\n", "the column `verdict` is missing"),
    ] {
        night.write("wrong.csv", text);
        let ended = night.expect(2, &["rule", "--file", "wrong.csv"]);
        assert!(ended.err.contains(reason), "{ended:?}");
    }
    night.expect(2, &["rule", "--file", "absent.csv"]);
    night.expect(2, &["rule", "S0/t0", "captured", "--file", "rulings.csv"]);
    night.expect(2, &["rule", "S0/t0", "captured"]);
}

/// An unclosed quote would swallow the rows below it unseen: then nothing is ruled at all.
#[test]
fn a_file_that_swallows_rows_is_refused_before_anything_is_ruled() {
    let night = doubts();
    for (rows, reason) in [
        (
            ["S0/t0,captured,Ada,\"seen", "S1/t1,captured,Ada,seen", ""],
            "rulings.csv: line 2: a cell goes on over the end of its line",
        ),
        (
            ["S0/t0,captured,Ada,seen", "S1/t1,captured,Ada", ""],
            "rulings.csv: line 3: 3 cells, but the header has 4",
        ),
    ] {
        let text = rows.join("\n");
        night.write("rulings.csv", &format!("trip,verdict,by,note\n{text}"));
        let ended = night.expect(2, &["rule", "--file", "rulings.csv"]);
        assert!(ended.err.contains(reason), "{ended:?}");
        assert_eq!(in_doubt(&night), TRIPS);
    }
}
