//! Transactions: debits and credits that sum to zero, or there is no transaction.

use std::collections::BTreeMap;

use crate::domain::{
    BooksDate, BusinessDate, Currency, Money, ProcessorName, Role, TripKey, spelled,
};

use super::BooksError;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionKind {
    /// The sale, or a change of it.
    Sale,
    /// The card was charged.
    Capture,
    /// An unpaid remainder became a debt of the shopper.
    BadDebt,
    /// A debt that turned out to have been paid is taken back.
    Reversal,
    /// Money came for a debt.
    Recovery,
    /// A debt was given up.
    WriteOff,
    /// A recovery or a write-off was none.
    TakenBack,
    /// A person's reversal was none: the debt stands again.
    ReversalTakenBack,
    /// The sale was cancelled elsewhere.
    Cancellation,
}

spelled!(TransactionKind {
    Sale = "sale",
    Capture = "capture",
    BadDebt = "bad_debt",
    Reversal = "reversal",
    Recovery = "recovery",
    WriteOff = "write_off",
    TakenBack = "taken_back",
    ReversalTakenBack = "reversal_taken_back",
    Cancellation = "cancellation",
});

impl TransactionKind {
    /// The word for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Capture => "captured",
            Self::BadDebt => "bad debt",
            Self::Reversal => "bad debt reversed",
            Self::Recovery => "bad debt recovered",
            Self::WriteOff => "bad debt written off",
            Self::TakenBack => "recovery or write-off taken back",
            Self::ReversalTakenBack => "reversal of a bad debt taken back",
            Self::Cancellation => "sale cancelled",
        }
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// What the account is for.
    pub role: Role,
    /// A debit if positive, a credit if negative; never zero.
    pub amount: Money,
}

/// Roles and minor units, debits positive: postings on their way.
pub(super) type Lines = Vec<(Role, i64)>;

/// What takes `lines` back.
pub(super) fn opposite(lines: &[(Role, i64)]) -> Lines {
    let back = |(role, minor): &(Role, i64)| (*role, minor.saturating_neg());
    lines.iter().map(back).collect()
}

/// What a transaction tells beside its postings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `JE-<books date>-<six digits>`, counted from 1 within the day.
    pub id: String,
    /// The accounting date.
    pub books_date: BooksDate,
    /// The trip's business date.
    pub business_date: BusinessDate,
    /// The trip.
    pub key: TripKey,
    /// The event of the trip's journal that it posts.
    pub step: u32,
    /// The trip's card processor.
    pub processor: Option<ProcessorName>,
    /// What it is for.
    pub kind: TransactionKind,
    /// The transaction that this one corrects.
    pub corrects: Option<String>,
}

/// A balanced transaction: there is no other way to make one than [`Transaction::of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    about: About,
    postings: Vec<Posting>,
}

impl Transaction {
    /// Makes a transaction of what it is about and its postings. Those of one role and currency
    /// are added up, those of nothing are left out; the order is that of first mention.
    ///
    /// # Errors
    /// [`BooksError::Unbalanced`] unless the postings of each currency sum to zero;
    /// [`BooksError::Money`] when a sum leaves 64 bits.
    pub fn of(
        about: About,
        postings: impl IntoIterator<Item = Posting>,
    ) -> Result<Self, BooksError> {
        let mut merged: Vec<Posting> = Vec::with_capacity(4);
        for posting in postings {
            let currency = posting.amount.currency();
            let same = |other: &&mut Posting| {
                other.role == posting.role && other.amount.currency() == currency
            };
            match merged.iter_mut().find(same) {
                Some(other) => {
                    let sum = other.amount.plus(posting.amount);
                    other.amount = sum.map_err(|why| BooksError::Money(about.id.clone(), why))?;
                }
                None => merged.push(posting),
            }
        }
        merged.retain(|posting| !posting.amount.is_zero());
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for posting in &merged {
            let sum = sums.entry(posting.amount.currency()).or_default();
            *sum = sum.saturating_add(i128::from(posting.amount.minor()));
        }
        let wrong = sums.into_iter().find(|(_, sum)| *sum != 0);
        if let Some((currency, off)) = wrong {
            let (id, off) = (about.id, i64::try_from(off).unwrap_or(i64::MAX));
            return Err(BooksError::Unbalanced { id, currency, off });
        }
        Ok(Self {
            about,
            postings: merged,
        })
    }

    /// What it tells beside its postings.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The postings: debits and credits, none of them zero.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The postings without their currency, which is that of the trip.
    pub(super) fn lines(&self) -> Lines {
        let line = |line: &Posting| (line.role, line.amount.minor());
        self.postings.iter().map(line).collect()
    }

    /// The currency; all that we post of one trip is in one.
    pub fn currency(&self) -> Option<Currency> {
        self.postings.first().map(|line| line.amount.currency())
    }

    /// The sum of the debits, which is that of the credits.
    pub fn debits(&self) -> i64 {
        let debits = self.postings.iter().map(|line| line.amount.minor().max(0));
        debits.fold(0, i64::saturating_add)
    }
}
