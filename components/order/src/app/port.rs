//! What the use cases need from the other domains.
//!
//! These are the contracts in `wit/` as far as orders use them: `Unavailable` always means that it may or
//! may not have happened.

use kernel::{Instant, Money, OrderId, ProductId, Quantity, SkuId, UserId};

use crate::domain::{Item, Method, PaymentKey};

/// What one piece is called and costs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The product.
    pub product: ProductId,
    /// What would be shipped.
    pub sku: SkuId,
    /// The product's name.
    pub name: String,
    /// The category's name.
    pub category: String,
    /// Who sells it.
    pub seller: String,
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
    /// The contract was broken: another order's lines, an ended reservation, bad arguments. What is set aside
    /// for this order is not what was asked for.
    Broken(String),
    /// No answer.
    Unavailable(String),
}

/// Why goods did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// The reservation is gone; its goods are somebody else's.
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

/// Why sold goods were not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeBackError {
    /// They were never sold.
    NotCommitted,
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
    /// The same for many orders at once: one answer for each, in their order.
    fn commit_all(&self, orders: &[OrderId]) -> Vec<Result<(), CommitError>>;
    /// Gives reserved goods back, and keeps any from being reserved later.
    fn release(&self, order: OrderId) -> Result<(), ReleaseError>;
    /// Takes sold goods back.
    fn take_back(&self, order: OrderId) -> Result<(), TakeBackError>;
}

/// The code of a charge that was refused because its payment had been voided before.
pub const VOIDED: &str = "VOIDED";

/// Money to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// For which order; it is charged once.
    pub order: OrderId,
    /// From whom.
    pub user: UserId,
    /// How much.
    pub amount: Money,
    /// How it is paid.
    pub method: Method,
}

/// Why no money was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeError {
    /// The gateway said no, with this code.
    Refused(String),
    /// The method is not offered.
    MethodNotOffered,
    /// The contract was broken: another amount, user or method for this order. What was taken for it is not
    /// what was asked for.
    Broken(String),
    /// No answer.
    Unavailable(String),
}

/// Why money may still be kept, or still be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidError {
    /// It was refused; a person must look.
    Refused(String),
    /// No answer.
    Unavailable(String),
}

/// `shop:payment/payment`.
pub trait Payments {
    /// Takes the money, once per order, and tells how much of it is kept: less, once some went back.
    fn charge(&self, charge: &Charge) -> Result<Money, ChargeError>;
    /// Takes it from a payment that the customer began in the gateway's window.
    fn confirm(&self, charge: &Charge, payment: &PaymentKey) -> Result<Money, ChargeError>;
    /// Gives back what was taken, under `key`, and keeps any from being taken later. The charge is the one
    /// that was or would have been made.
    fn void(&self, charge: &Charge, key: &str, reason: &str) -> Result<(), VoidError>;
}

/// So many pieces of one SKU in a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    /// The product.
    pub product: ProductId,
    /// Which kind of it.
    pub sku: SkuId,
    /// How many.
    pub quantity: Quantity,
}

/// The cart did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartUnavailable(pub String);

/// `shop:cart/cart`.
pub trait Carts {
    /// What the customer has in the cart.
    fn lines(&self, user: UserId) -> Result<Vec<CartLine>, CartUnavailable>;
    /// Takes out what the order bought, once.
    fn take(&self, order: OrderId, user: UserId, lines: &[CartLine]) -> Result<(), CartUnavailable>;
}
