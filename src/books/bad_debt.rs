//! The bad-debt ledger of one books date.

use std::collections::BTreeMap;

use crate::domain::{
    Balances, BooksDate, BusinessDate, Currency, DayTotal, DeclinePolicy, Event, Fact, LossReason,
    Money, RunId, StoreId, Trip, TripKey, spelled,
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
    /// Evidence showed that the amount had been captured after all.
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
    /// How much, always positive; the kind says which way.
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
}

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
        let (mut entries, mut loss) = (Vec::new(), None);
        for event in events {
            let (kind, amount) = match &event.fact {
                Fact::Lost { amount, .. } if !amount.is_positive() => continue,
                Fact::Lost {
                    amount,
                    reason,
                    policy,
                } => {
                    loss = Some((*reason, *policy));
                    (EntryKind::New, *amount)
                }
                Fact::FoundCaptured { amount } => (EntryKind::Reversal, *amount),
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
                | Fact::BreakCured { .. } => continue,
            };
            if event.books_date != self.books_date {
                continue;
            }
            let damaged = || BooksError::NothingToReverse(trip.key.to_string());
            let (reason, policy) = loss.ok_or_else(damaged)?;
            let balance = self.book(&trip.key, kind, amount)?;
            let of = |minor| Money::of_minor(minor, end.currency);
            entries.push(LedgerEntry {
                entry_id: format!("BD-{}-{:06}", self.books_date, self.written),
                books_date: self.books_date,
                business_date: trip.business_date,
                key: trip.key.clone(),
                kind,
                amount,
                balance,
                reason,
                policy,
                cart_total: of(end.cart_total),
                captured_amount: of(end.captured),
                run_id: event.run.clone(),
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
