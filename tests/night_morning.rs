//! The morning after: what a person asks, rules and backfills on the state that a night left.
#![allow(clippy::unwrap_used)]

mod night;

use std::fmt::Write as _;

use chrono::TimeDelta;
use night::stories::{self, Tale, as_csv, make_known};
use night::witness::{ledger, testifies};
use night::{ACME, Night, Row, rows};
use serde_json::Value;
use tripsettle::sandbox::{CallKind, Fault, FaultKind, SandboxTrip, Side};

const TABLE: &str = "
    plain                 4  captured     captured     captured
    capture_reset_after   1  in_doubt     in_doubt     in_doubt
    plain                 4  captured     captured     captured
    capture_500_before    1  in_doubt     in_doubt     in_doubt
    declined              4  written_off  written_off  written_off
    capture_hang_after    1  in_doubt     in_doubt     in_doubt
    refused               1  refused      refused      refused
";

const CONFIG: &str = r#"
[payment_service]
max_in_flight = 1
[store.NYC]
processor = "acme"
[store.BER]
processor = "acme"
[store.TYO]
processor = "acme"
[store.KWT]
processor = "acme"
"#;
const MORE_COLUMNS: &str = "date = \"date\"\nreference = \"reference\"\n";

/// A night that will leave three doubts and a refusal, which is at risk till somebody sees to it.
fn evening() -> (Night, Vec<Tale>) {
    let mut night = Night::begin();
    night.unset("TRIPSETTLE_PAYMENT_SERVICE__MAX_IN_FLIGHT");
    night.configure_by_file(&format!("{CONFIG}{ACME}{MORE_COLUMNS}"));
    std::fs::create_dir(night.path("reports")).unwrap();
    let tales = stories::tales(TABLE, night.began);
    make_known(&night, &tales);
    let file = night.write("trips.csv", &as_csv(&tales));
    night.expect(0, &["import", file.to_str().unwrap()]);
    (night, tales)
}

/// The only trip of a story.
fn name(tales: &[Tale], story: &str) -> String {
    let tale = tales.iter().find(|tale| tale.story == story).unwrap();
    format!("{}/{}", tale.store, tale.id)
}

fn json(night: &Night, args: &[&str]) -> Value {
    serde_json::from_str(&night.expect(0, args).out).unwrap()
}

fn shown(night: &Night, trip: &str) -> String {
    let shown = json(night, &["show", trip, "--json"]);
    shown["status"].as_str().unwrap().to_owned()
}

fn rule(night: &Night, code: i32, trip: &str, verdict: &[&str]) -> night::Ended {
    let mut args = vec!["rule", trip];
    args.extend(verdict);
    args.extend(["--by", "Ada", "--note", "asked the bank"]);
    night.expect(code, &args)
}

/// The processor's report of everything that was captured so far.
fn write_report(night: &Night, date: &str) {
    let mut report = "store,trip,amount,currency,date,reference\n".to_owned();
    for (place, ((store, trip), row)) in ledger(night).into_iter().enumerate() {
        for (_, amount) in &row.captures {
            let currency = &row.currency;
            let line = format!("{store},{trip},{amount},{currency},{date},ACME-{place:03}");
            writeln!(report, "{line}").unwrap();
        }
    }
    night.write("reports/acme.csv", &report);
}

/// What must be the same in every edition of a day.
fn money(rows: &[Row]) -> Vec<Vec<String>> {
    let columns = ["shopping_trip_id", "captured_amount", "bad_debt_amount"];
    let of = |row: &Row| columns.iter().map(|name| row[*name].clone()).collect();
    rows.iter().map(of).collect()
}

fn moved(night: &Night) -> (u64, u64, u64, u64) {
    let calls = night.sandbox.calls();
    (calls.adjust, calls.capture, calls.cancel, calls.refund)
}

/// A report is sent again, with one line more: how many captures are taken for second ones.
fn told_again(cumulative: bool) -> usize {
    let (mut night, tales) = evening();
    night.expect(12, &["run"]);
    write_report(&night, "2026-11-21");
    night.expect(12, &["run"]);
    let plain = tales.iter().find(|tale| tale.story == "plain").unwrap();
    let trip = format!("{}/{}", plain.store, plain.id);
    let before = night.expect(0, &["show", &trip]).out;

    if cumulative {
        let acme = ACME.replace("reports_dir", "cumulative = true\nreports_dir");
        night.configure_by_file(&format!("{CONFIG}{acme}{MORE_COLUMNS}"));
    }
    let told = std::fs::read_to_string(night.path("reports/acme.csv")).unwrap();
    let new = "STORE_1,nobody,9.99,USD,2026-11-21,ACME-NEW\n";
    night.write(
        "reports/acme-again.csv",
        &(told + new).replace('\n', "\r\n"),
    );
    let today = night.began - TimeDelta::minutes(150);
    let today = today.format("%Y-%m-%d").to_string();
    night.expect(12, &["run", "--close", &today]);

    testifies(&night, &tales);
    let after = night.expect(0, &["show", &trip]).out;
    assert_eq!(after == before, cumulative, "{before}{after}");
    let breaks = night.published("breaks.csv");
    let of_kind = |kind| breaks.iter().filter(move |row| row["break"] == kind);
    assert_eq!(of_kind("unknown_line").count(), 1, "{breaks:?}");
    assert!(of_kind("captured_twice").all(|row| row["severity"] == "critical"));
    of_kind("captured_twice").count()
}

