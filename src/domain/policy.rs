//! Policies: what the retailer decided, validated.

use super::spelled;

/// What to do when the cart total is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclinePolicy {
    /// The whole basket becomes bad debt and the hold is released.
    WriteOff,
    /// Capture what is authorised; the rest becomes bad debt.
    CaptureAuthorized,
    /// Probe for the largest approved amount first.
    Search,
}

spelled!(DeclinePolicy {
    WriteOff = "write_off",
    CaptureAuthorized = "capture_authorized",
    Search = "search",
});

/// The law's parameters for one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementPolicy {
    /// On decline.
    pub on_decline: DeclinePolicy,
    /// At most so many further Adjusts in a search.
    pub max_probes: u32,
    /// A probe must be able to gain at least this share of the cart, in whole percent.
    pub min_gain_percent: u32,
    /// Transactional data with a reconciliation id ends a doubt.
    pub transactional_data_proves_capture: bool,
}

/// When a trip is due; milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepPolicy {
    /// A trip is due when its `act_by` lies within the next planned run plus this.
    pub tolerate_outage_ms: i64,
    /// Younger trips are left to the retailer's own online capture.
    pub min_age_ms: i64,
    /// Granted calls in 1000 seconds (so that 0.5 a second is 500).
    pub calls_per_1000_seconds: u64,
}
