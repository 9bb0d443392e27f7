//! The shape of a processor's settlement report, as the configuration describes it.

use super::currency::Exponents;

/// How the columns of a `generic_csv` report are named and its cells written.
///
/// A row names its trip by the trip id (with the store, where there is such a column) or by the
/// reconciliation id; at least one of the two columns is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericCsvFormat {
    /// Column of the shopping trip id.
    pub trip_id: Option<String>,
    /// Column of the store.
    pub store_id: Option<String>,
    /// Column of the reconciliation id.
    pub reconciliation_id: Option<String>,
    /// Column of the amount, decimal text with an optional leading minus.
    pub amount: String,
    /// Column of the ISO 4217 code.
    pub currency: String,
    /// Column of the date.
    pub date: Option<String>,
    /// Column of the processor's reference.
    pub reference: Option<String>,
    /// Column of the kind of the row.
    pub kind: Option<String>,
    /// Kinds that are captures; without them, or without a kind column, every row is one.
    pub capture_kinds: Vec<String>,
    /// The byte between cells.
    pub delimiter: u8,
    /// How dates are written (strftime).
    pub date_format: String,
    /// Decimals of currencies where the processor differs from ISO 4217.
    pub exponents: Exponents,
    /// Amounts are whole numbers of the processor's smallest units.
    pub amounts_in_units: bool,
    /// Cells carry a leading `'` to be taken off.
    pub strip_apostrophe: bool,
    /// A report tells lines of earlier ones again; their date and reference tell which.
    pub cumulative: bool,
}

impl Default for GenericCsvFormat {
    fn default() -> Self {
        Self {
            trip_id: Some("shopping_trip_id".to_owned()),
            store_id: None,
            reconciliation_id: Some("reconciliation_id".to_owned()),
            amount: "amount".to_owned(),
            currency: "currency".to_owned(),
            date: Some("date".to_owned()),
            reference: Some("reference".to_owned()),
            kind: None,
            capture_kinds: Vec::new(),
            delimiter: b',',
            date_format: "%Y-%m-%d".to_owned(),
            exponents: Exponents::default(),
            amounts_in_units: false,
            strip_apostrophe: false,
            cumulative: false,
        }
    }
}
