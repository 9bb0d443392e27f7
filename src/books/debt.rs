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
        let tax = receivable
            .iter()
            .find(|(role, _)| *role == Role::ShopperReceivableTax);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::of_minor(minor, Currency::of("USD").unwrap())
    }

    fn rules(method: WriteOffMethod, tax_relief: bool) -> LossRules {
        LossRules { method, tax_relief }
    }

    fn told(postings: &[Posting]) -> String {
        let lines = postings.iter().filter(|line| !line.amount.is_zero());
        let lines = lines.map(|line| format!("{} {}", line.role, line.amount.minor()));
        lines.collect::<Vec<_>>().join(", ")
    }

    /// A cart of 10.00 with 0.74 of tax in it, of which 4.00 stayed unpaid.
    #[test]
    fn every_kind_of_entry_posts_by_both_methods() {
        let (direct, allowance) = (WriteOffMethod::Direct, WriteOffMethod::Allowance);
        let entries = [
            (EntryKind::New, 400),
            (EntryKind::Recovery, 100),
            (EntryKind::WriteOff, 200),
            (EntryKind::Reversal, 150),
            (EntryKind::Recovery, 150),
        ];
        let common = [
            "shopper_receivable 370, shopper_receivable_tax 30, sales_clearing -400",
            "recovery_clearing 100, shopper_receivable -92, shopper_receivable_tax -8",
        ];
        for (rules, expected) in [
            (
                rules(direct, false),
                [
                    "bad_debt_expense 200, shopper_receivable -185, shopper_receivable_tax -15",
                    "sales_clearing 150, shopper_receivable -93, shopper_receivable_tax -7, \
                     bad_debt_recovered -50",
                    "recovery_clearing 150, bad_debt_recovered -150",
                ],
            ),
            (
                rules(direct, true),
                [
                    "bad_debt_expense 185, tax_payable 15, shopper_receivable -185, \
                     shopper_receivable_tax -15",
                    "sales_clearing 150, shopper_receivable -93, shopper_receivable_tax -7, \
                     bad_debt_recovered -46, tax_payable -4",
                    "recovery_clearing 150, bad_debt_recovered -139, tax_payable -11",
                ],
            ),
            (
                rules(allowance, true),
                [
                    "bad_debt_allowance 185, tax_payable 15, shopper_receivable -185, \
                     shopper_receivable_tax -15",
                    "sales_clearing 150, shopper_receivable -93, shopper_receivable_tax -7, \
                     bad_debt_allowance -46, tax_payable -4",
                    "recovery_clearing 150, bad_debt_allowance -139, tax_payable -11",
                ],
            ),
        ] {
            let mut debt = Debt::none(1000, 74);
            let posted = entries
                .map(|(kind, minor)| told(&debt.post(kind, usd(minor), rules, "S1/T1").unwrap()));
            assert_eq!(posted.to_vec(), [&common[..], &expected[..]].concat());
        }
    }

    #[test]
    fn nobody_pays_or_gives_up_more_than_is_owed() {
        let rules = rules(WriteOffMethod::Direct, false);
        for kind in [
            EntryKind::Recovery,
            EntryKind::Reversal,
            EntryKind::WriteOff,
        ] {
            let mut debt = Debt::none(1000, 0);
            debt.post(EntryKind::New, usd(400), rules, "S1/T1").unwrap();
            let error = debt.post(kind, usd(401), rules, "S1/T1").unwrap_err();
            assert_eq!(
                error,
                BooksError::MoreThanOwed("S1/T1".to_owned(), usd(401))
            );
        }
        let mut debt = Debt::none(1000, 0);
        debt.post(EntryKind::New, usd(400), rules, "S1/T1").unwrap();
        debt.post(EntryKind::WriteOff, usd(400), rules, "S1/T1")
            .unwrap();
        debt.post(EntryKind::Recovery, usd(400), rules, "S1/T1")
            .unwrap();
        assert!(
            debt.post(EntryKind::Recovery, usd(1), rules, "S1/T1")
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn whatever_becomes_of_a_debt_the_accounts_follow(
            cart in 1_i64..100_000, tax in 0_i64..100_000, unpaid in 0_i64..=100,
            moves in prop::collection::vec((0_u8..3, 0_i64..=100), 0..12), tax_relief: bool,
        ) {
            let (tax, unpaid) = (tax.min(cart), cart * unpaid / 100);
            let rules = rules(WriteOffMethod::Direct, tax_relief);
            let mut debt = Debt::none(cart, tax);
            let mut sums = std::collections::BTreeMap::new();
            let mut post = |debt: &mut Debt, kind, minor| {
                let posted = debt.post(kind, usd(minor), rules, "S1/T1").unwrap();
                assert_eq!(posted.iter().map(|line| line.amount.minor()).sum::<i64>(), 0);
                for line in posted {
                    *sums.entry(line.role).or_insert(0) += line.amount.minor();
                }
                let of = |role| sums.get(&role).copied().unwrap_or(0);
                (of(Role::ShopperReceivable), of(Role::ShopperReceivableTax), of(Role::TaxPayable))
            };
            let mut stand = post(&mut debt, EntryKind::New, unpaid);
            for (kind, percent) in moves {
                let (kind, most) = match kind {
                    0 => (EntryKind::WriteOff, debt.owed),
                    1 => (EntryKind::Recovery, debt.owed + debt.written_off),
                    _ => (EntryKind::Reversal, debt.owed + debt.written_off),
                };
                stand = post(&mut debt, kind, most * percent / 100);
            }
            let (net, of_tax, payable) = stand;
            prop_assert_eq!(net + of_tax, debt.owed);
            prop_assert_eq!(of_tax, tax_in(debt.owed, cart, tax));
            prop_assert_eq!(payable, debt.relieved);
            prop_assert!(debt.relieved == 0 || tax_relief && debt.written_off > 0);
        }
    }
}
