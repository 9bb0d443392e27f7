//! Outputs: takes sorted rows and gives bytes, one small module per file; [`publish`] puts them in
//! place.
//!
//! Writers are pushed into and write to any [`std::io::Write`], so that memory does not grow with
//! the number of trips. No byte depends on when or how fast it was written, on a locale, a zone or
//! a hash map's order.

mod bad_debt;
mod breaks;
mod cells;
mod changes;
mod columns;
mod control_page;
mod equations;
mod manifest;
mod postings;
pub mod publish;
mod reconciliation;
mod rejected;
mod review;
mod summary;
mod summary_json;
mod summary_text;
mod table;
mod tally;
mod workbook;

pub use bad_debt::{BadDebtSummaryWriter, BadDebtWriter, by_hand};
pub use breaks::{BreakRow, BreaksWriter};
pub use changes::ChangesWriter;
pub use control_page::{Item, PageRow};
pub use manifest::{FileEntry, Manifest, sha256_hex};
pub use postings::{Exporter, Posted, Refusals, Shelf};
pub use reconciliation::{ReconciliationRow, ReconciliationWriter, TripDay};
pub use rejected::RejectedWriter;
pub use review::{REVIEW, REVIEWED, review};
pub use summary::{Stake, Summary};
pub use table::FileTotals;
pub use tally::tally;
pub use workbook::Workbook;

use crate::domain::MoneyError;

/// `reconciliation.csv`: a row per trip with an event on the day.
pub const RECONCILIATION: &str = "reconciliation.csv";
/// `bad_debt.csv`: the day's entries of the bad-debt ledger.
pub const BAD_DEBT: &str = "bad_debt.csv";
/// `bad_debt_summary.csv`: opening to closing debt per store and currency.
pub const BAD_DEBT_SUMMARY: &str = "bad_debt_summary.csv";
/// `breaks.csv`: the breaks that were open on the day.
pub const BREAKS: &str = "breaks.csv";
/// `rejected.csv`: rows of the trip feed that were not taken.
pub const REJECTED: &str = "rejected.csv";
/// `changes.csv`: what differs from the edition before.
pub const CHANGES: &str = "changes.csv";
/// `summary.json`: the day for programs.
pub const SUMMARY_JSON: &str = "summary.json";
/// `summary.txt`: the day for people.
pub const SUMMARY_TEXT: &str = "summary.txt";
/// `night.xlsx`: the tables and the control page in one workbook, for people.
pub const WORKBOOK: &str = "night.xlsx";
/// What the names of all files of postings begin with.
pub const POSTINGS: &str = "postings.";
/// `manifest.json`: what the edition consists of.
pub const MANIFEST: &str = "manifest.json";

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file or what it is made from could not be written or read.
    #[error(
        "{file} could not be written: {why}; see to disk space and permissions, then run again"
    )]
    Io {
        /// The file.
        file: &'static str,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A control total left 64 bits.
    #[error("{file} cannot be added up: {why}")]
    Money {
        /// The file.
        file: &'static str,
        /// What went wrong.
        why: MoneyError,
    },
    /// Rows came in the wrong order; a defect.
    #[error(
        "{file} must be sorted, but a row for `{key}` came too late or twice: please report it"
    )]
    OutOfOrder {
        /// The file.
        file: &'static str,
        /// The row's key.
        key: String,
    },
    /// The edition before cannot be read.
    #[error("the earlier edition's {file} cannot be read: {why}")]
    Unreadable {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A later edition would tell other money than the edition before; a defect.
    #[error(
        "{file} of a closed day may not change in column {column} of `{key}` (from `{from}` to \
         `{to}`): nothing was published, please report it"
    )]
    ClosedColumnChanged {
        /// The file.
        file: &'static str,
        /// The row's key.
        key: String,
        /// The column.
        column: String,
        /// The cell of the edition before.
        from: String,
        /// The cell now.
        to: String,
    },
}
