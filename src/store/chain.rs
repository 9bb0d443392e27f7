//! The journal's hash chain: what an event's hash is over, where the chain ends, and where it
//! breaks. `sql/migrations/0003_journal_chain.sql` says how an outsider computes it.

use std::fmt::{Display, Write as _};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params_from_iter};
use sha2::{Digest, Sha256};

use crate::domain::Head;

use super::Store;
use super::error::StoreError;

/// The columns that the hash is over, in the order of the queries.
const COLUMNS: usize = 12;

type Hash = [u8; 32];
/// What is stored of one event.
pub(super) type Values<'a> = [ValueRef<'a>; COLUMNS];

/// One place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainBreak {
    /// What is stored of the event is not what was hashed, or its hash is another one.
    Altered {
        /// The event's place.
        seq: i64,
    },
    /// Events are gone that others follow.
    Deleted {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
}

/// The hash of an event that follows `previous`.
fn hash_of(previous: &Hash, values: &Values<'_>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(previous);
    let (mut number, mut length) = (String::new(), String::new());
    for value in values {
        let bytes = match value {
            ValueRef::Null => {
                hash.update(b"~");
                continue;
            }
            ValueRef::Integer(value) => digits(&mut number, value),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            // STRICT columns hold none.
            ValueRef::Real(_) => b"?",
        };
        hash.update(digits(&mut length, bytes.len()));
        hash.update(b":");
        hash.update(bytes);
    }
    hash.finalize().into()
}

/// A number in decimal, in `text` that is used again.
fn digits(text: &mut String, number: impl Display) -> &[u8] {
    text.clear();
    // Writing to a String cannot fail.
    let _ = write!(text, "{number}");
    text.as_bytes()
}

/// Where the journal ends, or ended at `up_to`.
pub(super) fn head(db: &Connection, up_to: i64) -> rusqlite::Result<Head> {
    let sql = include_str!("../../sql/queries/chain_head.sql");
    let found = db.prepare_cached(sql)?.query_row([up_to], |row| {
        Ok(Head {
            seq: row.get(0)?,
            hash: row.get(1)?,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// Appends an event after `head` and moves it on; the event's place, the first of `values`, is set
/// here.
pub(super) fn append(
    insert: &mut Statement<'_>,
    head: &mut Head,
    mut values: Values<'_>,
) -> rusqlite::Result<i64> {
    let seq = head.seq.saturating_add(1);
    if let Some(place) = values.first_mut() {
        *place = ValueRef::Integer(seq);
    }
    let hash = hash_of(&head.hash, &values);
    let ends = [ValueRef::Blob(&head.hash), ValueRef::Blob(&hash)];
    let all = values.into_iter().chain(ends).map(ToSqlOutput::Borrowed);
    insert.insert(params_from_iter(all))?;
    *head = Head { seq, hash };
    Ok(seq)
}

fn values<'a>(row: &'a Row<'_>) -> rusqlite::Result<Values<'a>> {
    let mut values = [ValueRef::Null; COLUMNS];
    for (column, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(column)?;
    }
    Ok(values)
}

/// Chains the events of a state from before there was a chain.
pub(super) fn link(db: &Connection) -> rusqlite::Result<()> {
    let mut rows = db.prepare(include_str!("../../sql/queries/chain_rows.sql"))?;
    let mut update = db.prepare(include_str!("../../sql/queries/chain_link.sql"))?;
    let mut last = Head::default();
    loop {
        let mut next = rows.query([last.seq])?;
        let Some(row) = next.next()? else {
            return Ok(());
        };
        let (seq, hash) = (row.get(0)?, hash_of(&last.hash, &values(row)?));
        drop(next);
        update.execute((seq, last.hash, hash))?;
        last = Head { seq, hash };
    }
}

impl Store {
    /// Where the journal ended at `up_to`, or ends.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn head(&self, up_to: i64) -> Result<Head, StoreError> {
        self.read(|db| head(db, up_to))
    }

    /// Walks the chain from its first event to its last, in one snapshot, calls `each` where it
    /// does not hold, and gives its head.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn walk_chain(&self, each: &mut dyn FnMut(ChainBreak)) -> Result<Head, StoreError> {
        let sql = include_str!("../../sql/queries/chain_rows.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([i64::MIN])?;
            let mut last = Head::default();
            while let Some(row) = rows.next()? {
                let seq: i64 = row.get(0)?;
                let next = last.seq.saturating_add(1);
                let (previous, hash) = (blob(row, COLUMNS)?, blob(row, COLUMNS + 1)?);
                let gap = seq > next;
                if gap {
                    let to = seq.saturating_sub(1);
                    each(ChainBreak::Deleted { from: next, to });
                }
                let follows = gap || previous == last.hash;
                if seq < 1 || !follows || hash_of(&previous, &values(row)?) != hash {
                    each(ChainBreak::Altered { seq });
                }
                last = Head { seq, hash };
            }
            Ok(last)
        })
    }
}

/// A hash; one that is none matches nothing.
fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Hash> {
    let stored = row.get_ref(column)?;
    let bytes = stored.as_blob_or_null()?.unwrap_or_default();
    Ok(bytes.try_into().unwrap_or([0xff; 32]))
}
