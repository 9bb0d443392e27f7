//! The bad-debt ledger by hand, through the real program: two days that chain, corrections that
//! name what they correct, and small debts that nobody has to ask for.
#![allow(clippy::unwrap_used)]

mod night;

use std::path::{Path, PathBuf};

use night::stories::{self, as_csv, make_known};
use night::{ACME, Ended, Night, Row, rows};
use rusqlite::Connection;
use serde_json::Value;

const TABLE: &str = "
    declined  5  written_off  written_off  written_off
    plain     1  captured     captured     captured
";

/// A night that is over: five declined trips are bad debt.
fn morning(variables: &[(&str, &str)]) -> Night {
    let mut night = Night::begin();
    for (name, value) in variables {
        night.set(name, value);
    }
    night.configure_by_file(ACME);
    std::fs::create_dir(night.path("reports")).unwrap();
    let tales = stories::tales(TABLE, night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    night.expect(0, &["run"]);
    night
}

/// Such a morning where small debts are given up when they are so many days old.
fn lenient_morning(days: &str) -> Night {
    morning(&[
        ("TRIPSETTLE_DEBT__WRITE_OFF_UP_TO", "13.70 USD, 3000 JPY"),
        ("TRIPSETTLE_DEBT__WRITE_OFF_AFTER_DAYS", days),
    ])
}

fn json(night: &Night, args: &[&str]) -> Value {
    serde_json::from_str(&night.expect(0, &[args, &["--json"]].concat()).out).unwrap()
}

fn debt(night: &Night, code: i32, args: &[&str], note: &str) -> Ended {
    let words = [&["debt"], args, &["--by", "Ada", "--note", note]].concat();
    night.expect(code, &words)
}

/// What stands open, `STORE/TRIP_ID amount`.
fn open(night: &Night) -> Vec<String> {
    let list = json(night, &["debt", "list"]);
    let debts = list["debts"].as_array().unwrap().iter();
    let word = |debt: &Value, name: &str| debt[name].as_str().unwrap().to_owned();
    debts
        .map(|debt| format!("{} {}", word(debt, "trip"), word(debt, "open")))
        .collect()
}

/// The step of the last event of a trip.
fn last_step(night: &Night, trip: &str) -> String {
    let shown = json(night, &["show", trip]);
    shown["events"].as_array().unwrap().len().to_string()
}

/// The entries of a day's ledger.
fn ledger(entries: &[Row]) -> Vec<String> {
    let columns = [
        "shopping_trip_id",
        "kind",
        "amount",
        "balance",
        "by",
        "note",
    ];
    told(entries, &columns)
}

/// How the debts of each store moved on a day.
fn moved(day: &Path) -> Vec<String> {
    let columns = [
        "store_id",
        "opening",
        "new",
        "reversed",
        "recovered",
        "written_off",
        "closing",
    ];
    told(&rows(&day.join("bad_debt_summary.csv")), &columns)
}

fn told(rows: &[Row], columns: &[&str]) -> Vec<String> {
    let one = |row: &Row| {
        let cells: Vec<_> = columns.iter().map(|name| row[*name].as_str()).collect();
        cells.join(" ")
    };
    rows.iter().map(one).collect()
}

/// The day in progress, ended now.
fn close_today(night: &Night, code: i32) -> PathBuf {
    let date = json(night, &["debt", "list"])["books_date"]
        .as_str()
        .unwrap()
        .to_owned();
    night.expect(code, &["run", "--close", &date]);
    night.path("out").join(date).join("e1")
}

#[test]
fn a_debt_is_recovered_given_up_and_corrected_and_the_days_chain() {
    let night = morning(&[]);
    let all = [
        "BER/declined-01 17.81",
        "KWT/declined-03 2.603",
        "NYC/declined-00 13.70",
        "NYC/declined-04 30.14",
        "TYO/declined-02 2192",
    ];
    assert_eq!(open(&night), all);

    debt(
        &night,
        0,
        &["recover", "declined-00", "--amount", "5"],
        "till",
    );
    let refusals: [(&[&str], &str); 8] = [
        (
            &["recover", "declined-00", "--amount", "5.00"],
            "the very same",
        ),
        (
            &["recover", "declined-00", "--amount", "8.71"],
            "a recovery of 8.71 USD is not between 0.01 USD and 8.70 USD",
        ),
        (&["recover", "declined-00", "--amount=-1"], "not an amount"),
        (
            &["recover", "TYO/declined-02", "--amount", "1.5"],
            "0 decimals",
        ),
        (&["recover", "plain-05"], "no bad debt is open"),
        (&["recover", "nowhere"], "no trip `nowhere` is known"),
        (
            &["reverse", "declined-00", "--step", "1"],
            "step 1 is no recovery",
        ),
        (&["reverse", "declined-00"], "--as"),
    ];
    for (args, reason) in refusals {
        let refused = debt(&night, 2, args, "till");
        assert!(refused.err.contains(reason), "{args:?}: {refused:?}");
    }
    let card = ["recover", "declined-04", "--amount", "1"];
    let refused = debt(&night, 2, &card, "paid with 4111 1111 1111 1111");
    assert!(refused.err.contains("card number"), "{refused:?}");
    let nobody = ["debt", "write-off", "declined-00", "--by", "tripsettle"];
    let refused = night.expect(2, &[&nobody[..], &["--note", "x"]].concat());
    assert!(refused.err.contains("no person made"), "{refused:?}");
    debt(
        &night,
        0,
        &["recover", "declined-00", "--amount", "1"],
        "till 2",
    );
    debt(&night, 0, &["recover", "declined-03"], "transfer, \"17\"");
    debt(
        &night,
        0,
        &["write-off", "BER/declined-01"],
        "=not worth it",
    );
    debt(
        &night,
        0,
        &["reverse", "declined-02", "--as", "cancelled"],
        "priced wrongly",
    );
    let last = last_step(&night, "declined-00");
    debt(
        &night,
        0,
        &["reverse", "declined-00", "--step", &last],
        "that was another trip",
    );
    let shown = night.expect(0, &["show", "declined-00"]).out;
    let parts = "of the bad debt: recovered 5.00 USD, written off 0.00 USD, open 8.70 USD";
    assert!(shown.contains(parts), "{shown}");
    let left = ["NYC/declined-00 8.70", "NYC/declined-04 30.14"];
    assert_eq!(open(&night), left);
    let settled = json(&night, &["debt", "list", "--settled", "--store", "BER"]);
    assert_eq!(settled["debts"][0]["written_off"], "17.81", "{settled:#}");

    // A processor knows better about a debt that was given up.
    let report = "store,trip,amount,currency\nBER,declined-01,17.81,EUR\n";
    night.write("reports/acme.csv", report);
    let day = close_today(&night, 10);
    let entries = rows(&day.join("bad_debt.csv"));
    let columns = [
        "store_id", "kind", "amount", "balance", "reason", "by", "note",
    ];
    assert_eq!(
        told(&entries, &columns),
        [
            "BER write_off 17.81 0.00 declined Ada '=not worth it",
            "BER write_off -17.81 17.81 declined tripsettle a processor's line shows the money",
            "BER reversal 17.81 0.00 declined  ",
            "KWT recovery 2.603 0.000 declined Ada transfer, \"17\"",
            "NYC recovery 5.00 38.84 declined Ada till",
            "NYC recovery 1.00 37.84 declined Ada till 2",
            "NYC recovery -1.00 38.84 declined Ada that was another trip",
            "TYO reversal 2192 0 declined Ada priced wrongly",
        ]
    );
    for row in &entries {
        let back = row["kind"] == "reversal" || row["amount"].starts_with('-');
        assert_eq!(!row["corrects_step"].is_empty(), back, "{row:?}");
        // What was booked yesterday is corrected today; what was typed wrong today is, too.
        let yesterday = !row["corrects_books_date"].is_empty()
            && row["corrects_books_date"] < row["books_date"];
        assert_eq!(yesterday, row["kind"] == "reversal", "{row:?}");
    }
    assert_eq!(
        moved(&day),
        [
            "BER 17.81 0.00 17.81 0.00 0.00 0.00",
            "KWT 2.603 0.000 0.000 2.603 0.000 0.000",
            "NYC 43.84 0.00 0.00 5.00 0.00 38.84",
            "TYO 2192 0 2192 0 0 0",
        ]
    );
    // Across both days what is booked is what was lost and not reversed.
    let booked = |store: &str| {
        let published = night.published("reconciliation.csv");
        let of = published.iter().filter(|row| row["store_id"] == store);
        let amount = |row: &Row| {
            row["bad_debt_amount"]
                .parse::<rust_decimal::Decimal>()
                .unwrap()
        };
        of.map(amount).sum::<rust_decimal::Decimal>().to_string()
    };
    let sums = ["BER", "KWT", "NYC", "TYO"].map(booked);
    assert_eq!(sums, ["0.00", "2.603", "43.84", "0"]);
    let summary = night.summaries().pop().unwrap();
    assert_eq!(summary["balanced"], true);
    let ages: Vec<_> = summary["bad_debt_ageing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|age| {
            format!(
                "{} {} {} {}",
                age["store_id"], age["days"], age["trips"], age["amount"]
            )
        })
        .collect();
    assert_eq!(ages[0], r#""NYC" "0-30" 2 "38.84""#, "{ages:?}");
    assert_eq!(ages.len(), 4, "{ages:?}");
    night.expect(0, &["verify"]);
}

#[test]
fn small_debts_are_given_up_by_the_night_and_never_a_second_time() {
    let night = lenient_morning("0");
    assert_eq!(
        ledger(&night.published("bad_debt.csv")),
        [
            "declined-01 new 17.81 17.81  ",
            "declined-03 new 2.603 2.603  ",
            "declined-00 new 13.70 13.70  ",
            "declined-00 write_off 13.70 0.00 tripsettle at most 13.70 USD, and 0 days old",
            "declined-04 new 30.14 30.14  ",
            "declined-02 new 2192 2192  ",
            "declined-02 write_off 2192 0 tripsettle at most 3000 JPY, and 0 days old",
        ]
    );
    let shown = json(&night, &["show", "declined-00"]);
    let steps = shown["events"].as_array().unwrap();
    let write_off = steps.iter().find(|event| event["fact"]["fact"] == "debt");
    let step = write_off.unwrap()["step"].to_string();
    debt(
        &night,
        0,
        &["reverse", "declined-00", "--step", &step],
        "she will pay",
    );
    let day = close_today(&night, 0);
    let columns = ["shopping_trip_id", "kind", "amount", "balance"];
    let entries = rows(&day.join("bad_debt.csv"));
    assert_eq!(
        told(&entries, &columns),
        ["declined-00 write_off -13.70 43.84"]
    );
    night.expect(0, &["verify"]);
}

#[test]
fn small_debts_wait_for_their_day() {
    let night = lenient_morning("1");
    let kinds = told(&night.published("bad_debt.csv"), &["kind"]);
    assert!(kinds.iter().all(|kind| kind == "new"), "{kinds:?}");
    let day = close_today(&night, 0);
    let columns = ["shopping_trip_id", "kind", "amount", "note"];
    assert_eq!(
        told(&rows(&day.join("bad_debt.csv")), &columns),
        [
            "declined-00 write_off 13.70 at most 13.70 USD, and 1 days old",
            "declined-02 write_off 2192 at most 3000 JPY, and 1 days old",
        ]
    );
}

#[test]
fn an_altered_debt_is_found() {
    let night = morning(&[]);
    debt(
        &night,
        0,
        &["recover", "declined-00", "--amount", "5"],
        "till",
    );
    close_today(&night, 0);
    night.expect(0, &["verify"]);
    let spoil = [
        (
            "UPDATE trip SET recovered = 4_00 WHERE trip_id = 'declined-00'",
            "recovered is `400`, by its events it is `500`",
        ),
        (
            "UPDATE trip SET debt_since = '2026-01-01' WHERE trip_id = 'declined-04'",
            "debt_since is `2026-01-01`, by its events it is",
        ),
        (
            "UPDATE trip SET written_off = 1 WHERE trip_id = 'declined-04'",
            "written_off is `1`, by its events it is `0`",
        ),
        (
            "UPDATE day_total SET totals = json_set(totals, '$.debt_recovered', 400,
               '$.debt_closing', json_extract(totals, '$.debt_closing') + 100)
             WHERE json_extract(totals, '$.debt_recovered') = 500",
            "the totals that were kept are not those of its events",
        ),
        (
            "DROP TRIGGER journal_is_never_changed;
             UPDATE journal SET detail = replace(detail, '500', '400') WHERE kind = 'debt'",
            "what is stored is not what was written",
        ),
    ];
    let state = night.path("state/tripsettle.db");
    let whole = std::fs::read(&state).unwrap();
    for (sql, words) in spoil {
        let raw = Connection::open(&state).unwrap();
        raw.execute_batch(sql).unwrap();
        raw.close().unwrap();
        let said = night.expect(65, &["verify"]).out;
        assert!(said.contains(words), "{sql}: {said}");
        std::fs::write(&state, &whole).unwrap();
    }
    night.expect(0, &["verify"]);
}

