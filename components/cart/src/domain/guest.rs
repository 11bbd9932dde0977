use std::collections::BTreeMap;

use kernel::{ProductId, Quantity, SkuId};

use super::{Line, MAX_LINES, Offer, Refused, choose, limit};

/// So many pieces that a guest meant to buy, as the guest's browser kept them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The product.
    pub product: ProductId,
    /// Which kind of it; needed when there are several.
    pub sku: Option<SkuId>,
    /// How many pieces; added up they may be more than a line can have.
    pub pieces: u32,
}

/// Something of which fewer pieces came in than were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted {
    /// What was asked for; its SKU is known unless nobody can say which was meant.
    pub asked: Asked,
    /// How many pieces came in.
    pub came_in: u32,
    /// Why not all of them.
    pub reason: Refused,
}

/// A cart after a guest's was merged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The whole cart, by product and SKU.
    pub lines: Vec<Line>,
    /// What did not come in as it was asked for, by product and SKU.
    pub adjusted: Vec<Adjusted>,
}

/// A guest's cart, compared with what is for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    for_sale: Vec<Arriving>,
    left_out: Vec<Adjusted>,
}

/// So many pieces of a SKU of which so many are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arriving {
    product: ProductId,
    sku: SkuId,
    pieces: u32,
    free: u32,
}

/// Adds up what is the same; by product and SKU, so that the order in which a browser kept it means nothing.
pub fn add_up(items: impl IntoIterator<Item = Asked>) -> Vec<Asked> {
    let mut sums: BTreeMap<(ProductId, Option<SkuId>), u32> = BTreeMap::new();
    for item in items {
        let sum = sums.entry((item.product, item.sku)).or_default();
        *sum = sum.saturating_add(item.pieces);
    }
    let asked = |((product, sku), pieces)| Asked { product, sku, pieces };
    sums.into_iter().map(asked).collect()
}

impl Arrival {
    /// Finds out which SKUs are meant. `offers` has all SKUs of every product that there is.
    pub fn new(asked: &[Asked], offers: &BTreeMap<ProductId, Vec<Offer>>) -> Self {
        let (mut for_sale, mut left_out) = (BTreeMap::new(), Vec::new());
        for &asked in asked {
            match meant(asked, offers) {
                Ok(offer) => {
                    let arriving = for_sale.entry((asked.product, offer.sku)).or_insert(Arriving {
                        product: asked.product,
                        sku: offer.sku,
                        pieces: 0,
                        free: offer.free,
                    });
                    arriving.pieces = arriving.pieces.saturating_add(asked.pieces);
                }
                Err(reason) => left_out.push(Adjusted {
                    asked,
                    came_in: 0,
                    reason,
                }),
            }
        }
        Self {
            for_sale: for_sale.into_values().collect(),
            left_out,
        }
    }

    /// Puts all of it to the lines of a cart, as far as it fits. No line loses anything.
    pub fn merge_into(&self, lines: &[Line]) -> Merged {
        let keyed = |line: &Line| ((line.product, line.sku), line.quantity);
        let mut cart: BTreeMap<_, _> = lines.iter().map(keyed).collect();
        let mut adjusted = self.left_out.clone();
        for arriving in &self.for_sale {
            let place = (arriving.product, arriving.sku);
            let in_cart = cart.get(&place).map_or(0, |quantity| quantity.get());
            let (came_in, short) = arriving.fit(in_cart, cart.len());
            // No pieces are no line.
            if let Ok(together) = Quantity::try_new(i64::from(in_cart) + i64::from(came_in)) {
                cart.insert(place, together);
            }
            adjusted.extend(short.map(|reason| Adjusted {
                asked: arriving.asked(),
                came_in,
                reason,
            }));
        }
        adjusted.sort_by_key(|adjusted| (adjusted.asked.product, adjusted.asked.sku));
        let line = |((product, sku), quantity)| Line {
            product,
            sku,
            quantity,
        };
        Merged {
            lines: cart.into_iter().map(line).collect(),
            adjusted,
        }
    }
}

