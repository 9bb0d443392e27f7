//! Where a trip stands: every status, column and hint is read off the history here.

use crate::domain::{
    Balances, CaptureState, Currency, Elsewhere, LossReason, Money, ProcessorLine, Standing,
    Status, TransactionalData, Trip,
};

use super::history::{Capture, History};

impl History {
    /// The trip as taken, with the tax as last amended (the cart total now is in the balances).
    pub fn trip(&self) -> &Trip {
        &self.trip
    }

    /// How many events were folded.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// How the cart total divides.
    pub fn balances(&self) -> &Balances {
        &self.balances
    }

    /// The transactional data, as it came last.
    pub fn evidence(&self) -> Option<&TransactionalData> {
        self.evidence.as_deref()
    }

    /// The processor lines that name the trip, in the order in which they were taken.
    pub fn lines(&self) -> &[ProcessorLine] {
        &self.lines
    }

    /// What the feed said after our Capture intent, a loss or the end; it changed no outcome.
    pub fn elsewhere_conflict(&self) -> Option<Elsewhere> {
        self.elsewhere_conflict
    }

    /// A person ruled of a capture that it never was, and that stands.
    pub fn was_ruled_not_captured(&self) -> bool {
        self.ruled_out.is_some()
    }

    /// What was intended by the last capture of which a person ruled that it never was.
    pub fn ruled_out(&self) -> Option<Money> {
        self.ruled_out
    }

    /// The doubt is of a state that was lost: what was intended then is not known.
    pub fn doubt_is_guessed(&self) -> bool {
        matches!(self.capture, Capture::InDoubt { guessed: true, .. })
    }

    /// What the feed said happened without us, where it closed the trip.
    pub fn elsewhere(&self) -> Option<Elsewhere> {
        self.elsewhere
    }

    /// Everything that columns and reports say about the trip.
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status(),
            capture_state: self.capture_state(),
            balances: self.balances,
            authorized: self.authorized,
            intended: self.intended(),
            act_by: (self.is_open() && !self.doubts() || self.wants_release())
                .then_some(self.trip.act_by),
            version: self.version,
            steps: self.steps,
            adjust_calls: self.adjust_calls,
            wants_data: self.wants_data(),
        }
    }

    pub(super) fn status(&self) -> Status {
        let balances = &self.balances;
        if self.doubts() {
            return Status::InDoubt;
        }
        if self.is_open() {
            return match self.parked && !self.captures_stand() {
                true => Status::Refused,
                false => Status::Open,
            };
        }
        match (balances.captured > 0, balances.bad_debt > 0) {
            (true, true) => Status::CapturedPartial,
            (true, false) => Status::Captured,
            (false, true) => self.loss_status(),
            (false, false) => Status::Cancelled,
        }
    }

    /// Bad debt by decision, or because the token died.
    fn loss_status(&self) -> Status {
        match self.lost.is_some_and(LossReason::token_died) {
            true => Status::Expired,
            false => Status::WrittenOff,
        }
    }

    fn capture_state(&self) -> CaptureState {
        match self.capture {
            Capture::InDoubt { .. } => CaptureState::InDoubt,
            Capture::Done(_) | Capture::Elsewhere if self.shown() > 0 => CaptureState::Settled,
            Capture::Done(_) if self.evidence.is_some() => CaptureState::Evidenced,
            Capture::Done(_) => CaptureState::Initiated,
            Capture::None | Capture::Elsewhere => CaptureState::None,
        }
    }

    fn intended(&self) -> Option<Money> {
        match self.capture {
            Capture::InDoubt { amount, .. } | Capture::Done(amount) => Some(amount),
            Capture::None | Capture::Elsewhere => None,
        }
    }

    fn wants_data(&self) -> bool {
        let proof = |data: &TransactionalData| data.reconciliation_id.is_some();
        let enough = match &self.evidence {
            None => false,
            // In doubt only data with a reconciliation id says anything.
            Some(data) => !self.doubts() || proof(data),
        };
        self.intended().is_some() && !enough && !self.no_evidence
    }

    pub(super) fn amendable(&self) -> bool {
        let untouched = !self.capture_intended && !self.cancel_intended && self.lost.is_none();
        untouched && self.capture == Capture::None && self.elsewhere.is_none()
    }

    pub(super) fn doubts(&self) -> bool {
        matches!(self.capture, Capture::InDoubt { .. })
    }

    /// A capture was made or may have been.
    pub(super) fn captures_stand(&self) -> bool {
        match self.capture {
            Capture::InDoubt { .. } | Capture::Done(_) | Capture::Elsewhere => true,
            Capture::None => false,
        }
    }

    pub(super) fn is_empty_cart(&self) -> bool {
        self.balances.cart_total == 0
    }

    /// Something of the trip is still to be settled: open money, or an empty cart whose hold was
    /// neither released nor given up.
    pub(super) fn is_open(&self) -> bool {
        if self.is_empty_cart() {
            return !self.released && self.lost.is_none() && !self.captures_stand();
        }
        self.balances.open > 0
    }

    /// The basket was written off whole, the hold still stands, and nothing hints at a capture.
    pub(super) fn wants_release(&self) -> bool {
        let declined = self.lost == Some(LossReason::Declined);
        let whole = !self.captures_stand() && !self.is_open() && self.balances.captured == 0;
        let hinted = self.shown() > 0 || self.elsewhere_conflict.is_some();
        declined && whole && !self.released && !self.cancel_barred && !hinted
    }

    /// Minor units that processor lines show taken for this trip.
    pub(super) fn shown(&self) -> i64 {
        let captures = self.lines.iter().filter(|line| self.is_capture(line));
        captures.fold(0, |sum, line| sum.saturating_add(line.amount.minor()))
    }

    pub(super) fn cart_total(&self) -> Money {
        self.money(self.balances.cart_total)
    }

    pub(super) fn currency(&self) -> Currency {
        self.balances.currency
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::of_minor(minor, self.currency())
    }
}
