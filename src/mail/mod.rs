//! Mail: takes the story of a run and gives one message, sent by SMTP or put into a folder; never
//! decides what is told, never repeats a mail by itself, and never lets out a card number or a
//! password.
//!
//! [`compose()`] is pure: the same story gives the same bytes, with a Message-ID made of the run
//! id, so that a mail may be sent again after silence and still is one. [`send`] takes those bytes,
//! perhaps much later and from the outbox, and has a deadline for each part of it.

mod compose;
mod error;
mod folder;
mod render;
mod smtp;
mod story;

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::MailUrl;

pub use compose::{Composed, compose};
pub use error::MailError;
pub use story::{
    BreakTally, CallTally, DayClosed, EvidenceTally, Incident, IncidentReplies, Listed,
    NextCommand, OutcomeTally, Story, TripAtStake, Waits,
};

/// Where mails go, from whom and to whom.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The server or the folder.
    pub url: MailUrl,
    /// The sender: `name@example.com` or `Name <name@example.com>`.
    pub from: String,
    /// The recipients, at least one, of the same form.
    pub to: Vec<String>,
    /// The login, if the server wants one; goes with `password_file`.
    pub username: Option<String>,
    /// The file that holds the password and nothing else.
    pub password_file: Option<PathBuf>,
    /// How long each address of the server may take to be connected; there may be several.
    pub connect_timeout: Duration,
    /// How long it may take from the first address until the server wants the text.
    pub timeout: Duration,
    /// How long the text and the answer to it may take.
    pub answer_timeout: Duration,
}

/// Delivers one composed mail to the recipients of `settings`.
///
/// `bytes` is an RFC 5322 message with a Message-ID, as [`compose()`] makes it. A folder holds one
/// file for a Message-ID, however often it comes. After a [`MailError::Unanswered`] it may have
/// arrived; sent again it carries the same Message-ID.
///
/// A mail that one recipient got is delivered. Gives why each of the others did not: to send it
/// again would send it twice to those who have it. A mail whose files make it too large for the
/// server goes without them, and says so.
///
/// # Errors
/// Whatever kept the mail from being accepted; see [`MailError::may_pass`].
pub async fn send(settings: &MailSettings, bytes: &[u8]) -> Result<Vec<MailError>, MailError> {
    match &settings.url {
        MailUrl::Folder(dir) => {
            let put = folder::put(dir.clone(), bytes.to_vec()).await;
            put.map(|()| Vec::new())
        }
        MailUrl::Smtp { .. } | MailUrl::Smtps { .. } => {
            let sent = smtp::send(settings, bytes).await;
            let is_too_large = matches!(sent, Err(MailError::TooLarge { .. }));
            let text_alone = || compose::without_files(bytes);
            match is_too_large.then(text_alone).flatten() {
                Some(text) => smtp::send(settings, &text).await,
                None => sent,
            }
        }
    }
}

/// Reads the addresses of `settings`, and whether the login is whole; opens nothing.
///
/// # Errors
/// One of them is none, nobody is to get the mails, or half of the login is missing.
pub fn check_settings(settings: &MailSettings) -> Result<(), MailError> {
    compose::sender(settings)?;
    compose::recipients(settings)?;
    smtp::login_halves(settings).map(|_| ())
}

/// Tries everything of a delivery but the mail: connects, greets, encrypts, logs in, says goodbye.
/// Gives a line that tells what was found. A folder is only looked at.
///
/// # Errors
/// Whatever would keep a mail from being sent.
pub async fn check_login(settings: &MailSettings) -> Result<String, MailError> {
    compose::sender(settings)?;
    compose::recipients(settings)?;
    match &settings.url {
        MailUrl::Folder(dir) => folder::check(dir),
        MailUrl::Smtp { .. } | MailUrl::Smtps { .. } => smtp::check(settings).await,
    }
}
