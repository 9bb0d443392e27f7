//! A trip as the feed gave it.

use serde::{Deserialize, Serialize};

use super::event::Elsewhere;
use super::ids::{ProcessorName, TripKey};
use super::money::Money;
use super::spelled;
use super::status::Status;
use super::time::{BusinessDate, Timestamp};

/// Where a fact about a trip came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file's name (without folders).
    pub file: String,
    /// The line the record began on, from 1.
    pub line: u64,
    /// The first digits of the SHA-256 of the file's bytes: two files may share a name. Empty
    /// until the file as a whole is known.
    #[serde(default)]
    pub digest: String,
}

/// One shopping trip that owes a cart total, as first taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// `STORE/TRIP_ID`.
    pub key: TripKey,
    /// When the trip began; the payment token's life counts from here.
    pub started_at: Timestamp,
    /// When the shopper left.
    pub ended_at: Option<Timestamp>,
    /// What the cart costs; an amendment may change it (see [`super::Standing`]).
    pub cart_total: Money,
    /// The card processor, as the row or the store named it.
    pub processor: Option<ProcessorName>,
    /// The retailer's purchase id.
    pub purchase_id: Option<String>,
    /// The hold taken at the gate.
    pub preauth: Option<Money>,
    /// Tax contained in the cart total.
    pub tax: Option<Money>,
    /// The store's civil date the trip belongs to.
    pub business_date: BusinessDate,
    /// `started_at` plus the token's lifetime.
    pub expires_at: Timestamp,
    /// `expires_at` minus the margin: orders, forecasts and warns.
    pub act_by: Timestamp,
    /// The processor was named but is not configured.
    pub unknown_processor: bool,
}

/// What the sweep needs to know of a trip that still needs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTrip {
    /// The trip's row in the database.
    pub id: i64,
    /// `STORE/TRIP_ID`.
    pub key: TripKey,
    /// When the trip began.
    pub started_at: Timestamp,
    /// When the token is expected to die.
    pub expires_at: Timestamp,
    /// The moment to have acted by.
    pub act_by: Timestamp,
    /// `open`, `refused`, or, while the hold waits for its release, `written_off` (`cancelled`,
    /// once a person said that nothing was ever owed).
    pub status: Status,
    /// The cart total now.
    pub cart_total: Money,
}

/// How the shopper came in; only a card entry leaves a payment token for us to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By card.
    Financial,
    /// By an app code: counted, not settled.
    ScanCode,
}

spelled!(Entry { Financial = "FINANCIAL", ScanCode = "SCAN_CODE" });

/// One well-formed row of the trip feed, before the configuration has placed it in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// `STORE/TRIP_ID`.
    pub key: TripKey,
    /// When the trip began.
    pub started_at: Timestamp,
    /// When the shopper left.
    pub ended_at: Option<Timestamp>,
    /// The cart total.
    pub amount: Money,
    /// The card processor, if the row names one.
    pub processor: Option<ProcessorName>,
    /// The retailer's purchase id.
    pub purchase_id: Option<String>,
    /// The hold taken at the gate.
    pub preauth: Option<Money>,
    /// Tax contained in the amount.
    pub tax: Option<Money>,
    /// How the shopper came in.
    pub entry: Entry,
    /// What the feed says happened without us.
    pub elsewhere: Option<Elsewhere>,
    /// Where the row stands.
    pub source: Source,
    /// The row as text, for `rejected.csv` should it conflict; card numbers hidden, at most 1 KiB.
    pub raw: String,
}

/// A row of the trip feed that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Where the row stands.
    pub source: Source,
    /// The field at fault, if it was one.
    pub field: Option<&'static str>,
    /// What is wrong with it, in words; for a conflict it begins with `conflict`.
    pub reason: String,
    /// The row as text; card numbers hidden, at most 1 KiB.
    pub raw: String,
}
