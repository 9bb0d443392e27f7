//! Allocation: an amount divided by weights, to the last minor unit, by largest remainder.

use super::{Money, MoneyError};

impl Money {
    /// Divides the amount in proportion to `weights`. The parts add up to the amount exactly, none
    /// is further than one minor unit from its share, and where two remainders are the same the
    /// earlier part gets the unit. A negative amount is divided as its positive one.
    ///
    /// # Errors
    /// No weight is above 0.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let nothing = || MoneyError::OutOfRange(format!("a part of {self} by no weight at all"));
        let amount = u128::from(self.minor.unsigned_abs());
        let mut parts = Vec::with_capacity(weights.len());
        let (mut left, mut remainders) = (amount, Vec::with_capacity(weights.len()));
        for (place, weight) in weights.iter().enumerate() {
            // Below 2^63 times 2^64: there is room.
            let share = amount.saturating_mul(u128::from(*weight));
            let part = share.checked_div(all).ok_or_else(nothing)?;
            let remainder = share.checked_rem(all).ok_or_else(nothing)?;
            left = left.saturating_sub(part);
            parts.push(part);
            remainders.push((std::cmp::Reverse(remainder), place));
        }
        if all == 0 {
            return Err(nothing());
        }
        remainders.sort_unstable();
        // Less than one unit is left for each part that has a remainder.
        let more = usize::try_from(left).unwrap_or(usize::MAX);
        for (_, place) in remainders.into_iter().take(more) {
            if let Some(part) = parts.get_mut(place) {
                *part = part.saturating_add(1);
            }
        }
        let signed = |part: u128| {
            let part = i128::try_from(part).unwrap_or(i128::MAX);
            let part = if self.minor < 0 { -part } else { part };
            let minor = i64::try_from(part);
            let minor = minor.map_err(|_| MoneyError::OutOfRange(format!("a part of {self}")))?;
            Ok(Self { minor, ..self })
        };
        parts.into_iter().map(signed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn parts_are_whole_minor_units_by_largest_remainder() {
        let rows: [(i64, &[u64], &[i64]); 12] = [
            (100, &[1, 1, 1], &[34, 33, 33]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            (-100, &[1, 1, 1], &[-34, -33, -33]),
            (0, &[1, 2], &[0, 0]),
            (1, &[1, 1], &[1, 0]),
            (-1, &[0, 1], &[0, -1]),
            (10, &[0, 3, 0, 1], &[0, 8, 0, 2]),
            (5, &[2, 3], &[2, 3]),
            // The tax of an unpaid part: 1.60 of 20.00, of which 7.50 was paid.
            (160, &[750, 1250], &[60, 100]),
            (199, &[1, 2, 4], &[28, 57, 114]),
            (i64::MAX, &[u64::MAX, u64::MAX], &[1 << 62, (1 << 62) - 1]),
            (i64::MIN, &[1], &[i64::MIN]),
        ];
        let usd = Currency::of("USD").unwrap();
        for (amount, weights, expected) in rows {
            let parts = Money::of_minor(amount, usd).allocate(weights).unwrap();
            let minor: Vec<i64> = parts.iter().map(Money::minor).collect();
            assert_eq!(minor, expected, "{amount} by {weights:?}");
        }
        for weights in [&[][..], &[0], &[0, 0]] {
            assert!(Money::of_minor(5, usd).allocate(weights).is_err());
        }
    }
}
