//! What the use cases need from the other domains and from the store.
//!
//! These are the contracts in `wit/` as far as orders use them: `Unavailable` always means that it may or
//! may not have happened.

use kernel::{Instant, Money, OrderId, ProductId, Quantity, SkuId, UserId};
use store::DbError;

use crate::domain::{Failure, Item, Method, Order};

/// What one piece is called and costs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The product.
    pub product: ProductId,
    /// What would be shipped.
    pub sku: SkuId,
    /// The product's name.
    pub name: String,
    /// The price of one piece.
    pub unit_price: Money,
}

/// Why there is no quote; the number is the item's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteError {
    /// There is no such product or SKU.
    Unknown(usize),
    /// The product has several SKUs.
    SkuRequired(usize),
    /// No answer.
    Unavailable(String),
}

/// `shop:product/catalog`.
pub trait Catalog {
    /// Quotes all items, in their order, or none.
    fn quote(&self, items: &[Item]) -> Result<Vec<Quote>, QuoteError>;
}

/// Why goods were not set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveError {
    /// Fewer are free than asked for.
    Insufficient {
        /// How many of the first short SKU are free.
        free: u32,
    },
    /// The contract was broken: another order's lines, an ended reservation, bad arguments.
    Broken(String),
    /// No answer.
    Unavailable(String),
}

/// Why goods did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// The reservation is gone; its goods may be somebody else's.
    Gone(&'static str),
    /// No answer.
    Unavailable(String),
}

/// Why goods were not given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseError {
    /// They are sold.
    Committed,
    /// No answer.
    Unavailable(String),
}

/// `shop:stock/stock`.
pub trait Goods {
    /// Sets all lines aside until `until`, or none.
    fn reserve(
        &self,
        order: OrderId,
        lines: &[(SkuId, Quantity)],
        until: Instant,
    ) -> Result<(), ReserveError>;
    /// Lets reserved goods go.
    fn commit(&self, order: OrderId) -> Result<(), CommitError>;
    /// Gives reserved goods back.
    fn release(&self, order: OrderId) -> Result<(), ReleaseError>;
}

/// Why no money was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeError {
    /// The gateway said no.
    Refused(String),
    /// The method is not offered.
    MethodNotOffered,
    /// The contract was broken: another amount, user or method for this order.
    Broken(String),
    /// No answer.
    Unavailable(String),
}

/// Why no money was given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundError {
    /// None had been taken.
    NotCaptured,
    /// It was refused; a person must look.
    Refused(String),
    /// No answer.
    Unavailable(String),
}

/// `shop:payment/payment`.
pub trait Payments {
    /// Takes the money, once per order.
    fn charge(&self, order: OrderId, user: UserId, amount: Money, method: Method) -> Result<(), ChargeError>;
    /// Gives `amount` back; `key` names this one refund.
    fn refund(&self, order: OrderId, key: &str, amount: Money, reason: &str) -> Result<(), RefundError>;
}

/// A client's `Idempotency-Key`, and what it asked for with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The client's key: 1 to 255 visible ASCII characters.
    pub key: String,
    /// What was asked, in one canonical text.
    pub command: String,
}

/// The store of orders.
pub trait Orders {
    /// Writes a PENDING order and the key that made it. `false`: the id or the key is taken.
    fn insert(&self, order: &Order, key: Option<&KeyUse>, lease_until: Instant) -> Result<bool, DbError>;
    /// What a user's key was used for before.
    fn find_key(&self, user: UserId, key: &str) -> Result<Option<(String, OrderId)>, DbError>;
    /// PENDING → PAID with its history and event. `false`: somebody decided first.
    fn pay(&self, order: &Order, now: Instant) -> Result<bool, DbError>;
    /// PENDING → FAILED with its history and event. `false`: somebody decided first.
    fn fail(&self, order: &Order, failure: &Failure, now: Instant) -> Result<bool, DbError>;
    /// One order of one user.
    fn load(&self, user: UserId, order: OrderId) -> Result<Option<Order>, DbError>;
    /// A user's orders before `before`, newest first.
    fn list(&self, user: UserId, before: Option<OrderId>, limit: u32) -> Result<Vec<Order>, DbError>;
}