#[test]
fn a_report_that_tells_lines_again_shows_second_captures_unless_it_is_cumulative() {
    assert_eq!(told_again(true), 0);
    assert!(told_again(false) > 0);
}

#[test]
fn plan_status_and_show_tell_where_everything_stands() {
    let (night, tales) = evening();

    let plan = json(&night, &["plan", "--json"]);
    assert_eq!(plan["due"], tales.len(), "{plan:#}");
    assert_eq!(moved(&night), (0, 0, 0, 0), "a plan sends nothing");
    let told = night.expect(12, &["run"]).out;
    let why = "exit code 12: 1 refused\n";
    assert!(told.contains(why), "{told}");
    let plan = json(&night, &["plan", "--json"]);
    assert_eq!(plan["will_not_fit"]["trips"], 0, "{plan:#}");

    let status = json(&night, &["status", "--json"]);
    assert_eq!(status["doubts"]["count"], 3, "{status:#}");
    assert_eq!(status["captures_initiated"], 8, "{status:#}");
    assert_eq!(status["captures_evidenced"], 8, "{status:#}");
    assert_eq!(status["runs"][0]["exit_code"], 12, "{status:#}");
    assert_eq!(status["mails_waiting"], 0);
    let trips = status["trips"].as_array().unwrap().iter();
    let trips: u64 = trips.map(|count| count["trips"].as_u64().unwrap()).sum();
    assert_eq!(usize::try_from(trips).unwrap(), tales.len(), "{status:#}");

    let doubt = name(&tales, "capture_reset_after");
    let (_, id) = doubt.split_once('/').unwrap();
    let told = night.expect(0, &["show", id]).out;
    assert!(told.starts_with(&format!("{doubt}: in_doubt")), "{told}");
    for words in [
        "taken from trips.csv",
        "about to send",
        "unclear",
        "in doubt ",
    ] {
        assert!(told.contains(words), "`{words}`: {told}");
    }
    let unknown = night.expect(2, &["show", "NYC/nobody"]);
    assert!(unknown.err.contains("no trip `NYC/nobody`"), "{unknown:?}");
}

#[test]
fn rulings_and_a_report_end_every_doubt_and_no_closed_cent_moves() {
    let (night, tales) = evening();
    night.expect(12, &["run"]);
    let lost_answer = name(&tales, "capture_reset_after");
    let never_done = name(&tales, "capture_500_before");
    let on_the_report = name(&tales, "capture_hang_after");

    // What the law does not allow is refused, and changes nothing.
    let before = night.sandbox.calls();
    rule(&night, 2, &name(&tales, "plain"), &["not-captured"]);
    rule(&night, 2, &name(&tales, "declined"), &["retry"]);
    rule(&night, 2, &lost_answer, &["captured", "--amount", "1.2.3"]);
    night.expect(
        2,
        &["rule", &lost_answer, "captured", "--by", "", "--note", "x"],
    );
    assert_eq!(shown(&night, &lost_answer), "in_doubt");
    assert_eq!(night.sandbox.calls(), before, "a ruling sends nothing");

    rule(&night, 0, &lost_answer, &["captured"]);
    assert_eq!(shown(&night, &lost_answer), "captured");
    rule(&night, 0, &never_done, &["not-captured"]);
    rule(&night, 0, &name(&tales, "refused"), &["retry"]);
    let adjusts = night.sandbox.calls().adjust;
    night.expect(12, &["settle"]);
    assert_eq!(shown(&night, &never_done), "captured");
    assert_eq!(shown(&night, &name(&tales, "refused")), "refused");
    assert!(night.sandbox.calls().adjust > adjusts, "it was asked again");

    let day = night.editions()[0].split('/').next().unwrap().to_owned();
    let first = night.newest_editions().remove(0);
    let before = moved(&night);
    write_report(&night, &day);
    night.expect(12, &["backfill", "--from", &day, "--to", &day]);
    assert_eq!(moved(&night), before, "a backfill moves no money");
    assert_eq!(shown(&night, &on_the_report), "captured");
    let second = night.newest_editions().remove(0);
    assert!(second.ends_with("e2"), "{second:?}");
    assert!(!rows(&second.join("changes.csv")).is_empty());
    let reconciliation = |dir: &std::path::Path| rows(&dir.join("reconciliation.csv"));
    assert_eq!(
        money(&reconciliation(&first)),
        money(&reconciliation(&second))
    );
    let debts = |dir: &std::path::Path| std::fs::read(dir.join("bad_debt.csv")).unwrap();
    assert_eq!(debts(&first), debts(&second));

    let editions = night.editions();
    night.expect(12, &["backfill", "--from", &day, "--to", &day]);
    assert_eq!(night.editions(), editions, "nothing new is to be told");
    let far = night.expect(
        12,
        &["backfill", "--from", "2020-01-01", "--to", "2020-01-01"],
    );
    assert!(far.out.contains("2020-01-01 was never closed"), "{far:?}");
}

