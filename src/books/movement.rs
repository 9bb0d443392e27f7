//! What a fact does to the bad debt of its trip, as the postings see it.

use crate::domain::{DebtAct, Fact, Money, ReversedInto};

use super::bad_debt::EntryKind;

/// A movement of the debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    /// It was booked, or settled in part.
    Entry(EntryKind, Money),
    /// It was no debt; the sale was this instead.
    Reversed(Money, ReversedInto),
    /// What the event of this step did is undone.
    TakenBack(u32),
}

/// The movement that a fact is, if it is one.
pub(super) fn movement(fact: &Fact) -> Option<Movement> {
    Some(match fact {
        Fact::Lost { amount, .. } => Movement::Entry(EntryKind::New, *amount),
        Fact::FoundCaptured { amount } => Movement::Reversed(*amount, ReversedInto::Captured),
        Fact::Debt { ruling } => match ruling.act {
            DebtAct::Recovered { amount } => Movement::Entry(EntryKind::Recovery, amount),
            DebtAct::WrittenOff { amount } => Movement::Entry(EntryKind::WriteOff, amount),
            DebtAct::TakenBack { step } => Movement::TakenBack(step),
            DebtAct::Reversed { amount, into } => Movement::Reversed(amount, into),
        },
        Fact::Taken { .. }
        | Fact::Amended { .. }
        | Fact::Elsewhere { .. }
        | Fact::Intent { .. }
        | Fact::Replied { .. }
        | Fact::Evidence { .. }
        | Fact::NoEvidence { .. }
        | Fact::Line { .. }
        | Fact::Ruled { .. }
        | Fact::BreakOpened { .. }
        | Fact::BreakCured { .. } => return None,
    })
}

/// True when the fact corrects what an earlier event booked.
pub fn corrects(fact: &Fact) -> bool {
    match movement(fact) {
        Some(Movement::Reversed(..) | Movement::TakenBack(_)) => true,
        Some(Movement::Entry(..)) | None => false,
    }
}