#[test]
fn payments_come_in_a_file_which_books_nothing_twice() {
    let night = morning(&[]);
    let rows = [
        ("NYC/declined-00,5.00,Ada,transfer 1", ""),
        ("NYC/declined-00,5.00,,transfer 2", ""),
        (
            "NYC/declined-00,5.00,,transfer 3",
            "a recovery of 5.00 USD is not between",
        ),
        ("declined-03,,,transfer 4", ""),
        (
            "declined-02,1.5,,transfer 5",
            "has more than the 0 decimals of JPY",
        ),
        ("nowhere,1,,transfer 6", "no trip `nowhere` is known"),
        ("declined-01,1.00,,", "needs a name and a reason"),
        ("declined-01,1.00,tripsettle,why", "no person made"),
        ("plain-05,1.00,,transfer 7", "no bad debt is open"),
    ];
    let text = rows.map(|(row, _)| row).join("\n");
    night.write("paid.csv", &format!("trip,amount,by,note\n{text}\n"));
    let words = [
        "debt", "recover", "--file", "paid.csv", "--by", "Grace", "--json",
    ];
    for (taken, before) in [(3, 0), (0, 3)] {
        let told: Value = serde_json::from_str(&night.expect(10, &words).out).unwrap();
        assert_eq!(
            (&told["taken"], &told["before"]),
            (&taken.into(), &before.into()),
            "{told:#}"
        );
        let refused = told["refused"].as_array().unwrap();
        for (line, (row, reason)) in (2..).zip(&rows) {
            let of_line = refused.iter().find(|refusal| refusal["line"] == line);
            let said = of_line.map_or("", |refusal| refusal["reason"].as_str().unwrap());
            let as_told = said.contains(reason) && said.is_empty() == reason.is_empty();
            assert!(as_told, "{row}: {said}");
        }
    }
    night.write("wrong.csv", "store,amount\n");
    let ended = night.expect(2, &["debt", "recover", "--file", "wrong.csv"]);
    assert!(ended.err.contains("a header row of trip"), "{ended:?}");
    // Three payments, of which the first would swallow the others; and one of too many cells.
    let all = open(&night);
    for (rows, reason) in [
        (
            "declined-01,1.00,Ada,\"transfer 8\ndeclined-04,2.00,Ada,transfer 9\n\
             declined-03,1.000,Ada,transfer 10\n",
            "swallow.csv: line 2: a cell goes on over the end of its line",
        ),
        (
            "declined-01,1.00,Ada,transfer 8\ndeclined-04,2,00,Ada,transfer 9\n",
            "swallow.csv: line 3: 5 cells, but the header has 4",
        ),
    ] {
        night.write("swallow.csv", &format!("trip,amount,by,note\n{rows}"));
        let ended = night.expect(2, &["debt", "recover", "--file", "swallow.csv"]);
        assert!(ended.err.contains(reason), "{ended:?}");
        assert_eq!(open(&night), all);
    }
}

