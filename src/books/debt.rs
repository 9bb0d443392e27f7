//! One trip's debt as the postings need it: what is owed, what was given up, how much of it is tax.

use crate::domain::{Money, Role, WriteOffMethod};

use super::BooksError;
use super::bad_debt::EntryKind;
use super::share::{sum, tax_in};
use super::transaction::Posting;

/// What posting a debt needs to know of the rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossRules {
    pub method: WriteOffMethod,
    pub tax_relief: bool,
}

/// The state of one trip's debt, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Debt {
    /// The cart total and the tax in it, as they stood when the debt was booked.
    pub cart_total: i64,
    pub tax: i64,
    /// Booked, and neither reversed, recovered nor written off.
    owed: i64,
    /// Written off, and not come back.
    written_off: i64,
    /// Tax that was taken off the tax payable with it.
    relieved: i64,
}

/// Debits are positive.
type Lines = Vec<(Role, i64)>;

impl Debt {
    pub fn none(cart_total: i64, tax: i64) -> Self {
        Self {
            cart_total,
            tax,
            owed: 0,
            written_off: 0,
            relieved: 0,
        }
    }

    /// The postings of one entry of the ledger; `trip` is named in errors.
    pub fn post(
        &mut self,
        kind: EntryKind,
        amount: Money,
        rules: LossRules,
        trip: &str,
    ) -> Result<Vec<Posting>, BooksError> {
        let overflow = |why| BooksError::Money(trip.to_owned(), why);
        let minor = amount.minor();
        let lines = match kind {
            EntryKind::New => {
                let after = sum(self.owed, minor).map_err(overflow)?;
                let mut lines = self.owe(after);
                lines.push((Role::SalesClearing, minor.saturating_neg()));
                Some(lines)
            }
            EntryKind::Reversal => self.pay(Role::SalesClearing, minor, rules),
            EntryKind::Recovery => self.pay(Role::RecoveryClearing, minor, rules),
            EntryKind::WriteOff => self.give_up(minor, rules),
        };
        let lines = lines.ok_or_else(|| BooksError::MoreThanOwed(trip.to_owned(), amount))?;
        let posting = |(role, minor)| Posting {
            role,
            amount: Money::of_minor(minor, amount.currency()),
        };
        Ok(lines.into_iter().map(posting).collect())
    }

    /// Changes what is owed; the receivable follows, its tax apart.
    fn owe(&mut self, after: i64) -> Lines {
        let tax_at = |owed| tax_in(owed, self.cart_total, self.tax);
        let tax = tax_at(after).saturating_sub(tax_at(self.owed));
        let all = after.saturating_sub(self.owed);
        self.owed = after;
        vec![
            (Role::ShopperReceivable, all.saturating_sub(tax)),
            (Role::ShopperReceivableTax, tax),
        ]
    }

    /// Money for the debt, or proof that it was paid: first what is owed, then what was written
    /// off, which comes back as income (or into the allowance), its tax to the authority.
    fn pay(&mut self, into: Role, minor: i64, rules: LossRules) -> Option<Lines> {
        let of_owed = minor.min(self.owed);
        let of_lost = minor.saturating_sub(of_owed);
        if of_lost > self.written_off {
            return None;
        }
        let mut lines = vec![(into, minor)];
        lines.extend(self.owe(self.owed.saturating_sub(of_owed)));
        let tax = tax_in(of_lost, self.written_off, self.relieved);
        self.written_off = self.written_off.saturating_sub(of_lost);
        self.relieved = self.relieved.saturating_sub(tax);
        let back = match rules.method {
            WriteOffMethod::Direct => Role::BadDebtRecovered,
            WriteOffMethod::Allowance => Role::BadDebtAllowance,
        };
        lines.push((back, tax.saturating_sub(of_lost)));
        lines.push((Role::TaxPayable, tax.saturating_neg()));
        Some(lines)
    }

    fn give_up(&mut self, minor: i64, rules: LossRules) -> Option<Lines> {
        let after = self.owed.checked_sub(minor).filter(|after| *after >= 0)?;
        let receivable = self.owe(after);
        let tax = receivable.iter().find(|(role, _)| *role == Role::ShopperReceivableTax);
        let tax = tax.map_or(0, |(_, minor)| minor.saturating_neg());
        let relief = if rules.tax_relief { tax } else { 0 };
        self.written_off = self.written_off.checked_add(minor)?;
        self.relieved = self.relieved.saturating_add(relief);
        let loss = match rules.method {
            WriteOffMethod::Direct => Role::BadDebtExpense,
            WriteOffMethod::Allowance => Role::BadDebtAllowance,
        };
        let mut lines = vec![
            (loss, minor.saturating_sub(relief)),
            (Role::TaxPayable, relief),
        ];
        lines.extend(receivable);
        Some(lines)
    }
}
