//! The bad-debt ledger of one books date.

use std::collections::BTreeMap;

use crate::domain::{
    Balances, BooksDate, BusinessDate, Currency, DayTotal, DebtAct, DebtRuling, DeclinePolicy,
    Event, Fact, LossReason, Money, RunId, StoreId, Trip, TripKey, spelled,
};

use super::BooksError;

/// What an entry does to the debt; its spelling is the `kind` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// An unpaid remainder was booked.
    New,
    /// Money came later.
    Recovery,
    /// The debt was given up.
    WriteOff,
    /// The debt should not have been booked: the amount had been captured, or was never owed.
    Reversal,
}

spelled!(EntryKind {
    New = "new",
    Recovery = "recovery",
    WriteOff = "write_off",
    Reversal = "reversal",
});

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// `BD-<books date>-<six digits>`, counted from 1 within the day.
    pub entry_id: String,
    /// The accounting date.
    pub books_date: BooksDate,
    /// The trip's business date.
    pub business_date: BusinessDate,
    /// The trip.
    pub key: TripKey,
    /// What the entry does.
    pub kind: EntryKind,
    /// How much; the kind says which way. Below zero it takes back an earlier recovery, write-off
    /// or reversal.
    pub amount: Money,
    /// The debt of the store in this currency after the entry.
    pub balance: Money,
    /// Why the debt was booked; a reversal repeats the reason of the loss it reverses.
    pub reason: LossReason,
    /// The decline policy in force when the loss was booked.
    pub policy: DeclinePolicy,
    /// The trip's cart total at the end of the books date.
    pub cart_total: Money,
    /// What was captured of it by the end of the books date.
    pub captured_amount: Money,
    /// The run that booked the entry.
    pub run_id: Option<RunId>,
    /// The step of its event among the trip's.
    pub step: u32,
    /// The step of the event that it corrects, and the books date on which that stands.
    pub corrects: Option<(u32, BooksDate)>,
    /// Who decided; none where the law of a trip did.
    pub by: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// What an event does to the debt.
struct Effect<'a> {
    kind: EntryKind,
    amount: Money,
    corrects: Corrects,
    ruling: Option<&'a DebtRuling>,
}

/// The step of an earlier event of the trip, and its books date.
type Corrects = Option<(u32, BooksDate)>;

/// The running balances of one day; see the module's text.
#[derive(Debug)]
pub struct Ledger {
    books_date: BooksDate,
    balances: BTreeMap<StoreId, BTreeMap<Currency, i64>>,
    written: u64,
}

impl Ledger {
    /// The ledger of `books_date`, opened with the closing debt of the `previous` closed day.
    pub fn open(books_date: BooksDate, previous: &[DayTotal]) -> Self {
        let mut balances: BTreeMap<StoreId, BTreeMap<Currency, i64>> = BTreeMap::new();
        for day in previous {
            let of_store = balances.entry(day.store.clone()).or_default();
            of_store.insert(day.currency, day.debt_closing);
        }
        Self {
            books_date,
            balances,
            written: 0,
        }
    }

    /// The entries of one trip's events on the day, in their order.
    ///
    /// Trips come in (store, trip) order. `end` is how the cart total divides at the end of the
    /// books date: events of later days, if there are any, are not looked at, so that the entries
    /// are the same in every edition.
    ///
    /// # Errors
    /// Overflow, or a reversal without a loss.
    pub fn enter(
        &mut self,
        trip: &Trip,
        events: &[Event],
        end: &Balances,
    ) -> Result<Vec<LedgerEntry>, BooksError> {
        let (mut entries, mut debt) = (Vec::new(), Debt::default());
        for event in events {
            if event.books_date > self.books_date {
                break;
            }
            let damaged = || BooksError::NothingToReverse(trip.key.to_string());
            let Some(effect) = debt.effect(event).map_err(|()| damaged())? else {
                continue;
            };
            if event.books_date != self.books_date {
                continue;
            }
            let booked = debt.booked.ok_or_else(damaged)?;
            let balance = self.book(&trip.key, effect.kind, effect.amount)?;
            let of = |minor| Money::of_minor(minor, end.currency);
            entries.push(LedgerEntry {
                entry_id: format!("BD-{}-{:06}", self.books_date, self.written),
                books_date: self.books_date,
                business_date: trip.business_date,
                key: trip.key.clone(),
                kind: effect.kind,
                amount: effect.amount,
                balance,
                reason: booked.reason,
                policy: booked.policy,
                cart_total: of(end.cart_total),
                captured_amount: of(end.captured),
                run_id: event.run.clone(),
                step: event.step,
                corrects: effect.corrects,
                by: effect.ruling.map(|ruling| ruling.by.clone()),
                note: effect.ruling.map(|ruling| ruling.note.clone()),
            });
        }
        Ok(entries)
    }

