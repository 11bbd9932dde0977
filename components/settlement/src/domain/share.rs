use kernel::{Money, MoneyError};

use super::CURRENCY;

/// Shares `amount` by `weights` without losing a unit, by largest remainder.
///
/// Each part is rounded down; what is left over goes, one unit each, to the parts with the largest
/// remainders, earlier ones first. Where all weights are zero, all parts count the same.
pub fn split(amount: Money, weights: &[Money]) -> Result<Vec<Money>, MoneyError> {
    if weights.is_empty() {
        return Err(MoneyError::NoWeights);
    }
    let mut weights: Vec<i128> = weights
        .iter()
        .map(|weight| i128::from(weight.minor().max(0)))
        .collect();
    if weights.iter().all(|&weight| weight == 0) {
        weights.fill(1);
    }
    let total: i128 = weights.iter().sum();
    let exact = |weight: i128| i128::from(amount.minor()) * weight;
    let mut parts: Vec<i128> = weights
        .iter()
        .map(|&weight| exact(weight).div_euclid(total))
        .collect();
    let left = i128::from(amount.minor()) - parts.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(exact(weights[index]).rem_euclid(total)));
    for &index in order.iter().take(usize::try_from(left).unwrap_or_default()) {
        parts[index] += 1;
    }
    let money = |minor: i128| i64::try_from(minor).map_err(|_| MoneyError::Overflow);
    parts
        .into_iter()
        .map(|minor| Money::try_new(money(minor)?, CURRENCY))
        .collect()
}

/// Shares `amount` among what is `left` of each part; none when it is more than all of that.
///
/// No part gets more than was left of it. (The difference of two largest-remainder splits, of the sum
/// before and after, would not do: such a split may give a part less of a larger sum.)
pub fn fill(amount: Money, left: &[Money]) -> Result<Option<Vec<Money>>, MoneyError> {
    let all = Money::sum(left.iter().copied(), CURRENCY)?;
    if amount.minor() > all.minor() {
        return Ok(None);
    }
    split(amount, left).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn won(minor: i64) -> Money {
        Money::try_new(minor, CURRENCY).unwrap()
    }

    fn money(minors: &[i64]) -> Vec<Money> {
        minors.iter().copied().map(won).collect()
    }

    fn minors(parts: &[Money]) -> Vec<i64> {
        parts.iter().map(|part| part.minor()).collect()
    }

    #[test]
    fn leftover_units_go_to_the_largest_remainders_first() {
        let parts = |amount, weights: &[i64]| minors(&split(won(amount), &money(weights)).unwrap());
        assert_eq!(parts(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(parts(10, &[1, 0, 2]), [3, 0, 7]);
        assert_eq!(parts(7, &[0, 0]), [4, 3]);
        assert_eq!(parts(0, &[5, 3]), [0, 0]);
        assert_eq!(
            parts(Money::MAX_MINOR, &[Money::MAX_MINOR; 2]),
            [4_503_599_627_370_496, 4_503_599_627_370_495]
        );
        assert_eq!(split(won(1), &[]), Err(MoneyError::NoWeights));
    }

    #[test]
    fn a_larger_sum_may_give_a_part_less_so_what_is_left_is_what_is_shared() {
        let weights = money(&[6, 6, 2]);
        let parts = |amount| minors(&split(won(amount), &weights).unwrap());
        assert_eq!((parts(10), parts(11)), (vec![4, 4, 2], vec![5, 5, 1]));
        let left = money(&[2, 2, 0]);
        assert_eq!(minors(&fill(won(1), &left).unwrap().unwrap()), [1, 0, 0]);
        assert_eq!(fill(won(5), &left), Ok(None));
    }

    proptest! {
        #[test]
        fn a_split_is_exact_never_negative_and_off_by_less_than_one_unit(
            amount in 0..=Money::MAX_MINOR,
            weights in prop::collection::vec(prop_oneof![0..10i64, 0..=Money::MAX_MINOR], 1..12),
        ) {
            let parts = split(won(amount), &money(&weights)).unwrap();
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.minor())).sum::<i128>(), i128::from(amount));
            prop_assert!(parts.iter().all(|part| part.minor() >= 0));
            let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
            for (part, &weight) in parts.iter().zip(&weights).filter(|_| total > 0) {
                let exact = i128::from(amount) * i128::from(weight);
                prop_assert!((i128::from(part.minor()) * total - exact).abs() < total);
            }
        }

        #[test]
        fn refunds_in_any_portions_empty_every_part_and_overdraw_none(
            amount in 1..1_000_000i64,
            weights in prop::collection::vec(0..10_000i64, 1..8),
            cuts in prop::collection::vec(0..1_000_000i64, 0..8),
        ) {
            let mut left = split(won(amount), &money(&weights)).unwrap();
            let mut cuts: Vec<i64> = cuts.into_iter().map(|cut| cut % amount).collect();
            cuts.extend([0, amount]);
            cuts.sort_unstable();
            for portion in cuts.windows(2).map(|pair| pair[1] - pair[0]) {
                let parts = fill(won(portion), &left).unwrap().unwrap();
                prop_assert_eq!(parts.iter().map(|part| part.minor()).sum::<i64>(), portion);
                for (left, part) in left.iter_mut().zip(parts) {
                    prop_assert!(part.minor() >= 0);
                    *left = left.checked_sub(part).unwrap();
                    prop_assert!(left.minor() >= 0);
                }
            }
            prop_assert!(left.iter().all(|left| left.minor() == 0));
        }
    }
}
