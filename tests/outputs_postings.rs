//! Files of postings, byte for byte, split between entries, refusing what a target cannot hold.

#![allow(clippy::unwrap_used)]

mod journal;
mod postings;

use std::collections::BTreeMap;
use std::path::Path;

use journal::money;
use postings::{ALL, Files, capture, exports, files, night};
use tripsettle::books::*;
use tripsettle::domain::*;

/// `BLESS=1 cargo test` writes the files instead.
#[test]
fn every_format_is_written_byte_for_byte() {
    for shape in ["plain", "tryton", "intacct"] {
        let text = match shape {
            "plain" => ALL.to_owned(),
            shape => format!(
                "[output]\nformats = [\"csv\"]\n[export.csv]\nshape = \"{shape}\"\n{}",
                // It has no column for the currency.
                if shape == "tryton" {
                    "currencies = [\"USD\"]\n"
                } else {
                    ""
                }
            ),
        };
        let (files, _) = files(&exports(&text), &night());
        for (name, (text, _)) in files {
            let name = if shape == "plain" {
                name
            } else {
                format!("{shape}.csv")
            };
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/outputs/postings");
            std::fs::create_dir_all(&golden).unwrap();
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(golden.join(&name), &text).unwrap();
            }
            let expected = std::fs::read_to_string(golden.join(&name)).unwrap();
            assert_eq!(text, expected, "{name}");
        }
    }
}

fn records(text: &str) -> Vec<BTreeMap<String, String>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn minor(text: &str, code: &str) -> i64 {
    match text {
        "" => 0,
        text => money(&format!("{text} {code}")).minor(),
    }
}

/// Debits minus credits by entry, and what the debits add up to, read back from a file.
fn read_back(name: &str, text: &str) -> (BTreeMap<String, i64>, i64) {
    let (mut sums, mut debits) = (BTreeMap::new(), 0);
    for row in records(text) {
        let cell = |column: &str| row.get(column).cloned().unwrap_or_default();
        let (entry, amount) = match name {
            "postings.qbo.csv" => {
                let code = cell("Currency");
                (
                    cell("JournalNo"),
                    minor(&cell("Debits"), &code) - minor(&cell("Credits"), &code),
                )
            }
            "postings.xero.csv" => (cell("*Narration"), minor(&cell("*Amount"), "USD")),
            "postings.netsuite.csv" => {
                let code = cell("Currency");
                let side =
                    |side: &str| minor(&cell(&format!("Journal Entry - Line: {side}")), &code);
                (cell("External ID"), side("Debit") - side("Credit"))
            }
            _ => {
                let code = cell("currency");
                (
                    cell("entry_id"),
                    minor(&cell("debit"), &code) - minor(&cell("credit"), &code),
                )
            }
        };
        *sums.entry(entry).or_insert(0) += amount;
        debits += amount.max(0);
    }
    (sums, debits)
}

