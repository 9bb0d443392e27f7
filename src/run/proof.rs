//! Proof: transactional data is written, and where the retailer has said that it proves a capture,
//! it ends a doubt.

use crate::domain::{Event, Fact, Ruling, Status, Timestamp, Verdict};
use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::settlement::{History, decide};
use crate::store::{Append, StoreError};

use super::RunError;
use super::lanes::replay;
use super::pass::{House, Pass};

/// Ends the doubts of which the data is here already: the retailer may have said only afterwards
/// that it proves a capture, and nobody asks for it again.
///
/// # Errors
/// The state cannot be read or written.
pub async fn end_doubts<S: PaymentService>(house: &House<S>, pass: &Pass) -> Result<(), RunError> {
    if !proves(house) {
        return Ok(());
    }
    for trip in house.store.doubts_with_data()? {
        match record(house, pass, trip, None, None).await {
            Err(error) if error.is_of_one_trip() => pass.damaged(error),
            other => other?,
        }
    }
    Ok(())
}

/// Writes what was `learnt` of a trip's data, if anything, and what its data then proves; `events`
/// are those that were read already.
///
/// # Errors
/// The state cannot be read or written, or the journal breaks the law.
pub async fn record<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
    mut events: Option<Vec<Event>>,
    learnt: Option<&Fact>,
) -> Result<(), RunError> {
    loop {
        let known = match events.take() {
            Some(known) => known,
            None => house.store.events(trip)?,
        };
        let mut history = replay(&known)?;
        let (expected_steps, now) = (history.steps(), house.clock.now());
        let mut facts = Vec::new();
        let mut add = |history: &mut History, fact: Fact| {
            let applied = history.apply(now, &fact);
            facts.push((now, fact));
            applied.map_err(|illegal| RunError::Law(illegal.to_string()))
        };
        if let Some(learnt) = learnt {
            add(&mut history, learnt.clone())?;
        }
        let proof = proof(house, &history);
        let is_proved = proof.is_some();
        if let Some(proof) = proof {
            add(&mut history, proof)?;
            if let Some(loss) = remainder(house, &history, now) {
                add(&mut history, loss)?;
            }
        }
        if facts.is_empty() {
            return Ok(());
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

fn proves<S>(house: &House<S>) -> bool {
    let proves = house.config.settlement.transactional_data_proves_capture;
    proves || planted::is(Bug::DataIsProof)
}

/// What was intended is proved by data that carries a reconciliation id; not so where a lost state
/// took with it what was intended.
fn proof<S>(house: &House<S>, history: &History) -> Option<Fact> {
    let standing = history.standing();
    let amount = standing.intended?;
    history.evidence()?.reconciliation_id.as_ref()?;
    if !proves(house) || standing.status != Status::InDoubt || history.doubt_is_guessed() {
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
