//! What can go wrong with the state, and what to do then.

use std::path::{Path, PathBuf};

/// Why the state could not be read or written. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database.
    #[error("no state at {}; create it with `tripsettle init`", .0.display())]
    Missing(PathBuf),
    /// There is a database already.
    #[error(
        "{} exists already; it is left as it is. If that state is lost for good, stop all runs and \
         move tripsettle.db, tripsettle.db-wal and tripsettle.db-shm away first", .0.display()
    )]
    Exists(PathBuf),
    /// The database was written as one file, and the log of another one lies beside it.
    #[error(
        "{} belongs to another state than the tripsettle.db beside it, and would be played into \
         it; stop all runs, move it and tripsettle.db-shm away, then run again", .0.display()
    )]
    ForeignLog(PathBuf),
    /// Another database lies where the one was that is open.
    #[error(
        "{} was moved or replaced while it was in use; stop all runs, and put the state that is to \
         go on in place as a whole folder, with its own tripsettle.db-wal; a backup needs \
         `tripsettle init --after-restore`", .0.display()
    )]
    Replaced(PathBuf),
    /// Written by a newer version of this program.
    #[error(
        "{} has schema {found}, this program knows {known}; use the newer program that wrote it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Written by an older version of this program, and only to be read now.
    #[error(
        "{} has schema {found}, of an older program; `tripsettle status` brings it up to date",
        path.display()
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
    },
    /// The database is not one, or is damaged.
    #[error("{} is damaged: {why}; restore the last backup", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// The SQLite that was linked is too old to be trusted.
    #[error("SQLite {found} is linked; 3.51.3 or newer is needed")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// Disk full, read-only, or an I/O error.
    #[error("the state in {} cannot be {what}: {why}; nothing is lost, mend it and run again",
        path.display())]
    Disk {
        /// The database or folder.
        path: PathBuf,
        /// `read`, `written`, `created`, `opened`.
        what: &'static str,
        /// What the system says.
        why: String,
    },
    /// Another run holds the lock.
    #[error(
        "another run holds {}; wait for it (`run`, `settle` and `backfill` do with --wait-lock \
         30m), and never delete it: it is given back by itself", .0.display()
    )]
    Busy(PathBuf),
    /// Somebody else wrote to the trip, or to the day, meanwhile.
    #[error("{what} changed meanwhile")]
    Conflict {
        /// The trip's row or the books date.
        what: String,
    },
    /// The database refused what the law does not allow.
    #[error("the journal refused an event: {0}; nothing was written; please report this defect")]
    Refused(String),
    /// A stored value cannot be read back.
    #[error("{what} in the state cannot be read: {why}")]
    Unreadable {
        /// Which value.
        what: String,
        /// Why.
        why: String,
    },
    /// The writer stopped after a failed disk write, and writes nothing more: the sentence of what
    /// it failed at.
    #[error("{0}")]
    Stopped(String),
}

impl StoreError {
    /// Disk trouble: `path` cannot be `what`.
    pub(super) fn disk(path: &Path, what: &'static str, why: impl ToString) -> Self {
        Self::Disk {
            path: path.to_owned(),
            what,
            why: why.to_string(),
        }
    }

    /// The exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Missing(_) | Self::Newer { .. } | Self::Older { .. } | Self::Damaged { .. } => 65,
            Self::Unreadable { .. } | Self::Exists(_) | Self::ForeignLog(_) | Self::Replaced(_) => {
                65
            }
            Self::Disk { .. } | Self::Stopped(_) => 74,
            Self::Busy(_) => 75,
            Self::OldSqlite { .. } | Self::Conflict { .. } | Self::Refused(_) => 1,
        }
    }

    /// True for errors after which the writer must not go on.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Disk { .. } | Self::Damaged { .. } | Self::Stopped(_) => true,
            Self::Missing(_)
            | Self::Exists(_)
            | Self::ForeignLog(_)
            | Self::Replaced(_)
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::OldSqlite { .. }
            | Self::Busy(_)
            | Self::Conflict { .. }
            | Self::Refused(_)
            | Self::Unreadable { .. } => false,
        }
    }
}

/// An error of SQLite as ours.
pub(super) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure) => {
            StoreError::disk(path, "written", why)
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::disk(path, "opened", why)
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            let path = path.to_owned();
            StoreError::Damaged { path, why }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let why = format!("{why} for longer than ten seconds");
            StoreError::disk(path, "written", why)
        }
        Some(ErrorCode::ConstraintViolation) => StoreError::Refused(why),
        _ => StoreError::Unreadable {
            what: "a row".to_owned(),
            why,
        },
    }
}
