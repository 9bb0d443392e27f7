//! The state as a file: created whole, opened as it is, refused untouched, one run at a time.

#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use store::{kind, next, now, state};
use tripsettle::store::{Lock, Store, StoreError};

fn database(state_dir: &Path) -> std::path::PathBuf {
    state_dir.join("tripsettle.db")
}

/// Every file of the folder with its mode, its length and a sum of its bytes.
fn everything(dir: &Path) -> Vec<(String, u32, usize, u32)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = fs::read(&path).unwrap();
            let sum = bytes.iter().fold(0, |sum: u32, byte| {
                sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
            });
            (name, mode, bytes.len(), sum)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_fresh_state_has_its_settings_and_a_loss_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let (kept, lost) = (dir.path().join("kept"), dir.path().join("lost"));
    let kept = Store::create(&kept, now(), None).unwrap();
    let lost = Store::create(&lost, now(), Some(now())).unwrap();
    assert_eq!(kept.lost_before().unwrap(), None);
    assert_eq!(lost.lost_before().unwrap(), Some(now()));
    kept.quick_check().unwrap();
    assert_eq!(kept.last_seq().unwrap(), 0);
    assert_eq!(kept.commits(), 0);
    assert!(rusqlite::version_number() >= 3_051_003);
    let raw = Connection::open(database(&dir.path().join("kept"))).unwrap();
    let mode: String = raw
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_reopened_state_is_the_same_to_the_byte() {
    let state = state();
    state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let folder = state.folder();
    drop(state.store);
    let before = everything(&folder);
    let again = Store::open(&folder).unwrap();
    assert_eq!(again.last_seq().unwrap(), 3);
    drop(again);
    assert_eq!(everything(&folder), before);
    assert_eq!(before.len(), 1, "the log is copied home when all is done");
}

#[test]
fn an_existing_state_is_never_overwritten() {
    let state = state();
    let folder = state.folder();
    drop(state.store);
    let before = everything(&folder);
    let refused = Store::create(&folder, now(), None).unwrap_err();
    assert!(matches!(refused, StoreError::Exists(_)), "{refused}");
    assert_eq!(everything(&folder), before);
}

#[test]
fn a_missing_state_is_said_to_be_missing_and_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Store::exists(dir.path()).unwrap());
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Missing(_)), "{refused}");
    assert_eq!(refused.exit_code(), 65);
    assert_eq!(everything(dir.path()), []);
}

#[test]
fn what_remains_of_a_lost_state_never_leaks_into_a_new_one() {
    let state = state();
    let folder = state.folder();
    state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let log = fs::read(folder.join("tripsettle.db-wal")).unwrap();
    drop(state.store);
    fs::remove_file(database(&folder)).unwrap();
    fs::write(folder.join("tripsettle.db-wal"), &log).unwrap();
    let refused = Store::create(&folder, now(), Some(now())).unwrap_err();
    assert!(
        refused.to_string().contains("tripsettle.db-wal"),
        "{refused}"
    );
    assert_eq!(refused.exit_code(), 65);
    assert_eq!(fs::read(folder.join("tripsettle.db-wal")).unwrap(), log);
    fs::remove_file(folder.join("tripsettle.db-wal")).unwrap();
    let fresh = Store::create(&folder, now(), Some(now())).unwrap();
    assert_eq!(fresh.last_seq().unwrap(), 0);
}

