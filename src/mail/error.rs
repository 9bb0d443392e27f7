//! What can keep a mail from being made or delivered.

use std::path::PathBuf;
use std::time::Duration;

/// Why a mail was not made or not accepted. No text holds the password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// `mail.from` or one of `mail.to` is no address.
    #[error("`{address}` in {key} is not a mail address ({why}); write name@example.com")]
    Address {
        /// The configuration key.
        key: &'static str,
        /// What stands there.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody to send to.
    #[error("mail.to names nobody; add an address, or remove mail.url to send no mail")]
    NoRecipient,
    /// A user name without a password file, or the other way round.
    #[error("mail.username and mail.password_file go together; {missing} is missing")]
    HalfALogin {
        /// The configuration key that is not set.
        missing: &'static str,
    },
    /// The password could not be had.
    #[error("the mail password could not be read from {}: {why}", file.display())]
    Password {
        /// The file of `mail.password_file`.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The message could not be built.
    #[error("the mail could not be composed: {why}")]
    Compose {
        /// What went wrong.
        why: String,
    },
    /// The server was not reached, or the connection broke.
    #[error("mail server {server} during {step}: {why}; is it up, and is mail.url right?")]
    Unreachable {
        /// `host:port`.
        server: String,
        /// What was being done.
        step: String,
        /// What went wrong.
        why: String,
    },
    /// No encryption, or none to be trusted. Nothing was sent in the clear.
    #[error("mail server {server} during {step}: no encrypted connection: {why}")]
    NotEncrypted {
        /// `host:port`.
        server: String,
        /// What was being done.
        step: String,
        /// What went wrong.
        why: String,
    },
    /// A 4xx reply: the server may take the mail later.
    #[error("mail server {server} put off the {step}: {why}; it may pass by itself")]
    PutOff {
        /// `host:port`.
        server: String,
        /// What was being done.
        step: String,
        /// The server's words.
        why: String,
    },
    /// A 5xx reply: the server will not take it unless something is changed.
    #[error("mail server {server} refused the {step}: {why}; see mail.* and the server's log")]
    Refused {
        /// `host:port`.
        server: String,
        /// What was being done.
        step: String,
        /// The server's words.
        why: String,
    },
    /// The reply 552: the server takes no mail of this size.
    #[error("mail server {server} refused the mail for its size: {why}; see mail.max_attach_bytes")]
    TooLarge {
        /// `host:port`.
        server: String,
        /// The server's words.
        why: String,
    },
    /// It took too long until the server had all of the mail. It has not arrived.
    #[error("mail server {server} did not finish within {within:?}")]
    TimedOut {
        /// `host:port`.
        server: String,
        /// The deadline.
        within: Duration,
    },
    /// The server had all of the mail and did not say that it takes it. It may have arrived.
    #[error("mail server {server} had all of the mail and gave no answer: {why}; it may be there")]
    Unanswered {
        /// `host:port`.
        server: String,
        /// What came instead of an answer.
        why: String,
    },
    /// The folder could not take the mail.
    #[error("mail folder {}: {why}", folder.display())]
    Folder {
        /// The folder of `file:///dir`.
        folder: PathBuf,
        /// What went wrong.
        why: String,
    },
}

impl MailError {
    /// True when the same mail may well be taken later without anybody changing anything.
    pub fn may_pass(&self) -> bool {
        self.is_away() || matches!(self, Self::PutOff { .. })
    }

    /// True when there was nobody to answer, so that no other mail will be taken now either.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Unanswered { .. }
            | Self::Folder { .. } => true,
            Self::PutOff { .. }
            | Self::Address { .. }
            | Self::NoRecipient
            | Self::HalfALogin { .. }
            | Self::Password { .. }
            | Self::Compose { .. }
            | Self::NotEncrypted { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}
