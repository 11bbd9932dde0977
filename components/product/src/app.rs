//! The use cases: show products with what is in stock, and quote prices.

use ::store::DbError;
use kernel::{ProductId, SkuId};

use crate::domain::{
    Detail, Filter, Item, MAX_ITEMS, Offer, Position, Product, QuoteRefused, Sort, Stocked, choose,
};

/// The most SKUs the stock tells about in one answer.
pub const MAX_SKUS_PER_ANSWER: usize = 100;

/// What the use cases need from the store. Only what is for sale is ever found.
pub trait Products {
    /// At most `count` products that pass the filter, those behind `after` in this order.
    fn list(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<&Position>,
        count: u32,
    ) -> Result<Vec<Product>, DbError>;

    /// The SKUs of all these products, by product and id.
    fn skus(&self, products: &[ProductId]) -> Result<Vec<(ProductId, SkuId)>, DbError>;

    /// One product and its SKUs.
    fn find(&self, product: ProductId) -> Result<Option<Detail>, DbError>;

    /// The offers for all SKUs that the items name, directly or by their product.
    fn offers(&self, items: &[Item]) -> Result<Vec<Offer>, DbError>;
}

/// What the use cases need from the stock.
pub trait Levels {
    /// How many pieces of each of at most [`MAX_SKUS_PER_ANSWER`] SKUs are free, in their order.
    fn free(&self, skus: &[SkuId]) -> Result<Vec<u32>, LevelsError>;
}

/// Why levels are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LevelsError {
    /// The stock has never heard of this SKU.
    #[error("the stock does not know SKU {0}")]
    UnknownSku(SkuId),
    /// No answer.
    #[error("the stock did not answer: {0}")]
    Unavailable(String),
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The store did not answer, or not with anything that can be.
    #[error("could not read products from the store")]
    Store(#[from] DbError),
    /// The stock did not answer.
    #[error(transparent)]
    Levels(#[from] LevelsError),
}

/// Why there is no quote.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] QuoteRefused),
    /// The store did not answer, or not with anything that can be.
    #[error("could not read offers from the store")]
    Store(#[from] DbError),
}

/// Products with what is in stock.
pub fn list(
    store: &impl Products,
    levels: &impl Levels,
    filter: &Filter,
    sort: Sort,
    after: Option<&Position>,
    count: u32,
) -> Result<Vec<Stocked>, ShowError> {
    let products = store.list(filter, sort, after, count)?;
    if products.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    let owned = store.skus(&ids)?;
    let skus: Vec<SkuId> = owned.iter().map(|&(_, sku)| sku).collect();
    let free = free(levels, &skus)?;
    let of = |product: Product| {
        let mine = owned
            .iter()
            .zip(&free)
            .filter(|((owner, _), _)| *owner == product.id);
        let skus = mine.map(|(&(_, sku), &free)| (sku, free)).collect();
        Stocked { product, skus }
    };
    Ok(products.into_iter().map(of).collect())
}

/// One product with what is in stock.
pub fn show(
    store: &impl Products,
    levels: &impl Levels,
    product: ProductId,
) -> Result<Option<Stocked>, ShowError> {
    let Some(Detail { product, skus }) = store.find(product)? else {
        return Ok(None);
    };
    let free = free(levels, &skus)?;
    let skus = skus.into_iter().zip(free).collect();
    Ok(Some(Stocked { product, skus }))
}

/// What each item is called and costs now, in their order.
pub fn quote(store: &impl Products, items: &[Item]) -> Result<Vec<Offer>, QuoteError> {
    if items.is_empty() {
        return Err(QuoteRefused::NoItem.into());
    }
    if items.len() > MAX_ITEMS {
        return Err(QuoteRefused::TooMany.into());
    }
    Ok(choose(items, &store.offers(items)?)?)
}

/// The free pieces of any number of SKUs, in as few calls as the stock allows: one, as a rule.
fn free(levels: &impl Levels, skus: &[SkuId]) -> Result<Vec<u32>, LevelsError> {
    let mut free = Vec::with_capacity(skus.len());
    for some in skus.chunks(MAX_SKUS_PER_ANSWER) {
        free.extend(free_of_known(levels, some)?);
    }
    Ok(free)
}

/// A SKU that the stock has never counted has no pieces; it must not take the page away from the others.
fn free_of_known(levels: &impl Levels, skus: &[SkuId]) -> Result<Vec<u32>, LevelsError> {
    let mut unknown: Vec<SkuId> = Vec::new();
    loop {
        let is_known = |sku: &SkuId| !unknown.contains(sku);
        let known: Vec<SkuId> = skus.iter().copied().filter(is_known).collect();
        match levels.free(&known) {
            Ok(free) => {
                let mut free = free.into_iter();
                let of = |sku: &SkuId| {
                    if is_known(sku) {
                        free.next().unwrap_or(0)
                    } else {
                        0
                    }
                };
                return Ok(skus.iter().map(of).collect());
            }
            Err(LevelsError::UnknownSku(sku)) if known.contains(&sku) => unknown.push(sku),
            Err(error) => return Err(error),
        }
    }
}
