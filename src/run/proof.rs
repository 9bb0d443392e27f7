//! Proof: transactional data is written, and where the retailer has said that it proves a capture,
//! it ends a doubt.

use crate::domain::{Call, Elsewhere, Event, Fact, Ruling, RunId, Status, Timestamp, Verdict};
use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::reconcile;
use crate::settlement::{History, decide};
use crate::store::StoreError;

use super::RunError;
use super::draft::Draft;
use super::pass::{House, Pass};

/// Writes what was `learnt` of a trip's data, and gives whether more is wanted; `events` are those
/// that were read already. What is not wanted any more is not written: a person who ruled meanwhile
/// that the capture never was spoke of the capture that this data belongs to.
///
/// # Errors
/// The state cannot be read or written, or the journal breaks the law.
pub async fn record<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
    mut events: Option<Vec<Event>>,
    learnt: &Fact,
) -> Result<bool, RunError> {
    loop {
        let known = match events.take() {
            Some(known) => known,
            None => house.store.events(trip)?,
        };
        let mut draft = Draft::after(trip, &known)?;
        let history = draft.history();
        let says_the_same = matches!(learnt, Fact::Evidence { data }
            if history.evidence() == Some(data.as_ref()));
        let is_wanted = history.standing().wants_data;
        if says_the_same || !is_wanted {
            return Ok(is_wanted);
        }
        draft.add(house.clock.now(), learnt.clone())?;
        if write(house, pass, &mut draft).await? {
            return Ok(draft.history().standing().wants_data);
        }
    }
}

/// Ends the doubts of which the data is here, be it of this pass or of an earlier one: the retailer
/// may have said only afterwards that it proves a capture, and nobody asks for it again.
///
/// # Errors
/// The state cannot be read or written.
pub async fn end_doubts<S: PaymentService>(house: &House<S>, pass: &Pass) -> Result<(), RunError> {
    let proves = house.config.settlement.transactional_data_proves_capture;
    if !proves && !planted::is(Bug::DataIsProof) {
        return Ok(());
    }
    for trip in house.store.doubts_with_data()? {
        match end_doubt(house, pass, trip).await {
            Err(error) if error.is_of_one_trip() => pass.damaged(error),
            other => other?,
        }
    }
    Ok(())
}

async fn end_doubt<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: i64,
) -> Result<(), RunError> {
    loop {
        let events = house.store.events(trip)?;
        let mut draft = Draft::after(trip, &events)?;
        if house.store.reconciliation_id_shared(trip)?.is_some() {
            return Ok(());
        }
        let Some(proof) = proof(draft.history()) else {
            return Ok(());
        };
        let (now, doubt) = (house.clock.now(), *draft.history().balances());
        draft.add(now, proof)?;
        if let Some(lost) = remainder(house, draft.history(), now) {
            draft.add(now, lost)?;
        }
        if write(house, pass, &mut draft).await? {
            let standing = draft.history().standing();
            let mut tally = pass.tally();
            if began_in(&events, &pass.run) {
                tally.uncount_doubt(&doubt);
            }
            tally.count_outcome(standing.status, &standing.balances);
            return Ok(());
        }
    }
}

/// Writes what this run learnt; false when somebody else wrote to the trip meanwhile.
async fn write<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    draft: &mut Draft,
) -> Result<bool, RunError> {
    pass.begin(house).await?;
    let append = draft.append(pass.books_date, Some(&pass.run));
    match house.store.append(append).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Whether this run heard what left the capture in doubt, and so has counted it.
fn began_in(events: &[Event], run: &RunId) -> bool {
    let is_capture = |fact: &Fact| {
        matches!(
            fact,
            Fact::Intent {
                call: Call::Capture { .. }
            }
        )
    };
    let sent = events.iter().rev().find(|event| is_capture(&event.fact));
    let step = sent.map(|event| event.step);
    events.iter().any(|event| {
        let of_it = matches!(event.fact, Fact::Replied { attempt, .. } if Some(attempt) == step);
        of_it && event.run.as_ref() == Some(run)
    })
}

/// What was intended is proved by data that carries a reconciliation id; not so where a lost state
/// took with it what was intended, where there may be another capture (by another hand, or one that
/// a person ruled never was), or where the data speaks against it: those are left to a person.
fn proof(history: &History) -> Option<Fact> {
    let standing = history.standing();
    let amount = standing.intended?;
    let data = history.evidence()?;
    data.reconciliation_id.as_ref()?;
    let against = reconcile::speaks_against(data, amount.currency());
    let elsewhere = matches!(
        history.elsewhere_conflict(),
        Some(Elsewhere::Captured { .. })
    );
    let another = elsewhere || history.was_ruled_not_captured();
    let unsure = against || another || history.doubt_is_guessed();
    if unsure || standing.status != Status::InDoubt {
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
