//! Where everything stands: counts and sums over the trips' rows.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::domain::{Currency, Money, Status, Timestamp, TripKey};

use super::Store;
use super::error::StoreError;
use super::row;

/// Where the count of the evidence is kept.
pub(super) const EVIDENCE: &str = "evidence_counted";

/// Trips of one status in one currency; minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCount {
    /// The status.
    pub status: Status,
    /// The currency.
    pub currency: Currency,
    /// How many trips.
    pub trips: u64,
    /// The sum of their cart totals.
    pub cart_total: i64,
    /// Captured of it.
    pub captured: i64,
    /// Bad debt of it.
    pub bad_debt: i64,
    /// In doubt of it.
    pub in_doubt: i64,
    /// Open of it.
    pub open: i64,
}

/// How far the evidence of all captures is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceCount {
    /// Captures initiated.
    pub initiated: u64,
    /// Of these, with transactional data.
    pub evidenced: u64,
    /// The end of the journal when it was counted.
    pub seq: i64,
}

/// A trip that somebody should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTrip {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub key: TripKey,
    /// What is in doubt, or open.
    pub amount: Money,
    /// When the token is expected to die.
    pub expires_at: Timestamp,
    /// The status.
    pub status: Status,
}

/// The first of perhaps many trips.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedTrips {
    /// How many there are.
    pub count: u64,
    /// The most urgent of them.
    pub named: Vec<NamedTrip>,
}

impl Store {
    /// Counts all trips, by status and currency.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn counts(&self) -> Result<Vec<StatusCount>, StoreError> {
        let sql = include_str!("../../sql/queries/counts_by_status.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_map((), status_count)?
                .collect()
        })
    }

    /// How many trips are refused.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn refused(&self) -> Result<u64, StoreError> {
        let sql = include_str!("../../sql/queries/counts_refused.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_row((), |row| row::count(row, 0))
        })
    }

    /// Counts the evidence of all captures. What a run counted at its end stands as long as the
    /// journal has not grown, so that an idle pass looks at no trip.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn evidence(&self) -> Result<EvidenceCount, StoreError> {
        let kept = self.memo(EVIDENCE)?;
        let kept = kept.and_then(|json| serde_json::from_str::<EvidenceCount>(&json).ok());
        let last = self.last_seq()?;
        if let Some(kept) = kept.filter(|kept| kept.seq == last) {
            return Ok(kept);
        }
        let sql = include_str!("../../sql/queries/counts_evidence.sql");
        self.read(|db| {
            db.prepare_cached(sql)?.query_row((), |row| {
                Ok(EvidenceCount {
                    initiated: row::count(row, 0)?,
                    evidenced: row::count(row, 1)?,
                    seq: row.get(2)?,
                })
            })
        })
    }

    /// Since when the oldest transactional data is awaited.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn oldest_missing(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("../../sql/queries/counts_oldest_missing.sql");
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_row((), |row| row::instant_or_none(row, 0))
        })
    }

    /// Trips with a capture in doubt, most urgent first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn doubts(&self, limit: usize) -> Result<NamedTrips, StoreError> {
        let how_many = include_str!("../../sql/queries/counts_doubts.sql");
        let which = include_str!("../../sql/queries/counts_doubts_named.sql");
        self.named(how_many, which, Timestamp::of_ms(0), limit)
    }

    /// Trips with open money whose `act_by` is at most `until`, most urgent first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn at_risk(&self, until: Timestamp, limit: usize) -> Result<NamedTrips, StoreError> {
        let how_many = include_str!("../../sql/queries/counts_at_risk.sql");
        let which = include_str!("../../sql/queries/counts_at_risk_named.sql");
        self.named(how_many, which, until, limit)
    }

    fn named(
        &self,
        how_many: &'static str,
        which: &'static str,
        until: Timestamp,
        limit: usize,
    ) -> Result<NamedTrips, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            let in_all = db
                .prepare_cached(how_many)?
                .query_row([until.ms()], |row| row::count(row, 0));
            let mut statement = db.prepare_cached(which)?;
            let named = statement.query_map((until.ms(), limit), |row| {
                Ok(NamedTrip {
                    id: row.get(0)?,
                    key: row::key(row, 1)?,
                    amount: row::money(row, 3)?,
                    expires_at: row::instant(row, 5)?,
                    status: row::word(row, 6, Status::of)?,
                })
            });
            Ok(NamedTrips {
                count: in_all?,
                named: named?.collect::<rusqlite::Result<_>>()?,
            })
        })
    }
}

fn status_count(row: &Row<'_>) -> rusqlite::Result<StatusCount> {
    Ok(StatusCount {
        status: row::word(row, 0, Status::of)?,
        currency: row::currency(row, 1)?,
        trips: row::count(row, 2)?,
        cart_total: row.get(3)?,
        captured: row.get(4)?,
        bad_debt: row.get(5)?,
        in_doubt: row.get(6)?,
        open: row.get(7)?,
    })
}
