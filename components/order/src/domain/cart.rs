use kernel::{ProductId, Quantity, SkuId};

/// The largest number of lines of one order.
pub const MAX_LINES: usize = 100;

/// What a customer named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A product that has exactly one SKU.
    Product(ProductId),
    /// One SKU.
    Sku(SkuId),
}

/// What a customer asks to buy: 1 to [`MAX_LINES`] items, each with how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart(Vec<(Item, Quantity)>);

/// Why a list of items is not a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// Nothing is asked for.
    #[error("must have at least one item")]
    Empty,
    /// More than [`MAX_LINES`].
    #[error("must have at most {MAX_LINES} items")]
    TooMany,
}

impl Cart {
    /// Takes items as they were named; one may be named twice.
    pub fn try_new(items: Vec<(Item, Quantity)>) -> Result<Self, CartError> {
        match items.len() {
            0 => Err(CartError::Empty),
            1..=MAX_LINES => Ok(Self(items)),
            _ => Err(CartError::TooMany),
        }
    }

    /// The items, in the customer's order.
    pub fn items(&self) -> &[(Item, Quantity)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_a_hundred_items_are_a_cart() {
        let item = (Item::Product(ProductId::try_new(1).unwrap()), Quantity::ONE);
        assert_eq!(Cart::try_new(vec![]), Err(CartError::Empty));
        assert!(Cart::try_new(vec![item; 100]).is_ok());
        assert_eq!(Cart::try_new(vec![item; 101]), Err(CartError::TooMany));
    }
}
