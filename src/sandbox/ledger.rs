//! The ledger: what really happened, whatever anyone was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::amount;
use super::ask::trip_name;
use super::trip::{SandboxTrip, Trip};

/// What really happened to one trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// The store.
    pub store_id: String,
    /// The trip, unique within the store.
    pub shopping_trip_id: String,
    /// The trip's currency; empty as long as no call named one.
    pub currency: String,
    /// What the hold covers now.
    #[serde(with = "amount::text")]
    pub authorized: Decimal,
    /// Every capture that was executed: when and how much. More than one is a double charge.
    #[serde(serialize_with = "pairs")]
    pub captures: Vec<(DateTime<Utc>, Decimal)>,
    /// Every refund: its request id and how much.
    #[serde(serialize_with = "pairs")]
    pub refunds: Vec<(String, Decimal)>,
    /// True once the hold was released.
    pub cancelled: bool,
    /// Adjusts that were executed, declined and pending ones included.
    pub adjusts: u32,
    /// Cancels that were executed.
    pub cancels: u32,
    /// Readings of the transactional data, answered or not.
    pub reads: u32,
}

impl LedgerRow {
    pub(super) fn of(trip: &SandboxTrip) -> Self {
        Self {
            store_id: trip.store_id.clone(),
            shopping_trip_id: trip.shopping_trip_id.clone(),
            currency: trip.currency.clone(),
            authorized: trip.preauth.max(trip.adjusted),
            captures: Vec::new(),
            refunds: Vec::new(),
            cancelled: false,
            adjusts: 0,
            cancels: 0,
            reads: 0,
        }
    }

    fn name(&self) -> (&str, &str) {
        (&self.store_id, &self.shopping_trip_id)
    }

    /// The sum of all captures.
    pub fn captured(&self) -> Decimal {
        self.captures.iter().map(|(_, amount)| amount).sum()
    }
}

/// Amounts as text here too.
fn pairs<K: Serialize, S: Serializer>(rows: &[(K, Decimal)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(rows.iter().map(|(key, amount)| (key, amount.to_string())))
}

/// All trips, each behind its own lock.
#[derive(Debug, Default)]
pub(super) struct Trips {
    by_name: Mutex<HashMap<String, Arc<Mutex<Trip>>>>,
}

impl Trips {
    /// Adds a trip; one of the same name is replaced.
    pub fn add(&self, script: SandboxTrip) {
        let name = trip_name(&script.store_id, &script.shopping_trip_id);
        locked(&self.by_name).insert(name, shared(script));
    }

    /// The trip `STORE/TRIP_ID`; one that is not there is made if `make` makes one.
    pub fn get_or_make(
        &self,
        name: &str,
        make: impl FnOnce() -> Option<SandboxTrip>,
    ) -> Option<Arc<Mutex<Trip>>> {
        let mut by_name = locked(&self.by_name);
        if let Some(known) = by_name.get(name) {
            return Some(Arc::clone(known));
        }
        let made = shared(make()?);
        by_name.insert(name.to_owned(), Arc::clone(&made));
        Some(made)
    }

    /// A row per trip, by store and trip. Calls go on meanwhile.
    pub fn rows(&self) -> Vec<LedgerRow> {
        let trips: Vec<_> = locked(&self.by_name).values().cloned().collect();
        let mut rows: Vec<_> = trips
            .iter()
            .map(|trip| locked(trip).row().clone())
            .collect();
        rows.sort_unstable_by(|a, b| a.name().cmp(&b.name()));
        rows
    }
}

fn shared(script: SandboxTrip) -> Arc<Mutex<Trip>> {
    Arc::new(Mutex::new(Trip::of(script)))
}

/// Locks, also after a panic elsewhere: the ledger is wanted then more than ever.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
