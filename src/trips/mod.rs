//! Trip files: take bytes, give rows and rejected rows, one at a time; never look at the state or
//! the clock, and never let one bad row stop the others.

mod csv;
mod fields;
mod files;
mod json;
mod lines;

use std::io::Read;
use std::path::Path;

use crate::domain::cards::hide_card_numbers;
use crate::domain::{FeedRow, Rejection, Source, Timestamp};

pub use fields::is_early;
pub use files::{Look, inbox_files, move_to_taken, overlooked, sha256_of};

/// How a trip file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFormat {
    /// CSV with a header row.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// One record of a trip file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A well-formed row.
    Row(FeedRow),
    /// A row that cannot be taken.
    Rejected(Rejection),
}

/// A file that cannot be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum TripsError {
    /// Reading failed.
    #[error("reading stopped: {0}")]
    Io(#[from] std::io::Error),
    /// The header lacks a column.
    #[error("column `{missing}` is missing; found: {found}")]
    MissingColumn {
        /// The column.
        missing: &'static str,
        /// The columns there are.
        found: String,
    },
    /// A column stands twice.
    #[error("column `{0}` stands twice in the header")]
    DuplicateColumn(String),
    /// The header is not text.
    #[error("the header row is not UTF-8 text")]
    HeaderNotText,
}

/// The format that a file's name tells: `*.csv`, `*.jsonl`, `*.ndjson`, in whichever case: a file
/// that is overlooked is a night without money.
pub fn format_of(path: &Path) -> Option<FeedFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(FeedFormat::Csv),
        "jsonl" | "ndjson" => Some(FeedFormat::JsonLines),
        _ => None,
    }
}

/// Reads a trip file record by record; memory does not grow with the file.
///
/// `now` bounds `started_at`. An error of the file as a whole is the last item.
pub fn read<R: Read + 'static>(
    reader: R,
    format: FeedFormat,
    file: &str,
    now: Timestamp,
) -> Box<dyn Iterator<Item = Result<Item, TripsError>>> {
    match format {
        FeedFormat::Csv => Box::new(csv::Records::new(reader, file.to_owned(), now)),
        FeedFormat::JsonLines => Box::new(json::Objects::new(reader, file.to_owned(), now)),
    }
}

/// The longest record text that is kept with a row.
const RAW_BYTES: usize = 1024;

/// The longest reason: a JSON reader repeats the text that it stumbled over.
const REASON_BYTES: usize = 300;

/// A record's text as it may be kept: no card numbers, at most 1 KiB.
fn raw_text(text: &str) -> String {
    let hidden = hide_card_numbers(text);
    let end = hidden.floor_char_boundary(RAW_BYTES);
    hidden.get(..end).unwrap_or_default().to_owned()
}

/// A record and where it stands, on its way to becoming a row.
struct Record {
    file: String,
    line: u64,
    raw: String,
}

impl Record {
    fn source(&self) -> Source {
        Source {
            file: self.file.clone(),
            line: self.line,
            digest: String::new(),
        }
    }

    fn rejected(self, field: Option<&'static str>, reason: &str) -> Item {
        let (source, mut reason) = (self.source(), hide_card_numbers(reason).into_owned());
        reason.truncate(reason.floor_char_boundary(REASON_BYTES));
        Item::Rejected(Rejection {
            source,
            field,
            reason,
            raw: self.raw,
        })
    }
}
