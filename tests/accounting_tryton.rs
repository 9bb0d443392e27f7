//! Tryton, a real double-entry system, imports and posts what a night published in its shape, and
//! refuses to post it with one minor unit changed.

#![allow(clippy::unwrap_used)]

mod night;
#[path = "accounting/programs.rs"]
mod programs;
#[path = "accounting/witness.rs"]
mod witness;

use std::fs;
use std::path::Path;

use night::Night;
use programs::ask;
use tripsettle::sandbox::SandboxConfig;

const EXPORTS: &str = "[output]\nformats = [\"csv\"]\n[export.csv]\nshape = \"tryton\"\n\
    currencies = [\"USD\"]\n\
    [export.csv.accounts]\nsales_clearing = \"1140\"\nprocessor_receivable = \"1150\"\n\
    shopper_receivable = \"1160\"\nshopper_receivable_tax = \"1161\"\n\
    cancelled_sales = \"4010\"\ntax_payable = \"2200\"\n";

/// A night of every outcome in dollars.
fn night() -> Night {
    let mut night = Night::begin_with(SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    });
    night.configure_by_file(EXPORTS);
    let began = (night.began - chrono::TimeDelta::hours(26)).to_rfc3339();
    let mut feed =
        "store_id,shopping_trip_id,started_at,amount,currency,tax_amount,status\n".to_owned();
    for (trip, status) in [
        ("plain", ""),
        ("partial", ""),
        ("declined", ""),
        ("doubt", ""),
        ("gone", "cancelled"),
        ("online", "captured"),
    ] {
        // One doubt only: a few in a row would stop the pass.
        for number in 1..=if trip == "doubt" { 1 } else { 5 } {
            let cents = 1000 + number * 137;
            let text = |cents: i32| format!("{}.{:02}", cents / 100, cents % 100);
            let (amount, tax) = (text(cents), text(cents * 8 / 108));
            feed.push_str(&format!(
                "S1,{trip}-{number},{began},{amount},USD,{tax},{status}\n"
            ));
        }
    }
    night.write("inbox/trips.csv", &feed);
    let ended = night.tripsettle(&["run"]);
    assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    night
}

/// Rows with the parent columns that stand on an entry's first row only.
fn filled(text: &str) -> String {
    let mut above = String::new();
    let fill = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        if !cells[3].is_empty() {
            above = cells[..4].join(",");
        }
        format!("{above},{}\n", cells[4..].join(","))
    };
    text.lines().map(fill).collect()
}

#[test]
fn tryton_imports_and_posts_a_night_and_refuses_a_unit_more() {
    let night = night();
    let published = night.newest_editions()[0].join("postings.csv");
    let right = fs::read_to_string(&published).unwrap();
    let spoiled = witness::spoiled(&right, "1140,0.00,", ",");
    let sides = [("lines/debit", 1), ("lines/credit", -1)];
    let entries = |text: &str| witness::table(&filled(text), "description", None, &sides);
    let count = entries(&right).len();
    assert!(count >= 25, "{count} entries");
    assert_eq!(witness::wrong(&entries(&right)).len(), 0);
    assert_eq!(witness::wrong(&entries(&spoiled)).len(), 1);
    let Some(python) = std::env::var_os("TRYTON_PYTHON") else {
        let required = std::env::var_os("ACCOUNTING").is_some();
        assert!(
            !required,
            "TRYTON_PYTHON names no Python that has trytond_account"
        );
        return;
    };
    let other = night.write("spoiled.csv", &spoiled);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/accounting/tryton.py");
    let files = [published.to_str().unwrap(), other.to_str().unwrap()];
    let (ran, said) = ask(Path::new(&python), &[&[script], &files[..]].concat());
    assert!(ran, "{said}");
    let told = said.lines().find(|line| line.starts_with('{')).unwrap();
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    let manifest = fs::read(published.with_file_name("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let mut files = manifest["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["name"] == "postings.csv").unwrap();
    assert_eq!(told["right"]["imported"], count, "{told}");
    assert_eq!(told["right"]["posted"], count, "{told}");
    assert_eq!(
        told["right"]["debit"], file["totals"]["debit"]["USD"],
        "{told}"
    );
    assert_eq!(told["spoiled"]["imported"], count, "{told}");
    assert_eq!(told["spoiled"]["posted"], count - 1, "{told}");
    let refused = told["spoiled"]["refused"].as_array().unwrap();
    assert!(
        refused.len() == 1 && refused[0].as_str().unwrap().ends_with("PostError"),
        "{told}"
    );
}
