//! Why an edition could not be put in place or read back.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::owner_of;

use super::super::OutputError;

/// Why an edition could not be put in place or read back.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file system said no.
    #[error("{} could not be {what}: {why}; {help}, then run again", path.display())]
    Io {
        /// What was to be read or written.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// The system's reason.
        why: io::Error,
        /// What to do about it.
        help: String,
    },
    /// The manifest could not be made.
    #[error(transparent)]
    Manifest(#[from] OutputError),
    /// Something else stands where the edition belongs.
    #[error(
        "{} holds something else than the edition that was closed; editions are never \
         overwritten, so move it away and run again",
        .0.display()
    )]
    OtherBytes(PathBuf),
    /// The committed edition is not staged.
    #[error("{} does not hold the edition that was closed; it must be made again", .0.display())]
    NotStaged(PathBuf),
}

/// The error of something that was to be written.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    io_error(path, "written")
}

/// The error of something that was to be read.
pub(super) fn unread(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    io_error(path, "read")
}

fn io_error(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |why| PublishError::Io {
        help: help(&path, &why),
        path,
        what,
        why,
    }
}

/// A command that was given as another user leaves files that are not the service's.
fn help(path: &Path, why: &io::Error) -> String {
    match owner_of(path) {
        Some((place, owner)) if why.kind() == io::ErrorKind::PermissionDenied => {
            let place = place.display();
            format!(
                "{place} belongs to {owner}: give commands as the user of the service only, and \
                 `chown` to that user what another one made"
            )
        }
        Some(_) | None => "see to disk space and permissions".to_owned(),
    }
}
