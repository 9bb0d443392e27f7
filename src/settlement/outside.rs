//! What others say of a trip: the feed, the processor's lines, a person's word.

use crate::domain::{Elsewhere, Money, ProcessorLine, Ruling, Status, Verdict};

use super::history::{Answer, Capture, History, IllegalEvent};

impl History {
    pub(super) fn amend(
        &mut self,
        cart_total: Money,
        tax: Option<Money>,
    ) -> Result<(), IllegalEvent> {
        if !self.amendable() {
            return Err(self.illegal("the amount is fixed by an intent, a loss or a doubt"));
        }
        self.amount("an amended total", cart_total, 0, i64::MAX)?;
        self.reopen(cart_total);
        self.trip.tax = tax;
        self.version = self.version.saturating_add(1);
        self.ask_anew();
        Ok(())
    }

    /// Closes the trip without a call, as long as no Capture of ours was intended. Later the word
    /// is kept and moves no money; but where money is still open nothing more is captured either,
    /// until a person has looked: it could be the second time.
    pub(super) fn hear_elsewhere(&mut self, what: Elsewhere) -> Result<(), IllegalEvent> {
        if let Elsewhere::Captured { amount } = what {
            self.amount("a capture elsewhere", amount, 0, i64::MAX)?;
        }
        let free = self.is_open() && self.capture == Capture::None;
        if !free || self.capture_intended {
            self.elsewhere_conflict = Some(what);
            self.parked |= free;
            return Ok(());
        }
        self.elsewhere = Some(what);
        match what {
            Elsewhere::Captured { amount } => self.capture_elsewhere(amount),
            Elsewhere::Cancelled => {
                self.balances.cancelled = self.balances.open;
                self.balances.open = 0;
                self.released = true;
            }
        }
        Ok(())
    }

    pub(super) fn see_line(&mut self, line: &ProcessorLine) {
        self.lines.push(line.clone());
        if !self.is_capture(line) {
            return;
        }
        match self.capture {
            Capture::InDoubt {
                amount,
                guessed: true,
            } => {
                let minor = line.amount.minor().min(amount.minor());
                self.end_doubt(self.money(minor));
            }
            // The amount of the intent is booked; what the line says more or less is a break.
            Capture::InDoubt {
                amount,
                guessed: false,
            } => self.end_doubt(amount),
            // Somebody captured it: it must never be captured again.
            Capture::None if self.is_open() => self.capture_elsewhere(line.amount),
            Capture::None | Capture::Done(_) | Capture::Elsewhere => {}
        }
    }

    /// True for a line that shows money taken for this trip.
    pub(super) fn is_capture(&self, line: &ProcessorLine) -> bool {
        line.amount.is_positive() && line.amount.currency() == self.currency()
    }

    pub(super) fn obey(&mut self, ruling: &Ruling) -> Result<(), IllegalEvent> {
        match (ruling.verdict, self.capture) {
            (Verdict::Captured { amount }, Capture::InDoubt { amount: most, .. }) => {
                self.rule_captured(amount, most)?;
            }
            // It takes back what was ruled of that capture, as long as nothing else has ended the
            // trip.
            (Verdict::Captured { amount }, Capture::None) if self.ruled_out_most().is_some() => {
                let most = self.ruled_out_most().unwrap_or(amount);
                self.rule_captured(amount, most)?;
                self.cancel_barred = true;
                self.ruled_out = None;
            }
            (Verdict::NotCaptured, Capture::InDoubt { amount, .. }) => {
                self.leave_doubt();
                self.cancel_barred = false;
                self.ruled_out = Some(amount);
                // What was read belonged to a capture that never was.
                self.evidence = None;
                self.no_evidence = false;
                self.ask_anew();
                // Ours did not happen, but the feed says that another one did.
                self.parked = self.elsewhere_conflict.is_some();
            }
            (Verdict::Captured { .. } | Verdict::NotCaptured, _) => {
                return Err(self.illegal("no capture is in doubt"));
            }
            (Verdict::Retry, _) if self.is_captured_by_another() => {
                let why = "the feed says that it was captured elsewhere: a second capture is not \
                           allowed";
                return Err(self.illegal(why));
            }
            (Verdict::Retry, _) if self.status() == Status::Refused => self.ask_anew(),
            (Verdict::Retry, _) => return Err(self.illegal("the trip is not refused")),
            (Verdict::MayBeCaptured, Capture::None) if self.is_open() => self.doubt_what_is_open(),
            (Verdict::MayBeCaptured, _) => return Err(self.illegal("nothing of it is open")),
        }
        Ok(())
    }

    fn rule_captured(&mut self, amount: Money, most: Money) -> Result<(), IllegalEvent> {
        let minor = self.amount("a ruling", amount, 1, most.minor())?;
        self.ruled_below = minor < most.minor();
        self.end_doubt(amount);
        Ok(())
    }

    /// What a capture that was ruled out may have taken of an open trip.
    fn ruled_out_most(&self) -> Option<Money> {
        let ruled_out = self.ruled_out.filter(|_| self.is_open())?;
        Some(self.money(ruled_out.minor().min(self.balances.open)))
    }

    fn is_captured_by_another(&self) -> bool {
        matches!(self.elsewhere_conflict, Some(Elsewhere::Captured { .. }))
    }

    /// As if the trip had been taken after a loss of state.
    fn doubt_what_is_open(&mut self) {
        self.capture_intended = true;
        match self.balances.open {
            // An empty cart has no money to be in doubt of, but its hold may be a charge by now.
            0 => self.parked = true,
            open => {
                self.cancel_barred = true;
                self.enter_doubt(self.money(open), true);
            }
        }
    }

    /// Adjust comes first again; what is authorised stays so.
    fn ask_anew(&mut self) {
        self.answer = Answer::None;
        self.search = None;
        self.parked = false;
    }
}
