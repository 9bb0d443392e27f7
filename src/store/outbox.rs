//! Mails that wait to be delivered.

use crate::domain::Timestamp;

use super::Store;
use super::error::StoreError;
use super::row;

/// A mail that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub id: i64,
    /// The message as it is to be sent, Message-ID and all.
    pub body: Vec<u8>,
    /// Deliveries tried so far.
    pub tries: u32,
    /// Why the last of them failed.
    pub last_error: Option<String>,
}

impl Store {
    /// Mails whose time has come, oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn due_mails(&self, now: Timestamp, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        let sql = include_str!("../../sql/queries/outbox_due.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map((now.ms(), limit), |row| {
                Ok(Waiting {
                    id: row.get(0)?,
                    body: row.get(1)?,
                    tries: row.get(2)?,
                    last_error: row.get(3)?,
                })
            });
            rows?.collect()
        })
    }

    /// How many mails wait.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn mails_waiting(&self) -> Result<u64, StoreError> {
        let sql = include_str!("../../sql/queries/outbox_waiting.sql");
        self.read(|db| db.query_row(sql, (), |row| row::count(row, 0)))
    }

    /// Remembers that a mail was delivered, or is taken to be; its text is not kept any longer.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn mail_sent(&self, id: i64, at: Timestamp) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/outbox_sent.sql");
        self.write(move |db| db.execute(sql, (id, at.ms())).map(|_| ()))
    }

    /// Remembers that a delivery failed, and when to try again.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn mail_failed(&self, id: i64, why: &str, next_at: Timestamp) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/outbox_failed.sql");
        let values = (id, why.to_owned(), next_at.ms());
        self.write(move |db| db.execute(sql, values).map(|_| ()))
    }
}
