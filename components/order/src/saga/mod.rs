//! The checkout as a saga: what is done in which order, and what a failure undoes.
//!
//! | step    | does                    | undone by        | repeating is safe because         |
//! |---------|-------------------------|------------------|-----------------------------------|
//! | Reserve | `stock.reserve`         | `stock.release`  | one reservation per order id      |
//! | Charge  | `payment.charge`        | `payment.refund` | one payment per order id          |
//! | Pay     | order PENDING → PAID    | never            | a compare-and-set on the state    |
//! | Commit  | `stock.commit`          | never            | a committed reservation stays so  |
//!
//! The PENDING order is on disk before the first step: it is the intent of them all, since each can be
//! asked again by the order's id. `Pay` is the point of no return: before it a failure undoes what may
//! have happened, in reverse; after it a step is retried until it is done. A step without an answer is
//! asked once more; without one again it may have happened, so it is undone too. An undo that is refused is [`Next::Stuck`], for a person; an undo
//! without an answer leaves the order to recovery ([`Next::Parked`]).

mod plan;

pub use plan::{Answer, End, Entry, Log, Next, Step, next};
