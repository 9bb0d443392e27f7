//! The gateway's no to a caller, in AWS's words.

/// Why a caller is not let in: AWS's name for it, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forbidden {
    pub kind: &'static str,
    pub message: String,
}

impl Forbidden {
    fn of(kind: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// What an API gateway says to a call without a signature, and to a path it does not know.
    pub fn no_token() -> Self {
        Self::of(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    }

    /// The `Authorization` header lacks something.
    pub fn incomplete(message: &str) -> Self {
        Self::of("IncompleteSignatureException", message)
    }

    /// No such access key or session token.
    pub fn unknown_token() -> Self {
        let message = "The security token included in the request is invalid.";
        Self::of("UnrecognizedClientException", message)
    }

    /// The signature is wrong, or for another place or time.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::of("InvalidSignatureException", message)
    }
}
