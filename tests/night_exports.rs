//! Postings on a real night: published with the edition, made again to the byte in another zone
//! and language, and kept as they were when the configuration changes.

#![allow(clippy::unwrap_used)]

mod night;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use night::{ACME, Night, names};
use tripsettle::domain::BooksDate;
use tripsettle::sandbox::SandboxConfig;

const EXPORTS: &str = include_str!("../src/cli/demo/exports.toml");
const FILES: [&str; 7] = [
    "night.xlsx",
    "postings.beancount",
    "postings.csv",
    "postings.journal",
    "postings.netsuite.csv",
    "postings.qbo.csv",
    "postings.xero.csv",
];

/// A night whose books have captures, bad debt, a cancellation and a doubt.
fn night() -> Night {
    let mut night = Night::begin_with(SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    });
    night.configure_by_file(EXPORTS);
    let began = (night.began - chrono::TimeDelta::hours(26)).to_rfc3339();
    let mut feed =
        "store_id,shopping_trip_id,started_at,amount,currency,tax_amount,status\n".to_owned();
    for (trip, amount, currency, tax, status) in [
        ("plain-1", "15.90", "USD", "1.18", ""),
        ("partial-1", "30.00", "USD", "2.22", ""),
        ("declined-1", "8.00", "EUR", "", ""),
        ("doubt-1", "7.25", "USD", "", ""),
        ("plain-2", "1.234", "KWD", "0.090", ""),
        ("plain-3", "700", "JPY", "", ""),
        ("gone-1", "4.00", "USD", "0.30", "cancelled"),
    ] {
        feed.push_str(&format!(
            "STORE_1,{trip},{began},{amount},{currency},{tax},{status}\n"
        ));
    }
    night.write("inbox/trips.csv", &feed);
    night
}

fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| (name.clone(), fs::read(dir.join(&name)).unwrap());
    names(dir).into_iter().map(read).collect()
}

/// Forgets that the first edition was put in place, and takes it away.
fn unpublish(night: &Night, edition: &str) {
    fs::remove_dir_all(night.path("out").join(edition)).unwrap();
    let state = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let changed = state.execute("UPDATE close SET published = 0", []).unwrap();
    assert_eq!(changed, 1);
}

#[test]
fn a_published_day_is_made_again_to_the_byte_in_another_zone_and_language() {
    let mut night = night();
    night.set("TZ", "UTC");
    night.set("LC_ALL", "C");
    let ended = night.tripsettle(&["run"]);
    assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    let editions = night.editions();
    assert_eq!(editions.len(), 1, "{editions:?}");
    let first = contents(&night.path("out").join(&editions[0]));
    for file in FILES {
        assert!(
            first.contains_key(file),
            "{file} is not among {:?}",
            first.keys()
        );
    }
    for (zone, language) in [
        ("Pacific/Kiritimati", "de_DE.UTF-8"),
        ("America/St_Johns", "tr_TR.UTF-8"),
    ] {
        unpublish(&night, &editions[0]);
        night.set("TZ", zone);
        night.set("LC_ALL", language);
        night.tripsettle(&["run"]);
        let again = contents(&night.path("out").join(&editions[0]));
        assert_eq!(
            again.keys().collect::<Vec<_>>(),
            first.keys().collect::<Vec<_>>()
        );
        for (file, bytes) in &again {
            assert!(
                *bytes == first[file],
                "{file} differs under {zone}, {language}"
            );
        }
    }
    // A chart that has changed since changes nothing of it either.
    unpublish(&night, &editions[0]);
    night.configure_by_file(
        "[output]\nformats = [\"journal\"]\n[books]\npost_sales = true\n\
         [books.accounts]\nsales_clearing = \"Assets:Other\"\n",
    );
    night.tripsettle(&["run"]);
    assert!(contents(&night.path("out").join(&editions[0])) == first);
    night.expect(0, &["verify"]);
}

#[test]
fn the_manifest_tells_hash_rows_and_totals_of_every_file_of_postings() {
    let night = night();
    night.tripsettle(&["run"]);
    let dir = &night.newest_editions()[0];
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    for name in FILES {
        let files = manifest["files"].as_array().unwrap();
        let entry = files.iter().find(|entry| entry["name"] == name).unwrap();
        assert_eq!(entry["sha256"].as_str().unwrap().len(), 64, "{name}");
        assert!(entry["rows"].as_u64().unwrap() > 0, "{name}: {entry}");
        if name.starts_with("postings.") {
            assert_eq!(
                entry["totals"]["debit"], entry["totals"]["credit"],
                "{name}"
            );
            assert!(
                entry["totals"]["debit"]["USD"].is_string(),
                "{name}: {entry}"
            );
        }
    }
    let breaks = night.published("breaks.csv");
    let refused: Vec<&str> = breaks
        .iter()
        .filter(|row| row["break"] == "export_refused")
        .map(|row| row["detail"].as_str())
        .collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused[0].contains("holds 2 decimals and KWD has 3"),
        "{refused:?}"
    );
}

