//! Examine: the findings of reconcile become events, before the books are read.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::domain::{BooksDate, Event, Timestamp};
use crate::payment_service::PaymentService;
use crate::reconcile::{self, Outside, Terms};
use crate::store::{Append, StoreError};

use super::RunError;
use super::draft::Draft;
use super::pass::{House, Pass};

/// Findings that wait for their append at once.
const IN_FLIGHT: usize = 256;
/// A trip that somebody writes to is examined again, so many times.
const ROUNDS: u32 = 3;

/// Examines every trip whose breaks may have changed `from` then on (days that no run lived to
/// close are among them), and appends what is found on `date`.
///
/// # Errors
/// The state cannot be read or written, or the journal breaks the law.
pub async fn examine<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Pass,
    from: BooksDate,
    date: BooksDate,
) -> Result<(), RunError> {
    for _ in 0..ROUNDS {
        let found = findings(house, pass, from, date)?;
        if found.is_empty() {
            return Ok(());
        }
        append(house, found).await?;
    }
    Ok(())
}

fn findings<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    from: BooksDate,
    date: BooksDate,
) -> Result<Vec<Append>, RunError> {
    let up_to = house.store.last_seq()?;
    let now = house.clock.now();
    house
        .store
        .examine_trips::<_, RunError>(from, date, up_to, &|trip, events| {
            findings_of(house, pass, (now, date), trip, &events)
        })
}

fn findings_of<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    (now, date): (Timestamp, BooksDate),
    trip: i64,
    events: &[Event],
) -> Result<Option<Append>, RunError> {
    let mut draft = Draft::after(trip, events)?;
    let history = draft.history();
    let standing = history.standing();
    let shared = match history.evidence() {
        Some(_) => house.store.reconciliation_id_shared(trip)?,
        None => None,
    };
    let outside = Outside {
        reconciliation_id_shared_with: shared.as_ref(),
    };
    let terms = Terms {
        evidence_missing_after_ms: house.config.evidence_missing_after_ms,
        at: now,
        books_date: date,
    };
    let breaks = reconcile::examine(history.trip(), events, &standing, &outside, &terms);
    let facts = reconcile::findings(history.trip(), events, &standing, &breaks, &terms);
    if facts.is_empty() {
        return Ok(None);
    }
    for fact in facts {
        draft.add(now, fact)?;
    }
    Ok(Some(draft.append(date, Some(&pass.run))))
}

/// Appends many at once, so that they share their commits. A conflict is no failure: the trip
/// is examined again in the next round.
pub(super) async fn append<S: PaymentService>(
    house: &Arc<House<S>>,
    found: Vec<Append>,
) -> Result<(), RunError> {
    let mut running = JoinSet::new();
    for append in found {
        if running.len() >= IN_FLIGHT {
            heed(running.join_next().await)?;
        }
        let house = house.clone();
        running.spawn(async move { house.store.append(append).await });
    }
    while let Some(ended) = running.join_next().await {
        heed(Some(ended))?;
    }
    Ok(())
}

type Ended = Option<Result<Result<(), StoreError>, tokio::task::JoinError>>;

fn heed(ended: Ended) -> Result<(), RunError> {
    match ended {
        None | Some(Ok(Ok(()) | Err(StoreError::Conflict { .. }))) => Ok(()),
        Some(Ok(Err(error))) => Err(error.into()),
        Some(Err(panic)) => Err(RunError::Lane(panic.to_string())),
    }
}
