//! A backup: one whole copy of a moment, made beside whatever runs, and marked as a copy.

use std::ffi::c_int;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::domain::{BooksDate, Head, Timestamp};

use super::Store;
use super::chain;
use super::error::{StoreError, of_sqlite};
use super::open::beside;

/// The memo by which a copy knows that it is one.
const MARK: &str = "backup";

/// The memo of the newest day that stood published when the state was last put in force again.
const PUBLISHED_THROUGH: &str = "published_through";

/// The memo of the last day that was published by a state that is lost.
const LOST_DAYS_THROUGH: &str = "lost_days_through";

impl Store {
    /// Copies the state as it is now into the new file `to`, which is on disk and for its owner
    /// only when this returns; gives the head of the journal in it.
    ///
    /// # Errors
    /// The file exists; the state cannot be read, or the copy not written.
    pub fn backup(&self, to: &Path, now: Timestamp) -> Result<Head, StoreError> {
        let draft = beside(to, &format!(".new-{}", std::process::id()));
        let done = self.copy_to(&draft, now).and_then(|head| {
            let disk = |why: std::io::Error| StoreError::disk(to, "written", why);
            File::open(&draft)
                .and_then(|file| file.sync_all())
                .map_err(disk)?;
            // A hard link never replaces.
            match fs::hard_link(&draft, to) {
                Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
                    return Err(StoreError::Exists(to.to_owned()));
                }
                linked => linked.map_err(disk)?,
            }
            let folder = to.parent().filter(|dir| !dir.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            File::open(folder)
                .and_then(|dir| dir.sync_all())
                .map_err(disk)?;
            Ok(head)
        });
        let _ = fs::remove_file(&draft);
        done
    }

    fn copy_to(&self, draft: &Path, now: Timestamp) -> Result<Head, StoreError> {
        let _ = fs::remove_file(draft);
        let mut private = OpenOptions::new();
        let private = private.write(true).create_new(true).mode(0o600).open(draft);
        let private = private.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
        private.map_err(|why| StoreError::disk(draft, "written", why))?;
        let sqlite = |error: rusqlite::Error| of_sqlite(draft, &error);
        let mut copy = Connection::open(draft).map_err(sqlite)?;
        self.read(|from| {
            // All pages in one step: one snapshot, which holds no writer up.
            Backup::new(from, &mut copy)?.run_to_completion(c_int::MAX, Duration::ZERO, None)
        })?;
        // One file is the whole backup, without a log beside it.
        let single = copy.pragma_update(None, "journal_mode", "delete");
        single.map_err(sqlite)?;
        let head = chain::head(&copy, i64::MAX).map_err(sqlite)?;
        let sql = include_str!("../../sql/queries/runs_set_memo.sql");
        let mark = format!("{now}, journal {head}");
        copy.execute(sql, (MARK, mark)).map_err(sqlite)?;
        let sql = include_str!("../../sql/queries/mod_quick_check.sql");
        let said: String = copy.query_row(sql, (), |row| row.get(0)).map_err(sqlite)?;
        if said == "ok" {
            return Ok(head);
        }
        let path: PathBuf = self.path.clone();
        Err(StoreError::Damaged { path, why: said })
    }

    /// When this state was copied and what its journal held then, if it is a backup put back.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn is_backup(&self) -> Result<Option<String>, StoreError> {
        self.memo(MARK)
    }

    /// Up to which day editions are known of that this state did not publish.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn published_through(&self) -> Result<Option<BooksDate>, StoreError> {
        self.day(PUBLISHED_THROUGH)
    }

    /// The last day that was published by a state that is lost.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn lost_days_through(&self) -> Result<Option<BooksDate>, StoreError> {
        self.day(LOST_DAYS_THROUGH)
    }

    fn day(&self, memo: &str) -> Result<Option<BooksDate>, StoreError> {
        let text = self.memo(memo)?;
        let day = text.map(|text| BooksDate::parse(&text)).transpose();
        day.map_err(|why| StoreError::Unreadable {
            what: format!("`{memo}`"),
            why: why.to_string(),
        })
    }

    /// Counts the days up to this one as closed, by a state that is lost.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_lost_days_through(&self, date: BooksDate) -> Result<(), StoreError> {
        self.set_memo(LOST_DAYS_THROUGH, &date.to_string())
    }

    /// Says that what happened after this copy was made is lost: trips that began before `at` and
    /// are still to be imported are in doubt.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_lost_before(&self, at: Timestamp) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/backup_lost_before.sql");
        self.write(move |db| db.execute(sql, [at.ms()]).map(|_| ()))
    }

    /// Trips of which something may have happened after the copy was made, from behind row `after`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn unsettled_trips(&self, before: Timestamp, after: i64) -> Result<Vec<i64>, StoreError> {
        let sql = include_str!("../../sql/queries/backup_unsettled.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_map((before.ms(), after), |row| row.get(0))?
                .collect()
        })
    }

    /// The state is in force again. `through` is the newest day that stands published.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn in_force_again(&self, through: Option<BooksDate>) -> Result<(), StoreError> {
        self.write(move |db| {
            if let Some(through) = through {
                let sql = include_str!("../../sql/queries/runs_set_memo.sql");
                db.execute(sql, (PUBLISHED_THROUGH, through.to_string()))?;
            }
            let sql = include_str!("../../sql/queries/backup_forget.sql");
            db.execute(sql, [MARK]).map(|_| ())
        })
    }
}
