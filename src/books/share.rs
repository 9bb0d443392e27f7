//! Parts of a whole that add up: the tax contained in a part of a cart.

use crate::domain::{Balances, Money, MoneyError, Role};

/// The tax in `part` of a `whole` that contains `tax`, by largest remainder: the minor unit that
/// is left over when both shares are cut goes to the larger remainder, to the net on a tie.
///
/// It grows with `part`, is 0 for nothing and the whole tax for all, so that the shares of parts
/// taken one after the other, each as the difference of two such numbers, add up exactly.
pub(super) fn tax_in(part: i64, whole: i64, tax: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let (part, whole, tax) = (i128::from(part), i128::from(whole), i128::from(tax));
    // Both factors are below 2^63, so that the product fits.
    let product = part.saturating_mul(tax);
    let (cut, left) = (product / whole, product % whole);
    let up = i128::from(left > whole.saturating_sub(left));
    i64::try_from(cut.saturating_add(up)).unwrap_or(i64::MAX)
}

/// What a cancellation posts: the difference of what is cancelled by now and was before, and of
/// the tax in both, so that a cart that is cancelled bit by bit takes back exactly its sale.
pub(super) fn cancellation(before: &Balances, after: &Balances, tax: i64) -> [(Role, i64); 3] {
    let tax_in = |cancelled| tax_in(cancelled, after.cart_total, tax);
    let minor = after.cancelled.saturating_sub(before.cancelled);
    let tax = tax_in(after.cancelled).saturating_sub(tax_in(before.cancelled));
    [
        (Role::CancelledSales, minor.saturating_sub(tax)),
        (Role::TaxPayable, tax),
        (Role::SalesClearing, minor.saturating_neg()),
    ]
}

/// A trip's tax, if it can be one: in the cart's currency and not more than the cart.
pub(super) fn usable(tax: Option<Money>, cart_total: Money) -> i64 {
    let fits = |tax: &Money| {
        tax.currency() == cart_total.currency()
            && tax.minor() >= 0
            && tax.minor() <= cart_total.minor()
    };
    tax.filter(fits).map_or(0, |tax| tax.minor())
}

/// The sum, or an error that says of what.
pub(super) fn sum(of: i64, and: i64) -> Result<i64, MoneyError> {
    let exact = of.checked_add(and);
    exact.ok_or_else(|| MoneyError::OutOfRange("a sum of postings".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_odd_unit_goes_to_the_larger_remainder() {
        for (part, whole, tax, share) in [
            (0, 1000, 190, 0),
            (1000, 1000, 190, 190),
            (1, 3, 1, 0),
            (2, 3, 1, 1),
            // A tie: 0.5 of tax and 0.5 of net are left, the net takes the unit.
            (1, 2, 1, 0),
            (5, 10, 1, 0),
            (7, 0, 3, 0),
            (i64::MAX, i64::MAX, i64::MAX, i64::MAX),
        ] {
            assert_eq!(
                tax_in(part, whole, tax),
                share,
                "{part} of {whole}, tax {tax}"
            );
        }
    }

    proptest! {
        #[test]
        fn shares_grow_with_the_part_and_add_up(
            whole in 1_i64..1_000_000, tax in 0_i64..1_000_000,
            cuts in (0_i64..1_000_000, 0_i64..1_000_000),
        ) {
            let tax = tax.min(whole);
            let (a, b) = (cuts.0 % (whole + 1), cuts.1 % (whole + 1));
            let (less, more) = (a.min(b), a.max(b));
            let shares = [less, more, whole].map(|part| tax_in(part, whole, tax));
            prop_assert!(0 <= shares[0] && shares[0] <= shares[1] && shares[1] <= shares[2]);
            prop_assert_eq!(shares[2], tax);
            // Neither share is more than a unit away from the exact one.
            prop_assert!((i128::from(shares[0]) * i128::from(whole)
                - i128::from(less) * i128::from(tax)).abs() <= i128::from(whole));
            prop_assert!(less - shares[0] >= 0, "the net is never negative");
        }
    }
}
