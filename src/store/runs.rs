//! Runs, and the small facts that outlive them.

use crate::domain::{BooksDate, RunId, Timestamp};

use super::Store;
use super::counts::{EVIDENCE, EvidenceCount};
use super::error::StoreError;
use super::row;

/// A run as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// What was started.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The accounting date of what it learnt.
    pub books_date: BooksDate,
    /// When it ended; none for a run that was killed or is running.
    pub finished_at: Option<Timestamp>,
    /// Its exit code.
    pub exit_code: Option<u8>,
    /// Its report as JSON.
    pub report: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// When.
    pub at: Timestamp,
    /// With which exit code.
    pub exit_code: u8,
    /// Its report as JSON.
    pub report: String,
    /// What it counted for that.
    pub evidence: EvidenceCount,
    /// Its mail, by its Message-ID; the same Message-ID again is the same mail.
    pub mail: Option<(String, Vec<u8>)>,
    /// The editions that are in place, and that it tells of.
    pub told: Vec<(BooksDate, u32)>,
}

impl Store {
    /// Writes that a run has begun.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn begin_run(
        &self,
        run: &RunId,
        command: &str,
        at: Timestamp,
        books_date: BooksDate,
    ) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/runs_begin.sql");
        let (run, command) = (run.as_str().to_owned(), command.to_owned());
        let values = (run, command, at.ms(), books_date.to_string());
        self.write(move |db| db.execute(sql, values).map(|_| ()))
    }

    /// Writes how a run ended, together with all that follows from it, or nothing: no mail tells of
    /// an end that was not written down, and no edition counts as told without the mail.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn finish_run(&self, run: &RunId, end: RunEnd) -> Result<(), StoreError> {
        let finish = include_str!("../../sql/queries/runs_finish.sql");
        let memo = include_str!("../../sql/queries/runs_set_memo.sql");
        let queue = include_str!("../../sql/queries/runs_queue_mail.sql");
        let mark = include_str!("../../sql/queries/runs_mark_published.sql");
        let counted = serde_json::to_string(&end.evidence).unwrap_or_default();
        let (run, at) = (run.clone(), end.at.ms());
        self.write(move |db| {
            db.execute(finish, (run.as_str(), at, end.exit_code, end.report))?;
            db.execute(memo, (EVIDENCE, counted))?;
            if let Some((message_id, body)) = end.mail {
                db.execute(queue, (run.as_str(), message_id, body, at))?;
            }
            for (date, edition) in end.told {
                db.execute(mark, (date.to_string(), edition))?;
            }
            Ok(())
        })
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let sql = include_str!("../../sql/queries/runs_newest.sql");
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([limit], |row| {
                Ok(RunRow {
                    id: row.get(0)?,
                    command: row.get(1)?,
                    started_at: row::instant(row, 2)?,
                    books_date: row::date(row, 3)?,
                    finished_at: row::instant_or_none(row, 4)?,
                    exit_code: row.get(5)?,
                    report: row.get(6)?,
                })
            });
            rows?.collect()
        })
    }

    /// Until when the service asked every lane to pause.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn pause_until(&self) -> Result<Option<Timestamp>, StoreError> {
        let memo = self.memo("pause_until")?;
        Ok(memo
            .and_then(|text| text.parse().ok())
            .map(Timestamp::of_ms))
    }

    /// Remembers a pause, so that it outlives the process.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_pause_until(&self, until: Timestamp) -> Result<(), StoreError> {
        self.set_memo("pause_until", &until.ms().to_string())
    }

    /// A small fact by its name.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn memo(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = include_str!("../../sql/queries/runs_memo.sql");
        let mut found: Vec<String> = self.read(|db| {
            db.prepare_cached(sql)?
                .query_map([name], |row| row.get(0))?
                .collect()
        })?;
        Ok(found.pop())
    }

    /// Remembers a small fact.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_memo(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = include_str!("../../sql/queries/runs_set_memo.sql");
        let values = (name.to_owned(), value.to_owned());
        self.write(move |db| db.execute(sql, values).map(|_| ()))
    }
}
