//! Matching: what we did against what the evidence says.

use crate::domain::{BreakKind, CaptureState, Severity, Standing, spelled};

/// Whether both sides agree; its spelling is the `match_status` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchStatus {
    /// There is evidence for the capture, and it agrees.
    Matched,
    /// The two sides do not agree, or nobody knows whether there was a capture.
    Break,
    /// A capture waits for its evidence.
    Pending,
    /// There is no capture to match: none was made, or only the feed tells of one.
    None,
}

spelled!(MatchStatus {
    Matched = "matched",
    Break = "break",
    Pending = "pending",
    None = "none",
});

/// The match of a trip that stands so, with these kinds of breaks open.
///
/// A break of weight `info` or one that says nothing about the capture changes no match.
pub fn match_status(standing: &Standing, open: impl IntoIterator<Item = BreakKind>) -> MatchStatus {
    let counts = |kind: &BreakKind| kind.severity() >= Severity::Warning && is_about_capture(*kind);
    if open.into_iter().any(|kind| counts(&kind)) {
        return MatchStatus::Break;
    }
    match standing.capture_state {
        CaptureState::None => MatchStatus::None,
        CaptureState::InDoubt | CaptureState::Initiated => MatchStatus::Pending,
        CaptureState::Evidenced | CaptureState::Settled => MatchStatus::Matched,
    }
}

fn is_about_capture(kind: BreakKind) -> bool {
    match kind {
        BreakKind::EvidenceMissing
        | BreakKind::EvidenceRefused
        | BreakKind::CurrencyDiffers
        | BreakKind::ResponseCodeNotApproved
        | BreakKind::CryptogramDeclined
        | BreakKind::ReconciliationIdShared
        | BreakKind::MalformedField
        | BreakKind::CapturedElsewhere
        | BreakKind::ElsewhereAboveTotal
        | BreakKind::InDoubt
        | BreakKind::CapturedAfterWriteOff
        | BreakKind::CapturedTwice
        | BreakKind::AmountDiffers => true,
        BreakKind::Refused
        | BreakKind::Expired
        | BreakKind::CancelUnconfirmed
        | BreakKind::UnknownStore
        | BreakKind::UnknownProcessor
        | BreakKind::UnknownLine
        | BreakKind::UnreadableLine
        | BreakKind::ExportRefused
        | BreakKind::ExportLeftOut => false,
    }
}
