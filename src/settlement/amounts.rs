//! How a trip's money moves between open, in doubt, captured and lost; the parts always add up.

use crate::domain::{Balances, LossReason, Money};

use super::history::{Capture, History, IllegalEvent};

impl History {
    pub(super) fn reopen(&mut self, cart_total: Money) {
        self.balances = Balances::open(cart_total);
    }

    /// A loss is always the whole remainder; of an empty cart it is 0 and means the end.
    pub(super) fn lose(&mut self, amount: Money, reason: LossReason) -> Result<(), IllegalEvent> {
        if !self.is_open() || self.doubts() {
            return Err(self.illegal("nothing is open that could be lost"));
        }
        let open = self.balances.open;
        let minor = self.amount("a loss", amount, open, open)?;
        self.balances.bad_debt = self.balances.bad_debt.saturating_add(minor);
        self.balances.open = 0;
        self.lost = Some(reason);
        Ok(())
    }

    /// Bad debt comes back as captured, up to what the lines show beyond what is booked.
    pub(super) fn find_captured(&mut self, amount: Money) -> Result<(), IllegalEvent> {
        let unbooked = self.shown().saturating_sub(self.balances.captured);
        let most = self.balances.debt().min(unbooked);
        let minor = self.amount("bad debt found captured", amount, 1, most)?;
        self.reverse_into_captured(minor);
        Ok(())
    }

    pub(super) fn reverse_into_captured(&mut self, minor: i64) {
        self.balances.bad_debt = self.balances.bad_debt.saturating_sub(minor);
        self.balances.captured = self.balances.captured.saturating_add(minor);
        if self.capture == Capture::None {
            self.capture = Capture::Elsewhere;
        }
    }

    /// Somebody else took the money, of which at most the cart total counts for this trip.
    pub(super) fn capture_elsewhere(&mut self, amount: Money) {
        let captured = amount.minor().min(self.balances.open);
        self.balances.captured = captured;
        self.balances.open = self.balances.open.saturating_sub(captured);
        self.capture = Capture::Elsewhere;
    }

    pub(super) fn enter_doubt(&mut self, amount: Money, guessed: bool) {
        self.capture = Capture::InDoubt { amount, guessed };
        self.balances.in_doubt = amount.minor();
        self.balances.open = self.balances.open.saturating_sub(amount.minor());
    }

    /// The doubt ends with nothing taken.
    pub(super) fn leave_doubt(&mut self) {
        self.capture = Capture::None;
        self.balances.open = self.balances.open.saturating_add(self.balances.in_doubt);
        self.balances.in_doubt = 0;
    }

    /// The doubt ends with `captured` taken, which is at most what was in doubt.
    pub(super) fn end_doubt(&mut self, captured: Money) {
        self.leave_doubt();
        self.balances.captured = captured.minor();
        self.balances.open = self.balances.open.saturating_sub(captured.minor());
        self.capture = Capture::Done(captured);
    }
}