#[test]
fn a_newer_state_is_refused_untouched() {
    let state = state();
    let folder = state.folder();
    drop(state.store);
    let path = database(&folder);
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 4711).unwrap();
    // As a crash would leave it: the newest pages stand in the log only.
    let copy = folder.with_file_name("crashed");
    fs::create_dir(&copy).unwrap();
    for name in ["tripsettle.db", "tripsettle.db-wal"] {
        fs::copy(folder.join(name), copy.join(name)).unwrap();
        fs::set_permissions(copy.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    drop(newer);
    for folder in [folder, copy] {
        let untouched = || {
            let files = everything(&folder).into_iter();
            files.filter(|(name, _, length, _)| !name.ends_with("-shm") && *length > 0)
        };
        let before: Vec<_> = untouched().collect();
        let refused = Store::open(&folder).unwrap_err();
        let StoreError::Newer { found: 4711, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(refused.exit_code(), 65);
        assert!(refused.to_string().contains("4711"), "{refused}");
        let after: Vec<_> = untouched().collect();
        assert_eq!(after, before);
    }
}

#[test]
fn what_is_not_our_database_is_damaged_and_left_alone() {
    let foreign = |path: &Path| {
        let foreign = Connection::open(path).unwrap();
        foreign.execute_batch("CREATE TABLE theirs (id)").unwrap();
    };
    type Make<'a> = &'a dyn Fn(&Path);
    let rows: [(&str, Make<'_>); 3] = [
        ("text", &|path| {
            fs::write(path, "seq,trip\n1,2\n".repeat(100)).unwrap()
        }),
        ("empty", &|path| fs::write(path, "").unwrap()),
        ("foreign", &foreign),
    ];
    for (what, make) in rows {
        let dir = tempfile::tempdir().unwrap();
        make(&database(dir.path()));
        let before = everything(dir.path());
        let refused = Store::open(dir.path()).unwrap_err();
        assert!(
            matches!(refused, StoreError::Damaged { .. }),
            "{what}: {refused}"
        );
        assert_eq!(refused.exit_code(), 65, "{what}");
        assert_eq!(everything(dir.path()), before, "{what}");
    }
}

#[test]
fn a_damaged_page_is_found_and_stops_the_writer_for_good() {
    let state = state();
    for trip in 0..40 {
        state.play(
            &format!("S1/t{trip}"),
            "taken 20.00 | adjust 20.00 approved",
        );
    }
    let folder = state.folder();
    drop(state.store);
    let mut bytes = fs::read(database(&folder)).unwrap();
    let root: i64 = Connection::open(database(&folder))
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    let page = usize::try_from(root - 1).unwrap() * 4096;
    bytes[page..][..4096].fill(0xAA);
    fs::write(database(&folder), bytes).unwrap();
    let damaged = Store::open(&folder).unwrap();
    let said = damaged.quick_check().unwrap_err();
    assert!(matches!(said, StoreError::Damaged { .. }), "{said}");
    // A writer that has failed writes nothing more, not even where nothing is damaged.
    damaged.set_memo("before", "1").unwrap();
    let story = "taken 20.00 | adjust 20.00 approved | capture 20.00";
    let append = next(1, &journal::journal("S1/t0", story), 4);
    assert!(damaged.append_now(append.clone()).is_err());
    let stopped = damaged.set_memo("after", "1").unwrap_err();
    assert_eq!((kind(&stopped), stopped.exit_code()), ("stopped", 74));
    // Told once, however often it is asked again.
    let said = stopped.to_string();
    assert_eq!(said.matches("damaged").count(), 1, "{said}");
    let stopped = damaged.append_now(append).unwrap_err();
    assert_eq!(kind(&stopped), "stopped");
    assert_eq!(damaged.memo("after").unwrap(), None);
}

#[test]
fn an_older_state_is_brought_up_to_date_by_two_that_open_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(database(dir.path())).unwrap();
    old.pragma_update(None, "journal_mode", "wal").unwrap();
    let first = include_str!("../sql/migrations/0001_journal.sql");
    old.execute_batch(first).unwrap();
    old.execute("INSERT INTO meta VALUES (1, 0, 77)", ())
        .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let open = || {
        let dir = dir.path().to_owned();
        std::thread::spawn(move || Store::open(&dir))
    };
    for store in [open(), open(), open(), open()] {
        let store = store.join().unwrap().unwrap();
        assert_eq!(store.lost_before().unwrap().map(|at| at.ms()), Some(77));
        store.quick_check().unwrap();
    }
}

#[test]
fn the_events_of_an_older_state_are_chained_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(database(dir.path())).unwrap();
    for sql in [
        include_str!("../sql/migrations/0001_journal.sql"),
        include_str!("../sql/migrations/0002_journal_guards.sql"),
        "INSERT INTO meta VALUES (1, 0, NULL);
        INSERT INTO trip VALUES (1, 'S1', 'a', 'USD', 0, 0, 'open', 'none', 1, 2, NULL, 5, 0, 0, 0,
          0, 5, NULL, NULL, '2026-11-23');
        INSERT INTO journal (trip, step, at, books_date, kind, detail)
        VALUES (1, 1, 7, '2026-11-23', 'taken', '{}'), (1, 2, 8, '2026-11-23', 'line', 'é')",
    ] {
        old.execute_batch(sql).unwrap();
    }
    old.pragma_update(None, "user_version", 2).unwrap();
    drop(old);
    let older = Store::open_to_read(dir.path()).unwrap_err();
    assert!(
        matches!(older, StoreError::Older { found: 2, .. }),
        "{older}"
    );
    let store = Store::open(dir.path()).unwrap();
    let mut breaks = Vec::new();
    let head = store.walk_chain(&mut |broken| breaks.push(broken)).unwrap();
    assert_eq!((breaks, head.seq), (Vec::new(), 2));
    assert_eq!(store.head(i64::MAX).unwrap(), head);
    let raw = Connection::open(database(dir.path())).unwrap();
    let refused = raw
        .execute("UPDATE journal SET hash = hash", ())
        .unwrap_err();
    assert!(
        refused.to_string().contains("no event is changed"),
        "{refused}"
    );
}

#[test]
fn everything_is_for_its_owner_only() {
    let state = state();
    let folder = state.folder();
    let _lock = Lock::acquire(&folder, Duration::ZERO).unwrap();
    state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    state.store.last_seq().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = everything(&folder)
        .into_iter()
        .map(|(name, mode, _, _)| format!("{name} {mode:o}"))
        .collect();
    let names = [
        "lock",
        "tripsettle.db",
        "tripsettle.db-shm",
        "tripsettle.db-wal",
    ];
    assert_eq!(files, names.map(|name| format!("{name} 600")));
}

#[test]
fn a_copy_that_did_not_keep_its_modes_gets_them_back() {
    let state = state();
    state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let copy = state.dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["tripsettle.db", "tripsettle.db-wal"] {
        fs::copy(state.folder().join(name), copy.join(name)).unwrap();
        fs::set_permissions(copy.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let store = Store::open(&copy).unwrap();
    assert_eq!(store.last_seq().unwrap(), 3);
    for (name, mode, _, _) in everything(&copy) {
        assert_eq!(format!("{mode:o}"), "600", "{name}");
    }
}

#[test]
fn one_run_holds_the_lock_and_another_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let held = Lock::acquire(dir.path(), Duration::ZERO).unwrap();
    let begun = Instant::now();
    let busy = Lock::acquire(dir.path(), Duration::ZERO).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(matches!(busy, StoreError::Busy(_)), "{busy}");
    assert_eq!(busy.exit_code(), 75);
    drop(held);
    Lock::acquire(dir.path(), Duration::ZERO).unwrap();
}

#[test]
fn who_waits_for_the_lock_gets_it_when_it_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let held = Lock::acquire(dir.path(), Duration::ZERO).unwrap();
    let folder = dir.path().to_owned();
    let waiting = std::thread::spawn(move || Lock::acquire(&folder, Duration::from_secs(60)));
    drop(held);
    assert!(waiting.join().unwrap().is_ok());
}

/// Closing any descriptor of a file takes from the process every lock that SQLite has on it. Then
/// `sqlite3` beside a run believes itself alone when it ends, and deletes the log of the run.
#[test]
fn a_look_beside_a_run_takes_no_lock_from_it() {
    let state = state();
    let trip = state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let inode = fs::metadata(database(&state.folder())).unwrap().ino();
    let locked = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ours = words.contains(&std::process::id().to_string().as_str());
            let of_it = words
                .iter()
                .any(|word| word.ends_with(&format!(":{inode}")));
            ours && of_it && words.contains(&"POSIX") && words.contains(&"READ")
        })
    };
    assert!(locked(), "the writer holds the database");
    state.store.events(trip).unwrap();
    let nested = &mut |_, _| state.store.events(trip).map(|_| ());
    let day = journal::date(1);
    state.store.each_trip_of_day(day, i64::MAX, nested).unwrap();
    assert!(locked(), "and whoever reads beside it takes nothing away");
}

