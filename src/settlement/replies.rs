//! What intents and replies do to a history: the table of replies, seen from the trip.

use crate::domain::{Call, Money, Reply, Timestamp};

use super::history::{Answer, Capture, History, IllegalEvent, Open};
use super::search::Search;

impl History {
    pub(super) fn intend(&mut self, at: Timestamp, call: Call) -> Result<(), IllegalEvent> {
        if self.parked && self.is_open() {
            return Err(self.illegal("a call for a parked trip, before it is ruled `retry`"));
        }
        match call {
            Call::Adjust { total } => self.intend_adjust(total)?,
            Call::Capture { amount } => self.intend_capture(amount)?,
            Call::Cancel => self.intend_cancel()?,
            Call::TransactionalData => return Err(self.illegal("a read needs no intent")),
        }
        self.in_vain_at = Some(at);
        self.unanswered = Some(Open {
            step: self.steps.saturating_add(1),
            call,
            version: self.version,
        });
        Ok(())
    }

    fn intend_adjust(&mut self, total: Money) -> Result<(), IllegalEvent> {
        if !self.is_open() || self.captures_stand() {
            return Err(self.illegal("there is nothing left to adjust"));
        }
        self.amount("an adjust", total, 1, self.balances.cart_total)?;
        if total != self.cart_total() && self.search.is_none() {
            return Err(self.illegal("an adjust of a part, while the whole was not declined"));
        }
        // Left in silence until its reply says otherwise.
        self.adjust_calls = self.adjust_calls.saturating_add(1);
        Ok(())
    }

    fn intend_capture(&mut self, amount: Money) -> Result<(), IllegalEvent> {
        if !self.is_open() || self.captures_stand() {
            return Err(self.illegal("a second capture, while the first is not proved undone"));
        }
        let Some(authorized) = self.authorized else {
            return Err(self.illegal("a capture before anything is authorised"));
        };
        let most = authorized.minor().min(self.balances.cart_total);
        self.amount("a capture", amount, 1, most)?;
        self.begin_doubt(amount);
        Ok(())
    }

    fn begin_doubt(&mut self, amount: Money) {
        self.capture_intended = true;
        self.cancel_barred = true;
        self.enter_doubt(amount, false);
    }

    fn intend_cancel(&mut self) -> Result<(), IllegalEvent> {
        if self.cancel_barred || self.captures_stand() {
            return Err(self.illegal("a cancel after a capture was intended"));
        }
        let empty = self.is_empty_cart() && self.is_open();
        if !empty && !self.wants_release() {
            return Err(self.illegal("there is no hold to release"));
        }
        let before = self.unanswered.map(|open| open.call);
        self.cancel_silent |= before == Some(Call::Cancel);
        self.cancel_intended = true;
        Ok(())
    }

    pub(super) fn hear_reply(
        &mut self,
        at: Timestamp,
        attempt: u32,
        reply: &Reply,
    ) -> Result<(), IllegalEvent> {
        let Some(open) = self.unanswered.filter(|open| open.step == attempt) else {
            return Err(self.illegal(&format!("a reply to step {attempt}, which awaits none")));
        };
        self.unanswered = None;
        // Who asks us to wait can be asked, and has not been yet: a 429 is no attempt.
        if reply.is_clear() || matches!(reply, Reply::Throttled { .. }) {
            self.in_vain_at = None;
        }
        match open.call {
            Call::Adjust { total } => self.hear_adjust(at, total, open.version, reply),
            Call::Capture { amount } => self.hear_capture(amount, reply),
            Call::Cancel => self.hear_cancel(reply),
            Call::TransactionalData => {}
        }
        Ok(())
    }

