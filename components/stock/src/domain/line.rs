use kernel::{Quantity, QuantityError, SkuId};

/// The most lines one reservation can have.
pub const MAX_LINES: usize = 100;

/// So many pieces of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// What.
    pub sku: SkuId,
    /// How many.
    pub quantity: Quantity,
}

/// The lines of one reservation: 1 to [`MAX_LINES`], each SKU once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(Vec<Line>);

/// Why some lines can't be reserved by anybody, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinesError {
    /// There is nothing to set aside.
    #[error("there is no line")]
    None,
    /// There are more than [`MAX_LINES`].
    #[error("there are more than {MAX_LINES} lines")]
    TooMany,
    /// One SKU stands in two lines.
    #[error("SKU {0} is named twice")]
    Twice(SkuId),
    /// A quantity is zero or too large.
    #[error("the quantity of SKU {sku} {problem}")]
    Quantity {
        /// In the line of this SKU.
        sku: SkuId,
        /// What is wrong with it.
        problem: QuantityError,
    },
}

impl Lines {
    /// Takes what a caller sent: SKUs and how many of each.
    pub fn try_new(wanted: &[(SkuId, u32)]) -> Result<Self, LinesError> {
        if wanted.is_empty() {
            return Err(LinesError::None);
        }
        if wanted.len() > MAX_LINES {
            return Err(LinesError::TooMany);
        }
        if let Some(sku) = named_twice(wanted) {
            return Err(LinesError::Twice(sku));
        }
        let line = |&(sku, pieces): &(SkuId, u32)| {
            Quantity::try_new(i64::from(pieces))
                .map(|quantity| Line { sku, quantity })
                .map_err(|problem| LinesError::Quantity { sku, problem })
        };
        wanted.iter().map(line).collect::<Result<_, _>>().map(Self)
    }

    /// The lines, in the order in which they were asked for.
    pub fn as_slice(&self) -> &[Line] {
        &self.0
    }

    /// Whether both ask for the same; the order of lines means nothing.
    pub fn same_as(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }

    fn sorted(&self) -> Vec<Line> {
        let mut lines = self.0.clone();
        lines.sort_unstable();
        lines
    }
}

fn named_twice(wanted: &[(SkuId, u32)]) -> Option<SkuId> {
    let mut skus: Vec<SkuId> = wanted.iter().map(|&(sku, _)| sku).collect();
    skus.sort_unstable();
    skus.windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(number: u64) -> SkuId {
        SkuId::try_new(number).unwrap()
    }

    fn lines(wanted: &[(u64, u32)]) -> Result<Lines, String> {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|&(number, pieces)| (sku(number), pieces))
            .collect();
        Lines::try_new(&wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn one_to_a_hundred_different_skus_are_lines() {
        let many = |count: u64| lines(&(1..=count).map(|number| (number, 1)).collect::<Vec<_>>());
        assert_eq!(many(0), Err("there is no line".to_owned()));
        assert_eq!(many(1).unwrap().as_slice().len(), 1);
        assert_eq!(many(100).unwrap().as_slice().len(), 100);
        assert_eq!(many(101), Err("there are more than 100 lines".to_owned()));
        assert_eq!(
            lines(&[(1, 1), (2, 1), (1, 2)]),
            Err("SKU 1 is named twice".to_owned())
        );
    }

    #[test]
    fn only_quantities_from_one_to_a_million_are_taken() {
        assert_eq!(
            lines(&[(1, 1), (2, 0)]),
            Err("the quantity of SKU 2 must be at least 1".to_owned())
        );
        assert_eq!(
            lines(&[(1, 1_000_001)]),
            Err("the quantity of SKU 1 must be at most 1000000".to_owned())
        );
        assert!(lines(&[(1, u32::MAX)]).is_err());
        assert!(lines(&[(1, 1_000_000)]).is_ok());
    }

    #[test]
    fn the_order_of_lines_means_nothing_and_their_content_everything() {
        let same = |a: &[(u64, u32)], b: &[(u64, u32)]| lines(a).unwrap().same_as(&lines(b).unwrap());
        assert!(same(&[(1, 1), (2, 2)], &[(2, 2), (1, 1)]));
        assert!(!same(&[(1, 1), (2, 2)], &[(1, 2), (2, 1)]));
        assert!(!same(&[(1, 1), (2, 2)], &[(1, 1)]));
        assert!(!same(&[(1, 1)], &[(1, 1), (2, 2)]));
    }
}
