//! The chart of accounts: what the two sides of a posting are for, and how a target calls them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::ids::{ProcessorName, StoreId};
use super::spelled;

/// What an account is for; its spelling is the configuration's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// What the sale put there until the card pays (asset).
    SalesClearing,
    /// Captured, not yet paid out by the card processor (asset).
    ProcessorReceivable,
    /// Unpaid remainders without their tax: what the bad-debt ledger holds (asset).
    ShopperReceivable,
    /// The tax contained in unpaid remainders (asset).
    ShopperReceivableTax,
    /// Losses that were decided (expense).
    BadDebtExpense,
    /// What was set aside for losses (asset, in credit).
    BadDebtAllowance,
    /// Money that came after the loss had been decided (income).
    BadDebtRecovered,
    /// Where money for an old debt arrives (asset).
    RecoveryClearing,
    /// Tax owed to the authority (liability).
    TaxPayable,
    /// Sales without tax (income).
    Sales,
    /// Sales of trips that were cancelled elsewhere (income, in debit).
    CancelledSales,
}

spelled!(Role {
    SalesClearing = "sales_clearing",
    ProcessorReceivable = "processor_receivable",
    ShopperReceivable = "shopper_receivable",
    ShopperReceivableTax = "shopper_receivable_tax",
    BadDebtExpense = "bad_debt_expense",
    BadDebtAllowance = "bad_debt_allowance",
    BadDebtRecovered = "bad_debt_recovered",
    RecoveryClearing = "recovery_clearing",
    TaxPayable = "tax_payable",
    Sales = "sales",
    CancelledSales = "cancelled_sales",
});

/// How a debt that is given up becomes a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOffMethod {
    /// Straight into the expense.
    Direct,
    /// Against the allowance; what is set aside is the accountant's estimate.
    Allowance,
}

spelled!(WriteOffMethod { Direct = "direct", Allowance = "allowance" });

/// What is posted, beside the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRules {
    /// How a debt that is given up becomes a loss.
    pub method: WriteOffMethod,
    /// The sale itself is posted too; else the retailer's own books have put it into clearing.
    pub post_sales: bool,
    /// Tax contained in what is written off is taken off the tax payable.
    pub tax_relief: bool,
}

/// What a store is called in the books.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dimensions {
    /// The location; the store's id where nothing else is configured.
    pub location: Option<String>,
    /// The class or department.
    pub class: Option<String>,
    /// The legal entity.
    pub subsidiary: Option<String>,
}

/// What may stand for a part of an account's name.
#[derive(Debug, Clone, Copy)]
pub struct Where<'a> {
    /// `{store}`
    pub store: &'a StoreId,
    /// `{processor}`; `none` where there is none.
    pub processor: Option<&'a ProcessorName>,
    /// `{currency}`
    pub currency: Currency,
}

/// The names of the accounts, perhaps with `{store}`, `{processor}` or `{currency}` in them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chart {
    names: BTreeMap<Role, String>,
}

impl Chart {
    /// The words in braces that stand for something.
    pub const PLACEHOLDERS: [&'static str; 3] = ["{store}", "{processor}", "{currency}"];

    /// A chart of these names.
    pub fn of(names: BTreeMap<Role, String>) -> Self {
        Self { names }
    }

    /// The name as configured; a role that was left out is called by its own word.
    pub fn name(&self, role: Role) -> &str {
        self.names.get(&role).map_or(role.as_str(), String::as_str)
    }

    /// The account at a place.
    pub fn account(&self, role: Role, at: &Where<'_>) -> Cow<'_, str> {
        let name = self.name(role);
        if !name.contains('{') {
            return Cow::Borrowed(name);
        }
        let processor = at.processor.map_or("none", ProcessorName::as_str);
        let [store, of_processor, currency] = Self::PLACEHOLDERS;
        let name = name.replace(store, at.store.as_str());
        let name = name.replace(of_processor, processor);
        Cow::Owned(name.replace(currency, at.currency.code()))
    }

    /// A part of an account's name in Beancount's alphabet: what is none of `A-Z a-z 0-9 -` becomes
    /// `-`, and what does not begin with a capital or a digit gets one. Two names may become one.
    pub fn beancount_part(name: &str) -> String {
        let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let clean: String = name.chars().map(clean).collect();
        let mut chars = clean.chars();
        match chars.next() {
            Some(first) if first.is_ascii_alphanumeric() => {
                format!("{}{}", first.to_ascii_uppercase(), chars.as_str())
            }
            Some(_) | None => format!("X{clean}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_may_differ_by_store_processor_and_currency() {
        let names = [(Role::SalesClearing, "Assets:{currency}:{store}-{processor}")];
        let names = names.map(|(role, name)| (role, name.to_owned()));
        let chart = Chart::of(names.into_iter().collect());
        let (store, acme) = (
            StoreId::of("S1").unwrap(),
            ProcessorName::of("acme").unwrap(),
        );
        let mut at = Where {
            store: &store,
            processor: Some(&acme),
            currency: Currency::of("USD").unwrap(),
        };
        assert_eq!(
            chart.account(Role::SalesClearing, &at),
            "Assets:USD:S1-acme"
        );
        at.processor = None;
        assert_eq!(
            chart.account(Role::SalesClearing, &at),
            "Assets:USD:S1-none"
        );
        assert_eq!(chart.account(Role::TaxPayable, &at), "tax_payable");
    }
}
