//! How the sandbox is to behave.

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The access key id that is let in.
    pub access_key: String,
    /// The secret that goes with it.
    pub secret_key: String,
    /// The session token that goes with both, if they are temporary.
    pub session_token: Option<String>,
    /// The AWS region that signatures must name.
    pub region: String,
    /// False lets everybody in.
    pub verify_signatures: bool,
    /// The rate limit; `None` is none, 0 refuses every call.
    pub requests_per_second: Option<u32>,
    /// How many calls may come at once.
    pub burst: u32,
    /// What a 429 says in `Retry-After`.
    pub retry_after_seconds: u64,
    /// How long every answer takes; what is asked is done before.
    pub latency_ms: u64,
    /// How long after a capture its transactional data appears.
    pub data_delay_ms: u64,
    /// The answer to whoever asks before.
    pub early_data: EarlyData,
    /// How long a trip can be charged, from its start.
    pub token_lifetime_hours: i64,
    /// True makes a trip of every unknown trip id, behaving as its prefix says.
    pub auto_trips: bool,
    /// Varies the cards.
    pub seed: u64,
}

/// What GetTransactionalData answers as long as there is no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyData {
    /// 400 with the words `not available yet`.
    Refused,
    /// 200 with `{}`.
    Empty,
}

impl Default for SandboxConfig {
    /// AWS's own example credentials in `us-east-1`, no limit, no delays.
    fn default() -> Self {
        Self {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            verify_signatures: true,
            requests_per_second: None,
            burst: 10,
            retry_after_seconds: 1,
            latency_ms: 0,
            data_delay_ms: 0,
            early_data: EarlyData::Refused,
            token_lifetime_hours: 46,
            auto_trips: false,
            seed: 0,
        }
    }
}
