use kernel::SkuId;

use super::{Lines, ReserveRefused};

/// How many pieces there are of one SKU at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Which SKU.
    pub sku: SkuId,
    /// Pieces in the house, reserved ones included.
    pub on_hand: u32,
    /// Pieces held by reservations that have not expired.
    pub reserved: u32,
}

impl Level {
    /// Pieces that can still be reserved.
    ///
    /// None, when more are held than there are: that can only be seen with a clock that runs behind the
    /// one by which an expired reservation's pieces were given to somebody else.
    pub const fn free(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved)
    }
}

/// One SKU of which there is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Which SKU: the first short one in the order of the lines.
    pub sku: SkuId,
    /// How many pieces are free.
    pub free: u32,
}

/// Why `lines` can't be reserved when these are the levels of all SKUs that exist among them; `None`
/// when they can. An unknown SKU in any line comes before a shortage in any other.
pub fn refusal(lines: &Lines, levels: &[Level]) -> Option<ReserveRefused> {
    let level = |sku: SkuId| levels.iter().find(|level| level.sku == sku);
    let mut shortage = None;
    for line in lines.as_slice() {
        let Some(level) = level(line.sku) else {
            return Some(ReserveRefused::UnknownSku(line.sku));
        };
        if level.free() < line.quantity.get() && shortage.is_none() {
            shortage = Some(Shortage {
                sku: line.sku,
                free: level.free(),
            });
        }
    }
    shortage.map(ReserveRefused::Insufficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(number: u64) -> SkuId {
        SkuId::try_new(number).unwrap()
    }

    fn level(number: u64, on_hand: u32, reserved: u32) -> Level {
        Level {
            sku: sku(number),
            on_hand,
            reserved,
        }
    }

    #[test]
    fn what_is_not_reserved_is_free_and_never_less_than_nothing() {
        for (on_hand, reserved, free) in [(5, 0, 5), (5, 2, 3), (5, 5, 0), (5, 6, 0), (0, 0, 0)] {
            assert_eq!(level(1, on_hand, reserved).free(), free);
        }
    }

    #[test]
    fn unknown_comes_before_short_and_the_first_of_each_is_named() {
        let levels = [level(1, 10, 4), level(2, 1, 1), level(3, 5, 0)];
        let refused = |wanted: &[(u64, u32)]| {
            let wanted: Vec<_> = wanted
                .iter()
                .map(|&(number, pieces)| (sku(number), pieces))
                .collect();
            refusal(&Lines::try_new(&wanted).unwrap(), &levels)
        };
        let short = |number, free| {
            Some(ReserveRefused::Insufficient(Shortage {
                sku: sku(number),
                free,
            }))
        };
        assert_eq!(refused(&[(1, 6), (3, 5)]), None);
        assert_eq!(refused(&[(1, 7)]), short(1, 6));
        assert_eq!(refused(&[(3, 6), (2, 1)]), short(3, 5));
        assert_eq!(refused(&[(2, 1), (3, 6)]), short(2, 0));
        assert_eq!(
            refused(&[(2, 1), (9, 1), (8, 1)]),
            Some(ReserveRefused::UnknownSku(sku(9)))
        );
    }
}
