//! Breaks: findings about data, each with a kind, a weight and a first day.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::spelled;

/// How much a break matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; never changes an exit code or a match.
    Info,
    /// Somebody should look.
    Warning,
    /// Money is wrong or may be.
    Critical,
}

spelled!(Severity { Info = "info", Warning = "warning", Critical = "critical" });

/// What does not agree; its spelling is the `break` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    /// A capture initiated long ago has no transactional data.
    EvidenceMissing,
    /// The service says that there is no transactional data to be had.
    EvidenceRefused,
    /// The evidence is in another currency than the capture.
    CurrencyDiffers,
    /// EMV 8A is not an approval.
    ResponseCodeNotApproved,
    /// EMV 9F27 says that the card declined (AAC).
    CryptogramDeclined,
    /// Two trips carry one reconciliation id.
    ReconciliationIdShared,
    /// A field of the transactional data has the wrong length or alphabet.
    MalformedField,
    /// The feed says captured or cancelled elsewhere, after our Capture intent.
    CapturedElsewhere,
    /// The feed says that more than the cart total was captured elsewhere.
    ElsewhereAboveTotal,
    /// The service refused the trip.
    Refused,
    /// A capture is in doubt.
    InDoubt,
    /// The token died.
    Expired,
    /// A Cancel was repeated after silence and refused then.
    CancelUnconfirmed,
    /// A processor line for a trip booked as bad debt.
    CapturedAfterWriteOff,
    /// A second processor line for one capture, or one for a trip never captured.
    CapturedTwice,
    /// A processor line of another amount than the capture.
    AmountDiffers,
    /// The store is not configured and took the defaults.
    UnknownStore,
    /// The row names a processor that is not configured.
    UnknownProcessor,
    /// A processor line that belongs to no trip we know.
    UnknownLine,
    /// A line of a processor's report that could not be read.
    UnreadableLine,
    /// Entries that a file of postings cannot hold: they are not in it.
    ExportRefused,
    /// Entries in a currency that a file of postings is not configured for.
    ExportLeftOut,
}

spelled!(BreakKind {
    EvidenceMissing = "evidence_missing",
    EvidenceRefused = "evidence_refused",
    CurrencyDiffers = "currency_differs",
    ResponseCodeNotApproved = "response_code_not_approved",
    CryptogramDeclined = "cryptogram_declined",
    ReconciliationIdShared = "reconciliation_id_shared",
    MalformedField = "malformed_field",
    CapturedElsewhere = "captured_elsewhere",
    ElsewhereAboveTotal = "elsewhere_above_total",
    Refused = "refused",
    InDoubt = "in_doubt",
    Expired = "expired",
    CancelUnconfirmed = "cancel_unconfirmed",
    CapturedAfterWriteOff = "captured_after_write_off",
    CapturedTwice = "captured_twice",
    AmountDiffers = "amount_differs",
    UnknownStore = "unknown_store",
    UnknownProcessor = "unknown_processor",
    UnknownLine = "unknown_line",
    UnreadableLine = "unreadable_line",
    ExportRefused = "export_refused",
    ExportLeftOut = "export_left_out",
});

impl BreakKind {
    /// How much a break of this kind matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::CurrencyDiffers
            | Self::CapturedElsewhere
            | Self::InDoubt
            | Self::CapturedAfterWriteOff
            | Self::CapturedTwice
            | Self::AmountDiffers => Severity::Critical,
            Self::EvidenceMissing
            | Self::EvidenceRefused
            | Self::ResponseCodeNotApproved
            | Self::CryptogramDeclined
            | Self::ReconciliationIdShared
            | Self::MalformedField
            | Self::ElsewhereAboveTotal
            | Self::Refused
            | Self::Expired
            | Self::CancelUnconfirmed
            | Self::UnknownProcessor
            | Self::UnknownLine
            | Self::UnreadableLine
            | Self::ExportRefused => Severity::Warning,
            Self::UnknownStore | Self::ExportLeftOut => Severity::Info,
        }
    }
}

/// One break of a trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// What does not agree.
    pub kind: BreakKind,
    /// What our journal says, where it is about an amount.
    pub expected: Option<Money>,
    /// What the evidence says, where it is about an amount.
    pub actual: Option<Money>,
    /// In words: field, file and line, or the service's text.
    pub detail: String,
}
