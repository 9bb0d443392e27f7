//! A trip's events folded into what is known of it; the only place where a status is made.

use crate::domain::{
    Balances, Call, Elsewhere, Event, Fact, LossReason, Money, ProcessorLine, Source, Timestamp,
    TransactionalData, Trip,
};

use super::debt::DebtDone;
use super::search::Search;

/// An event that the law does not allow: the journal is damaged, or a caller is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trip {trip}, step {step}: {why}; nothing was changed (see `tripsettle show {trip}`)")]
pub struct IllegalEvent {
    /// `STORE/TRIP_ID`, or `?` when the first event is not the taking of a trip.
    pub trip: String,
    /// The step that was refused.
    pub step: u32,
    /// What the law says.
    pub why: String,
}

/// The last thing the service made clear about the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet for this cart total.
    None,
    /// The hold covers what was asked.
    Approved(Money),
    /// A clear no to this total.
    Declined(Money),
    /// Not decided, so many times in a row, last answered then.
    Pending { in_a_row: u32, at: Timestamp },
    /// The token is dead.
    Expired { was_pending: bool },
}

/// What became of the wish to take the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    /// None was intended, or the last was proved or ruled undone.
    None,
    /// Sent, or about to be: it may have arrived. The amount is a guess, the whole cart, where the
    /// state was lost and with it what was intended.
    InDoubt { amount: Money, guessed: bool },
    /// Accepted by the service, ruled captured, or shown by a processor line.
    Done(Money),
    /// Not by us: the feed or a processor line says so.
    Elsewhere,
}

/// An intent that has no reply yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub step: u32,
    pub call: Call,
    /// The version of the cart total it was intended for.
    pub version: u32,
}

/// Everything that a trip's events say.
#[derive(Debug, Clone)]
pub struct History {
    pub(super) trip: Trip,
    pub(super) balances: Balances,
    pub(super) version: u32,
    pub(super) steps: u32,
    pub(super) answer: Answer,
    pub(super) authorized: Option<Money>,
    pub(super) adjust_calls: u32,
    /// The last intent was then, and has brought neither a clear answer nor a 429.
    pub(super) in_vain_at: Option<Timestamp>,
    pub(super) search: Option<Search>,
    pub(super) capture: Capture,
    /// A Capture was ever intended, or may have been before the state was lost.
    pub(super) capture_intended: bool,
    /// A Capture was intended since the trip was taken or last ruled not captured.
    pub(super) cancel_barred: bool,
    /// No call until a person puts the trip back: the service refused it, or the feed says that it
    /// ended elsewhere when a Capture of ours had been intended.
    pub(super) parked: bool,
    /// What was intended by the last capture of which a person ruled that it never was.
    pub(super) ruled_out: Option<Money>,
    pub(super) ruled_below: bool,
    pub(super) cancel_intended: bool,
    pub(super) cancel_silent: bool,
    pub(super) released: bool,
    pub(super) unanswered: Option<Open>,
    /// The last row of the feed that was taken for the trip.
    pub(super) source: Source,
    pub(super) elsewhere: Option<Elsewhere>,
    pub(super) elsewhere_conflict: Option<Elsewhere>,
    /// Why the last loss was booked.
    pub(super) lost: Option<LossReason>,
    pub(super) debt_done: Vec<DebtDone>,
    pub(super) evidence: Option<Box<TransactionalData>>,
    pub(super) no_evidence: bool,
    pub(super) lines: Vec<ProcessorLine>,
}

impl History {
    /// Folds a trip's events, which must be steps 1, 2, 3, … and begin with the taking.
    ///
    /// # Errors
    /// The first event that the law does not allow.
    pub fn replay(events: &[Event]) -> Result<Self, IllegalEvent> {
        let Some((first, rest)) = events.split_first() else {
            let why = "the trip has no events".to_owned();
            return Err(IllegalEvent {
                trip: "?".to_owned(),
                step: 1,
                why,
            });
        };
        let mut history = Self::begin(&first.fact)?;
        for event in rest {
            if event.step != history.steps.saturating_add(1) {
                return Err(history.illegal(&format!("step {} is out of order", event.step)));
            }
            history.apply(event.at, &event.fact)?;
        }
        Ok(history)
    }

