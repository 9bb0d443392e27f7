//! One trip's debt as the postings need it: what is owed, what was given up, how much of it is tax.

use crate::domain::{BookRules, Money, Role, WriteOffMethod};

use super::BooksError;
use super::bad_debt::EntryKind;
use super::share::{sum, tax_in};
use super::transaction::Lines;

/// The state of one trip's debt, in minor units: what its postings add up to, so that what is
/// taken back, in whatever order and under whatever rules, leaves nothing of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Debt {
    /// The cart total and the tax in it, as they stood when the debt was booked.
    pub cart_total: i64,
    pub tax: i64,
    /// Booked, and neither reversed, recovered nor written off.
    owed: i64,
    /// The tax in what is owed, as it was posted.
    owed_tax: i64,
    /// Written off, and not come back.
    written_off: i64,
    /// Tax that was taken off the tax payable with it.
    relieved: i64,
}

impl Debt {
    pub fn none(cart_total: i64, tax: i64) -> Self {
        Self {
            cart_total,
            tax,
            owed: 0,
            owed_tax: 0,
            written_off: 0,
            relieved: 0,
        }
    }

    /// What one entry of the ledger posts; `trip` is named in errors.
    pub fn post(
        &self,
        kind: EntryKind,
        amount: Money,
        rules: BookRules,
        trip: &str,
    ) -> Result<Lines, BooksError> {
        let minor = amount.minor();
        let lines = match kind {
            EntryKind::New => {
                let mut lines = self.owe(minor);
                lines.push((Role::SalesClearing, minor.saturating_neg()));
                Some(lines)
            }
            EntryKind::Reversal => self.pay(Role::SalesClearing, minor, rules),
            EntryKind::Recovery => self.pay(Role::RecoveryClearing, minor, rules),
            EntryKind::WriteOff => self.give_up(minor, rules),
        };
        lines.ok_or_else(|| BooksError::MoreThanOwed(trip.to_owned(), amount))
    }

    /// Takes what was posted.
    pub fn add(&mut self, lines: &[(Role, i64)], trip: &str) -> Result<(), BooksError> {
        for (role, minor) in lines {
            let (state, tax) = match role {
                Role::ShopperReceivable => (&mut self.owed, None),
                Role::ShopperReceivableTax => (&mut self.owed, Some(&mut self.owed_tax)),
                Role::BadDebtExpense | Role::BadDebtAllowance | Role::BadDebtRecovered => {
                    (&mut self.written_off, None)
                }
                Role::TaxPayable => (&mut self.written_off, Some(&mut self.relieved)),
                Role::SalesClearing
                | Role::ProcessorReceivable
                | Role::RecoveryClearing
                | Role::Sales
                | Role::CancelledSales => continue,
            };
            for state in [Some(state), tax].into_iter().flatten() {
                let added = sum(*state, *minor);
                *state = added.map_err(|why| BooksError::Money(trip.to_owned(), why))?;
            }
        }
        Ok(())
    }

    /// Changes what is owed. Its tax follows the cart's, as far as what stands of the receivable
    /// and of its tax allows: neither ever changes sides.
    fn owe(&self, change: i64) -> Lines {
        let after = self.owed.saturating_add(change);
        let wanted = tax_in(after, self.cart_total, self.tax).saturating_sub(self.owed_tax);
        let net = self.owed.saturating_sub(self.owed_tax);
        // At most all that comes or goes is tax, and no more of either goes than there is.
        let tax = match change >= 0 {
            true => wanted.min(change).max(0),
            false => wanted
                .max(change)
                .max(self.owed_tax.saturating_neg())
                .min(change.saturating_add(net).min(0)),
        };
        vec![
            (Role::ShopperReceivable, change.saturating_sub(tax)),
            (Role::ShopperReceivableTax, tax),
        ]
    }

    /// Money for the debt, or proof that it was paid: first what is owed, then what was written
    /// off, which comes back as income (or into the allowance), its tax to the authority.
    fn pay(&self, into: Role, minor: i64, rules: BookRules) -> Option<Lines> {
        let of_owed = minor.min(self.owed);
        let of_lost = minor.saturating_sub(of_owed);
        if of_lost > self.written_off {
            return None;
        }
        let mut lines = vec![(into, minor)];
        lines.extend(self.owe(of_owed.saturating_neg()));
        let tax = tax_in(of_lost, self.written_off, self.relieved);
        let back = match rules.method {
            WriteOffMethod::Direct => Role::BadDebtRecovered,
            WriteOffMethod::Allowance => Role::BadDebtAllowance,
        };
        lines.push((back, tax.saturating_sub(of_lost)));
        lines.push((Role::TaxPayable, tax.saturating_neg()));
        Some(lines)
    }

