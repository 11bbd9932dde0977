//! The rules: what a product is, what a quote needs, how a list is narrowed and ordered. No I/O.

mod product;
mod quote;
mod search;

pub use product::{Detail, Product, Stocked};
pub use quote::{HOUSE, Item, MAX_ITEMS, Offer, QuoteRefused, choose};
pub use search::{
    Filter, MAX_NAME_CHARS, NamePart, NamePartError, Position, PriceRange, PriceRangeError, Sort, SortBy,
    fold,
};
