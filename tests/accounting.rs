//! The accountants' own programs read what a night published, and refuse it with one minor unit
//! changed. Those that are not installed are passed over (`tests/accounting/run` installs them);
//! a reader of our own that knows nothing of how the files are made looks in any case.

#![allow(clippy::unwrap_used)]

#[path = "accounting/office.rs"]
mod office;
#[path = "accounting/programs.rs"]
mod programs;
#[path = "accounting/review.rs"]
mod review;
#[path = "accounting/witness.rs"]
mod witness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use programs::{ask, program};
use tempfile::TempDir;

/// A demo's night, with every file switched on: its two editions.
fn editions() -> &'static [PathBuf] {
    static DEMO: OnceLock<(TempDir, Vec<PathBuf>)> = OnceLock::new();
    let (_, editions) = DEMO.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let demo = dir.path().join("demo");
        let program = env!("CARGO_BIN_EXE_tripsettle");
        let args = ["demo", "--quiet", "--dir", demo.to_str().unwrap()];
        let played = Command::new(program).args(args).output().unwrap();
        assert!(played.status.success(), "the demo: {played:?}");
        let mut editions = Vec::new();
        for day in fs::read_dir(demo.join("out")).unwrap() {
            let inside = fs::read_dir(day.unwrap().path()).unwrap();
            editions.extend(inside.map(|edition| edition.unwrap().path()));
        }
        editions.sort();
        assert!(
            editions.len() >= 2,
            "a night and its backfill: {editions:?}"
        );
        (dir, editions)
    });
    editions
}

fn read(name: &str) -> String {
    fs::read_to_string(editions()[0].join(name)).unwrap()
}

/// The text as a file of its own.
fn file(dir: &TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Asks a program about the file as it is and with one minor unit changed.
fn accepts_only_the_right_one(name: &str, checker: &str, before: &[&str], after: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let right = read(name);
    let (from, to) = match name {
        "postings.journal" => ("Clearing:Card  USD ", "\n"),
        _ => ("  ", " USD"),
    };
    let spoiled = witness::spoiled(&right, from, to);
    let entries = witness::plain_text(&right);
    assert!(entries.len() > 100, "{name}: {} entries", entries.len());
    assert_eq!(witness::wrong(&entries).len(), 0, "{name}");
    assert_eq!(
        witness::wrong(&witness::plain_text(&spoiled)).len(),
        1,
        "{name}"
    );
    let Some(checker) = program(checker) else {
        return;
    };
    for (text, content) in [(right, true), (spoiled, false)] {
        let path = file(&dir, name, &text);
        let args = [before, &[path.as_str()], after].concat();
        let (accepted, said) = ask(&checker, &args);
        assert_eq!(accepted, content, "{} {args:?}: {said}", checker.display());
    }
}

#[test]
fn hledger_accepts_the_journal_and_refuses_a_unit_more() {
    let check = ["check", "--strict", "ordereddates"];
    accepts_only_the_right_one("postings.journal", "hledger", &["-f"], &check);
}

#[test]
fn ledger_accepts_the_journal_and_refuses_a_unit_more() {
    let strict = ["--strict", "--pedantic", "balance"];
    accepts_only_the_right_one("postings.journal", "ledger", &["-f"], &strict);
}

#[test]
fn beancount_accepts_its_file_and_refuses_a_unit_more() {
    accepts_only_the_right_one("postings.beancount", "bean-check", &[], &[]);
}

#[test]
fn beancount_accepts_days_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let mut days = "plugin \"beancount.plugins.auto_accounts\"\n".to_owned();
    for edition in &editions()[..2] {
        let path = edition.join("postings.beancount");
        days.push_str(&format!("include \"{}\"\n", path.display()));
        // An account that is opened on two days is an error where both are included.
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.lines().any(|line| line.contains(" open ")));
    }
    if let Some(checker) = program("bean-check") {
        let (accepted, said) = ask(&checker, &[&file(&dir, "days.beancount", &days)]);
        assert!(accepted, "{said}");
    }
}

/// A CSV as hledger is told to read it, and as the witness is.
struct Shape {
    file: &'static str,
    rules: &'static str,
    entry: &'static str,
    currency: Option<&'static str>,
    amounts: &'static [(&'static str, i128)],
    /// What the native journal is asked for, to compare with.
    native: &'static [&'static str],
}