    fn give_up(&self, minor: i64, rules: BookRules) -> Option<Lines> {
        if minor > self.owed {
            return None;
        }
        let receivable = self.owe(minor.saturating_neg());
        let tax = receivable
            .iter()
            .find(|(role, _)| *role == Role::ShopperReceivableTax);
        let tax = tax.map_or(0, |(_, minor)| minor.saturating_neg());
        let relief = if rules.tax_relief { tax } else { 0 };
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
    use super::super::transaction::opposite;
    use super::*;
    use crate::domain::Currency;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn usd(minor: i64) -> Money {
        Money::of_minor(minor, Currency::of("USD").unwrap())
    }

    fn rules(method: WriteOffMethod, tax_relief: bool) -> BookRules {
        BookRules {
            method,
            post_sales: false,
            tax_relief,
        }
    }

    fn told(lines: &[(Role, i64)]) -> String {
        let lines = lines.iter().filter(|(_, minor)| *minor != 0);
        let lines = lines.map(|(role, minor)| format!("{role} {minor}"));
        lines.collect::<Vec<_>>().join(", ")
    }

    impl Debt {
        /// Posts and takes what was posted.
        fn enter(&mut self, kind: EntryKind, minor: i64, rules: BookRules) -> Lines {
            let lines = self.post(kind, usd(minor), rules, "S1/T1").unwrap();
            self.add(&lines, "S1/T1").unwrap();
            lines
        }
    }

    fn take_back(debt: &mut Debt, lines: Lines) -> Lines {
        let lines = opposite(&lines);
        debt.add(&lines, "S1/T1").unwrap();
        lines
    }

    fn count(sums: &mut BTreeMap<Role, i64>, lines: &[(Role, i64)]) {
        for (role, minor) in lines {
            *sums.entry(*role).or_insert(0) += minor;
        }
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
            let posted = entries.map(|(kind, minor)| told(&debt.enter(kind, minor, rules)));
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
            debt.enter(EntryKind::New, 400, rules);
            let error = debt.post(kind, usd(401), rules, "S1/T1").unwrap_err();
            assert_eq!(
                error,
                BooksError::MoreThanOwed("S1/T1".to_owned(), usd(401))
            );
        }
        let mut debt = Debt::none(1000, 0);
        debt.enter(EntryKind::New, 400, rules);
        debt.enter(EntryKind::WriteOff, 400, rules);
        debt.enter(EntryKind::Recovery, 400, rules);
        let more = debt.post(EntryKind::Recovery, usd(1), rules, "S1/T1");
        assert!(more.is_err());
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
            let mut sums = BTreeMap::new();
            let mut post = |debt: &mut Debt, kind, minor| {
                let posted = debt.enter(kind, minor, rules);
                assert_eq!(posted.iter().map(|(_, minor)| minor).sum::<i64>(), 0);
                count(&mut sums, &posted);
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

        /// The rules may change between any two steps, and what is taken back need not be the last.
        #[test]
        fn what_is_taken_back_in_any_order_leaves_nothing_behind(
            cart in 1_i64..10_000, tax in 0_i64..10_000,
            moves in prop::collection::vec((0_u8..6, 0_usize..=100, any::<(bool, bool)>()), 0..24),
            order: usize,
        ) {
            let tax = tax.min(cart);
            let mut debt = Debt::none(cart, tax);
            debt.enter(EntryKind::New, cart, rules(WriteOffMethod::Direct, false));
            let (booked, mut stands, mut sums) = (debt, Vec::new(), BTreeMap::new());
            for (act, number, (is_direct, tax_relief)) in moves {
                let methods = [WriteOffMethod::Allowance, WriteOffMethod::Direct];
                let rules = rules(methods[usize::from(is_direct)], tax_relief);
                let minor = debt.owed * i64::try_from(number).unwrap() / 100;
                if act >= 4 && !stands.is_empty() {
                    let place = number % stands.len();
                    count(&mut sums, &take_back(&mut debt, stands.remove(place)));
                } else {
                    let kinds = [EntryKind::Recovery, EntryKind::WriteOff];
                    let lines = debt.enter(kinds[usize::from(act % 2)], minor, rules);
                    count(&mut sums, &lines);
                    stands.push(lines);
                }
                prop_assert!(0 <= debt.owed_tax && debt.owed_tax <= debt.owed, "{debt:?}");
                prop_assert!(0 <= debt.relieved && debt.relieved <= debt.written_off, "{debt:?}");
                prop_assert_eq!(sums.get(&Role::TaxPayable).copied().unwrap_or(0), debt.relieved);
            }
            while !stands.is_empty() {
                let lines = stands.remove(order % stands.len());
                count(&mut sums, &take_back(&mut debt, lines));
            }
            sums.retain(|_, sum| *sum != 0);
            prop_assert_eq!(sums, BTreeMap::new());
            prop_assert_eq!(debt, booked);
        }
    }
}
