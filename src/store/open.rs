//! Opening the database: created whole or not at all, migrated in one transaction, read back.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::disk::{sync_dir, sync_road};
use crate::domain::Timestamp;
use crate::planted::{self, Bug};

use super::error::{StoreError, of_sqlite};

/// The migrations, in order; the database's `user_version` is how many were applied.
const MIGRATIONS: [&str; 8] = [
    include_str!("../../sql/migrations/0001_journal.sql"),
    include_str!("../../sql/migrations/0002_journal_guards.sql"),
    include_str!("../../sql/migrations/0003_journal_chain.sql"),
    include_str!("../../sql/migrations/0004_debt.sql"),
    include_str!("../../sql/migrations/0005_reversal_taken_back.sql"),
    include_str!("../../sql/migrations/0006_guards_joined.sql"),
    include_str!("../../sql/migrations/0007_cancels.sql"),
    include_str!("../../sql/migrations/0008_lines_told.sql"),
];
/// The one after which the events that are there must be chained.
const CHAIN: usize = 3;
/// Below this SQLite could damage a WAL while it was being reset.
const OLDEST_SQLITE: i32 = 3_051_003;
/// The writers beside a run hold the database for milliseconds only.
const BUSY: Duration = Duration::from_secs(10);
/// Where a database file says whether it is written through a log, and what it says if not.
const WRITE_VERSION: usize = 18;
const WITHOUT_LOG: u8 = 1;
/// So many pages of log are copied home at once: the log is synced at every commit anyway, and
/// copying costs two more syncs, which at SQLite's own 1000 pages came every few commits.
const LOG_PAGES: i64 = 8_192;
/// What the writer keeps in memory (below zero: in KiB), so that a chunk of an import fits.
const WRITER_CACHE: i64 = -8_192;
/// What each reader keeps in memory, of which there are five at a close.
const READER_CACHE: i64 = -512;

/// Where the database lies.
pub(super) fn database(state_dir: &Path) -> PathBuf {
    state_dir.join("tripsettle.db")
}

/// Makes the state's folder, for its owner only.
pub(super) fn create_dir(state_dir: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir);
    made.map_err(|why| StoreError::disk(state_dir, "created", why))
}

/// Creates the database, beside its place, and puts it there when it is whole.
pub(super) fn create(
    state_dir: &Path,
    now: Timestamp,
    lost_before: Option<Timestamp>,
) -> Result<(), StoreError> {
    create_dir(state_dir)?;
    let path = database(state_dir);
    // The log of a state that was lost would be played into the new one.
    for there in [
        path.clone(),
        beside(&path, "-wal"),
        beside(&path, "-journal"),
    ] {
        let length = fs::metadata(&there).map_or(0, |file| file.len());
        if length > 0 || there == path && there.exists() {
            return Err(StoreError::Exists(there));
        }
    }
    let draft = state_dir.join(format!("tripsettle.db.new-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut private = OpenOptions::new();
    let private = private
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft);
    private.map_err(|why| StoreError::disk(&draft, "created", why))?;
    let sqlite = |error: rusqlite::Error| of_sqlite(&draft, &error);
    let mut connection = Connection::open(&draft).map_err(sqlite)?;
    migrate(&mut connection, &draft)?;
    let values = (now.ms(), lost_before.map(Timestamp::ms));
    let sql = include_str!("../../sql/queries/open_create.sql");
    connection.execute(sql, values).map_err(sqlite)?;
    drop(connection);
    let placed = fs::File::open(&draft).and_then(|file| file.sync_all());
    // The road first: once the database has its name, nobody asks again whether its folder has.
    let placed = placed.and_then(|()| sync_road(state_dir));
    // A hard link never replaces: of two that create at once, one wins and the other is told.
    let placed = placed.and_then(|()| fs::hard_link(&draft, &path));
    let _ = fs::remove_file(&draft);
    match placed {
        Ok(()) => {}
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(StoreError::Exists(path));
        }
        Err(why) => return Err(StoreError::disk(&path, "created", why)),
    }
    sync_dir(state_dir).map_err(|why| StoreError::disk(state_dir, "written", why))
}

/// The writer's connection: settings read back, migrations applied.
pub(super) fn writer(state_dir: &Path) -> Result<Connection, StoreError> {
    let path = database(state_dir);
    is_whole(&path)?;
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite {
            found: rusqlite::version().to_owned(),
        });
    }
    let sqlite = |error: rusqlite::Error| of_sqlite(&path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    is_ours(&connection, &path)?;
    make_private(&path)?;
    let mode: String = pragma(&connection, "journal_mode", "wal").map_err(sqlite)?;
    let (wanted, number) = match planted::is(Bug::SyncNormal) {
        true => ("normal", 1),
        false => ("full", 2),
    };
    let synchronous: i64 = pragma(&connection, "synchronous", wanted).map_err(sqlite)?;
    if mode != "wal" || synchronous != number {
        let why = format!("journal mode `{mode}`, synchronous {synchronous}; WAL and FULL needed");
        return Err(StoreError::disk(&path, "opened", why));
    }
    settings(&connection).map_err(sqlite)?;
    let roomy = connection.pragma_update(None, "cache_size", WRITER_CACHE);
    roomy.map_err(sqlite)?;
    let _: i64 = pragma(&connection, "wal_autocheckpoint", LOG_PAGES).map_err(sqlite)?;
    migrate(&mut connection, &path)?;
    Ok(connection)
}

