//! The words every domain shares: [`Money`], ids, [`Instant`], [`Quantity`] and [`Outcome`].
//!
//! Everything here is pure and small: no I/O, no clock, no random numbers. What cannot be is not
//! representable: a `Quantity` is at least one, an id fits a JSON number, and money is never
//! added across currencies or past its range without an answer.

mod id;
mod instant;
mod money;
mod outcome;
mod quantity;

pub use id::{IdOutOfRange, MAX_ID, OrderId, PaymentId, ProductId, SkuId, UserId, time_ordered};
pub use instant::{Instant, Millis};
pub use money::{Currency, Money, MoneyError};
pub use outcome::Outcome;
pub use quantity::{Quantity, QuantityError};
