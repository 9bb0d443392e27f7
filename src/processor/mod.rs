//! Processors' settlement reports: take bytes, give lines, a file for each format; never look for
//! the trip that a line belongs to.

mod columns;
mod generic_csv;

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::domain::Money;

pub use generic_csv::read;

/// A report that cannot be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// Reading failed.
    #[error("reading stopped: {0}")]
    Io(#[from] io::Error),
    /// A configured column is not in the header.
    #[error("column `{missing}` is missing; found: {found}; see [processor.NAME.columns]")]
    MissingColumn {
        /// The column as configured.
        missing: String,
        /// The columns there are.
        found: String,
    },
    /// A configured column stands twice, so that either could be meant.
    #[error("column `{0}` stands twice in the header")]
    DuplicateColumn(String),
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// Its place in the file, from 1.
    pub line: u64,
    /// The store.
    pub store: Option<String>,
    /// The shopping trip id.
    pub trip: Option<String>,
    /// The reconciliation id.
    pub reconciliation_id: Option<String>,
    /// The amount, negative for money going back.
    pub amount: Money,
    /// The processor's date.
    pub date: Option<NaiveDate>,
    /// The processor's reference.
    pub reference: String,
    /// The processor's word for what it is.
    pub kind: String,
    /// True for the kinds that are captures.
    pub is_capture: bool,
}

/// One record of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportItem {
    /// A line.
    Line(ReportLine),
    /// A record that could not be read.
    Unreadable {
        /// Its place in the file, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// The report files of a folder in byte order of name; the same names are left alone as in the
/// inbox. They stay where they are: each is known by its hash.
///
/// # Errors
/// The folder cannot be read.
pub fn report_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let unfinished = name.starts_with(b".")
            || [&b".tmp"[..], b".part"]
                .iter()
                .any(|end| name.ends_with(end));
        if !unfinished && entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort_by(|a, b| {
        a.as_os_str()
            .as_encoded_bytes()
            .cmp(b.as_os_str().as_encoded_bytes())
    });
    Ok(files)
}
