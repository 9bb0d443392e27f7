//! What was published: read back as an accountant would, by columns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ledger::{digits_of, minor_of};

/// A row of a published CSV, by column.
pub type Row = BTreeMap<String, String>;

/// Published files by their paths, with the hashes of their bytes.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

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
pub fn fingerprints(out: &Path) -> Files {
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
        for name in names(&out.join(&date)) {
            all.push(edition(&out.join(&date).join(&name), &date, &name));
        }
    }
    all.sort_by(|a, b| (&a.date, a.number).cmp(&(&b.date, b.number)));
    all
}

fn edition(dir: &Path, date: &str, name: &str) -> Edition {
    let summary = fs::read(dir.join("summary.json")).unwrap();
    Edition {
        date: date.to_owned(),
        number: name.trim_start_matches('e').parse().unwrap(),
        rows: rows(&dir.join("reconciliation.csv")),
        debts: rows(&dir.join("bad_debt.csv")),
        debt_days: rows(&dir.join("bad_debt_summary.csv")),
        postings: rows(&dir.join("postings.csv")),
        summary: serde_json::from_slice(&summary).unwrap(),
    }
}

/// Editions that were read, each with the hashes of the files that stood in its folder then: what
/// has other bytes is read again.
#[derive(Debug, Default)]
pub struct Shelf(BTreeMap<PathBuf, (Files, Edition)>);

impl Shelf {
    /// Every edition in `out`, where `files` stand; oldest day first, lowest number first.
    pub fn editions(&mut self, out: &Path, files: &Files) -> Vec<&Edition> {
        let mut before = std::mem::take(&mut self.0);
        for date in names(out) {
            for name in names(&out.join(&date)) {
                let folder = Path::new(&date).join(&name);
                let within = files.iter().filter(|(path, _)| path.starts_with(&folder));
                let within: Files = within.map(|(k, v)| (k.clone(), v.clone())).collect();
                let known = before.remove(&folder).filter(|known| known.0 == within);
                let read = || (within, edition(&out.join(&folder), &date, &name));
                let known = known.unwrap_or_else(read);
                self.0.insert(folder, known);
            }
        }
        let mut all: Vec<&Edition> = self.0.values().map(|(_, edition)| edition).collect();
        all.sort_by_key(|edition| (&edition.date, edition.number));
        all
    }
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
