//! Faults: what can go wrong between the service and whoever calls it.

use serde::{Deserialize, Serialize};

/// The five calls that the sandbox answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `POST /v1/adjust/charge`
    Adjust,
    /// `POST /v1/capture/charge`
    Capture,
    /// `POST /v1/cancel/charge`
    Cancel,
    /// `POST /v1/payment/transactional-data`
    TransactionalData,
    /// `POST /v1/refund`
    Refund,
}

impl CallKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Adjust,
        Self::Capture,
        Self::Cancel,
        Self::TransactionalData,
        Self::Refund,
    ];

    /// The path at which the call is answered.
    pub fn path(self) -> &'static str {
        match self {
            Self::Adjust => "/v1/adjust/charge",
            Self::Capture => "/v1/capture/charge",
            Self::Cancel => "/v1/cancel/charge",
            Self::TransactionalData => "/v1/payment/transactional-data",
            Self::Refund => "/v1/refund",
        }
    }
}

/// Whether a fault strikes before or after the call had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Nothing is done, whatever the answer may look like.
    Before,
    /// It is done and stands in the ledger; only the answer suffers.
    After,
}

/// What goes wrong.
///
/// *The answer* is the right one after the effect; before it, what the service would have said
/// had it done as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is reset without a byte of an answer.
    Reset,
    /// The connection is reset in the middle of the answer's head.
    ResetInHead,
    /// The connection is reset in the middle of the answer's body.
    ResetInBody,
    /// The connection is closed in the middle of a body whose `Content-Length` says more.
    Truncated,
    /// The connection is closed before the last chunk of a chunked body.
    UnfinishedChunks,
    /// No answer, for as long as the caller waits.
    Hang,
    /// The answer's head and a piece of its body, then silence.
    StallInBody,
    /// The answer, one byte a second.
    Drip,
    /// A body of so many bytes, as `Content-Length` says.
    Huge(u64),
    /// A chunked body without an end.
    Endless,
    /// The answer comes so many milliseconds late. `Before`: the effect comes late too, whether
    /// or not anyone still listens.
    Late(u64),
    /// The answer comes twice on one connection.
    Twice,
    /// The answer's `Date` is so many seconds off.
    Skewed(i64),
    /// The answer claims `Content-Encoding: gzip`, which it is not.
    Encoded,
    /// This HTTP status with the service's own `errorMsg` JSON.
    Status(u16),
    /// This HTTP status with the HTML page of a proxy.
    Html(u16),
    /// 200 without a body.
    EmptyBody,
    /// 200 with this text as JSON body.
    Body(String),
    /// This HTTP status with a `Location` that leads back to the same call.
    Redirect(u16),
    /// 429 with `Retry-After` of so many seconds.
    Throttle(u64),
    /// 429 with this `Retry-After`, to the letter; `None` leaves the header out.
    ThrottleAs(Option<String>),
    /// These bytes, to the letter, in place of the answer; then the connection ends so.
    Wire(Vec<u8>, WireEnd),
}

/// How a connection ends after [`FaultKind::Wire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireEnd {
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// Nothing more comes until the caller hangs up.
    Silence,
    /// Blanks come until the caller hangs up.
    Flood,
}

/// The next `times` calls of one kind go wrong in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which calls.
    pub call: CallKind,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Before or after the effect.
    pub side: Side,
    /// How many calls it strikes; `u32::MAX` is as good as all.
    pub times: u32,
}

/// Takes the next fault for `call` off the list.
pub(super) fn next(faults: &mut Vec<Fault>, call: CallKind) -> Option<(FaultKind, Side)> {
    let at = faults.iter().position(|fault| fault.call == call)?;
    let fault = faults.get_mut(at)?;
    let struck = (fault.kind.clone(), fault.side);
    fault.times = fault.times.saturating_sub(1);
    if fault.times == 0 {
        faults.remove(at);
    }
    Some(struck)
}
