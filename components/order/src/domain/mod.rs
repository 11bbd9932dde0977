//! The rules of orders.

mod cart;
mod line;
mod number;
mod order;

pub use cart::{Cart, CartError, Item, MAX_LINES};
pub use line::{Line, Totals};
pub use number::order_number;
pub use order::{Failure, Method, Order, State, TransitionRefused};
