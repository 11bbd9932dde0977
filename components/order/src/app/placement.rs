use kernel::{MoneyError, OrderId, UserId};
use store::DbError;

use super::{Quote, QuoteError};
use crate::domain::{Cart, Failure, Item, Line, Method, Order};

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

/// How an order that was placed ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// Paid for.
    Paid(Order),
    /// Nothing was sold, nothing is held or charged.
    Failed(Failure),
    /// Not decided yet: it is on disk, and recovery will decide it.
    Pending(OrderId),
}

/// Why an order was not even written down.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// An item names nothing; carries its place.
    #[error("item {0} names nothing that is sold")]
    UnknownItem(usize),
    /// An item's product has several SKUs; carries its place.
    #[error("item {0} must name a SKU")]
    SkuRequired(usize),
    /// The quantities or the total are beyond what can be sold at once.
    #[error("the order is too large")]
    TooLarge,
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// Something did not answer before anything was done.
    #[error("not available: {0}")]
    Unavailable(String),
    /// A defect of the store.
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
                unit_price: quote.unit_price,
                quantity: *quantity,
            }),
        }
    }
    Ok(lines)
}
