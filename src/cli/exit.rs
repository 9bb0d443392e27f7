//! Failures: a sentence and an exit code.

use crate::config::ConfigError;
use crate::payment_service::ServiceError;
use crate::run::RunError;
use crate::store::StoreError;

/// Why a command ended without doing what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What, where, why, and what helps next.
    pub message: String,
}

impl Failure {
    /// A configuration that cannot be used.
    pub fn configuration(why: impl ToString) -> Self {
        Self {
            code: 78,
            message: why.to_string(),
        }
    }

    /// What was typed does not make sense.
    pub fn usage(why: impl ToString) -> Self {
        Self {
            code: 2,
            message: why.to_string(),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self {
            code: error.exit_code(),
            message: error.to_string(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            code: error.exit_code(),
            message: error.to_string(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::configuration(error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let code = match error {
            ServiceError::Endpoint { .. }
            | ServiceError::Region { .. }
            | ServiceError::Client { .. }
            | ServiceError::NotTheService { .. } => 78,
            ServiceError::Authentication { .. } | ServiceError::Credentials { .. } => 77,
            ServiceError::Unavailable { .. } | ServiceError::Withheld { .. } => 69,
        };
        Self {
            code,
            message: error.to_string(),
        }
    }
}
