use std::collections::BTreeMap;

use kernel::{ProductId, Quantity, SkuId};

use super::{Offer, Refused};

/// The most lines a cart can have: as many as an order.
pub const MAX_LINES: u32 = 100;

/// So many pieces of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The product.
    pub product: ProductId,
    /// Which kind of it.
    pub sku: SkuId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// The most pieces that a line can have now.
pub const fn limit(free: u32) -> u32 {
    if free < Quantity::MAX { free } else { Quantity::MAX }
}

/// How many pieces a line has when `more` are put to those `in_cart`, in a cart of so many lines. The first
/// refusal that applies: too many for any line, more than are free, no room for another line.
pub fn merge(in_cart: Option<Quantity>, lines: u32, more: Quantity, free: u32) -> Result<Quantity, Refused> {
    let together = match in_cart {
        Some(quantity) => quantity.checked_add(more).ok_or(Refused::TooMany)?,
        None => more,
    };
    if together.get() > free {
        Err(Refused::OutOfStock { free })
    } else if in_cart.is_none() && lines >= MAX_LINES {
        Err(Refused::Full)
    } else {
        Ok(together)
    }
}

/// The line with another quantity.
pub fn set(line: Line, quantity: Quantity, offer: Offer) -> Result<Line, Refused> {
    if quantity.get() > offer.free {
        return Err(Refused::OutOfStock { free: offer.free });
    }
    Ok(Line { quantity, ..line })
}

/// The line of this product that was meant: the named SKU's, or the only one.
pub fn pick(lines: &[Line], product: ProductId, named: Option<SkuId>) -> Result<Line, Refused> {
    let mut fitting = lines
        .iter()
        .filter(|line| line.product == product && named.is_none_or(|sku| line.sku == sku));
    match (fitting.next(), fitting.next()) {
        (None, _) => Err(Refused::NotInCart),
        (Some(line), None) => Ok(*line),
        (Some(_), Some(_)) => Err(Refused::SkuRequired),
    }
}

/// What an order takes out of a cart: each SKU once, with all its pieces.
pub fn bought(lines: &[Line]) -> Vec<(ProductId, SkuId, u32)> {
    let mut pieces: BTreeMap<(ProductId, SkuId), u32> = BTreeMap::new();
    for line in lines {
        let sum = pieces.entry((line.product, line.sku)).or_default();
        *sum = sum.saturating_add(line.quantity.get());
    }
    pieces
        .into_iter()
        .map(|((product, sku), pieces)| (product, sku, pieces))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(pieces: i64) -> Quantity {
        Quantity::try_new(pieces).unwrap()
    }

    fn product(number: u64) -> ProductId {
        ProductId::try_new(number).unwrap()
    }

    fn sku(number: u64) -> SkuId {
        SkuId::try_new(number).unwrap()
    }

    fn line(number: u64, kind: u64, pieces: i64) -> Line {
        Line {
            product: product(number),
            sku: sku(kind),
            quantity: quantity(pieces),
        }
    }

    #[test]
    fn what_is_put_in_adds_up_within_every_limit() {
        let max = i64::from(Quantity::MAX);
        let merged = |in_cart: Option<i64>, lines, more, free| {
            let merged = merge(in_cart.map(quantity), lines, quantity(more), free);
            merged.map(Quantity::get)
        };
        assert_eq!(merged(None, 0, 5, 5), Ok(5));
        assert_eq!(merged(Some(2), 1, 3, 5), Ok(5));
        assert_eq!(merged(None, 0, 6, 5), Err(Refused::OutOfStock { free: 5 }));
        assert_eq!(merged(Some(3), 1, 3, 5), Err(Refused::OutOfStock { free: 5 }));
        assert_eq!(merged(None, 0, 1, 0), Err(Refused::OutOfStock { free: 0 }));
        assert_eq!(merged(Some(max), 1, 1, u32::MAX), Err(Refused::TooMany));
        assert_eq!(merged(Some(max - 1), 1, 1, u32::MAX), Ok(Quantity::MAX));
        assert_eq!(merged(None, 99, 1, 5), Ok(1));
        assert_eq!(merged(None, 100, 1, 5), Err(Refused::Full));
        assert_eq!(merged(Some(1), 100, 1, 5), Ok(2));
        assert_eq!(merged(None, 100, 6, 5), Err(Refused::OutOfStock { free: 5 }));
    }

    #[test]
    fn the_limit_of_a_line_is_what_merging_allows() {
        for free in [0, 1, 999_999, 1_000_000, 1_000_001, u32::MAX] {
            let most = limit(free);
            let fits = |pieces: u32| {
                let more = Quantity::try_new(i64::from(pieces));
                more.is_ok_and(|more| merge(None, 0, more, free).is_ok())
            };
            assert!(most == 0 || fits(most), "{free}");
            assert!(!fits(most + 1), "{free}");
        }
    }

    #[test]
    fn another_quantity_must_be_free() {
        let offer = |free| Offer { sku: sku(11), free };
        assert_eq!(set(line(1, 11, 9), quantity(5), offer(5)), Ok(line(1, 11, 5)));
        assert_eq!(
            set(line(1, 11, 1), quantity(6), offer(5)),
            Err(Refused::OutOfStock { free: 5 })
        );
    }

    #[test]
    fn a_line_is_meant_when_there_is_only_one_or_its_sku_is_named() {
        let lines = [line(1, 11, 1), line(2, 21, 1), line(2, 22, 2)];
        assert_eq!(pick(&lines, product(1), None), Ok(lines[0]));
        assert_eq!(pick(&lines, product(2), None), Err(Refused::SkuRequired));
        assert_eq!(pick(&lines, product(2), Some(sku(22))), Ok(lines[2]));
        assert_eq!(pick(&lines, product(1), Some(sku(22))), Err(Refused::NotInCart));
        assert_eq!(pick(&lines, product(3), None), Err(Refused::NotInCart));
    }

    #[test]
    fn an_order_takes_each_sku_once() {
        let lines = [line(2, 21, 1), line(1, 11, 2), line(2, 21, 3)];
        let expected = [(product(1), sku(11), 2), (product(2), sku(21), 4)];
        assert_eq!(bought(&lines), expected);
        assert_eq!(bought(&[]), []);
    }
}
