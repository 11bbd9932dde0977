//! The rules: what fits into a cart, and what an order takes out of it. No I/O, no clock.

mod guest;
mod line;
mod offer;

pub use guest::{Adjusted, Arrival, Asked, Merged, add_up};
pub use line::{Line, MAX_LINES, bought, limit, merge, pick, set};
pub use offer::{Offer, choose};

/// Why a cart stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such product, or it is not for sale.
    #[error("there is no such product")]
    UnknownProduct,
    /// The product has no such SKU.
    #[error("the product has no such SKU")]
    UnknownSku,
    /// The product comes in several kinds, and none is named.
    #[error("the product comes in several kinds")]
    SkuRequired,
    /// There is no such line in the cart.
    #[error("it is not in the cart")]
    NotInCart,
    /// Together with what is in the cart it would be more than one line can have.
    #[error("one line can't have that many")]
    TooMany,
    /// The cart has as many lines as it can have.
    #[error("the cart has {MAX_LINES} lines")]
    Full,
    /// Together with what is in the cart it would be more than is free.
    #[error("only {free} are free")]
    OutOfStock {
        /// How many are free.
        free: u32,
    },
}