#[test]
fn a_damaged_head_is_told_as_damage_and_not_as_a_disk_that_failed() {
    let state = state();
    let trip = state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let raw = state.raw();
    raw.execute_batch("DROP TRIGGER journal_is_never_changed")
        .unwrap();
    raw.execute("UPDATE journal SET hash = x'00' WHERE seq = 3", ())
        .unwrap();
    let story = "taken 20.00 | adjust 20.00 approved | adjust 20.00";
    let append = next(trip, &journal::journal("S1/a", story), 4);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for _ in 0..2 {
        let refused = runtime
            .block_on(state.store.append(append.clone()))
            .unwrap_err();
        assert_eq!(refused.exit_code(), 65, "{refused}");
        let refused = state.store.append_now(append.clone()).unwrap_err();
        assert_eq!(refused.exit_code(), 65, "{refused}");
    }
    state.store.set_memo("after", "1").unwrap();
}

#[test]
fn files_of_the_state_are_refused_as_input_under_whatever_name() {
    let state = state();
    state.play("S1/a", "taken 20.00");
    let (folder, other) = (state.folder(), tempfile::tempdir().unwrap());
    let link = other.path().join("trips.csv");
    std::os::unix::fs::symlink(folder.join("tripsettle.db-shm"), &link).unwrap();
    let harmless = other.path().join("tripsettle.db");
    fs::write(&harmless, "a,b").unwrap();
    let missing = other.path().join("nothing.csv");
    let own = ["tripsettle.db", "tripsettle.db-wal", "tripsettle.db-shm"];
    for own in own.map(|name| folder.join(name)).iter().chain([&link]) {
        let refused = state.store.refuse_own(own).map_err(|why| why.to_string());
        assert_eq!(
            refused,
            Err("it is one of the state's own files".to_owned())
        );
    }
    for other in [harmless, missing] {
        assert!(
            state.store.refuse_own(&other).is_ok(),
            "{}",
            other.display()
        );
    }
}

#[test]
fn what_was_put_in_the_place_of_a_state_in_use_is_not_read() {
    let (state, newer) = (state(), store::state());
    let trip = state.play("S1/a", "taken 20.00");
    newer.play("S1/b", "taken 20.00");
    fs::rename(database(&newer.folder()), database(&state.folder())).unwrap();
    // The connection that reads already goes on; another one would read something else.
    assert_eq!(state.store.events(trip).unwrap().len(), 1);
    let nested = &mut |trip, _| state.store.events(trip).map(|_| ());
    let refused = state
        .store
        .each_trip_of_day(journal::date(1), i64::MAX, nested);
    let refused = refused.unwrap_err();
    assert!(matches!(refused, StoreError::Replaced(_)), "{refused}");
    assert_eq!(refused.exit_code(), 65);
}