#[test]
fn formats_switched_on_later_come_with_the_next_edition_under_the_same_numbers() {
    let mut night = night();
    night.configure_by_file("[output]\nformats = [\"csv\"]\n");
    night.tripsettle(&["run"]);
    let day = night.editions()[0].split_once('/').unwrap().0.to_owned();
    night.configure_by_file(
        "[output]\nformats = [\"csv\", \"journal\"]\n[books.accounts]\n\
         sales_clearing = \"Assets:Other\"\n",
    );
    night.tripsettle(&["backfill", "--from", &day, "--to", &day]);
    let [first, second] =
        ["e1", "e2"].map(|edition| contents(&night.path("out").join(&day).join(edition)));
    assert!(!first.contains_key("postings.journal"));
    assert!(second["postings.csv"] == first["postings.csv"]);
    let journal = String::from_utf8(second["postings.journal"].clone()).unwrap();
    assert!(
        journal.contains("-000001) captured STORE_1/") || journal.contains("-000001) "),
        "{journal}"
    );
    assert!(journal.contains("Assets:Other"), "{journal}");
}

const STORE: &str = "[store.STORE_1]\nprocessor = \"acme\"\non_decline = \"write_off\"\n";

#[test]
fn money_found_later_is_a_reversal_in_the_open_day_that_names_the_closed_one() {
    let mut night = night();
    night.configure_by_file(&format!("{EXPORTS}{STORE}{ACME}"));
    night.write("reports/.keep", "");
    let ended = night.tripsettle(&["run"]);
    assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    let first = night.editions()[0].split_once('/').unwrap().0.to_owned();
    let debt =
        |row: &&night::Row| row["kind"] == "bad_debt" && row["shopping_trip_id"] == "declined-1";
    let booked = night.published("postings.csv");
    let booked = booked.iter().find(debt).unwrap()["entry_id"].clone();
    night.write(
        "reports/late.csv",
        "store,trip,amount,currency\nSTORE_1,declined-1,8.00,EUR\n",
    );
    let today = BooksDate::parse(&first).unwrap().next().to_string();
    night.tripsettle(&["run", "--close", &today]);
    let second = night::rows(&night.path("out").join(&today).join("e1/postings.csv"));
    let told: Vec<String> = second
        .iter()
        .filter(|row| row["shopping_trip_id"] == "declined-1")
        .map(|row| {
            let row = |column: &str| row[column].as_str();
            let (kind, account) = (row("kind"), row("account"));
            format!(
                "{kind} {account} {}/{} corrects {}",
                row("debit"),
                row("credit"),
                row("corrects")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("reversal Assets:Clearing:Card 8.00/ corrects {booked}"),
            format!("reversal Assets:Receivable:Shoppers /8.00 corrects {booked}"),
            format!("capture Assets:Receivable:Processor 8.00/ corrects {booked}"),
            format!("capture Assets:Clearing:Card /8.00 corrects {booked}"),
        ]
    );
    assert_eq!(receivables(&night), closing_debt(&night));
    night.expect(0, &["verify"]);
}

#[test]
fn what_is_taken_back_under_other_rules_is_what_was_posted() {
    let mut night = night();
    let rules = |method: &str, relief: bool| {
        format!(
            "[output]\nformats = [\"csv\"]\n[books]\nmethod = \"{method}\"\ntax_relief = {relief}\n"
        )
    };
    let debt = |night: &Night, act: &[&str]| {
        let words = [&["debt"], act, &["--by", "Ada", "--note", act[0]]].concat();
        night.expect(0, &words);
    };
    night.configure_by_file(&rules("direct", false));
    night.tripsettle(&["settle"]);
    debt(&night, &["write-off", "partial-1"]);
    night.tripsettle(&["run"]);
    let first = night.editions()[0].split_once('/').unwrap().0.to_owned();
    night.configure_by_file(&rules("allowance", true));
    let shown = night.expect(0, &["show", "partial-1", "--json"]).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let events = shown["events"].as_array().unwrap().iter();
    let act = |event: &serde_json::Value| event["fact"]["ruling"]["act"]["act"] == "written_off";
    let step = events.clone().find(|event| act(event)).unwrap()["step"].to_string();
    debt(&night, &["reverse", "partial-1", "--step", &step]);
    let today = BooksDate::parse(&first).unwrap().next().to_string();
    night.tripsettle(&["run", "--close", &today]);
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    let mut named = BTreeMap::new();
    for row in night.published("postings.csv") {
        if row["shopping_trip_id"] == "partial-1" {
            *sums.entry(row["account"].clone()).or_default() += moved(&row);
            named.insert(row["kind"].clone(), row.clone());
        }
    }
    sums.retain(|_, sum| *sum != 0);
    let left = [
        ("Assets:Clearing:Card", -3000),
        ("Assets:Receivable:Processor", 1500),
        ("Assets:Receivable:Shoppers", 1389),
        ("Assets:Receivable:Shoppers-Tax", 111),
    ];
    let left = left.map(|(account, sum)| (account.to_owned(), sum));
    assert_eq!(sums, BTreeMap::from(left));
    let (back, booked) = (&named["taken_back"], &named["write_off"]);
    assert_eq!(back["corrects"], booked["entry_id"]);
    assert_ne!(back["books_date"], booked["books_date"]);
    assert_eq!(receivables(&night), closing_debt(&night));
    night.expect(0, &["verify"]);
}

/// Debit minus credit of a row, in minor units.
fn moved(row: &night::Row) -> i128 {
    let digits = |column: &str| row[column].replace('.', "").parse::<i128>().unwrap_or(0);
    digits("debit") - digits("credit")
}

#[test]
fn an_edition_that_is_gone_is_made_again_to_the_byte_whatever_was_learnt_since() {
    let mut night = night();
    night.configure_by_file(&format!("{EXPORTS}{STORE}{ACME}"));
    let columns = "store,trip,amount,currency\n";
    night.write(
        "reports/early.csv",
        &format!("{columns}STORE_1,late-1,3.00,USD\n"),
    );
    night.tripsettle(&["run"]);
    let day = night.editions()[0].split_once('/').unwrap().0.to_owned();
    // The line finds its trip on the day after, which is told of the first day as well.
    let began = (night.began - chrono::TimeDelta::hours(26)).to_rfc3339();
    let late = format!(
        "store_id,shopping_trip_id,started_at,amount,currency\nSTORE_1,late-1,{began},3.00,USD\n"
    );
    let late = night.write("late.csv", &late);
    night.expect(0, &["import", late.to_str().unwrap()]);
    let today = BooksDate::parse(&day).unwrap().next().to_string();
    night.tripsettle(&["run", "--close", &today]);
    let again = ["backfill", "--from", &day, "--to", &day];
    night.tripsettle(&again);
    let edition = |number: u32| night.path("out").join(&day).join(format!("e{number}"));
    let before = [1, 2].map(|number| contents(&edition(number)));
    let told = |number: usize| String::from_utf8_lossy(&before[number]["breaks.csv"]).into_owned();
    let of_line = |text: String| {
        let mut lines = text.lines();
        lines
            .find(|line| line.contains("unknown_line"))
            .unwrap()
            .to_owned()
    };
    assert!(of_line(told(0)).ends_with("open") && of_line(told(1)).ends_with("cured"));
    for gone in [&[1][..], &[2], &[1, 2]] {
        for number in gone {
            fs::remove_dir_all(edition(*number)).unwrap();
        }
        let found = night.expect(65, &["verify"]);
        assert!(found.out.contains("the edition is gone"), "{found:?}");
        night.tripsettle(&again);
        for number in [1, 2] {
            assert!(
                contents(&edition(number)) == before[number as usize - 1],
                "e{number}"
            );
        }
        night.expect(0, &["verify"]);
    }
    // What does not come out as it was is not put in place, and holds up nothing else.
    fs::remove_dir_all(edition(1)).unwrap();
    let state = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    let forged = "UPDATE close SET manifest_sha256 = 'x' WHERE edition = 1 AND books_date = ?1";
    state.execute(forged, [&day]).unwrap();
    let told = night.tripsettle(&again);
    assert!(told.out.contains("is not what was published"), "{told:?}");
    assert!(!edition(1).exists());
}

/// What the postings of all days leave on the receivables, by currency, in minor units.
fn receivables(night: &Night) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for row in night.published("postings.csv") {
        if row["account"].starts_with("Assets:Receivable:Shoppers") {
            *sums.entry(row["currency"].clone()).or_insert(0) += moved(&row);
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// What the last day's bad-debt ledger closes with.
fn closing_debt(night: &Night) -> BTreeMap<String, i128> {
    let last = night.newest_editions().pop().unwrap();
    let rows = night::rows(&last.join("bad_debt_summary.csv"));
    let closing = |row: &night::Row| row["closing"].replace('.', "").parse::<i128>().unwrap();
    let sums = rows
        .iter()
        .map(|row| (row["currency"].clone(), closing(row)));
    sums.filter(|(_, sum)| *sum != 0).collect()
}
