//! The witness: reads what is committed, with a connection and statements of its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// One event of the journal, as stored.
#[derive(Debug, Clone)]
pub struct Entry {
    pub step: i64,
    pub books_date: String,
    pub kind: String,
    pub call: Option<String>,
    pub attempt: Option<i64>,
    pub verdict: Option<String>,
    pub detail: Value,
}

/// Something that was done to a debt: the trip's name and currency, and the event.
pub type DebtEvent = (String, String, Entry);

/// A trip's row.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: i64,
    pub name: String,
    pub currency: String,
    pub started_at: i64,
    pub expires_at: i64,
    pub status: String,
    pub capture_state: String,
    pub act_by: Option<i64>,
    pub steps: i64,
    pub cart_total: i64,
    pub captured: i64,
    pub bad_debt: i64,
    pub cancelled: i64,
    pub in_doubt: i64,
    pub open: i64,
    pub last_books_date: String,
}

/// What is read between two processes, over and over, with one connection: each that is opened
/// reads the whole schema first, which takes longer than all that is asked of it.
///
/// It cannot stay at the database itself, where the next process is to be alone. But a database
/// that was closed is one file, without a log: a copy of its bytes is read, in a place that stays.
#[derive(Debug)]
pub struct Mirror {
    copy: PathBuf,
    copies: u32,
    witness: Option<Rc<Witness>>,
}

/// Where the header of a database has the format of reading and writing: 2 with a log, 1 without.
const FORMATS: std::ops::Range<usize> = 18..20;
/// Where it counts changes, by which whoever has it open sees that all pages are new, and for which
/// count its size is right.
const CHANGES: [std::ops::Range<usize>; 2] = [24..28, 92..96];

impl Mirror {
    pub fn at(copy: PathBuf) -> Self {
        let (copies, witness) = (0, None);
        Self {
            copy,
            copies,
            witness,
        }
    }

    /// A witness of the database as it is now; where a dead process left a log, one that plays it.
    pub fn look(&mut self, database: &Path) -> Rc<Witness> {
        if database.with_extension("db-wal").exists() {
            return Rc::new(Witness::open(database));
        }
        let mut bytes = fs::read(database).unwrap();
        self.copies += 1;
        bytes[FORMATS].fill(1);
        for place in CHANGES {
            bytes[place].copy_from_slice(&self.copies.to_be_bytes());
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false);
        let mut file = options.open(&self.copy).unwrap();
        file.write_all(&bytes).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        let open = || Rc::new(Witness::open(&self.copy));
        self.witness.get_or_insert_with(open).clone()
    }
}

/// A connection that sees what is committed, and nothing else.
#[derive(Debug)]
pub struct Witness(Connection);

impl Witness {
    pub fn open(database: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self(Connection::open_with_flags(database, flags).unwrap())
    }

    /// What is owed by store and currency at the end of a books date, added up from the events.
    pub fn owed(&self, date: &str) -> BTreeMap<(String, String), i64> {
        let sql = "SELECT store_id, currency, journal.kind, detail, trip, step FROM journal \
                   JOIN trip ON trip.id = journal.trip WHERE books_date <= ?1 \
                   AND journal.kind IN ('lost', 'found_captured', 'debt') ORDER BY trip, step";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let mut rows = statement.query([date]).unwrap();
        let (mut owed, mut done) = (BTreeMap::new(), BTreeMap::new());
        while let Some(row) = rows.next().unwrap() {
            let text = |place| row.get::<_, String>(place).unwrap();
            let number = |place| row.get::<_, i64>(place).unwrap();
            let detail: Value = serde_json::from_str(&text(3)).unwrap();
            let act = &detail["ruling"]["act"];
            let amounts = [&detail["amount"], &act["amount"]];
            let minor = match act["step"].as_i64() {
                Some(step) => done[&(number(4), step)],
                None => amounts.iter().find_map(|it| it["minor"].as_i64()).unwrap(),
            };
            done.insert((number(4), number(5)), minor);
            let comes_back = text(2) == "lost" || act["act"] == "taken_back";
            let sign = if comes_back { 1 } else { -1 };
            *owed.entry((text(0), text(1))).or_insert(0) += sign * minor;
        }
        owed.retain(|_, minor| *minor != 0);
        owed
    }