#[test]
fn of_many_that_pay_at_once_only_so_many_are_booked_as_are_owed() {
    let night = morning(&[]);
    let pay = |place: usize| {
        let note = format!("till {place}");
        let words = [
            "debt",
            "recover",
            "declined-00",
            "--amount",
            "5.00",
            "--by",
            "Ada",
            "--note",
        ];
        night.start(&[&words[..], &[&note]].concat())
    };
    let paying: Vec<_> = (0..6).map(pay).collect();
    let codes = paying
        .into_iter()
        .map(|mut child| child.wait().unwrap().code().unwrap());
    let booked = codes.filter(|code| *code == 0).count();
    assert_eq!(booked, 2, "of 13.70 two times 5.00");
    let left = open(&night);
    assert!(
        left.contains(&"NYC/declined-00 3.70".to_owned()),
        "{left:?}"
    );
    night.expect(0, &["verify"]);
}

#[test]
fn two_payments_of_one_amount_and_name_are_two_and_the_list_again_is_none() {
    let night = morning(&[]);
    // Of 13.70, 30.14, 17.81 and 2.603.
    let rows = "declined-00,2.00\ndeclined-00,2.00\ndeclined-00,\ndeclined-04,5.00\n\
                declined-01,\ndeclined-04,5.00\ndeclined-04,5.00\ndeclined-03,1.000\n";
    night.write("paid.csv", &format!("trip,amount\n{rows}"));
    let words = [
        "debt",
        "recover",
        "--file",
        "paid.csv",
        "--by",
        "Ada",
        "--note",
        "bank, week 27",
    ];
    let given = |code: i32, taken: u64, before: u64| {
        let told = night.expect(code, &[&words[..], &["--json"]].concat()).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        let counts = ["taken", "before"].map(|name| told[name].as_u64().unwrap());
        assert_eq!(counts, [taken, before], "{told:#}");
    };
    given(0, 8, 0);
    let left = [
        "KWT/declined-03 1.603",
        "NYC/declined-04 15.14",
        "TYO/declined-02 2192",
    ];
    assert_eq!(open(&night), left);
    given(0, 0, 8);
    // One more of the same, and one that is more than is owed.
    let more = "declined-04,5.00\ndeclined-03,1.604\n";
    night.write("paid.csv", &format!("trip,amount\n{rows}{more}"));
    given(10, 1, 8);
    given(10, 0, 9);
    assert_eq!(open(&night)[1], "NYC/declined-04 10.14");
    // What was booked and did not end: only what is missing is booked.
    let step = last_step(&night, "declined-04");
    debt(
        &night,
        0,
        &["reverse", "declined-04", "--step", &step],
        "bounced",
    );
    given(10, 1, 8);
    assert_eq!(open(&night)[1], "NYC/declined-04 10.14");
    night.expect(0, &["verify"]);
}