#[test]
fn days_that_cannot_be_closed_begin_no_run() {
    let (night, tales) = evening();
    night.expect(12, &["run"]);
    let before = night.sandbox.calls();
    for (args, words) in [
        (&["run", "--close", "2999-12-31"][..], "has not begun"),
        (
            &["backfill", "--from", "2020-01-02", "--to", "2020-01-01"],
            "lies after",
        ),
    ] {
        let ended = night.expect(2, args);
        assert!(ended.err.contains(words), "{ended:?}");
        assert_eq!(ended.out, "", "nothing was run");
    }
    let status = json(&night, &["status", "--json"]);
    assert_eq!(status["runs"].as_array().unwrap().len(), 1, "{status:#}");
    assert_eq!(night.sandbox.calls(), before);
    testifies(&night, &tales);
}

#[test]
fn a_day_that_is_closed_early_holds_what_came_after_the_night() {
    let (night, tales) = evening();
    night.expect(12, &["run"]);
    let day = night.editions()[0].split('/').next().unwrap().to_owned();
    write_report(&night, &day);
    rule(
        &night,
        0,
        &name(&tales, "capture_500_before"),
        &["not-captured"],
    );
    let today = night.began - chrono::TimeDelta::minutes(150);
    let today = today.format("%Y-%m-%d").to_string();

    night.expect(12, &["run", "--close", &today]);

    assert_eq!(
        night.editions(),
        [format!("{day}/e1"), format!("{today}/e1")]
    );
    testifies(&night, &tales);
    for story in [
        "capture_reset_after",
        "capture_500_before",
        "capture_hang_after",
    ] {
        assert_eq!(shown(&night, &name(&tales, story)), "captured", "{story}");
    }
    night.expect(12, &["run"]);
    assert_eq!(night.editions().len(), 2);
    testifies(&night, &tales);
}

/// The retailer has said that the transactional data proves a capture: it ends the doubt in the
/// very night, and what the card did not cover is lost with it, not a night later.
#[test]
fn data_that_proves_a_capture_books_what_it_leaves_open() {
    let mut night = Night::begin();
    night.set(
        "TRIPSETTLE_SETTLEMENT__TRANSACTIONAL_DATA_PROVES_CAPTURE",
        "true",
    );
    let started = night.began - TimeDelta::hours(30);
    let answer_is_lost = Fault {
        call: CallKind::Capture,
        kind: FaultKind::Reset,
        side: Side::After,
        times: 1,
    };
    night.sandbox.add_trip(SandboxTrip {
        store_id: "S1".to_owned(),
        shopping_trip_id: "half".to_owned(),
        started_at: started,
        adjusted: "6.00".parse().unwrap(),
        limit: "6.00".parse().unwrap(),
        faults: vec![answer_is_lost],
        ..SandboxTrip::default()
    });
    let header = "store_id,shopping_trip_id,started_at,amount,currency";
    let started = started.to_rfc3339();
    night.write(
        "inbox/trips.csv",
        &format!("{header}\nS1,half,{started},10.00,USD\n"),
    );
    let run = night.expect(0, &["run"]);
    assert!(run.out.contains("captured_partial"), "{run:#?}");
    let rows = night.published("reconciliation.csv");
    let told = |column: &str| rows[0][column].as_str();
    assert_eq!(rows.len(), 1);
    assert_eq!(told("outcome"), "captured_partial");
    assert_eq!(told("captured_amount"), "6.00");
    assert_eq!(told("bad_debt_amount"), "4.00");
    assert_eq!(ledger(&night).len(), 1);
}
