use kernel::{Money, ProductId, SkuId};

/// What a customer looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Which one.
    pub id: ProductId,
    /// As it is shown.
    pub name: String,
    /// The category's name.
    pub category: String,
    /// The price of one piece; more than zero.
    pub price: Money,
}

/// A product with all its SKUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The product.
    pub product: Product,
    /// What can be put into a parcel, in the order of their ids.
    pub skus: Vec<SkuId>,
}

/// A product, and how many pieces of each of its SKUs can be bought now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stocked {
    /// The product.
    pub product: Product,
    /// Each SKU and its free pieces.
    pub skus: Vec<(SkuId, u32)>,
}

impl Stocked {
    /// Free pieces of all SKUs together.
    pub fn stock_quantity(&self) -> u64 {
        self.skus.iter().map(|&(_, free)| u64::from(free)).sum()
    }
}