    fn hear_adjust(&mut self, at: Timestamp, asked: Money, version: u32, reply: &Reply) {
        // The cart total changed meanwhile: of the old one only the hold and its death matter.
        let stale = version != self.version;
        match reply {
            Reply::Approved { authorized } | Reply::Declined { authorized }
                if authorized.currency() != self.currency() =>
            {
                self.parked |= !stale;
            }
            Reply::Approved { authorized } if authorized.minor() >= asked.minor() => {
                self.authorize(asked, Answer::Approved(asked), stale);
            }
            // Approved for less than was asked is a decline with that amount.
            Reply::Approved { authorized } | Reply::Declined { authorized } => {
                self.authorize(*authorized, Answer::Declined(asked), stale);
            }
            Reply::Pending if stale => {}
            Reply::Pending => {
                let in_a_row = self.pending_in_a_row().saturating_add(1);
                self.answer = Answer::Pending { in_a_row, at };
            }
            Reply::Expired { .. } => {
                let was_pending = self.pending_in_a_row() > 0;
                self.answer = Answer::Expired { was_pending };
            }
            Reply::Refused { .. } => self.parked |= !stale,
            Reply::Throttled { .. } | Reply::NotSent { .. } => {
                self.adjust_calls = self.adjust_calls.saturating_sub(1);
            }
            Reply::Unauthorized { .. }
            | Reply::NotTheService { .. }
            | Reply::Unclear { .. }
            | Reply::Initiated
            | Reply::Data(_) => {}
        }
    }

    fn pending_in_a_row(&self) -> u32 {
        match self.answer {
            Answer::Pending { in_a_row, .. } => in_a_row,
            Answer::None | Answer::Approved(_) | Answer::Declined(_) | Answer::Expired { .. } => 0,
        }
    }

    fn authorize(&mut self, authorized: Money, answer: Answer, stale: bool) {
        self.authorized = Some(authorized);
        if stale {
            return;
        }
        self.answer = answer;
        match (&mut self.search, answer) {
            (Some(search), Answer::Declined(asked)) => search.declined(asked),
            (Some(search), _) => search.approved(),
            (None, Answer::Declined(asked)) => self.search = Some(Search::below(asked)),
            (None, _) => {}
        }
    }

    fn hear_capture(&mut self, amount: Money, reply: &Reply) {
        // Ruled not captured while the answer was on its way: the answer knows better.
        if self.capture == Capture::None && self.is_open() {
            self.begin_doubt(amount);
        }
        // A line or a ruling ended the doubt while the answer was on its way: it stays ended.
        if !self.doubts() {
            return;
        }
        match reply {
            Reply::Initiated => self.end_doubt(amount),
            Reply::Expired { .. } => {
                self.leave_doubt();
                self.answer = Answer::Expired { was_pending: false };
            }
            Reply::Refused { .. } => {
                self.leave_doubt();
                self.parked = true;
            }
            Reply::Throttled { .. }
            | Reply::NotSent { .. }
            | Reply::Unauthorized {
                by_service: true, ..
            } => {
                self.leave_doubt();
                // While this one was on its way the feed told that somebody else was faster.
                self.parked |= self.elsewhere_conflict.is_some();
            }
            Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Data(_)
            | Reply::Unauthorized {
                by_service: false, ..
            }
            | Reply::NotTheService { .. }
            | Reply::Unclear { .. } => {}
        }
    }

    fn hear_cancel(&mut self, reply: &Reply) {
        match reply {
            // Expired: the token is dead, and the hold with it.
            Reply::Initiated | Reply::Expired { .. } => self.released = true,
            Reply::Refused { .. } if self.is_empty_cart() && !self.cancel_silent => {
                self.parked = true;
            }
            // After silence: the first may have released it, `reconcile` says so. Else a failed
            // release changes no money; the hold falls when the token dies.
            Reply::Refused { .. } => self.released = true,
            Reply::Throttled { .. }
            | Reply::NotSent { .. }
            | Reply::Unauthorized {
                by_service: true, ..
            } => {}
            Reply::Unauthorized {
                by_service: false, ..
            }
            | Reply::NotTheService { .. }
            | Reply::Unclear { .. }
            | Reply::Approved { .. }
            | Reply::Declined { .. }
            | Reply::Pending
            | Reply::Data(_) => self.cancel_silent = true,
        }
    }
}
