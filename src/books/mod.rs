//! Books: takes what a day did to each trip and gives the day's totals, its bad-debt ledger and
//! its double entry.
//!
//! Pure. The close opens them with the totals of the day before, feeds them trip by trip in
//! (store, trip) order, and takes out [`crate::domain::DayTotal`]s whose control equation
//! [`check`] proves or refutes, and [`Transaction`]s that [`Journalist::check`] holds against it.

mod ageing;
mod bad_debt;
mod control;
mod debt;
mod movement;
mod postings;
mod proof;
mod share;
mod transaction;

pub use ageing::{Ageing, DebtSum};
pub use bad_debt::{EntryKind, Ledger, LedgerEntry};
pub use control::{Control, Counted, Equation, Imbalance, check};
pub use movement::corrects;
pub use postings::{Booked, Journalist, Step};
pub use transaction::{About, Posting, Transaction, TransactionKind};

use crate::domain::{Currency, Money, MoneyError};

/// Why a day's books could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// Two currencies met, or a sum left 64 bits.
    #[error("the books of {0} cannot be added up: {1}")]
    Money(String, MoneyError),
    /// A debt was reversed, or a recovery taken back, that is not on record.
    #[error(
        "{0} has a debt reversed or taken back that was not booked before: its journal is damaged, \
         see `tripsettle show {0}`"
    )]
    NothingToReverse(String),
    /// The debits of a transaction are not its credits.
    #[error(
        "{id} is off by {off} minor units of {currency}: nothing was published, please report it"
    )]
    Unbalanced {
        /// The transaction.
        id: String,
        /// The currency.
        currency: Currency,
        /// Debits minus credits.
        off: i64,
    },
    /// More was paid or given up than was owed.
    #[error(
        "{0} has {1} paid or written off that it does not owe: its journal is damaged, see \
         `tripsettle show {0}`"
    )]
    MoreThanOwed(String, Money),
}
