//! Journal events become transactions: what each event posts, and under which number.
//!
//! The sale itself is in the retailer's own books (debit sales clearing, credit sales and tax
//! payable) unless `books.post_sales` asks for it here. T is the cart total, X the tax in it:
//!
//! ```text
//! event                         debit                          credit
//! ----------------------------  -----------------------------  ---------------------------------
//! sale, or a change of it       sales clearing T               sales T−X, tax payable X
//!   (`post_sales` only)
//! captured, by us or elsewhere, processor receivable           sales clearing
//!   in full or in part
//! bad debt: unpaid part U       shopper receivable U−x,        sales clearing U
//!                               its tax x
//! reversal: found captured      sales clearing                 shopper receivable and its tax;
//!                                                              then a capture
//!   a person's reversal                                        or a cancellation
//! recovery of what is owed      recovery clearing              shopper receivable and its tax
//! recovery of what was          recovery clearing              bad debt recovered, or the
//!   written off                                                allowance; tax payable, if its
//!                                                              relief was taken
//! write-off                     bad-debt expense, or the       shopper receivable and its tax
//!                               allowance; tax payable x
//!                               with `tax_relief`
//! taken back: a recovery,       what it credited               what it debited
//!   write-off or reversal
//! cancelled elsewhere           cancelled sales T−X,           sales clearing T
//!                               tax payable X
//! in doubt, open, refused,      nothing                        nothing
//!   pending, holds, empty carts
//! ```
//!
//! So the receivables stand, at every day's end, at what the bad-debt ledger has as its balance,
//! and clearing is credited with what the control equation has captured, as bad debt and
//! cancelled: [`Journalist::check`] proves both. x is the tax contained in the unpaid part, pro
//! rata of the cart by largest remainder, where the feed gave `tax_amount`; without it there is
//! none. Nothing is ever rounded, so there is no rounding account.
//!
//! A transaction is numbered within its books date in the order of (store, trip, step), without
//! gaps: the number follows from the journal alone and is the same in every edition, since a
//! closed day takes no more events. A reversal and the capture or cancellation beside it name the
//! transaction that booked the debt, and what takes something back names what that did; the
//! transactions that they name are never touched. What is taken back is taken back as it was
//! posted, role by role, whatever the rules are by now; what a role is called is a matter of the
//! chart of the day, since an account that is renamed takes its balance along.

use std::collections::BTreeMap;

use crate::domain::{
    Balances, BookRules, BooksDate, DayTotal, Event, Fact, Money, ReversedInto, Role, Trip, TripKey,
};

use super::BooksError;
use super::bad_debt::EntryKind;
use super::control::Imbalance;
use super::debt::Debt;
use super::movement::{Movement, movement};
use super::proof::Proof;
use super::share::{cancellation, usable};
use super::transaction::{About, Lines, Posting, Transaction, TransactionKind, opposite};

/// An event of a trip, and how the cart total divides after it.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The event.
    pub event: &'a Event,
    /// The parts after it.
    pub after: Balances,
}

/// Transactions of earlier days that events of this one may correct, by trip and step.
pub type Booked = BTreeMap<(TripKey, u32), Transaction>;

/// Makes and numbers the transactions of one books date.
#[derive(Debug)]
pub struct Journalist {
    date: BooksDate,
    rules: BookRules,
    booked: Booked,
    written: u64,
    moved: Proof,
}

/// One trip while its events are gone through.
struct Walk<'a> {
    trip: &'a Trip,
    before: Balances,
    tax: Option<Money>,
    debt: Debt,
    /// The step of the debt that was booked.
    lost: Option<u32>,
    /// What was posted of what may be taken back, by its step.
    done: BTreeMap<u32, Lines>,
    /// The ids of this day's transactions that may be corrected, by step.
    today: BTreeMap<u32, String>,
    made: Vec<Transaction>,
}

impl Journalist {
    /// The journalist of `date`; `booked` has what earlier days, under the rules of then, posted
    /// of debts that events of this one correct.
    pub fn new(date: BooksDate, rules: BookRules, booked: Booked) -> Self {
        Self {
            date,
            rules,
            booked,
            written: 0,
            moved: Proof::default(),
        }
    }

