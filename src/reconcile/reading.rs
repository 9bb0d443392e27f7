//! One reading of a trip's events: what evidence can be held against.

mod told;

use std::collections::BTreeSet;

use crate::domain::{
    BreakKind, Call, Currency, Elsewhere, Event, Fact, LossReason, Money, ProcessorLine, Reply,
    Source, Timestamp, TransactionalData, Trip, Verdict,
};

/// The last loss that was booked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    pub amount: Money,
    pub reason: LossReason,
}

/// The feed speaks of a capture or a cancellation that our own doings contradict.
#[derive(Debug, Clone)]
pub(super) struct ElsewhereConflict {
    pub amount: Option<Money>,
    pub words: String,
}

/// The feed says that more was captured than the trip owed.
#[derive(Debug, Clone, Copy)]
pub(super) struct AboveTotal {
    pub total: Money,
    pub captured: Money,
}

/// What a processor line found when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// A capture, ours or one that the feed told of.
    Capture,
    /// A loss and no capture.
    WriteOff,
    /// Neither.
    Nothing,
}

/// A line whose money has not gone back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub line: &'a ProcessorLine,
    pub met: Met,
}

/// What a person's word that a debt was captured changed.
#[derive(Debug)]
struct Believed {
    step: u32,
    amount: Money,
    /// The claim grew by the amount.
    claimed: bool,
    end: Option<End>,
    conflict: Option<ElsewhereConflict>,
}

/// How the trip ended without a capture of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lost,
    Cancelled,
    Elsewhere(Elsewhere),
    /// A processor line showed money that nobody had told of.
    Shown,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    currency: Currency,
    had_capture: bool,
    guessed: bool,
    unanswered: Option<(u32, Call)>,
    cancel_unclear: bool,
    end: Option<End>,
    amended: Option<(&'a Source, Money)>,
    total: Money,
    /// The amount that a processor line should show.
    pub claim: Option<Money>,
    /// When the capture was accepted or ruled captured.
    pub captured_at: Option<Timestamp>,
    /// Why a capture is in doubt.
    pub doubt: Option<String>,
    /// The service's words of the last refusal.
    pub refused: Option<&'a str>,
    /// The last loss above zero.
    pub lost: Option<Loss>,
    /// Minor units that lines brought back from bad debt so far.
    pub found: i64,
    /// Write-offs that stand, with their steps.
    pub write_offs: Vec<(u32, Money)>,
    /// Reversals that stand and say that nothing was owed, with their steps.
    pub forgiven: Vec<(u32, Money)>,
    /// Reversals that stand and say that it was captured.
    believed: Vec<Believed>,
    /// The newest transactional data.
    pub data: Option<&'a TransactionalData>,
    /// Why there is none to be had.
    pub no_evidence: Option<&'a str>,
    /// Positive lines, without those that went back.
    pub shown: Vec<Shown<'a>>,
    /// The service's words to a Cancel that was repeated after silence.
    pub cancel_unconfirmed: Option<&'a str>,
    /// See [`ElsewhereConflict`].
    pub elsewhere_conflict: Option<ElsewhereConflict>,
    /// See [`AboveTotal`].
    pub above_total: Option<AboveTotal>,
    /// Kinds of breaks that were ever opened.
    pub ever_opened: BTreeSet<BreakKind>,
}

impl<'a> Reading<'a> {
    /// Reads the events in their order.
    pub fn of(trip: &Trip, events: &'a [Event]) -> Self {
        let mut reading = Self::blank(trip.cart_total);
        for event in events {
            reading.hear(event);
        }
        reading
    }

    fn blank(total: Money) -> Self {
        Self {
            currency: total.currency(),
            had_capture: false,
            guessed: false,
            unanswered: None,
            cancel_unclear: false,
            end: None,
            amended: None,
            total,
            claim: None,
            captured_at: None,
            doubt: None,
            refused: None,
            lost: None,
            found: 0,
            write_offs: Vec::new(),
            forgiven: Vec::new(),
            believed: Vec::new(),
            data: None,
            no_evidence: None,
            shown: Vec::new(),
            cancel_unconfirmed: None,
            elsewhere_conflict: None,
            above_total: None,
            ever_opened: BTreeSet::new(),
        }
    }

    fn hear(&mut self, event: &'a Event) {
        match &event.fact {
            Fact::Taken { after_loss, .. } => self.taken(*after_loss),
            Fact::Amended {
                cart_total, source, ..
            } => {
                self.amended = Some((source, self.total));
                self.total = *cart_total;
            }
            Fact::Elsewhere { what, source } => self.elsewhere(*what, source),
            Fact::Intent { call } => self.intent(event.step, *call),
            Fact::Replied { attempt, reply } => self.replied(event.at, *attempt, reply),
            Fact::Evidence { data } => self.data = Some(data),
            Fact::NoEvidence { words } => self.no_evidence = Some(words),
            Fact::Line { line } => self.line(event.at, line),
            Fact::Ruled { ruling } => self.ruled(event.at, ruling.verdict),
            Fact::Lost { amount, reason, .. } => self.lost(*amount, *reason),
            Fact::FoundCaptured { amount } => {
                self.found = self.found.saturating_add(amount.minor());
            }
            Fact::Debt { ruling } => self.debt(event.step, ruling.act),
            Fact::BreakOpened { found } => {
                self.ever_opened.insert(found.kind);
            }
            Fact::BreakCured { .. } => {}
        }
    }

