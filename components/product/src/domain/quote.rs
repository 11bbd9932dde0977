use kernel::{ProductId, SkuId};

use super::Product;

/// The most items one call can ask for.
pub const MAX_ITEMS: usize = 100;

/// Who sells what nobody else sells: the shop itself.
pub const HOUSE: &str = "보데가";

/// What a customer named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A product that has exactly one SKU.
    Product(ProductId),
    /// One SKU.
    Sku(SkuId),
    /// A number that can be nobody's id.
    Nothing,
}

/// One SKU that is for sale, and the product it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What would be shipped.
    pub sku: SkuId,
    /// What it is sold as.
    pub product: Product,
    /// Who sells it.
    pub seller: String,
}

/// Why there is no quote. The number is the item's place in the list, from 0; the first such item counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefused {
    /// Nothing was asked for.
    #[error("there is no item")]
    NoItem,
    /// More than [`MAX_ITEMS`] were asked for.
    #[error("there are more than {MAX_ITEMS} items")]
    TooMany,
    /// There is no such product or SKU, or it is not for sale.
    #[error("item {0} is not for sale")]
    Unknown(u32),
    /// The product has several SKUs.
    #[error("the product of item {0} has several SKUs")]
    SkuRequired(u32),
}

/// The offer for every item, in their order. `offers` holds all SKUs of the products and all the SKUs that
/// were named and are for sale.
pub fn choose(items: &[Item], offers: &[Offer]) -> Result<Vec<Offer>, QuoteRefused> {
    items
        .iter()
        .zip(0..)
        .map(|(item, place)| choose_one(*item, place, offers).cloned())
        .collect()
}

fn choose_one(item: Item, place: u32, offers: &[Offer]) -> Result<&Offer, QuoteRefused> {
    let mut fitting = offers.iter().filter(|offer| match item {
        Item::Product(product) => offer.product.id == product,
        Item::Sku(sku) => offer.sku == sku,
        Item::Nothing => false,
    });
    match (fitting.next(), fitting.next()) {
        (None, _) => Err(QuoteRefused::Unknown(place)),
        (Some(offer), None) => Ok(offer),
        (Some(_), Some(_)) => Err(QuoteRefused::SkuRequired(place)),
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Money};

    use super::*;

    fn product(number: u64) -> Item {
        Item::Product(ProductId::try_new(number).unwrap())
    }

    fn sku(number: u64) -> Item {
        Item::Sku(SkuId::try_new(number).unwrap())
    }

    fn offer(id: u64, sku: u64) -> Offer {
        Offer {
            sku: SkuId::try_new(sku).unwrap(),
            product: Product {
                id: ProductId::try_new(id).unwrap(),
                name: format!("product {id}"),
                category: "books".to_owned(),
                price: Money::try_new(1_000, Currency::Krw).unwrap(),
            },
            seller: HOUSE.to_owned(),
        }
    }

    #[test]
    fn every_item_finds_its_one_offer_or_its_refusal() {
        let offers = [offer(1, 11), offer(2, 21), offer(2, 22)];
        let skus = |items: &[Item]| -> Result<Vec<u64>, QuoteRefused> {
            let chosen = choose(items, &offers)?;
            Ok(chosen.iter().map(|offer| offer.sku.get()).collect())
        };
        assert_eq!(
            skus(&[product(1), sku(22), sku(11), product(1)]),
            Ok(vec![11, 22, 11, 11])
        );
        assert_eq!(
            skus(&[product(1), product(2), product(3)]),
            Err(QuoteRefused::SkuRequired(1))
        );
        assert_eq!(skus(&[product(3), product(2)]), Err(QuoteRefused::Unknown(0)));
        assert_eq!(skus(&[sku(21), sku(1)]), Err(QuoteRefused::Unknown(1)));
        assert_eq!(skus(&[sku(21), Item::Nothing]), Err(QuoteRefused::Unknown(1)));
    }
}
