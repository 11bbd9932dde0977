//! Use cases: place an order and drive its checkout, look at orders.

mod checkout;
mod placement;
mod port;

pub use checkout::Checkout;
pub use placement::{PlaceError, Placed, Placement};
pub use port::{
    Catalog, ChargeError, CommitError, Goods, KeyUse, Orders, Payments, Quote, QuoteError, RefundError,
    ReleaseError, ReserveError,
};