#[test]
fn every_csv_reads_back_balanced_entry_by_entry_with_the_totals_of_the_manifest() {
    let (files, _) = files(&exports(ALL), &night());
    let mut seen = 0;
    for (name, (text, totals)) in files.iter().filter(|(name, _)| name.ends_with(".csv")) {
        let (sums, debits) = read_back(name, text);
        assert!(
            !sums.is_empty() && sums.values().all(|sum| *sum == 0),
            "{name}: {sums:?}"
        );
        let told: i64 = totals.sums["debit"].values().sum();
        assert_eq!(debits, told, "{name}");
        assert_eq!(totals.sums["debit"], totals.sums["credit"], "{name}");
        assert_eq!(
            totals.rows,
            u64::try_from(records(text).len()).unwrap(),
            "{name}"
        );
        assert!(
            text.ends_with("\r\n") && !text.replace("\r\n", "").contains('\n'),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn what_a_target_cannot_hold_is_told_and_not_rounded() {
    let (files, refused) = files(&exports(ALL), &night());
    let told: Vec<String> = refused
        .iter()
        .flat_map(|(store, breaks)| {
            breaks.iter().map(move |found| {
                let (kind, expected) = (found.kind, found.expected.unwrap());
                format!("{store} {kind} {expected}: {}", found.detail)
            })
        })
        .collect();
    assert_eq!(
        told,
        [
            "BER_1 export_left_out 0.33 EUR: postings.xero.csv is not configured for EUR: 2 \
             entries of the day not in it",
            "KWI export_left_out 1.234 KWD: postings.xero.csv is not configured for KWD: 1 entry \
             of the day not in it",
            "KWI export_refused 1.234 KWD: postings.qbo.csv holds 2 decimals and KWD has 3: 1 \
             entry of the day not in it",
            "KWI export_refused 1.234 KWD: postings.netsuite.csv holds 2 decimals and KWD has 3: \
             1 entry of the day not in it",
            "TYO export_left_out 700 JPY: postings.xero.csv is not configured for JPY: 1 entry of \
             the day not in it",
        ]
    );
    for two_decimals in [
        "postings.qbo.csv",
        "postings.netsuite.csv",
        "postings.xero.csv",
    ] {
        assert!(!files[two_decimals].0.contains("KWI"), "{two_decimals}");
    }
    for exact in ["postings.journal", "postings.beancount", "postings.csv"] {
        assert!(files[exact].0.contains("1.234"), "{exact}");
    }
}

#[test]
fn netsuite_takes_ten_digits_before_the_point() {
    let exports = exports("[output]\nformats = [\"netsuite\"]\n");
    let entries = [
        capture(1, "9999999999.99 USD"),
        capture(2, "10000000000.00 USD"),
        capture(3, "9999999999 JPY"),
        capture(4, "10000000000 JPY"),
    ];
    let (files, refused) = files(&exports, &entries);
    let ids: Vec<String> = records(&files["postings.netsuite.csv"].0)
        .into_iter()
        .map(|row| row["External ID"].clone())
        .collect();
    assert_eq!(
        ids,
        [
            "JE-20261124-000001",
            "JE-20261124-000001",
            "JE-20261124-000003",
            "JE-20261124-000003"
        ]
    );
    let refused: Vec<&str> = refused
        .values()
        .flatten()
        .map(|found| found.detail.as_str())
        .collect();
    assert_eq!(
        refused,
        ["postings.netsuite.csv holds 10 digits before the point: 1 entry of the day not in it"; 2]
    );
}

#[test]
fn a_full_file_is_followed_by_another_and_no_entry_is_cut() {
    for format in ["qbo", "xero", "netsuite", "csv"] {
        let exports = exports(&format!(
            "[output]\nformats = [\"{format}\"]\n[export.{format}]\nmax_rows = 11\n\
             currencies = [\"USD\"]\n{}",
            ALL.split_once("[export.xero.accounts]")
                .map_or("", |(_, accounts)| if format == "xero" {
                    accounts
                } else {
                    ""
                })
                .lines()
                .map(|line| match line {
                    "" => String::new(),
                    line => format!("accounts.{line}\n"),
                })
                .collect::<String>()
        ));
        let entries: Vec<Transaction> = (1..=23).map(|n| capture(n, "1.00 USD")).collect();
        let (files, _) = files(&exports, &entries);
        // Two rows an entry: five entries in each file of eleven rows.
        let names: Vec<&String> = files.keys().collect();
        assert_eq!(names.len(), 5, "{names:?}");
        let stem = if format == "csv" {
            "postings".to_owned()
        } else {
            format!("postings.{format}")
        };
        let mut rows = Vec::new();
        for part in 1..=5 {
            let name = match part {
                1 => format!("{stem}.csv"),
                part => format!("{stem}.{part}.csv"),
            };
            let (text, totals) = &files[&name];
            let own = format!("{stem}.csv");
            let (sums, _) = read_back(&own, text);
            assert!(
                sums.values().all(|sum| *sum == 0),
                "{name}: an entry was cut"
            );
            rows.push(totals.rows);
        }
        assert_eq!(rows, [10, 10, 10, 10, 6], "{format}");
    }
}

#[test]
fn the_generic_file_is_as_configured() {
    let exports = exports(
        "[output]\nformats = [\"csv\"]\n[export.csv]\nbom = true\ndelimiter = \";\"\n\
         line_ending = \"lf\"\nsigns = \"credit_positive\"\ndate_format = \"%d.%m.%Y\"\n\
         description_length = 30\njournal = \"GL\"\nonce = [\"Day\", \"Text\"]\n\
         currencies = [\"USD\"]\n\
         columns = [\"Day=date\", \"Text=description\", \"J=journal\", \"Acct=account\", \
         \"Sum=amount\", \"Unit='a, c'\"]\n[export.csv.accounts]\nsales_clearing = \"1200\"\n",
    );
    let (files, _) = files(&exports, &[capture(1, "1.50 USD")]);
    assert_eq!(
        files["postings.csv"].0,
        "\u{feff}Day;Text;J;Acct;Sum;Unit\n\
         24.11.2026;JE-20261124-000001 captured S1;GL;Assets:Receivable:Processor;-1.50;\"a, c\"\n\
         ;;GL;1200;1.50;\"a, c\"\n"
    );
}

#[test]
fn a_tag_of_the_journal_holds_no_comma_and_only_a_location_is_not_said_twice() {
    let exports = exports(
        "[output]\nformats = [\"journal\", \"netsuite\"]\n[store.S1]\nlocation = \"S1\"\n\
         class = \"Retail, North\"\nsubsidiary = \"S1\"\n",
    );
    let (files, _) = files(&exports, &[capture(1, "1.50 USD")]);
    let tags = "; store:S1, trip:T1, kind:capture, class:Retail North, subsidiary:S1\n";
    let journal = &files["postings.journal"].0;
    assert!(journal.contains(tags), "{journal}");
}

#[test]
fn a_day_without_postings_has_files_without_rows() {
    let (files, refused): (Files, _) = files(&exports(ALL), &[]);
    assert!(refused.is_empty());
    assert_eq!(files.len(), 6);
    for (name, (text, totals)) in files {
        assert_eq!(totals.rows, 0, "{name}");
        assert!(
            !text.is_empty() && totals.sums.contains_key("debit"),
            "{name}"
        );
    }
}

#[test]
fn a_later_edition_keeps_what_the_first_one_was_made_by() {
    let first = exports("[output]\nformats = [\"journal\"]\n[books]\npost_sales = true\n");
    let now = exports(
        "[output]\nformats = [\"qbo\"]\n[books.accounts]\nsales_clearing = \"Assets:Other\"\n",
    );
    let next = now.following(&first);
    let formats: Vec<&str> = next.formats.iter().map(|format| format.as_str()).collect();
    assert_eq!(formats, ["journal", "qbo"]);
    assert!(next.rules.post_sales);
    assert_eq!(next.chart, first.chart);
    assert_eq!(
        next.qbo.target.chart.name(Role::SalesClearing),
        "Assets:Other"
    );
    let kept: Exports = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
    assert_eq!(kept, next);
}