impl Arriving {
    const fn asked(&self) -> Asked {
        Asked {
            product: self.product,
            sku: Some(self.sku),
            pieces: self.pieces,
        }
    }

    /// How many of the pieces [`super::merge`] would take, and what it says to one more.
    fn fit(&self, in_cart: u32, lines: usize) -> (u32, Option<Refused>) {
        let fitting = self.pieces.min(limit(self.free).saturating_sub(in_cart));
        if fitting > 0 && in_cart == 0 && lines >= MAX_LINES as usize {
            (0, Some(Refused::Full))
        } else if fitting == self.pieces {
            (fitting, None)
        } else if self.free < Quantity::MAX {
            (fitting, Some(Refused::OutOfStock { free: self.free }))
        } else {
            (fitting, Some(Refused::TooMany))
        }
    }
}

fn meant(asked: Asked, offers: &BTreeMap<ProductId, Vec<Offer>>) -> Result<Offer, Refused> {
    let offers = offers.get(&asked.product).ok_or(Refused::UnknownProduct)?;
    choose(asked.sku, offers)
}

#[cfg(test)]
mod tests {
    use super::super::merge;
    use super::*;

    fn product(number: u64) -> ProductId {
        ProductId::try_new(number).unwrap()
    }

    fn sku(number: u64) -> SkuId {
        SkuId::try_new(number).unwrap()
    }

    fn asked(number: u64, kind: Option<u64>, pieces: u32) -> Asked {
        Asked {
            product: product(number),
            sku: kind.map(sku),
            pieces,
        }
    }

    fn line(number: u64, kind: u64, pieces: u32) -> Line {
        Line {
            product: product(number),
            sku: sku(kind),
            quantity: Quantity::try_new(i64::from(pieces)).unwrap(),
        }
    }

    /// Product 1 has SKU 11 with 5 pieces; 2 has 21 and 22 with 5 each; 3 has none; 4 has 41 with too many
    /// for anybody; 9 is not there; from 1000 on there are 5 of every SKU.
    fn arrival(items: &[Asked]) -> Arrival {
        let offer = |number, free| Offer {
            sku: sku(number),
            free,
        };
        let mut offers = BTreeMap::from([
            (product(1), vec![offer(11, 5)]),
            (product(2), vec![offer(21, 5), offer(22, 5)]),
            (product(3), vec![]),
            (product(4), vec![offer(41, 2_000_000)]),
        ]);
        offers.extend((1_000..1_200).map(|number| (product(number), vec![offer(number, 5)])));
        Arrival::new(&add_up(items.iter().copied()), &offers)
    }

    fn cut(asked: Asked, came_in: u32, reason: Refused) -> Adjusted {
        Adjusted {
            asked,
            came_in,
            reason,
        }
    }

    #[track_caller]
    fn check(lines: &[Line], items: &[Asked], expected: &[Line], adjusted: &[Adjusted]) {
        let merged = arrival(items).merge_into(lines);
        assert_eq!(merged.lines, expected);
        assert_eq!(merged.adjusted, adjusted);
    }

    #[test]
    fn the_same_is_added_up_whatever_the_order() {
        let items = [asked(2, Some(21), 1), asked(1, None, 2), asked(2, Some(21), 3)];
        let sums = [asked(1, None, 2), asked(2, Some(21), 4)];
        assert_eq!(add_up(items), sums);
        assert_eq!(add_up(items.into_iter().rev()), sums);
    }

    #[test]
    fn what_fits_comes_in_by_sku_however_it_was_named() {
        let before = [line(1, 11, 1), line(2, 21, 2)];
        let items = [
            asked(2, Some(22), 1),
            asked(1, Some(11), 2),
            asked(1, None, 2),
            asked(2, Some(21), 1),
        ];
        check(
            &before,
            &items,
            &[line(1, 11, 5), line(2, 21, 3), line(2, 22, 1)],
            &[],
        );
        check(&before, &[], &before, &[]);
    }