    /// The transactions of one trip's events on the day. Trips come in (store, trip) order, with
    /// all their steps from the first one on; steps of later days are not looked at.
    ///
    /// # Errors
    /// Overflow, a debt that is paid or given up and was never booked.
    pub fn enter(
        &mut self,
        trip: &Trip,
        steps: &[Step<'_>],
    ) -> Result<Vec<Transaction>, BooksError> {
        let Some(first) = steps.first() else {
            return Ok(Vec::new());
        };
        let currency = first.after.currency;
        let mut walk = Walk {
            trip,
            before: Balances::nothing(currency),
            tax: None,
            debt: Debt::none(0, 0),
            lost: None,
            done: BTreeMap::new(),
            today: BTreeMap::new(),
            made: Vec::new(),
        };
        for step in steps {
            if step.event.books_date > self.date {
                break;
            }
            self.step(&mut walk, step)?;
            walk.before = step.after;
        }
        for made in &walk.made {
            self.moved.count(made)?;
        }
        Ok(walk.made)
    }

    fn step(&mut self, walk: &mut Walk<'_>, step: &Step<'_>) -> Result<(), BooksError> {
        let (event, before, after) = (step.event, walk.before, step.after);
        let tax_before = usable(walk.tax, cart(&before));
        if let Fact::Taken { trip, .. } = &event.fact {
            walk.tax = trip.tax;
        } else if let Fact::Amended { tax, .. } = &event.fact {
            walk.tax = *tax;
        }
        let tax = usable(walk.tax, cart(&after));
        let of = |end: i64, was: i64| end.saturating_sub(was);
        let total = of(after.cart_total, before.cart_total);
        if self.rules.post_sales {
            let tax = of(tax, tax_before);
            let lines = [
                (Role::SalesClearing, total),
                (Role::Sales, tax.saturating_sub(total)),
                (Role::TaxPayable, tax.saturating_neg()),
            ];
            self.make(walk, event, TransactionKind::Sale, None, &lines)?;
        }
        match movement(&event.fact) {
            Some(moved) => self.debt(walk, event, moved, &after, tax),
            None => self.money(walk, event, &after, tax),
        }
    }

    /// What an event that is no entry of the bad-debt ledger moves.
    fn money(
        &mut self,
        walk: &mut Walk<'_>,
        event: &Event,
        after: &Balances,
        tax: i64,
    ) -> Result<(), BooksError> {
        let captured = after.captured.saturating_sub(walk.before.captured);
        self.make(
            walk,
            event,
            TransactionKind::Capture,
            None,
            &capture(captured),
        )?;
        let lines = cancellation(&walk.before, after, tax);
        self.make(walk, event, TransactionKind::Cancellation, None, &lines)
    }

    /// What an entry of the bad-debt ledger moves.
    fn debt(
        &mut self,
        walk: &mut Walk<'_>,
        event: &Event,
        moved: Movement,
        after: &Balances,
        tax: i64,
    ) -> Result<(), BooksError> {
        if walk.lost.is_none() {
            walk.debt = Debt::none(after.cart_total, tax);
        }
        match moved {
            Movement::Entry(kind, amount) => {
                let as_kind = match kind {
                    EntryKind::New => TransactionKind::BadDebt,
                    EntryKind::Recovery => TransactionKind::Recovery,
                    EntryKind::WriteOff => TransactionKind::WriteOff,
                    EntryKind::Reversal => TransactionKind::Reversal,
                };
                if kind == EntryKind::New {
                    walk.lost = Some(event.step);
                }
                let lines = self.settle(walk, event, kind, amount)?;
                walk.done.insert(event.step, lines.clone());
                self.make(walk, event, as_kind, None, &lines)
            }
            Movement::Reversed(amount, into) => {
                let corrects = Some(self.name(walk, walk.lost.unwrap_or_default()));
                let named = corrects.clone();
                let lines = self.settle(walk, event, EntryKind::Reversal, amount)?;
                walk.done.insert(event.step, lines.clone());
                self.make(walk, event, TransactionKind::Reversal, named, &lines)?;
                let (kind, lines) = match into {
                    ReversedInto::Captured => {
                        (TransactionKind::Capture, capture(amount.minor()).to_vec())
                    }
                    ReversedInto::Cancelled => (
                        TransactionKind::Cancellation,
                        cancellation(&walk.before, after, tax).to_vec(),
                    ),
                };
                self.make(walk, event, kind, corrects, &lines)
            }
            Movement::TakenBack(step) => {
                let damaged = || BooksError::NothingToReverse(walk.trip.key.to_string());
                let mut lines = opposite(&walk.done.remove(&step).ok_or_else(damaged)?);
                walk.debt.add(&lines, &walk.trip.key.to_string())?;
                let corrects = Some(self.name(walk, step));
                let kind = match after.bad_debt == walk.before.bad_debt {
                    true => TransactionKind::TakenBack,
                    false => TransactionKind::ReversalTakenBack,
                };
                // What a reversal said that the sale was instead is undone beside it.
                lines.extend(capture(after.captured.saturating_sub(walk.before.captured)));
                lines.extend(cancellation(&walk.before, after, tax));
                self.make(walk, event, kind, corrects, &lines)
            }
        }
    }

    /// What an entry posts, or posted when it was booked: the rules may have been others then.
    fn settle(
        &self,
        walk: &mut Walk<'_>,
        event: &Event,
        kind: EntryKind,
        amount: Money,
    ) -> Result<Lines, BooksError> {
        let trip = walk.trip.key.to_string();
        let lines = match self.booked.get(&(walk.trip.key.clone(), event.step)) {
            Some(booked) => booked.lines(),
            None => walk.debt.post(kind, amount, self.rules, &trip)?,
        };
        walk.debt.add(&lines, &trip)?;
        Ok(lines)
    }

    /// The id of the transaction that posted a step; a day that nobody numbered is named.
    fn name(&self, walk: &Walk<'_>, step: u32) -> String {
        let key = (walk.trip.key.clone(), step);
        let today = walk.today.get(&step).cloned();
        let earlier = || self.booked.get(&key).map(|made| made.about().id.clone());
        let unnumbered = || format!("{} step {step}", walk.trip.key);
        today.or_else(earlier).unwrap_or_else(unnumbered)
    }

    /// Makes a transaction unless it would move nothing or is of another day.
    fn make(
        &mut self,
        walk: &mut Walk<'_>,
        event: &Event,
        kind: TransactionKind,
        corrects: Option<String>,
        lines: &[(Role, i64)],
    ) -> Result<(), BooksError> {
        if event.books_date != self.date || lines.iter().all(|(_, minor)| *minor == 0) {
            return Ok(());
        }
        self.written = self.written.saturating_add(1);
        let day = self.date.date().format("%Y%m%d");
        let about = About {
            id: format!("JE-{day}-{:06}", self.written),
            books_date: self.date,
            business_date: walk.trip.business_date,
            key: walk.trip.key.clone(),
            step: event.step,
            processor: walk.trip.processor.clone(),
            kind,
            corrects,
        };
        // Of a reversal and the capture or cancellation beside it the first is named.
        walk.today.entry(event.step).or_insert(about.id.clone());
        let currency = walk.before.currency;
        let posting = |(role, minor): &(Role, i64)| Posting {
            role: *role,
            amount: Money::of_minor(*minor, currency),
        };
        let made = Transaction::of(about, lines.iter().map(posting))?;
        walk.made.push(made);
        Ok(())
    }

    /// Proves the day's postings against the control equation and the bad-debt ledger.
    ///
    /// # Errors
    /// Every store and currency whose clearing or receivable moved by something else.
    pub fn check(&self, totals: &[DayTotal]) -> Result<(), Vec<Imbalance>> {
        self.moved.check(totals, self.rules.post_sales)
    }
}

fn cart(balances: &Balances) -> Money {
    Money::of_minor(balances.cart_total, balances.currency)
}

fn capture(minor: i64) -> [(Role, i64); 2] {
    [
        (Role::ProcessorReceivable, minor),
        (Role::SalesClearing, minor.saturating_neg()),
    ]
}
