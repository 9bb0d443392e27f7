//! Books: takes what a day did to each trip and gives the day's totals and its bad-debt ledger.
//!
//! Pure. The close opens both with the totals of the day before, feeds them trip by trip in
//! (store, trip) order, and takes out [`crate::domain::DayTotal`]s whose control equation
//! [`check`] proves or refutes.

mod ageing;
mod bad_debt;
mod control;

pub use ageing::{Ageing, DebtSum};
pub use bad_debt::{EntryKind, Ledger, LedgerEntry};
pub use control::{Control, Counted, Equation, Imbalance, check};

use crate::domain::MoneyError;

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
}
