//! One trip's way through the law: decide, intent to disk, send, reply to disk, decide again.

mod gate;

use crate::domain::{
    Balances, Call, Event, Fact, LossReason, Money, OpenTrip, SettlementPolicy, Timestamp,
};
use crate::payment_service::PaymentService;
use crate::planted::{self, Bug};
use crate::settlement::{Decision, decide};
use crate::store::StoreError;

use super::RunError;
use super::calling::After;
use super::draft::Draft;
use super::pass::{House, Pass};

use gate::Gate;

/// How a trip left its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneEnd {
    /// Nothing more to do now.
    Done,
    /// PENDING: worth asking again at this instant.
    AskAgain(Timestamp),
    /// Left to a later pass.
    Left,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Written,
    /// The feed or a person was faster: the law must be asked again.
    Rebased,
}

struct Lane<'a, S> {
    house: &'a House<S>,
    pass: &'a Pass,
    draft: Draft,
    policy: SettlementPolicy,
    tries: u32,
}

/// Takes one trip as far as it goes in this pass; `events` are those that were read already.
///
/// # Errors
/// The state cannot be read or written, or the journal breaks the law.
pub async fn settle_trip<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    trip: &OpenTrip,
    events: Option<Vec<Event>>,
) -> Result<LaneEnd, RunError> {
    let mut lane = Lane::load(house, pass, trip, events)?;
    let before = lane.draft.history().standing().status;
    let end = lane.walk().await;
    // Whatever happened, what was heard goes to disk.
    lane.flush().await?;
    let end = end?;
    let standing = lane.draft.history().standing();
    if standing.status != before {
        lane.count(&standing);
    }
    let Balances {
        captured, currency, ..
    } = standing.balances;
    house.watcher.trip(Money::of_minor(captured, currency));
    Ok(end)
}

impl<'a, S: PaymentService> Lane<'a, S> {
    fn load(
        house: &'a House<S>,
        pass: &'a Pass,
        trip: &OpenTrip,
        events: Option<Vec<Event>>,
    ) -> Result<Self, RunError> {
        let events = match events {
            Some(events) => events,
            None => house.store.events(trip.id)?,
        };
        Ok(Self {
            house,
            pass,
            draft: Draft::after(trip.id, &events)?,
            policy: house.config.policy_for(&trip.key.store),
            tries: 0,
        })
    }

    async fn walk(&mut self) -> Result<LaneEnd, RunError> {
        loop {
            match decide(self.draft.history(), &self.policy, self.house.clock.now()) {
                Decision::Call(call) => match self.perform(call).await? {
                    After::GoOn => {}
                    After::Leave => return self.leave(),
                },
                Decision::AskAgain { not_before } => return Ok(LaneEnd::AskAgain(not_before)),
                Decision::Lose { reason, .. } if !self.may_lose(reason).await? => {
                    return Ok(LaneEnd::Left);
                }
                Decision::Lose { amount, reason } => self.lose(amount, reason)?,
                Decision::AwaitEvidence if planted::is(Bug::DoubtWrittenOff) => {
                    self.lose(
                        self.draft.history().trip().cart_total,
                        LossReason::TokenExpired,
                    )?;
                }
                Decision::AwaitEvidence if planted::is(Bug::CancelInDoubt) => {
                    self.perform(Call::Cancel).await?;
                }
                Decision::AwaitEvidence | Decision::Parked | Decision::Finished => {
                    return Ok(LaneEnd::Done);
                }
            }
        }
    }

    /// What is booked by a clock that is ahead is lost although it could be saved.
    async fn may_lose(&self, reason: LossReason) -> Result<bool, RunError> {
        if reason.may_be_by_the_clock() {
            let key = &self.draft.history().trip().key;
            self.house.compare_clocks(self.pass, key).await?;
        }
        Ok(!self.is_misled(reason))
    }

    fn is_misled(&self, reason: LossReason) -> bool {
        reason.may_be_by_the_clock() && self.house.halt.is_for_the_clock()
    }

    /// Left without an answer: a loss that silence alone makes certain is still booked.
    fn leave(&mut self) -> Result<LaneEnd, RunError> {
        Ok(match self.stage_loss()? {
            true => LaneEnd::Done,
            false => LaneEnd::Left,
        })
    }