    /// The last event of a trip: (kind, detail).
    pub fn last(&self, name: &str) -> Option<(String, Value)> {
        let (store, trip) = name.split_once('/').unwrap();
        let sql = "SELECT journal.kind, journal.detail FROM journal JOIN trip \
                   ON trip.id = journal.trip WHERE store_id = ?1 AND trip_id = ?2 \
                   ORDER BY step DESC LIMIT 1";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let mut rows = statement.query((store, trip)).unwrap();
        let row = rows.next().unwrap()?;
        let detail: String = row.get(1).unwrap();
        Some((row.get(0).unwrap(), serde_json::from_str(&detail).unwrap()))
    }

    /// True when the journal holds the feed's word that the trip ended elsewhere.
    pub fn knows_of_elsewhere(&self, name: &str) -> bool {
        let (store, trip) = name.split_once('/').unwrap();
        let sql = "SELECT count(*) FROM journal JOIN trip ON trip.id = journal.trip \
                   WHERE store_id = ?1 AND trip_id = ?2 AND kind = 'elsewhere'";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let count: i64 = statement
            .query_row((store, trip), |row| row.get(0))
            .unwrap();
        count > 0
    }

    pub fn trips(&self) -> Vec<Row> {
        let sql = "SELECT id, store_id || '/' || trip_id, currency, started_at, expires_at, \
                   status, capture_state, act_by, cart_total, captured, bad_debt, cancelled, \
                   in_doubt, open, last_books_date, steps FROM trip ORDER BY store_id, trip_id";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map((), |row| {
            Ok(Row {
                id: row.get(0)?,
                name: row.get(1)?,
                currency: row.get(2)?,
                started_at: row.get(3)?,
                expires_at: row.get(4)?,
                status: row.get(5)?,
                capture_state: row.get(6)?,
                act_by: row.get(7)?,
                cart_total: row.get(8)?,
                captured: row.get(9)?,
                bad_debt: row.get(10)?,
                cancelled: row.get(11)?,
                in_doubt: row.get(12)?,
                open: row.get(13)?,
                last_books_date: row.get(14)?,
                steps: row.get(15)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// What was ever done to debts, in the order of the journal.
    pub fn debt_events(&self) -> Vec<DebtEvent> {
        let sql = "SELECT step, books_date, kind, call, attempt, verdict, detail, \
                   store_id || '/' || trip_id, currency \
                   FROM journal JOIN trip ON trip.id = journal.trip \
                   WHERE kind IN ('lost', 'found_captured', 'debt') ORDER BY seq";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map((), |row| {
            let detail: String = row.get(6)?;
            let entry = Entry {
                step: row.get(0)?,
                books_date: row.get(1)?,
                kind: row.get(2)?,
                call: row.get(3)?,
                attempt: row.get(4)?,
                verdict: row.get(5)?,
                detail: serde_json::from_str(&detail).unwrap(),
            };
            Ok((row.get(7)?, row.get(8)?, entry))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    pub fn events(&self, trip: i64) -> Vec<Entry> {
        let sql = "SELECT step, books_date, kind, call, attempt, verdict, detail \
                   FROM journal WHERE trip = ?1 ORDER BY step";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map([trip], |row| {
            let detail: String = row.get(6)?;
            Ok(Entry {
                step: row.get(0)?,
                books_date: row.get(1)?,
                kind: row.get(2)?,
                call: row.get(3)?,
                attempt: row.get(4)?,
                verdict: row.get(5)?,
                detail: serde_json::from_str(&detail).unwrap(),
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Rows of the feed that were not taken: (raw, field).
    pub fn rejected(&self) -> Vec<(String, Option<String>)> {
        let sql = "SELECT raw, field FROM rejected ORDER BY seq";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The closes: `DATE/eN` with the hash of the manifest.
    pub fn closes(&self) -> BTreeMap<String, String> {
        let sql = "SELECT books_date || '/e' || edition, manifest_sha256 FROM close";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The newest closed books date.
    pub fn last_closed(&self) -> Option<String> {
        let sql = "SELECT max(books_date) FROM close";
        self.0.query_row(sql, (), |row| row.get(0)).unwrap()
    }
}
