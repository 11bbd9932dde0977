use kernel::SkuId;

use super::Refused;

/// One SKU of a product, as it can be bought now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub sku: SkuId,
    /// How many pieces are free.
    pub free: u32,
}

/// The SKU that was meant: the named one, or the only one. `offers` are all SKUs of the product.
pub fn choose(named: Option<SkuId>, offers: &[Offer]) -> Result<Offer, Refused> {
    match (named, offers) {
        (Some(sku), _) => {
            let offer = offers.iter().find(|offer| offer.sku == sku);
            offer.copied().ok_or(Refused::UnknownSku)
        }
        // A product that has no SKU yet has nothing that could be bought.
        (None, []) => Err(Refused::OutOfStock { free: 0 }),
        (None, [only]) => Ok(*only),
        (None, [_, _, ..]) => Err(Refused::SkuRequired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sku_is_meant_or_must_be_named() {
        let sku = |number| SkuId::try_new(number).unwrap();
        let offer = |number| Offer {
            sku: sku(number),
            free: 1,
        };
        let (none, one, two) = ([], [offer(11)], [offer(11), offer(12)]);
        assert_eq!(choose(None, &none), Err(Refused::OutOfStock { free: 0 }));
        assert_eq!(choose(None, &one), Ok(offer(11)));
        assert_eq!(choose(None, &two), Err(Refused::SkuRequired));
        assert_eq!(choose(Some(sku(12)), &two), Ok(offer(12)));
        assert_eq!(choose(Some(sku(13)), &two), Err(Refused::UnknownSku));
        assert_eq!(choose(Some(sku(13)), &none), Err(Refused::UnknownSku));
    }
}