    fn book(&mut self, key: &TripKey, kind: EntryKind, amount: Money) -> Result<Money, BooksError> {
        self.written = self.written.saturating_add(1);
        let of_store = self.balances.entry(key.store.clone()).or_default();
        let balance = of_store.entry(amount.currency()).or_default();
        let before = Money::of_minor(*balance, amount.currency());
        let after = match kind {
            EntryKind::New => before.plus(amount),
            EntryKind::Recovery | EntryKind::WriteOff | EntryKind::Reversal => before.minus(amount),
        };
        let after = after.map_err(|why| BooksError::Money(key.to_string(), why))?;
        *balance = after.minor();
        Ok(after)
    }
}

/// The loss that was booked, as later entries refer to it.
#[derive(Clone, Copy)]
struct Booked {
    step: u32,
    on: BooksDate,
    reason: LossReason,
    policy: DeclinePolicy,
}

/// What a trip's events made of its debt so far.
#[derive(Default)]
struct Debt {
    booked: Option<Booked>,
    /// What may be taken back, by the steps of its events.
    done: BTreeMap<u32, (EntryKind, Money, BooksDate)>,
}

impl Debt {
    /// What the event does to the debt, if it does anything; an error when it reverses or takes
    /// back what is not there.
    fn effect<'a>(&mut self, event: &'a Event) -> Result<Option<Effect<'a>>, ()> {
        let (kind, amount, corrects, ruling) = match &event.fact {
            Fact::Lost {
                amount,
                reason,
                policy,
            } if amount.is_positive() => {
                self.booked = Some(Booked {
                    step: event.step,
                    on: event.books_date,
                    reason: *reason,
                    policy: *policy,
                });
                (EntryKind::New, *amount, None, None)
            }
            Fact::FoundCaptured { amount } => (EntryKind::Reversal, *amount, self.loss()?, None),
            Fact::Debt { ruling } => {
                let (kind, amount, corrects) = self.ruled(event, ruling.act)?;
                (kind, amount, corrects, Some(ruling))
            }
            Fact::Lost { .. }
            | Fact::Taken { .. }
            | Fact::Amended { .. }
            | Fact::Elsewhere { .. }
            | Fact::Intent { .. }
            | Fact::Replied { .. }
            | Fact::Evidence { .. }
            | Fact::NoEvidence { .. }
            | Fact::Line { .. }
            | Fact::Ruled { .. }
            | Fact::BreakOpened { .. }
            | Fact::BreakCured { .. } => return Ok(None),
        };
        Ok(Some(Effect {
            kind,
            amount,
            corrects,
            ruling,
        }))
    }

    fn loss(&self) -> Result<Corrects, ()> {
        let booked = self.booked.ok_or(())?;
        Ok(Some((booked.step, booked.on)))
    }

    fn ruled(&mut self, event: &Event, act: DebtAct) -> Result<(EntryKind, Money, Corrects), ()> {
        let (kind, amount, corrects) = match act {
            DebtAct::Recovered { amount } => (EntryKind::Recovery, amount, None),
            DebtAct::WrittenOff { amount } => (EntryKind::WriteOff, amount, None),
            DebtAct::Reversed { amount, .. } => (EntryKind::Reversal, amount, self.loss()?),
            DebtAct::TakenBack { step } => {
                let (kind, amount, on) = self.done.remove(&step).ok_or(())?;
                let back = Money::of_minor(amount.minor().saturating_neg(), amount.currency());
                return Ok((kind, back, Some((step, on))));
            }
        };
        let place = (kind, amount, event.books_date);
        self.done.insert(event.step, place);
        Ok((kind, amount, corrects))
    }
}
