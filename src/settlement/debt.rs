//! Bad debt after it was booked: recovered, given up, taken back, reversed; never below zero.

use crate::domain::{DebtAct, DebtRuling, Fact, Money, ReversedInto, Timestamp};

use super::history::{History, IllegalEvent};
use super::ruling::RulingRefused;

/// Something that was done about the debt, as booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtDone {
    /// The step of the event.
    pub step: u32,
    /// What, by whom and why.
    pub ruling: DebtRuling,
    /// It was taken back later.
    pub taken_back: bool,
}

/// The fact that records `ruling`, if the law allows it for this trip.
///
/// What was said before in the very same words is refused: it is more often a command given twice
/// than a second payment.
///
/// # Errors
/// Nothing stands open, the amount does not fit, what is to be taken back is not there, or the
/// same stands in the journal.
pub fn rule_debt(
    history: &History,
    ruling: &DebtRuling,
    now: Timestamp,
) -> Result<Fact, RulingRefused> {
    refuse_same_debt_ruling(history, ruling)?;
    let fact = Fact::Debt {
        ruling: ruling.clone(),
    };
    history.clone().apply(now, &fact).map_err(RulingRefused)?;
    Ok(fact)
}

/// Refuses what stands in the journal in the very same words.
///
/// # Errors
/// The step that says it.
pub fn refuse_same_debt_ruling(
    history: &History,
    ruling: &DebtRuling,
) -> Result<(), RulingRefused> {
    let mut same = history.debt_done.iter().filter(|done| !done.taken_back);
    match same.find(|done| done.ruling == *ruling) {
        None => Ok(()),
        Some(done) => {
            let step = done.step;
            let why = format!(
                "step {step} says the very same; if this is another one, say in the note which"
            );
            Err(RulingRefused(history.illegal(&why)))
        }
    }
}

/// The facts that record that `amount` came, in the words of `by` and `note`: first for what is
/// open, then for what was written off. Of that as much is put back first as the money needs, and
/// what it leaves is given up again, so that the debt is never paid and lost at once. What was
/// said before may be said again.
///
/// # Errors
/// More came than is open and was written off, or nothing.
pub fn recover_debt(
    history: &History,
    amount: Money,
    (by, note): (&str, &str),
    now: Timestamp,
) -> Result<Vec<Fact>, RulingRefused> {
    let (mut after, mut facts) = (history.clone(), Vec::new());
    let mut add = |after: &mut History, act| -> Result<(), RulingRefused> {
        let ruling = DebtRuling {
            act,
            by: by.to_owned(),
            note: note.to_owned(),
        };
        let fact = Fact::Debt { ruling };
        after.apply(now, &fact).map_err(RulingRefused)?;
        facts.push(fact);
        Ok(())
    };
    let mut put_back = false;
    let mut done = history.debt_done.iter().rev();
    while after.balances.debt() < amount.minor() {
        let written_off = |done: &&DebtDone| match done.ruling.act {
            DebtAct::WrittenOff { .. } => !done.taken_back,
            DebtAct::Recovered { .. } | DebtAct::TakenBack { .. } | DebtAct::Reversed { .. } => {
                false
            }
        };
        let Some(done) = done.find(written_off) else {
            break;
        };
        add(&mut after, DebtAct::TakenBack { step: done.step })?;
        put_back = true;
    }
    add(&mut after, DebtAct::Recovered { amount })?;
    let rest = after.money(after.balances.debt());
    if put_back && rest.is_positive() {
        add(&mut after, DebtAct::WrittenOff { amount: rest })?;
    }
    Ok(facts)
}

impl History {
    /// What was done about the debt, in order.
    pub fn debt_done(&self) -> &[DebtDone] {
        &self.debt_done
    }

    /// True when nobody ever took a write-off back: then the next one is a person's to decide.
    pub fn may_be_written_off_alone(&self) -> bool {
        let mut done = self.debt_done.iter();
        !done.any(|done| done.taken_back && matches!(done.ruling.act, DebtAct::WrittenOff { .. }))
    }

