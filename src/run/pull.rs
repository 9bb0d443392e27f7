//! Pull: GetTransactionalData for every initiated capture, until it is there.
//!
//! A read: no intent, and its silence means only "ask again later". It has its own schedule, kept
//! in the state, so that late data is found by a later run and an idle pass asks nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::{
    Call, Event, Fact, Reply, Ruling, Status, Timestamp, TransactionalData, Verdict,
};
use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::settlement::{History, decide};
use crate::store::{Append, Pull, StoreError};

use super::RunError;
use super::batches::join;
use super::calling::After;
use super::lanes::replay;
use super::pass::{House, Pass};
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

/// Asks for all transactional data that is due.
///
/// # Errors
/// The state cannot be read or written.
pub async fn pull<S: PaymentService>(
    house: &Arc<House<S>>,
    pass: &Arc<Pass>,
) -> Result<(), RunError> {
    for _ in 0..=ROUNDS {
        pull_due(house, pass).await?;
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
    Ok(())
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
    }
    Ok(())
}

/// Asks for one trip's data; gives when to ask again, if there was an answer and no data.
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
        let again = (clear && fact.is_none()).then(|| next_ask(house.clock.now(), due.tries));
        if let Some(fact) = fact {
            record(house, pass, due.trip, events.take(), &fact).await?;
        }
        let after = house
            .weigh(pass, &Call::TransactionalData, &heard.reply, tries)
            .await?;
        if clear || after == After::Leave {
            return Ok(again);
        }
    }
}

/// Writes the evidence; where the retailer has said that it proves a capture, it ends a doubt.
async fn record<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
    mut events: Option<Vec<Event>>,
    fact: &Fact,
) -> Result<(), RunError> {
    loop {
        let known = match events.take() {
            Some(known) => known,
            None => house.store.events(trip)?,
        };
        let mut history = replay(&known)?;
        let expected_steps = history.steps();
        let now = house.clock.now();
        let guessed = history.doubt_is_guessed();
        let proof = proof(house, &history.standing(), fact).filter(|_| !guessed);
        let mut facts = Vec::new();
        let mut add = |history: &mut History, fact: Fact| {
            let applied = history.apply(now, &fact);
            facts.push((now, fact));
            applied.map_err(|illegal| RunError::Law(illegal.to_string()))
        };
        add(&mut history, fact.clone())?;
        let is_proved = proof.is_some();
        if let Some(proof) = proof {
            add(&mut history, proof)?;
            if let Some(loss) = remainder(house, &history, now) {
                add(&mut history, loss)?;
            }
        }
        pass.begin(house).await?;
        let standing = history.standing();
        let append = Append {
            trip,
            expected_steps,
            facts,
            standing: standing.clone(),
            books_date: pass.books_date,
            run: Some(pass.run.clone()),
            line: None,
        };
        match house.store.append(append).await {
            Ok(_) if is_proved => {
                let mut tally = pass.tally();
                tally.count_outcome(standing.status, &standing.balances);
                return Ok(());
            }
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
}

fn proof<S>(house: &House<S>, standing: &crate::domain::Standing, fact: &Fact) -> Option<Fact> {
    let Fact::Evidence { data } = fact else {
        return None;
    };
    let TransactionalData {
        reconciliation_id, ..
    } = data.as_ref();
    let proves = house.config.settlement.transactional_data_proves_capture;
    let proves = proves || planted::is(Bug::DataIsProof);
    let amount = standing.intended?;
    if !proves || standing.status != Status::InDoubt || reconciliation_id.is_none() {
        return None;
    }
    let note = "the transactional data carries a reconciliation id".to_owned();
    let by = "settlement.transactional_data_proves_capture".to_owned();
    let verdict = Verdict::Captured { amount };
    Some(Fact::Ruled {
        ruling: Ruling { verdict, by, note },
    })
}

/// What a proved capture leaves open is lost in the same breath: the settle pass, which books such
/// losses, is over, and what is open when the day is closed looks as if it could still be charged.
fn remainder<S>(house: &House<S>, history: &History, now: Timestamp) -> Option<Fact> {
    let policy = house.config.policy_for(&history.trip().key.store);
    let (amount, reason) = decide(history, &policy, now).loss()?;
    let policy = policy.on_decline;
    Some(Fact::Lost {
        amount,
        reason,
        policy,
    })
}