#[test]
fn a_reversal_that_was_wrong_is_taken_back_by_a_person_or_by_the_money() {
    let night = morning(&[("TRIPSETTLE_OUTPUT__FORMATS", "csv")]);
    let reverse = |trip: &str, what: &[&str], note: &str| {
        debt(&night, 0, &[&["reverse", trip], what].concat(), note);
    };
    reverse("declined-04", &["--as", "captured"], "a typo");
    let step = last_step(&night, "declined-04");
    reverse("declined-04", &["--step", &step], "it was declined-00");
    let again = ["reverse", "declined-04", "--step", &step];
    let refused = debt(&night, 2, &again, "twice");
    let words = "is no recovery, write-off or reversal that stands";
    assert!(refused.err.contains(words), "{refused:?}");
    reverse("declined-00", &["--as", "cancelled"], "never owed");
    let refused = debt(&night, 2, &["recover", "declined-00"], "paid");
    let words = "of a debt that was reversed; take that back first: `tripsettle debt reverse";
    assert!(refused.err.contains(words), "{refused:?}");
    night.write(
        "reports/acme.csv",
        "store,trip,amount,currency\nNYC,declined-00,13.70,USD\n",
    );
    let day = close_today(&night, 10);
    assert_eq!(
        ledger(&rows(&day.join("bad_debt.csv"))),
        [
            "declined-00 reversal 13.70 30.14 Ada never owed",
            "declined-00 reversal -13.70 43.84 tripsettle a processor's line shows the money",
            "declined-00 reversal 13.70 30.14  ",
            "declined-04 reversal 30.14 0.00 Ada a typo",
            "declined-04 reversal -30.14 30.14 Ada it was declined-00",
        ]
    );
    let columns = [
        "shopping_trip_id",
        "outcome",
        "captured_amount",
        "bad_debt_amount",
    ];
    let trips = told(&rows(&day.join("reconciliation.csv")), &columns);
    let expected = [
        "declined-00 captured 13.70 -13.70",
        "declined-04 written_off 0.00 0.00",
    ];
    assert_eq!(trips, expected);
    let breaks = told(
        &rows(&day.join("breaks.csv")),
        &["break", "severity", "actual_amount"],
    );
    assert_eq!(breaks, ["captured_after_write_off critical 13.70"]);
    let kinds = told(
        &rows(&day.join("postings.csv")),
        &["shopping_trip_id", "kind"],
    );
    let mut of: Vec<&str> = kinds
        .iter()
        .filter_map(|row| row.strip_prefix("declined-00 "))
        .collect();
    of.dedup();
    assert_eq!(
        of,
        [
            "reversal",
            "cancellation",
            "reversal_taken_back",
            "reversal",
            "capture"
        ]
    );
    assert_eq!(night.summaries().pop().unwrap()["balanced"], true);
    night.expect(0, &["verify"]);
}

