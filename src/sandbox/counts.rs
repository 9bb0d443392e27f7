//! How many requests came.

use serde::Serialize;

use super::fault::CallKind;

/// How many requests came, by call; a throttled or forbidden one is counted under both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallCounts {
    /// Adjusts.
    pub adjust: u64,
    /// Captures.
    pub capture: u64,
    /// Cancels.
    pub cancel: u64,
    /// Readings of the transactional data.
    pub transactional_data: u64,
    /// Refunds.
    pub refund: u64,
    /// Calls over the rate limit.
    pub throttled: u64,
    /// Calls without a right signature, and requests for what is not there.
    pub forbidden: u64,
}

impl CallCounts {
    pub(super) fn add(&mut self, call: CallKind) {
        let count = match call {
            CallKind::Adjust => &mut self.adjust,
            CallKind::Capture => &mut self.capture,
            CallKind::Cancel => &mut self.cancel,
            CallKind::TransactionalData => &mut self.transactional_data,
            CallKind::Refund => &mut self.refund,
        };
        *count += 1;
    }
}