const SHAPES: [Shape; 3] = [
    Shape {
        file: "postings.qbo.csv",
        rules: "skip 1\n\
                fields code, date, acct, debits, credits, description, name, currency\n\
                date-format %m/%d/%Y\naccount1 %acct\namount-in %debits\namount-out %credits\n\
                account2 import:check:%code\n",
        entry: "JournalNo",
        currency: Some("Currency"),
        amounts: &[("Debits", 1), ("Credits", -1)],
        native: &["not:cur:KWD"],
    },
    Shape {
        file: "postings.xero.csv",
        rules: "skip 1\n\
                fields narration, date, description, acct, rate, amt, n1, o1, n2, o2\n\
                date-format %d/%m/%Y\naccount1 %acct\namount1 USD%amt\n\
                account2 import:check:%narration\n",
        entry: "*Narration",
        currency: None,
        amounts: &[("*Amount", 1)],
        native: &["cur:USD"],
    },
    Shape {
        file: "postings.netsuite.csv",
        rules: "skip 1\n\
                fields code, date, period, currency, entity, memo, acct, debits, credits\n\
                date-format %m/%d/%Y\naccount1 %acct\namount-in %debits\namount-out %credits\n\
                account2 import:check:%code\n",
        entry: "External ID",
        currency: Some("Currency"),
        amounts: &[
            ("Journal Entry - Line: Debit", 1),
            ("Journal Entry - Line: Credit", -1),
        ],
        native: &["not:cur:KWD"],
    },
];

impl Shape {
    fn entries(&self, text: &str) -> witness::Entries {
        witness::table(text, self.entry, self.currency, self.amounts)
    }
}

/// Every part of a file of which only so many rows go into one.
fn parts(first: &str) -> Vec<PathBuf> {
    let (stem, end) = first.rsplit_once('.').unwrap();
    let mut names: Vec<PathBuf> = vec![editions()[0].join(first)];
    for part in 2.. {
        let path = editions()[0].join(format!("{stem}.{part}.{end}"));
        if !path.exists() {
            return names;
        }
        names.push(path);
    }
    names
}

/// Balances by account, one a line, without blanks, quotes and a point that ends a number.
fn balances(hledger: &Path, args: &[&str]) -> Vec<String> {
    let (ok, said) = ask(hledger, args);
    assert!(ok, "{args:?}: {said}");
    let clean = |line: &str| {
        line.replace([' ', '"'], "")
            .replace(".,", ",")
            .trim_end_matches('.')
            .to_owned()
    };
    let mut lines: Vec<String> = said.lines().skip(1).map(clean).collect();
    lines.sort();
    lines
}

#[test]
fn every_entry_of_the_csv_files_balances_and_one_more_unit_is_seen() {
    for shape in SHAPES {
        let text = read(shape.file);
        let spoiled = witness::spoiled(&text, ",", ",");
        assert!(!shape.entries(&text).is_empty(), "{}", shape.file);
        assert_eq!(
            witness::wrong(&shape.entries(&text)).len(),
            0,
            "{}",
            shape.file
        );
        assert_eq!(
            witness::wrong(&shape.entries(&spoiled)).len(),
            1,
            "{}",
            shape.file
        );
        let Some(hledger) = program("hledger") else {
            continue;
        };
        let dir = tempfile::tempdir().unwrap();
        let rules = file(&dir, "rules", shape.rules);
        for (text, wrong) in [(&text, 0), (&spoiled, 1)] {
            let path = format!("csv:{}", file(&dir, "part.csv", text));
            let query = [
                "-f",
                &path,
                "--rules-file",
                &rules,
                "bal",
                "import:check",
                "-N",
                "-O",
                "csv",
            ];
            let off = balances(&hledger, &query);
            assert_eq!(off.len(), wrong, "{}: {off:?}", shape.file);
        }
    }
}

/// What Xero calls the accounts, in the demo.
const CODES: [(&str, &str); 8] = [
    ("605", "Assets:Clearing:Card"),
    ("606", "Assets:Receivable:Processor"),
    ("611", "Assets:Receivable:Shoppers"),
    ("612", "Assets:Receivable:Shoppers-Tax"),
    ("607", "Assets:Clearing:Recoveries"),
    ("416", "Expenses:Bad-Debt"),
    ("820", "Liabilities:Sales-Tax"),
    ("201", "Income:Sales-Cancelled"),
];

