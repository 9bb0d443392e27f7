//! Batches: slices of the plan in order of deadline; checkpoint, progress and circuit breaker sit
//! at their borders.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::config::Config;
use crate::domain::{OpenTrip, SweepPolicy, Timestamp};
use crate::payment_service::PaymentService;
use crate::store::Store;
use crate::sweep::{Plan, Planner, is_due};

use super::RunError;
use super::lanes::{LaneEnd, settle_trip};
use super::pass::{House, Pass};
use super::queue::Queue;
use super::stop::Why;

/// How many trips are read from the database at once while planning.
const PAGE: usize = 2_000;
/// PENDING trips are asked again in at most so many rounds of one pass.
const PENDING_ROUNDS: u32 = 4;
/// A pass waits at most so long for a PENDING trip; later asks are left to the next pass.
const PENDING_WAIT_MS: i64 = 10_000;
/// At most so many PENDING trips are kept in mind; the next pass takes the others.
const PENDING_KEPT: usize = 10_000;

/// The sweep's policy as the configuration has it.
fn sweep_policy(config: &Config) -> SweepPolicy {
    SweepPolicy {
        tolerate_outage_ms: config.sweep.tolerate_outage_ms,
        min_age_ms: config.sweep.min_age_ms,
        calls_per_1000_seconds: config.payment_service.calls_per_1000_seconds,
    }
}

/// What a pass would do at `now`; reads only.
///
/// # Errors
/// The state cannot be read.
pub fn sweep(
    config: &Config,
    store: &Store,
    next_run: Timestamp,
    now: Timestamp,
) -> Result<Plan, RunError> {
    let policy = sweep_policy(config);
    let plan = feed(store, Planner::new(policy, next_run, now))?;
    if !plan.overloaded {
        return Ok(plan);
    }
    // Only when not everything fits is it worth remembering trips, to choose among them.
    feed(store, Planner::choosing(policy, next_run, now))
}

fn feed(store: &Store, mut planner: Planner) -> Result<Plan, RunError> {
    let mut after = None;
    loop {
        let page = store.open_trips(Timestamp::of_ms(i64::MAX), after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some((last.act_by, last.id));
        page.iter().for_each(|trip| planner.add(trip));
    }
    Ok(planner.finish())
}

/// Settles the plan: what fits the rate first, in order of deadline; then what did not fit; then
/// the trips that answered PENDING, again.
///
/// # Errors
/// The state cannot be read or written.
pub async fn settle<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    plan: &Plan,
) -> Result<(), RunError> {
    house.watcher.begins(plan.due);
    let mut pending = Vec::new();
    for left_out in [false, true] {
        if left_out && plan.left_out.is_empty() {
            break;
        }
        settle_due(
            house,
            pass,
            |trip| plan.leaves_out(trip.id) == left_out,
            &mut pending,
        )
        .await?;
    }
    ask_pending_again(house, pass, pending).await?;
    house.watcher.ends();
    Ok(())
}

async fn settle_due<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    takes: impl Fn(&OpenTrip) -> bool,
    pending: &mut Vec<(Timestamp, OpenTrip)>,
) -> Result<(), RunError> {
    let policy = sweep_policy(&house.config);
    let latest = pass.next_run.plus_ms(policy.tolerate_outage_ms);
    let size = house.config.payment_service.batch_size;
    let mut after = None;
    while !house.halt.is_stopping() {
        let page = house.store.open_trips(latest, after, size)?;
        let Some(last) = page.last() else { break };
        after = Some((last.act_by, last.id));
        let now = house.clock.now();
        let due = |trip: &OpenTrip| is_due(trip, &policy, pass.next_run, now) && takes(trip);
        let batch: Vec<OpenTrip> = page.into_iter().filter(due).collect();
        settle_batch(house, pass, batch, pending).await?;
        border(house, pass);
    }
    Ok(())
}

/// Where one batch ends and the next begins: the place to give up if most calls failed.
fn border<S>(house: &House<S>, pass: &Pass) {
    if pass.circuit.is_open() {
        let mut why = "more than half of the calls of a batch failed".to_owned();
        if let Some(last) = pass.last_silence() {
            why.push_str(&format!(", the last: {last}"));
        }
        house.halt.stop(Why::Unavailable(why));
    }
    pass.circuit.next_batch();
}

async fn settle_batch<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    batch: Vec<OpenTrip>,
    pending: &mut Vec<(Timestamp, OpenTrip)>,
) -> Result<(), RunError> {
    let lanes = house.config.payment_service.max_in_flight.min(batch.len());
    let queue = Arc::new(Queue::of(batch));
    let mut running = JoinSet::new();
    for _ in 0..lanes {
        let (house, pass, queue) = (house.clone(), pass.clone(), queue.clone());
        running.spawn(async move {
            let mut again = Vec::new();
            while !house.halt.is_stopping() {
                let Some((trip, events)) = queue.next(&house.store)? else {
                    break;
                };
                match settle_trip(&house, &pass, &trip, events).await {
                    Ok(LaneEnd::AskAgain(at)) => again.push((at, trip)),
                    Ok(LaneEnd::Done | LaneEnd::Left) => {}
                    Err(error) if error.is_of_one_trip() => pass.damaged(error),
                    Err(error) => return Err(error),
                }
            }
            Ok::<_, RunError>(again)
        });
    }
    join(house, running, |again| {
        let room = PENDING_KEPT.saturating_sub(pending.len());
        pending.extend(again.into_iter().take(room));
    })
    .await
}

/// Waits for every lane, also after one failed: what is in flight is finished and recorded.
pub async fn join<S, T: 'static>(
    house: &House<S>,
    mut running: JoinSet<Result<T, RunError>>,
    mut each: impl FnMut(T),
) -> Result<(), RunError> {
    let mut failed = None;
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(Ok(value)) => each(value),
            Ok(Err(error)) => {
                house.halt.stop(Why::Failed(error.to_string()));
                failed.get_or_insert(error);
            }
            Err(panic) => {
                house.halt.stop(Why::Failed(panic.to_string()));
                failed.get_or_insert(RunError::Lane(panic.to_string()));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn ask_pending_again<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
    mut pending: Vec<(Timestamp, OpenTrip)>,
) -> Result<(), RunError> {
    for _ in 0..PENDING_ROUNDS {
        let latest = house.clock.now().plus_ms(PENDING_WAIT_MS);
        pending.retain(|(at, _)| *at <= latest);
        let Some(at) = pending.iter().map(|(at, _)| *at).max() else {
            break;
        };
        let wait = u64::try_from(at.ms_since(house.clock.now())).unwrap_or(0);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            () = house.halt.stopped() => break,
        }
        let batch = pending.drain(..).map(|(_, trip)| trip).collect();
        settle_batch(house, pass, batch, &mut pending).await?;
    }
    Ok(())
}