    #[test]
    fn what_is_too_much_is_cut_to_what_a_line_can_have() {
        let short = Refused::OutOfStock { free: 5 };
        let six = asked(1, Some(11), 6);
        check(
            &[],
            &[asked(1, None, 6)],
            &[line(1, 11, 5)],
            &[cut(six, 5, short)],
        );
        check(
            &[line(1, 11, 3)],
            &[six],
            &[line(1, 11, 5)],
            &[cut(six, 2, short)],
        );
        check(
            &[line(1, 11, 5)],
            &[six],
            &[line(1, 11, 5)],
            &[cut(six, 0, short)],
        );
        let max = Quantity::MAX;
        let many = asked(4, Some(41), max + 2);
        let items = [asked(4, None, max), asked(4, Some(41), 2)];
        check(
            &[],
            &items,
            &[line(4, 41, max)],
            &[cut(many, max, Refused::TooMany)],
        );
        check(
            &[line(4, 41, 1)],
            &items,
            &[line(4, 41, max)],
            &[cut(many, max - 1, Refused::TooMany)],
        );
    }

    #[test]
    fn a_line_with_more_than_is_free_by_now_stays_as_it_is() {
        let before = [line(1, 11, 9)];
        let one = asked(1, Some(11), 1);
        check(
            &before,
            &[one],
            &before,
            &[cut(one, 0, Refused::OutOfStock { free: 5 })],
        );
    }

    #[test]
    fn what_is_not_for_sale_is_left_out_and_named() {
        let items = [
            asked(9, None, 1),
            asked(3, None, 1),
            asked(2, None, 1),
            asked(1, Some(21), 1),
            asked(1, None, 6),
        ];
        let left_out = [
            cut(asked(1, Some(11), 6), 5, Refused::OutOfStock { free: 5 }),
            cut(asked(1, Some(21), 1), 0, Refused::UnknownSku),
            cut(asked(2, None, 1), 0, Refused::SkuRequired),
            cut(asked(3, None, 1), 0, Refused::OutOfStock { free: 0 }),
            cut(asked(9, None, 1), 0, Refused::UnknownProduct),
        ];
        check(&[], &items, &[line(1, 11, 5)], &left_out);
    }

    #[test]
    fn a_full_cart_takes_no_more_lines_but_more_pieces() {
        let full: Vec<Line> = (1_000..1_100).map(|number| line(number, number, 1)).collect();
        let mut grown = full.clone();
        grown[7] = line(1_007, 1_007, 4);
        let items = [asked(1_007, None, 3), asked(1_100, None, 1)];
        let no_room = cut(asked(1_100, Some(1_100), 1), 0, Refused::Full);
        check(&full, &items, &grown, &[no_room]);
        let last = [asked(1_099, None, 1), asked(1_100, None, 1)];
        check(&full[..99], &last, &full, &[no_room]);
    }

    #[test]
    fn as_much_comes_in_as_merging_would_take_and_not_a_piece_more() {
        let quantity = |pieces: u32| Quantity::try_new(i64::from(pieces)).ok();
        for (in_cart, lines, free) in [
            (0, 0, 5),
            (3, 1, 5),
            (5, 1, 5),
            (9, 1, 5),
            (0, 1, 0),
            (0, 100, 5),
            (0, 100, 0),
            (3, 100, 5),
            (7, 1, Quantity::MAX + 7),
        ] {
            let many = Arriving {
                product: product(1),
                sku: sku(11),
                pieces: 1_100_000,
                free,
            };
            let (came_in, short) = many.fit(in_cart, lines);
            let merge =
                |more: u32| quantity(more).map(|more| merge(quantity(in_cart), lines as u32, more, free));
            let told = merge(came_in);
            assert!(
                told.is_none_or(|merged| merged.is_ok()),
                "{in_cart} {lines} {free}: {told:?}"
            );
            assert_eq!(
                merge(came_in + 1).and_then(Result::err),
                short,
                "{in_cart} {lines} {free}"
            );
        }
    }
}
