//! The rules of orders.

mod cancellation;
mod cart;
mod hold;
mod line;
mod number;
mod order;
mod work;

pub use cancellation::{Cancellation, MAX_NOTE_CHARS, Note, NoteError};
pub use cart::{Cart, CartError, Item, MAX_LINES};
pub use hold::{Hold, HoldError};
pub use line::{Line, Totals};
pub use number::order_number;
pub use order::{Failure, Method, Order, State, TransitionRefused};
pub use work::{
    CancelRefused, ConfirmRefused, Entry, Key, Lease, Owner, PaymentKey, PaymentKeyError, Stuck, Task, Work,
};