    /// Intent to disk, call, reply. The intent is the last thing before the send: no wait stands
    /// between them, so that a crash leaves as few false doubts as can be.
    async fn perform(&mut self, call: Call) -> Result<After, RunError> {
        let (house, pass) = (self.house, self.pass);
        let gate = match call {
            Call::Capture { .. } => match self.enter_capture().await? {
                Gate::Open(gate) => Some(gate),
                Gate::AskTheLaw => return Ok(After::GoOn),
                Gate::Shut => return Ok(After::Leave),
            },
            Call::Adjust { .. } | Call::Cancel | Call::TransactionalData => None,
        };
        if !house.paced(pass).await {
            return Ok(After::Leave);
        }
        self.stage(Fact::Intent { call })?;
        let attempt = self.draft.history().steps();
        let waits = !planted::is(Bug::IntentAfterSend);
        if waits && self.flush().await? == Flushed::Rebased {
            return Ok(After::GoOn);
        }
        let key = self.draft.history().trip().key.clone();
        let heard = house
            .call(pass, &key, &call, self.tries.saturating_add(1))
            .await;
        self.stage(Fact::Replied {
            attempt,
            reply: heard.reply.clone(),
        })?;
        self.tell_breaker(&call, &heard.reply);
        drop(gate);
        if !heard.reply.is_clear() || !call.may_be_repeated() {
            // A capture's reply, and every reply before a wait, is on disk before anything else;
            // a remainder that it made certain is written in the same breath.
            self.stage_loss()?;
            self.flush().await?;
        }
        self.tries = if heard.reply.is_clear() {
            0
        } else {
            self.tries.saturating_add(1)
        };
        house.weigh(pass, &call, &heard, self.tries).await
    }

    /// Stages the loss that is certain now, if there is one: true when it did.
    fn stage_loss(&mut self) -> Result<bool, RunError> {
        let decision = decide(self.draft.history(), &self.policy, self.house.clock.now());
        let loss = decision.loss();
        let Some((amount, reason)) = loss.filter(|(_, reason)| !self.is_misled(*reason)) else {
            return Ok(false);
        };
        self.lose(amount, reason)?;
        Ok(true)
    }

    fn lose(&mut self, amount: Money, reason: LossReason) -> Result<(), RunError> {
        let policy = self.policy.on_decline;
        self.stage(Fact::Lost {
            amount,
            reason,
            policy,
        })
    }

    fn stage(&mut self, fact: Fact) -> Result<(), RunError> {
        self.draft.add(self.house.clock.now(), fact)
    }

    /// Hands over what is staged; replies are kept by us until they are on disk.
    async fn flush(&mut self) -> Result<Flushed, RunError> {
        if self.draft.facts().is_empty() {
            return Ok(Flushed::Written);
        }
        self.pass.begin(self.house).await?;
        let staged = self.draft.facts().iter();
        let replies = staged.filter(|(_, fact)| matches!(fact, Fact::Replied { .. }));
        let replies = replies.cloned().collect();
        match self.write().await {
            Ok(()) => Ok(Flushed::Written),
            Err(StoreError::Conflict { .. }) => {
                self.rebase(replies).await.map(|()| Flushed::Rebased)
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let (date, run) = (self.pass.books_date, &self.pass.run);
        let append = self.draft.append(date, Some(run));
        self.house.store.append(append).await
    }

    /// Somebody else wrote to the trip meanwhile. Replies are facts and are kept; what we had
    /// only intended or concluded is dropped, for the law must be asked again.
    async fn rebase(&mut self, replies: Vec<(Timestamp, Fact)>) -> Result<(), RunError> {
        loop {
            let trip = self.draft.trip();
            self.draft = Draft::after(trip, &self.house.store.events(trip)?)?;
            for (at, fact) in &replies {
                self.draft.add(*at, fact.clone())?;
            }
            if replies.is_empty() {
                return Ok(());
            }
            match self.write().await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    fn count(&self, standing: &crate::domain::Standing) {
        self.pass
            .tally()
            .count_outcome(standing.status, &standing.balances);
    }
}
