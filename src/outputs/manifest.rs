//! `manifest.json`: every file of an edition with its hash, rows and control totals.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{BooksDate, Money};

use super::table::FileTotals;
use super::{CHANGES, MANIFEST, OutputError, WORKBOOK};

const SCHEMA: &str = "tripsettle.manifest/1";

/// One file of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The file's name.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Rows below the header; none for what is not a table.
    pub rows: Option<u64>,
    /// Control totals: money column, then currency, then the amount as decimal text.
    pub totals: BTreeMap<String, BTreeMap<String, String>>,
}

impl FileEntry {
    /// The entry of a file that was hashed while it was written.
    pub fn of_table(name: &str, sha256: String, bytes: u64, totals: &FileTotals) -> Self {
        let of_column = |by_currency: &BTreeMap<_, i64>| {
            by_currency
                .iter()
                .map(|(currency, minor)| {
                    let sum = Money::of_minor(*minor, *currency);
                    (currency.code().to_owned(), sum.decimal_text())
                })
                .collect()
        };
        let totals_of = |(column, sums): (&&str, _)| ((*column).to_owned(), of_column(sums));
        Self {
            name: name.to_owned(),
            sha256,
            bytes,
            rows: Some(totals.rows),
            totals: totals.sums.iter().map(totals_of).collect(),
        }
    }

    /// The entry of a file that is not a table.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            rows: None,
            totals: BTreeMap::new(),
        }
    }
}

/// What an edition consists of, and what it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this shape.
    pub schema: String,
    /// The accounting date.
    pub books_date: BooksDate,
    /// The edition, from 1.
    pub edition: u32,
    /// SHA-256 of the manifest that this one follows: for a first edition that of the newest
    /// edition that the closed day before had then, for a later one that of the same day's last.
    pub previous_manifest_sha256: Option<String>,
    /// The files, by name.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// The manifest of these files.
    pub fn of(
        books_date: BooksDate,
        edition: u32,
        previous: Option<String>,
        mut files: Vec<FileEntry>,
    ) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            schema: SCHEMA.to_owned(),
            books_date,
            edition,
            previous_manifest_sha256: previous,
            files,
        }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// None that is expected: the shape is always JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OutputError> {
        json(MANIFEST, self)
    }

    /// Reads a manifest's bytes.
    ///
    /// # Errors
    /// Not a manifest, or one of a version that we do not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, OutputError> {
        let unreadable = |why: String| OutputError::Unreadable {
            file: MANIFEST,
            why,
        };
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|why| unreadable(why.to_string()))?;
        if manifest.schema != SCHEMA {
            let why = format!("its schema is `{}`, not `{SCHEMA}`", manifest.schema);
            return Err(unreadable(why));
        }
        Ok(manifest)
    }

    /// True when `files` would tell nothing that this edition does not: then no new one is made.
    ///
    /// `changes.csv` does not count, and of the workbook only that it is there: it lays out what
    /// the tables and summaries hold, and names its edition. The summaries among `files` must be
    /// those of *this* edition's number, since they name it as well.
    pub fn says_the_same(&self, files: &[FileEntry]) -> bool {
        let told = |files: &[FileEntry]| -> BTreeMap<String, String> {
            let told = files.iter().filter(|file| file.name != CHANGES);
            let hash = |file: &FileEntry| match file.name.as_str() {
                WORKBOOK => String::new(),
                _ => file.sha256.clone(),
            };
            told.map(|file| (file.name.clone(), hash(file))).collect()
        };
        told(&self.files) == told(files)
    }
}

/// Pretty JSON with a line break at its end.
pub(super) fn json(file: &'static str, value: &impl Serialize) -> Result<Vec<u8>, OutputError> {
    let io = |why: serde_json::Error| OutputError::Io {
        file,
        why: why.into(),
    };
    let mut bytes = serde_json::to_vec_pretty(value).map_err(io)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// SHA-256 as lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