    pub(super) fn settle_debt(&mut self, ruling: &DebtRuling) -> Result<(), IllegalEvent> {
        if ruling.by.trim().is_empty() || ruling.note.trim().is_empty() {
            return Err(self.illegal("a debt is settled with a name and a reason"));
        }
        let debt = self.balances.debt();
        match ruling.act {
            DebtAct::Recovered { amount } => {
                let minor = self.of_debt("a recovery", amount, 1)?;
                self.balances.recovered = self.balances.recovered.saturating_add(minor);
            }
            DebtAct::WrittenOff { amount } => {
                let minor = self.of_debt("a write-off", amount, debt)?;
                self.balances.written_off = self.balances.written_off.saturating_add(minor);
            }
            DebtAct::TakenBack { step } => self.take_back(step)?,
            DebtAct::Reversed { amount, into } => {
                let minor = self.of_debt("a reversal", amount, 1)?;
                match into {
                    ReversedInto::Captured => self.reverse_into_captured(minor),
                    ReversedInto::Cancelled => {
                        self.balances.bad_debt = self.balances.bad_debt.saturating_sub(minor);
                        self.balances.cancelled = self.balances.cancelled.saturating_add(minor);
                    }
                }
            }
        }
        self.debt_done.push(DebtDone {
            step: self.steps.saturating_add(1),
            ruling: ruling.clone(),
            taken_back: false,
        });
        Ok(())
    }

    /// An amount between `least` and the open debt.
    fn of_debt(&self, what: &str, amount: Money, least: i64) -> Result<i64, IllegalEvent> {
        let debt = self.balances.debt();
        if debt > 0 {
            return self.amount(what, amount, least, debt);
        }
        let settled = |done: &DebtDone| match done.ruling.act {
            DebtAct::WrittenOff { .. } => Some((done.step, "written off")),
            DebtAct::Reversed { .. } => Some((done.step, "reversed")),
            DebtAct::Recovered { .. } | DebtAct::TakenBack { .. } => None,
        };
        let stand = self.debt_done.iter().filter(|done| !done.taken_back);
        Err(self.illegal(&match stand.rev().find_map(settled) {
            Some((step, word)) => format!(
                "{what} of a debt that was {word}; take that back first: `tripsettle debt \
                 reverse {} --step {step}`",
                self.trip.key
            ),
            None => format!("{what} where no bad debt is open"),
        }))
    }

    fn take_back(&mut self, step: u32) -> Result<(), IllegalEvent> {
        let balances = &mut self.balances;
        let done = self.debt_done.iter_mut().find(|done| done.step == step);
        let done = done.filter(|done| !done.taken_back);
        let part = match done.as_ref().map(|done| done.ruling.act) {
            Some(DebtAct::Recovered { amount }) => Some((&mut balances.recovered, amount, false)),
            Some(DebtAct::WrittenOff { amount }) => {
                Some((&mut balances.written_off, amount, false))
            }
            Some(DebtAct::Reversed { amount, into }) => match into {
                // Whether the hold was charged is less certain than before: `capture` stays, so
                // that it is not released by us.
                ReversedInto::Captured => Some((&mut balances.captured, amount, true)),
                ReversedInto::Cancelled => Some((&mut balances.cancelled, amount, true)),
            },
            Some(DebtAct::TakenBack { .. }) | None => None,
        };
        let (Some(done), Some((part, amount, reversed))) = (done, part) else {
            return Err(self.illegal(&format!(
                "step {step} is no recovery, write-off or reversal that stands"
            )));
        };
        *part = part.saturating_sub(amount.minor());
        if reversed {
            balances.bad_debt = balances.bad_debt.saturating_add(amount.minor());
        }
        done.taken_back = true;
        Ok(())
    }
}
