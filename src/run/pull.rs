//! Pull: GetTransactionalData for every initiated capture, until it is there.
//!
//! A read: no intent, and its silence means only "ask again later". It has its own schedule, kept
//! in the state, so that late data is found by a later run and an idle pass asks nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::{Call, Event, Fact, Reply, Timestamp};
use crate::payment_service::PaymentService;
use crate::store::Pull;

use super::RunError;
use super::batches::join;
use super::calling::After;
use super::pass::{House, Pass};
use super::proof;
use super::queue::Queue;

/// Data that comes within seconds of the capture is waited for in so many further rounds.
const ROUNDS: u32 = 3;
/// A round waits at most so long for the next data to become due.
const ROUND_WAIT_MS: i64 = 5_000;
/// Waits between two asks, in milliseconds; the last one repeats.
const WAITS_MS: [i64; 8] = [
    1_000, 4_000, 60_000, 600_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
];

/// When to ask again after `tries` asks that brought nothing.
pub fn next_ask(now: Timestamp, tries: u32) -> Timestamp {
    let place = usize::try_from(tries).unwrap_or(usize::MAX);
    let wait = WAITS_MS
        .get(place)
        .or(WAITS_MS.last())
        .copied()
        .unwrap_or(86_400_000);
    now.plus_ms(wait)
}

/// Asks for all transactional data that is due, and ends the doubts that it may end.
///
/// # Errors
/// The state cannot be read or written.
pub async fn pull<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    proof::end_doubts(house, pass).await?;
    pass.circuit.next_batch();
    for _ in 0..=ROUNDS {
        pull_due(house, pass).await?;
        // Data is no money: where most of it cannot be had, the night goes on without.
        if pass.circuit.is_open() {
            break;
        }
        let now = house.clock.now();
        let Some(next) = house.store.next_pull()? else {
            break;
        };
        let wait = next.ms_since(now);
        if wait > ROUND_WAIT_MS || house.halt.is_stopping() {
            break;
        }
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = house.halt.stopped() => break,
        }
    }
    proof::end_doubts(house, pass).await
}

async fn pull_due<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    let size = house.config.payment_service.batch_size;
    let (now, mut after) = (house.clock.now(), None);
    while !house.halt.is_stopping() {
        let page = house.store.due_pulls(now, after, size)?;
        let Some(last) = page.last() else { break };
        if after.is_none() {
            // Nothing was settled, perhaps, and so nobody has looked yet.
            house.heed_long_pause()?;
        }
        after = Some(last.trip);
        let lanes = house.config.payment_service.max_in_flight.min(page.len());
        let queue = Arc::new(Queue::of(page));
        let mut running: JoinSet<Result<Vec<(i64, Timestamp)>, RunError>> = JoinSet::new();
        for _ in 0..lanes {
            let (house, pass, queue) = (house.clone(), pass.clone(), queue.clone());
            running.spawn(async move {
                let mut postponed = Vec::new();
                while !house.halt.is_stopping() {
                    let Some((due, events)) = queue.next(&house.store)? else {
                        break;
                    };
                    match pull_one(&house, &pass, &due, events).await {
                        Ok(again) => postponed.extend(again.map(|at| (due.trip, at))),
                        Err(error) if error.is_of_one_trip() => pass.damaged(error),
                        Err(error) => return Err(error),
                    }
                }
                Ok(postponed)
            });
        }
        let mut postponed = Vec::new();
        join(house, running, |part: Vec<_>| postponed.extend(part)).await?;
        if !postponed.is_empty() {
            pass.begin(house).await?;
            house.store.postpone_pulls(postponed)?;
        }
        if pass.circuit.is_open() {
            break;
        }
        pass.circuit.next_batch();
    }
    Ok(())
}

/// Asks for one trip's data; gives when to ask again, if more is wanted: also where this trip alone
/// is never answered, or it would be asked first in every pass.
async fn pull_one<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    due: &Pull,
    mut events: Option<Vec<Event>>,
) -> Result<Option<Timestamp>, RunError> {
    let mut tries = 0_u32;
    loop {
        if !house.paced(pass).await {
            return Ok(None);
        }
        tries = tries.saturating_add(1);
        let heard = house
            .call(pass, &due.key, &Call::TransactionalData, tries)
            .await;
        let fact = match &heard.reply {
            Reply::Data(data) if !data.is_empty() => Some(Fact::Evidence { data: data.clone() }),
            Reply::Expired { words } => Some(Fact::NoEvidence {
                words: words.clone(),
            }),
            Reply::Data(_)
            | Reply::Refused { .. }
            | Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Initiated
            | Reply::Throttled { .. }
            | Reply::NotSent { .. }
            | Reply::Unauthorized { .. }
            | Reply::NotTheService { .. }
            | Reply::Unclear { .. } => None,
        };
        let clear = heard.reply.is_clear();
        if clear {
            pass.capture_breaker.good_reply();
        }
        let is_wanted = match fact {
            Some(fact) => proof::record(house, pass, due.trip, events.take(), &fact).await?,
            None => true,
        };
        let after = house
            .weigh(pass, &Call::TransactionalData, &heard, tries)
            .await?;
        let is_left = after == After::Leave && !house.halt.is_stopping();
        if clear || is_left {
            return Ok(is_wanted.then(|| next_ask(house.clock.now(), due.tries)));
        }
        if after == After::Leave {
            return Ok(None);
        }
    }
}