/// True when there is a database; a folder that cannot be looked into is no proof of nothing.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists()
        .map_err(|why| StoreError::disk(path, "read", why))
}

/// There is a database, and no log of another one beside it: SQLite would play that into a backup
/// that was put back, and out would come neither state.
///
/// Asked before the first connection only: closing a file takes from the process every lock that
/// SQLite has on it, and whoever looks with `sqlite3` meanwhile would believe itself alone, and
/// take the log away with what was committed to it.
fn is_whole(path: &Path) -> Result<(), StoreError> {
    if !is_there(path)? {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let log = beside(path, "-wal");
    if fs::metadata(&log).map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    let mut header = [0; 20];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    // What is shorter than a header is told as damaged when it is opened.
    match read.is_ok() && header[WRITE_VERSION] == WITHOUT_LOG {
        true => Err(StoreError::ForeignLog(log)),
        false => Ok(()),
    }
}

/// Refuses what a newer program wrote, or something that is no state, and leaves it as it is:
/// closing the connection does not even copy the log home.
fn is_ours(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let untouched = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(untouched, true).map_err(sqlite)?;
    let found = version(connection).map_err(sqlite)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let path = path.to_owned();
    if found > known {
        return Err(StoreError::Newer { path, found, known });
    }
    if found == 0 {
        // A state is created whole: this is what is left of one, or somebody else's.
        let why = "it holds no state".to_owned();
        return Err(StoreError::Damaged { path, why });
    }
    let touched = connection.set_db_config(untouched, false);
    touched
        .map_err(|error| of_sqlite(&path, &error))
        .map(|_| ())
}

/// The files may come from a copy that did not keep their modes.
fn make_private(path: &Path) -> Result<(), StoreError> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match fs::set_permissions(&file, fs::Permissions::from_mode(0o600)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::disk(&file, "opened", why));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The file that SQLite keeps beside the database under the same name and `ending`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes sure that the database can be read as it is: ours, and brought up to date.
pub(super) fn is_current(state_dir: &Path) -> Result<(), StoreError> {
    let path = database(state_dir);
    is_whole(&path)?;
    let connection = reader(state_dir)?;
    is_ours(&connection, &path)?;
    let found = version(&connection).map_err(|error| of_sqlite(&path, &error))?;
    if usize::try_from(found).is_ok_and(|found| found < MIGRATIONS.len()) {
        return Err(StoreError::Older { path, found });
    }
    Ok(())
}

/// A connection that can only read; for a state that was found whole.
pub(super) fn reader(state_dir: &Path) -> Result<Connection, StoreError> {
    let path = database(state_dir);
    let sqlite = |error: rusqlite::Error| of_sqlite(&path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY).map_err(sqlite)?;
    settings(&connection).map_err(sqlite)?;
    Ok(connection)
}

/// Keeps a reader small. This reads the schema, which must have been found ours by then.
pub(super) fn keep_little(reader: &Connection) -> rusqlite::Result<()> {
    reader.pragma_update(None, "cache_size", READER_CACHE)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    // A plan that may depend on a bound value is made anew at every bind, all night long.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<T> {
    // To its last step: a pragma that writes tells only there that it could not.
    connection.pragma(None, name, value, |_| Ok(()))?;
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |error: rusqlite::Error| of_sqlite(path, &error);
    let known = MIGRATIONS.len();
    let applied = |connection: &Connection| -> Result<usize, StoreError> {
        Ok(usize::try_from(version(connection).map_err(sqlite)?).unwrap_or(known))
    };
    if applied(connection)? == known {
        return Ok(());
    }
    let immediate = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = immediate.map_err(sqlite)?;
    // Asked again inside: another process may have been faster.
    let before = applied(&transaction)?;
    for sql in MIGRATIONS.iter().skip(before) {
        transaction.execute_batch(sql).map_err(sqlite)?;
    }
    if before < CHAIN {
        super::chain::link(&transaction).map_err(sqlite)?;
    }
    let version = i64::try_from(known).unwrap_or(i64::MAX);
    let written = transaction.pragma_update(None, "user_version", version);
    written.and_then(|()| transaction.commit()).map_err(sqlite)
}
