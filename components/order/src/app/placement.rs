use kernel::{MoneyError, UserId};
use store::DbError;

use super::{KeyError, Quote, QuoteError};
use crate::domain::{Cart, Item, Line, Method};

/// What a customer asks for.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Who.
    pub user: UserId,
    /// What.
    pub cart: Cart,
    /// How it is paid.
    pub method: Method,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
}

/// A customer asks for everything in the cart.
#[derive(Debug, Clone)]
pub struct CartPlacement {
    /// Who.
    pub user: UserId,
    /// How it is paid.
    pub method: Method,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
}

/// Why an order was not even written down.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The cart is empty.
    #[error("the cart is empty")]
    EmptyCart,
    /// A line of the cart is not for sale any more; carries its place.
    #[error("line {0} of the cart is not for sale any more")]
    CartOutdated(usize),
    /// The cart is being bought by another order at this moment.
    #[error("the cart is being bought already")]
    CartUnderWay,
    /// As many orders of the customer as may wait for a payment do; carries how many.
    #[error("{0} orders wait for a payment already")]
    TooManyWaiting(u32),
    /// An item names nothing; carries its place.
    #[error("item {0} names nothing that is sold")]
    UnknownItem(usize),
    /// An item's product has several SKUs; carries its place.
    #[error("item {0} must name a SKU")]
    SkuRequired(usize),
    /// The quantities or the total are beyond what can be sold at once.
    #[error("the order is too large")]
    TooLarge,
    /// The key can't be answered.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Something did not answer before anything was done.
    #[error("not available: {0}")]
    Unavailable(String),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl From<MoneyError> for PlaceError {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

impl From<QuoteError> for PlaceError {
    fn from(error: QuoteError) -> Self {
        match error {
            QuoteError::Unknown(place) => Self::UnknownItem(place),
            QuoteError::SkuRequired(place) => Self::SkuRequired(place),
            QuoteError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl Placement {
    /// The command in one canonical text: two with the same text ask for the same.
    pub(super) fn command(&self) -> String {
        let item = |(item, quantity): &(Item, _)| match item {
            Item::Product(id) => format!("product {id} x{quantity}"),
            Item::Sku(id) => format!("sku {id} x{quantity}"),
        };
        let items: Vec<String> = self.cart.items().iter().map(item).collect();
        format!("{}: {}", self.method.text(), items.join(", "))
    }
}

impl CartPlacement {
    /// The command in one canonical text. What is in the cart is no part of it: once the order is paid,
    /// it is not there any more.
    pub(super) fn command(&self) -> String {
        format!("from cart by {}", self.method.text())
    }
}

/// Lines at the quoted prices; what ships as the same SKU becomes one line.
pub(super) fn lines(cart: &Cart, quotes: Vec<Quote>) -> Result<Vec<Line>, PlaceError> {
    if quotes.len() != cart.items().len() {
        return Err(PlaceError::Unavailable(
            "the catalogue quoted another number of items".to_owned(),
        ));
    }
    let mut lines: Vec<Line> = Vec::new();
    for ((_, quantity), quote) in cart.items().iter().zip(quotes) {
        match lines.iter_mut().find(|line| line.sku == quote.sku) {
            Some(line) => line.quantity = line.quantity.checked_add(*quantity).ok_or(PlaceError::TooLarge)?,
            None => lines.push(Line {
                product: quote.product,
                sku: quote.sku,
                name: quote.name,
                category: quote.category,
                seller: quote.seller,
                unit_price: quote.unit_price,
                quantity: *quantity,
            }),
        }
    }
    Ok(lines)
}
