/// How many pieces of something: at least one, at most [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u32);

/// Why a number is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Zero or less.
    #[error("must be at least 1")]
    TooSmall,
    /// More than [`Quantity::MAX`].
    #[error("must be at most {}", Quantity::MAX)]
    TooLarge,
}

impl Quantity {
    /// The largest quantity of one line: a million pieces.
    pub const MAX: u32 = 1_000_000;

    /// One piece.
    pub const ONE: Self = Self(1);

    /// Takes any integer a client may have sent.
    pub const fn try_new(pieces: i64) -> Result<Self, QuantityError> {
        if pieces < 1 {
            Err(QuantityError::TooSmall)
        } else if pieces > Self::MAX as i64 {
            Err(QuantityError::TooLarge)
        } else {
            Ok(Self(pieces as u32))
        }
    }

    /// The number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Both together; `None` above [`Quantity::MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::try_new(i64::from(self.0) + i64::from(other.0)).ok()
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_a_million_is_a_quantity() {
        for (pieces, expected) in [
            (i64::MIN, Err(QuantityError::TooSmall)),
            (0, Err(QuantityError::TooSmall)),
            (1, Ok(1)),
            (1_000_000, Ok(1_000_000)),
            (1_000_001, Err(QuantityError::TooLarge)),
            (i64::MAX, Err(QuantityError::TooLarge)),
        ] {
            assert_eq!(Quantity::try_new(pieces).map(Quantity::get), expected, "{pieces}");
        }
    }

    #[test]
    fn a_sum_above_the_maximum_is_none() {
        let max = Quantity::try_new(i64::from(Quantity::MAX)).unwrap();
        assert_eq!(max.checked_add(Quantity::ONE), None);
        assert_eq!(
            Quantity::ONE.checked_add(Quantity::ONE).map(Quantity::get),
            Some(2)
        );
    }
}