#[test]
fn the_csv_files_have_the_totals_of_the_native_journal() {
    let native = editions()[0].join("postings.journal");
    let native = native.to_str().unwrap();
    let of_journal = witness::plain_text(&read("postings.journal"));
    for shape in SHAPES {
        let files = parts(shape.file);
        let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
        let mut entries = witness::Entries::new();
        for text in texts {
            for (entry, sums) in shape.entries(&text) {
                let id = entry.split(' ').next().unwrap().to_owned();
                assert!(entries.insert(id, sums).is_none(), "{entry} was cut in two");
            }
        }
        let expected = of_journal.iter().filter(|(_, sums)| {
            sums.keys().all(|code| match shape.currency {
                None => code == "USD",
                Some(_) => code != "KWD",
            })
        });
        let expected: Vec<&String> = expected.map(|(entry, _)| entry).collect();
        assert_eq!(
            entries.keys().collect::<Vec<_>>(),
            expected,
            "{}",
            shape.file
        );
        let Some(hledger) = program("hledger") else {
            continue;
        };
        let dir = tempfile::tempdir().unwrap();
        let rules = file(&dir, "rules", shape.rules);
        let paths: Vec<String> = files
            .iter()
            .map(|path| format!("csv:{}", path.display()))
            .collect();
        let mut args: Vec<String> = paths
            .iter()
            .flat_map(|path| ["-f".to_owned(), path.clone()])
            .collect();
        let aliases = CODES
            .iter()
            .map(|(code, name)| format!("--alias={code}={name}"));
        args.extend(aliases);
        let rest = [
            "--rules-file",
            &rules,
            "bal",
            "-N",
            "--flat",
            "-O",
            "csv",
            "not:import:check",
        ];
        args.extend(rest.map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let native = [
            &["-f", native, "bal", "-N", "--flat", "-O", "csv"],
            shape.native,
        ]
        .concat();
        let (theirs, ours) = (balances(&hledger, &args), balances(&hledger, &native));
        assert!(ours.len() >= 3, "{ours:?}");
        assert_eq!(theirs, ours, "{}", shape.file);
    }
}

/// Ids and words that a spreadsheet would like to make something else of.
const ODD: &str = "store_id,trip_id,currency,cart_total,detail\r\n\
    0042,1E05,USD,15.90,'=1+2\r\n\
    S1,1234567890123456789,KWD,1.234,-1+2\r\n\
    =1+2,00017,JPY,1500,@SUM(1)\r\n";

fn odd_workbook() -> Vec<u8> {
    let date = tripsettle::domain::BooksDate::parse("2026-11-24").unwrap();
    let mut book = tripsettle::outputs::Workbook::begin(date, None).unwrap();
    book.table("odd", ODD.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    book.finish(&mut bytes).unwrap();
    bytes
}

fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn a_spreadsheet_shows_the_workbook_cell_by_cell_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("odd.xlsx");
    fs::write(&odd, odd_workbook()).unwrap();
    let night = editions()[0].join("night.xlsx");
    assert!(fs::metadata(&night).unwrap().len() > 10_000);
    let Some(soffice) = program("soffice") else {
        return;
    };
    let shown = office::converted(&soffice, &odd, office::SHEETS);
    assert_eq!(cells(&shown["odd-odd.csv"]), cells(ODD));
    let sheets = office::converted(&soffice, &night, office::SHEETS);
    for (sheet, file) in [
        ("reconciliation", "reconciliation.csv"),
        ("breaks", "breaks.csv"),
        ("bad debt", "bad_debt.csv"),
        ("bad debt summary", "bad_debt_summary.csv"),
    ] {
        let shown = &sheets[&format!("night-{sheet}.csv")];
        assert_eq!(cells(shown), cells(&read(file)), "{sheet}");
    }
    assert!(
        sheets["night-control.csv"].starts_with("\"BALANCED  "),
        "{}",
        sheets["night-control.csv"]
    );
    for book in [&odd, &night] {
        let flat = office::converted(&soffice, book, office::FLAT);
        assert!(
            flat.values().all(|text| !text.contains("table:formula")),
            "a formula"
        );
    }
}

#[test]
fn a_spreadsheet_makes_no_formula_of_any_csv() {
    let dir = tempfile::tempdir().unwrap();
    // The witness for the witness: a formula is found where there is one.
    let running = dir.path().join("running.csv");
    fs::write(&running, "a,b\r\n1,=1+2\r\n").unwrap();
    let files = [
        "reconciliation",
        "bad_debt",
        "bad_debt_summary",
        "breaks",
        "rejected",
        "postings",
    ];
    let paths = files.map(|name| editions()[0].join(format!("{name}.csv")));
    assert!(paths.iter().all(|path| path.exists()));
    let Some(soffice) = program("soffice") else {
        return;
    };
    let has_formula = |path: &Path| {
        let flat = office::converted(&soffice, path, office::FLAT);
        flat.values().any(|text| text.contains("table:formula"))
    };
    assert!(has_formula(&running), "a formula is not seen");
    for path in paths {
        assert!(!has_formula(&path), "{}", path.display());
    }
}