#[test]
fn what_the_night_gave_up_is_paid_after_all() {
    let night = lenient_morning("0");
    night.write(
        "paid.csv",
        "trip,amount,note\ndeclined-00,5.00,transfer 1\ndeclined-02,,transfer 2\n\
         declined-00,5.00,transfer 3\ndeclined-00,3.71,transfer 4\n",
    );
    let words = ["debt", "recover", "--file", "paid.csv", "--by", "Ada"];
    for counts in [
        "3 recoveries booked, 0 before",
        "0 recoveries booked, 3 before",
    ] {
        let told = night.expect(10, &words).out;
        assert!(told.contains(counts), "{told}");
        let above = "a recovery of 3.71 USD is not between 0.01 USD and 3.70 USD";
        assert!(told.contains(above), "{told}");
    }
    let day = close_today(&night, 0);
    assert_eq!(
        ledger(&rows(&day.join("bad_debt.csv"))),
        [
            "declined-00 write_off -13.70 43.84 Ada transfer 1",
            "declined-00 recovery 5.00 38.84 Ada transfer 1",
            "declined-00 write_off 8.70 30.14 Ada transfer 1",
            "declined-00 write_off -8.70 38.84 Ada transfer 3",
            "declined-00 recovery 5.00 33.84 Ada transfer 3",
            "declined-00 write_off 3.70 30.14 Ada transfer 3",
            "declined-02 write_off -2192 2192 Ada transfer 2",
            "declined-02 recovery 2192 0 Ada transfer 2",
        ]
    );
    let mut days = moved(&day);
    days.retain(|day| !day.contains("KWT") && !day.contains("BER"));
    assert_eq!(
        days,
        [
            "NYC 30.14 0.00 0.00 10.00 -10.00 30.14",
            "TYO 0 0 0 2192 -2192 0",
        ]
    );
    night.expect(0, &["verify"]);
}
