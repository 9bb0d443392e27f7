//! What was published: read back as an accountant would, by columns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ledger::{digits_of, minor_of};

/// A row of a published CSV, by column.
pub type Row = BTreeMap<String, String>;

/// One edition of one day.
#[derive(Debug, Clone)]
pub struct Edition {
    pub date: String,
    pub number: u32,
    pub rows: Vec<Row>,
    pub debts: Vec<Row>,
    pub debt_days: Vec<Row>,
    pub postings: Vec<Row>,
    pub summary: Value,
}

/// Every published file with a hash of its bytes.
pub fn fingerprints(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for day in names(out) {
        for edition in names(&out.join(&day)) {
            let dir = out.join(&day).join(&edition);
            for file in names(&dir) {
                let path = dir.join(&file);
                let hash = Sha256::digest(fs::read(&path).unwrap()).to_vec();
                all.insert(PathBuf::from(&day).join(&edition).join(file), hash);
            }
        }
    }
    all
}

/// Every edition of the days after this one, oldest day first, lowest number first.
pub fn editions(out: &Path, after: &str) -> Vec<Edition> {
    let mut all = Vec::new();
    for date in names(out).into_iter().filter(|date| date.as_str() > after) {
        for edition in names(&out.join(&date)) {
            let dir = out.join(&date).join(&edition);
            let summary = fs::read(dir.join("summary.json")).unwrap();
            all.push(Edition {
                date: date.clone(),
                number: edition.trim_start_matches('e').parse().unwrap(),
                rows: rows(&dir.join("reconciliation.csv")),
                debts: rows(&dir.join("bad_debt.csv")),
                debt_days: rows(&dir.join("bad_debt_summary.csv")),
                postings: rows(&dir.join("postings.csv")),
                summary: serde_json::from_slice(&summary).unwrap(),
            });
        }
    }
    all.sort_by(|a, b| (&a.date, a.number).cmp(&(&b.date, b.number)));
    all
}

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// `STORE/TRIP_ID` of a row.
pub fn name(row: &Row) -> String {
    format!("{}/{}", row["store_id"], row["shopping_trip_id"])
}

/// An amount of a row in minor units; an amount with other digits than its currency's is wrong.
pub fn amount(row: &Row, column: &str) -> Result<i64, String> {
    let digits = digits_of(&row["currency"]).ok_or("an unknown currency")?;
    let wrong = || format!("{column} is `{}` in {row:?}", row[column]);
    minor_of(&row[column], digits).ok_or_else(wrong)
}
