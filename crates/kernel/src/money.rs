/// A currency, by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// South Korean won: no minor unit, so `minor` counts won.
    Krw,
}

impl Currency {
    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Krw => "KRW",
        }
    }

    /// The currency of an ISO 4217 code, upper case.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "KRW" => Some(Self::Krw),
            _ => None,
        }
    }
}

/// An amount in the smallest unit of its currency. It may be negative: a correction is.
///
/// There is no `+` and no `/`: adding can overflow or mix currencies, and dividing loses units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two amounts are in different currencies.
    #[error("amounts of different currencies can't be combined")]
    CurrencyMismatch,
    /// The result does not fit, or exceeds [`Money::MAX_MINOR`].
    #[error("the amount is too large")]
    Overflow,
    /// There is nothing to share by: no weights, or all of them zero.
    #[error("an amount can't be shared without weights")]
    NoWeights,
}

impl Money {
    /// The largest amount either way: exact in a JSON number (RFC 8259 §6).
    pub const MAX_MINOR: i64 = (1 << 53) - 1;

    /// An amount of `minor` units.
    pub const fn try_new(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if minor > Self::MAX_MINOR || minor < -Self::MAX_MINOR {
            Err(MoneyError::Overflow)
        } else {
            Ok(Self { minor, currency })
        }
    }

    /// No money at all.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount in the smallest unit.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Both together.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::try_new(
            self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?,
            self.currency,
        )
    }

    /// What is left without `other`; may be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::try_new(
            self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?,
            self.currency,
        )
    }

    /// This amount `times` times.
    pub fn checked_mul(self, times: u32) -> Result<Self, MoneyError> {
        let minor = self
            .minor
            .checked_mul(i64::from(times))
            .ok_or(MoneyError::Overflow)?;
        Self::try_new(minor, self.currency)
    }

    /// The total of any number of amounts.
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts
            .into_iter()
            .try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Shares the amount by `weights` without losing a unit.
    ///
    /// Each part is rounded towards zero; what is left over goes, one unit each, to the parts with the
    /// largest remainders, earlier ones first (Hamilton's method).
    pub fn split(self, weights: &[u32]) -> Result<Vec<Self>, MoneyError> {
        let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let exact = |weight: &u32| i128::from(self.minor) * i128::from(*weight);
        let mut parts: Vec<i128> = weights.iter().map(|weight| exact(weight) / total).collect();
        let left = i128::from(self.minor) - parts.iter().sum::<i128>();
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse((exact(&weights[index]) % total).abs()));
        for &index in order.iter().take(left.unsigned_abs() as usize) {
            parts[index] += left.signum();
        }
        let part = |minor: i128| i64::try_from(minor).map_err(|_| MoneyError::Overflow);
        parts
            .into_iter()
            .map(|minor| Self::try_new(part(minor)?, self.currency))
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn won(minor: i64) -> Money {
        Money::try_new(minor, Currency::Krw).unwrap()
    }

    #[test]
    fn too_much_is_refused_not_wrapped() {
        let max = won(Money::MAX_MINOR);
        assert_eq!(max.checked_add(won(1)), Err(MoneyError::Overflow));
        assert_eq!(
            won(-Money::MAX_MINOR).checked_sub(won(1)),
            Err(MoneyError::Overflow)
        );
        assert_eq!(max.checked_mul(2), Err(MoneyError::Overflow));
        assert_eq!(
            won(10_000_000_000_000).checked_mul(u32::MAX),
            Err(MoneyError::Overflow)
        );
        assert_eq!(Money::try_new(i64::MIN, Currency::Krw), Err(MoneyError::Overflow));
    }

    #[test]
    fn leftover_units_go_to_the_largest_remainders_first() {
        let parts = |minor, weights: &[u32]| -> Vec<i64> {
            won(minor)
                .split(weights)
                .unwrap()
                .into_iter()
                .map(Money::minor)
                .collect()
        };
        assert_eq!(parts(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(parts(10, &[1, 0, 2]), [3, 0, 7]);
        assert_eq!(parts(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(won(1).split(&[]), Err(MoneyError::NoWeights));
        assert_eq!(won(1).split(&[0, 0]), Err(MoneyError::NoWeights));
    }

    proptest! {
        #[test]
        fn a_split_loses_nothing_and_is_off_by_less_than_one_unit(
            minor in -Money::MAX_MINOR..=Money::MAX_MINOR,
            weights in prop::collection::vec(any::<u32>(), 1..20),
        ) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = won(minor).split(&weights).unwrap();
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.minor())).sum::<i128>(), i128::from(minor));
            let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(minor) * i128::from(*weight);
                prop_assert!((i128::from(part.minor()) * total - exact).abs() < total);
            }
        }

        #[test]
        fn adding_and_taking_away_is_the_identity(a in -(1i64 << 51)..1 << 51, b in -(1i64 << 51)..1 << 51) {
            prop_assert_eq!(won(a).checked_add(won(b)).unwrap().checked_sub(won(b)), Ok(won(a)));
        }
    }
}
