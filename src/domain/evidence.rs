//! Evidence: what others say about a capture.

use serde::{Deserialize, Serialize};

use super::ids::ProcessorName;
use super::money::Money;
use chrono::NaiveDate;

/// The allow-listed fields of GetTransactionalData; the card's expiry is never among them.
///
/// Every value is text as received (leading zeros matter) and may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransactionalData {
    /// Card scheme, e.g. `VISA`.
    pub brand: Option<String>,
    /// Last four digits (`tail`).
    pub card_last4: Option<String>,
    /// EMV 9F39, e.g. `EMV_9F39_05`.
    pub entry_mode: Option<String>,
    /// EMV 4F, hex.
    pub application_id: Option<String>,
    /// EMV 8A; not the approval code.
    pub authorization_response_code: Option<String>,
    /// EMV 9F27, hex.
    pub cryptogram_information: Option<String>,
    /// EMV 9F34, hex.
    pub cvm_result: Option<String>,
    /// EMV 5F34.
    pub pan_sequence_number: Option<String>,
    /// EMV 9F1C.
    pub terminal_id: Option<String>,
    /// ISO 4217 code as the service spelled it.
    pub currency: Option<String>,
    /// The processor's key for this payment.
    pub reconciliation_id: Option<String>,
    /// What the cardholder's statement shows.
    pub card_statement_transaction_id: Option<String>,
    /// Names of fields dropped because they held what looks like a card number.
    pub hidden: Vec<String>,
}

impl TransactionalData {
    /// True when nothing usable came: the service answered, but the data is not there yet.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One line of the card processor's settlement report that belongs to a trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessorLine {
    /// Whose report it is.
    pub processor: ProcessorName,
    /// The report file's name and line.
    pub source: String,
    /// The settled amount; negative for money going back.
    pub amount: Money,
    /// The processor's date of the line.
    pub date: Option<NaiveDate>,
    /// The processor's reference.
    pub reference: String,
    /// The line's id in our database: one line is counted once.
    pub line_id: i64,
}
