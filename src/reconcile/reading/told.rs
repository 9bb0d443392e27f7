//! What was told: by the feed of captures elsewhere, by people of debts.

use crate::domain::{DebtAct, Elsewhere, Money, ReversedInto, Source};

use super::{AboveTotal, Believed, ElsewhereConflict, End, Met, Reading};

impl Reading<'_> {
    pub(super) fn debt(&mut self, step: u32, act: DebtAct) {
        match act {
            DebtAct::WrittenOff { amount } => self.write_offs.push((step, amount)),
            DebtAct::TakenBack { step } => {
                self.write_offs.retain(|(of, _)| *of != step);
                self.forgiven.retain(|(of, _)| *of != step);
                let place = self.believed.iter().position(|word| word.step == step);
                if let Some(place) = place {
                    let word = self.believed.remove(place);
                    self.disbelieve(word);
                }
            }
            DebtAct::Reversed { amount, into } => match into {
                ReversedInto::Captured => self.believe(step, amount),
                ReversedInto::Cancelled => self.forgiven.push((step, amount)),
            },
            DebtAct::Recovered { .. } => {}
        }
    }

    /// A person knows of a capture: a line is expected to show it, and the feed was right if it
    /// told of one. Beside a capture of ours the line will be a second one.
    fn believe(&mut self, step: u32, amount: Money) {
        let claimed = !(self.had_capture && self.claim.is_some());
        self.believed.push(Believed {
            step,
            amount,
            claimed,
            end: self.believed.first().map_or(self.end, |word| word.end),
            conflict: self.elsewhere_conflict.take(),
        });
        if claimed {
            let zero = Money::zero(self.currency);
            self.claim = self.claim.unwrap_or(zero).plus(amount).ok();
            let told = self.claim.map(|amount| Elsewhere::Captured { amount });
            self.end = told.map(End::Elsewhere).or(self.end);
        }
    }

    /// There was none: the debt stands again, and lines that show money contradict it.
    fn disbelieve(&mut self, word: Believed) {
        self.elsewhere_conflict = self.elsewhere_conflict.take().or(word.conflict);
        if !word.claimed {
            return;
        }
        let claim = self.claim.and_then(|claim| claim.minus(word.amount).ok());
        self.claim = claim.filter(|claim| claim.is_positive());
        self.end = match self.claim {
            Some(amount) => Some(End::Elsewhere(Elsewhere::Captured { amount })),
            None => word.end,
        };
        if self.claim.is_none() {
            let shown = self.shown.iter_mut();
            for shown in shown.filter(|shown| shown.met == Met::Capture) {
                shown.met = Met::WriteOff;
            }
        }
    }

    pub(super) fn elsewhere(&mut self, what: Elsewhere, source: &Source) {
        if !self.had_capture && self.end.is_none() {
            self.end = Some(End::Elsewhere(what));
            self.captured_elsewhere(what, source);
            return;
        }
        let agrees = match what {
            Elsewhere::Cancelled => matches!(self.end, Some(End::Cancelled | End::Lost)),
            Elsewhere::Captured { .. } => false,
        };
        if !agrees && self.end != Some(End::Elsewhere(what)) {
            let (amount, words) = match what {
                Elsewhere::Captured { amount } => (Some(amount), format!("captured {amount}")),
                Elsewhere::Cancelled => (None, "cancelled".to_owned()),
            };
            let words = format!(
                "the feed says `{words}` elsewhere ({} line {})",
                source.file, source.line
            );
            self.elsewhere_conflict = Some(ElsewhereConflict { amount, words });
        }
    }

    fn captured_elsewhere(&mut self, what: Elsewhere, source: &Source) {
        let Elsewhere::Captured { amount } = what else {
            return;
        };
        self.claim = Some(amount);
        // An amount above the total is taken as an amendment from the same row.
        let raised = self.amended.filter(|(from, _)| *from == source);
        let raised = raised.filter(|(_, before)| before.minor() < amount.minor());
        self.above_total = raised.map(|(_, total)| AboveTotal {
            total,
            captured: amount,
        });
    }
}
