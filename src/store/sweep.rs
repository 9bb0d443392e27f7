//! Open trips in order of deadline, from an index.

use crate::domain::{OpenTrip, Status, Timestamp};

use super::Store;
use super::error::StoreError;
use super::row;

impl Store {
    /// Trips that need something and whose `act_by` is at most `latest`, in order of `act_by`,
    /// from behind `after` (the last trip of the page before).
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn open_trips(
        &self,
        latest: Timestamp,
        after: Option<(Timestamp, i64)>,
        limit: usize,
    ) -> Result<Vec<OpenTrip>, StoreError> {
        let sql = include_str!("../../sql/queries/sweep_open_trips.sql");
        let (at, id) = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.ms(), id));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map((latest.ms(), at, id, limit), |row| {
                Ok(OpenTrip {
                    id: row.get(0)?,
                    key: row::key(row, 1)?,
                    started_at: row::instant(row, 3)?,
                    expires_at: row::instant(row, 4)?,
                    act_by: row::instant(row, 5)?,
                    status: row::word(row, 6, Status::of)?,
                    cart_total: row::money(row, 7)?,
                })
            });
            rows?.collect()
        })
    }
}