    fn taken(&mut self, after_loss: bool) {
        if after_loss {
            self.guess("the trip began before the state was lost and may have been captured");
        }
    }

    fn guess(&mut self, words: &str) {
        (self.had_capture, self.guessed) = (true, true);
        (self.claim, self.doubt) = (Some(self.total), Some(words.to_owned()));
    }

    fn intent(&mut self, step: u32, call: Call) {
        let before = self.unanswered.replace((step, call));
        match call {
            Call::Capture { amount } => {
                self.had_capture = true;
                self.claim = Some(amount);
                let words = format!("Capture of {amount} was begun and no answer is on record");
                self.doubt = Some(words);
            }
            Call::Cancel => {
                self.cancel_unclear |= before.is_some_and(|(_, call)| call == Call::Cancel);
            }
            Call::Adjust { .. } | Call::TransactionalData => {}
        }
    }

    fn replied(&mut self, at: Timestamp, attempt: u32, reply: &'a Reply) {
        if let Reply::Refused { words } = reply {
            self.refused = Some(words);
        }
        let asked = self.unanswered.take();
        let asked = asked.filter(|(step, _)| *step == attempt);
        match asked.map(|(_, call)| call) {
            Some(Call::Capture { amount }) => self.capture_replied(at, amount, reply),
            Some(Call::Cancel) => self.cancel_replied(reply),
            Some(Call::Adjust { .. } | Call::TransactionalData) | None => {}
        }
    }

    fn capture_replied(&mut self, at: Timestamp, amount: Money, reply: &Reply) {
        // Evidence may have ended the doubt while the answer was on its way.
        let still_in_doubt = self.doubt.is_some();
        if reply.proves_not_executed() {
            self.claim = self.claim.filter(|_| !still_in_doubt);
            self.doubt = None;
        } else if reply.leaves_capture_in_doubt() && still_in_doubt {
            let why = what_failed(reply);
            self.doubt = Some(format!("Capture of {amount} at {at}: {why}"));
        } else if reply == &Reply::Initiated {
            (self.captured_at, self.doubt) = (Some(at), None);
        }
    }

    fn cancel_replied(&mut self, reply: &'a Reply) {
        if let Reply::Refused { words } = reply
            && self.cancel_unclear
        {
            self.cancel_unconfirmed = Some(words);
        }
        self.cancel_unclear |= !reply.is_clear() && !reply.proves_not_executed();
        let gone = matches!(reply, Reply::Initiated | Reply::Expired { .. });
        if gone || self.cancel_unconfirmed.is_some() {
            self.end.get_or_insert(End::Cancelled);
        }
    }

    fn ruled(&mut self, at: Timestamp, verdict: Verdict) {
        match verdict {
            Verdict::Captured { amount } => {
                self.guessed = false;
                (self.claim, self.captured_at, self.doubt) = (Some(amount), Some(at), None);
            }
            Verdict::NotCaptured => {
                self.guessed = false;
                (self.claim, self.doubt) = (None, None);
                // What was read belonged to a capture that never was.
                (self.data, self.no_evidence) = (None, None);
            }
            Verdict::Retry => {}
            Verdict::MayBeCaptured => self.guess("an older state was put back"),
        }
    }

    fn lost(&mut self, amount: Money, reason: LossReason) {
        if amount.is_positive() {
            self.lost = Some(Loss { amount, reason });
        }
        self.end.get_or_insert(End::Lost);
    }

    fn line(&mut self, at: Timestamp, line: &'a ProcessorLine) {
        if line.amount.is_positive() {
            self.came(at, line);
        } else if !line.amount.is_zero() {
            self.went_back(line);
        }
    }

    fn came(&mut self, at: Timestamp, line: &'a ProcessorLine) {
        let met = match (self.claim, self.lost) {
            (Some(_), _) => Met::Capture,
            (None, Some(_)) => Met::WriteOff,
            (None, None) => Met::Nothing,
        };
        self.shown.push(Shown { line, met });
        if line.amount.currency() != self.currency {
            return;
        }
        match met {
            Met::Capture => {
                if std::mem::take(&mut self.guessed) {
                    // After a loss of state only the line knows how much was captured.
                    self.claim = self.claim.and_then(|most| line.amount.at_most(most).ok());
                }
                self.captured_at.get_or_insert(at);
                self.doubt = None;
            }
            Met::Nothing => {
                self.end.get_or_insert(End::Shown);
            }
            Met::WriteOff => {}
        }
    }

    fn went_back(&mut self, line: &ProcessorLine) {
        let back = |shown: &Shown<'_>| {
            let sum = shown.line.amount.plus(line.amount);
            sum.is_ok_and(|rest| rest.is_zero())
        };
        if let Some(place) = self.shown.iter().rposition(back) {
            self.shown.remove(place);
        }
        if line.amount.currency() == self.currency {
            self.elsewhere_conflict = None;
        }
    }
}

fn what_failed(reply: &Reply) -> &str {
    match reply {
        Reply::Unclear { why, .. } | Reply::NotTheService { why } | Reply::NotSent { why } => why,
        Reply::Unauthorized { words, .. } | Reply::Expired { words } | Reply::Refused { words } => {
            words
        }
        Reply::Approved { .. }
        | Reply::Declined { .. }
        | Reply::Pending
        | Reply::Initiated
        | Reply::Data(_)
        | Reply::Throttled { .. } => reply.name(),
    }
}