    /// The history of a trip that is being taken.
    ///
    /// # Errors
    /// The fact is not [`Fact::Taken`].
    pub fn begin(taken: &Fact) -> Result<Self, IllegalEvent> {
        let Fact::Taken {
            trip,
            source,
            after_loss,
        } = taken
        else {
            let why = format!("a trip begins with `taken`, not with `{}`", taken.kind());
            return Err(IllegalEvent {
                trip: "?".to_owned(),
                step: 1,
                why,
            });
        };
        let guessed = *after_loss && !trip.cart_total.is_zero();
        let mut history = Self {
            trip: (**trip).clone(),
            balances: Balances::open(trip.cart_total),
            version: 1,
            steps: 1,
            answer: Answer::None,
            authorized: None,
            adjust_calls: 0,
            in_vain_at: None,
            search: None,
            capture: Capture::None,
            capture_intended: *after_loss,
            cancel_barred: guessed,
            // An empty cart has no money to be in doubt of, but its hold may be a charge by now.
            parked: *after_loss && !guessed,
            ruled_out: None,
            ruled_below: false,
            cancel_intended: false,
            cancel_silent: false,
            released: false,
            unanswered: None,
            source: source.clone(),
            elsewhere: None,
            elsewhere_conflict: None,
            lost: None,
            debt_done: Vec::new(),
            evidence: None,
            no_evidence: false,
            lines: Vec::new(),
        };
        if guessed {
            history.enter_doubt(trip.cart_total, true);
        }
        Ok(history)
    }

    /// Folds the next fact, learnt at `at`.
    ///
    /// # Errors
    /// The law does not allow it here; the history is unchanged then.
    pub fn apply(&mut self, at: Timestamp, fact: &Fact) -> Result<(), IllegalEvent> {
        match fact {
            Fact::Taken { .. } => return Err(self.illegal("the trip was taken before")),
            Fact::Amended {
                cart_total,
                tax,
                source,
            } => {
                self.amend(*cart_total, *tax)?;
                self.source = source.clone();
            }
            Fact::Elsewhere { what, source } => {
                self.hear_elsewhere(*what)?;
                self.source = source.clone();
            }
            Fact::Intent { call } => self.intend(at, *call)?,
            Fact::Replied { attempt, reply } => self.hear_reply(at, *attempt, reply)?,
            Fact::Evidence { data } => self.evidence = Some(data.clone()),
            Fact::NoEvidence { .. } => self.no_evidence = true,
            Fact::Line { line } => self.see_line(line),
            Fact::Ruled { ruling } => self.obey(ruling)?,
            Fact::Lost { amount, reason, .. } => self.lose(*amount, *reason)?,
            Fact::FoundCaptured { amount } => self.find_captured(*amount)?,
            Fact::Debt { ruling } => self.settle_debt(ruling)?,
            // What does not agree changes no status: `reconcile` reads the breaks itself.
            Fact::BreakOpened { .. } | Fact::BreakCured { .. } => {}
        }
        self.steps = self.steps.saturating_add(1);
        Ok(())
    }

    pub(super) fn illegal(&self, why: &str) -> IllegalEvent {
        let (trip, step) = (self.trip.key.to_string(), self.steps.saturating_add(1));
        IllegalEvent {
            trip,
            step,
            why: why.to_owned(),
        }
    }

    /// Refuses another currency, and what is outside `least..=most` minor units.
    pub(super) fn amount(
        &self,
        what: &str,
        amount: Money,
        least: i64,
        most: i64,
    ) -> Result<i64, IllegalEvent> {
        let minor = amount.minor();
        if amount.currency() != self.currency() {
            return Err(self.illegal(&format!("{what} of {amount} is in another currency")));
        }
        if !(least..=most).contains(&minor) {
            let bounds = match (self.money(least), self.money(most)) {
                (least, most) if least == most => format!("{most}"),
                (least, most) => format!("between {least} and {most}"),
            };
            return Err(self.illegal(&format!("{what} of {amount} is not {bounds}")));
        }
        Ok(minor)
    }
}
