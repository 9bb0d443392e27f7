//! The law of a trip: takes its events, gives where it stands and what comes next; never sends,
//! writes or reads a clock.
//!
//! [`History`] folds events and refuses those that the law does not allow; [`decide()`] asks it
//! for the next call, a wait, a loss or the end; [`admit`] says what a row of the feed means for a
//! trip, [`rule`] what a person's word does, [`rule_debt`] and [`recover_debt`] what becomes of its
//! bad debt.

mod amounts;
mod debt;
mod decide;
mod feed;
mod history;
mod outside;
mod replies;
mod ruling;
mod search;
mod standing;

pub use debt::{DebtDone, recover_debt, refuse_same_debt_ruling, rule_debt};
pub use decide::{Decision, decide};
pub use feed::{Admitted, admit};
pub use history::{History, IllegalEvent};
pub use ruling::{RulingRefused, rule};
