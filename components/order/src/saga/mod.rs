//! What is done for an order, in which order, and what a failure undoes.
//!
//! | step     | does                              | undone by | repeating is safe because                   |
//! |----------|-----------------------------------|-----------|---------------------------------------------|
//! | Reserve  | `stock.reserve`                   | Release   | one reservation per order id                |
//! | Wait     | the work becomes AWAIT            | never     | a compare-and-set on the work and its owner |
//! | Charge   | `payment.charge` or `.confirm`    | Void      | one payment per order id                    |
//! | Pay      | order PENDING → PAID              | never     | a compare-and-set on state and owner        |
//! | Commit   | `stock.commit` or `.commit-all`   | never     | a committed reservation stays so            |
//! | Empty    | `cart.take`                       | never     | once per order id                           |
//! | GiveUp   | the work becomes UNDO             | never     | a compare-and-set on the work and its owner |
//! | Void     | `payment.void`                    | never     | one refund per key; nothing comes after it  |
//! | Release  | `stock.release`                   | never     | a released reservation stays so             |
//! | TakeBack | `stock.take-back`, else `release` | never     | once per order id                           |
//!
//! | plan     | steps                                   | when                                             |
//! |----------|-----------------------------------------|--------------------------------------------------|
//! | Place    | Reserve, Charge, **Pay**, Empty         | a checkout in one call; then Finish, by a job    |
//! | Await    | Reserve, **Wait**                       | the first call of a two-step checkout            |
//! | Confirm  | Charge, **Pay**, Commit, Empty          | the second call                                  |
//! | Finish   | Commit, Empty                           | every PAID order, once its driver is done        |
//! | Undo     | GiveUp, Void, Release                   | a checkout or a confirmation that was abandoned  |
//! | Expire   | Release                                 | a two-step order that was not paid in time       |
//! | Cancel   | Void, TakeBack                          | a PAID order that somebody wants undone          |
//!
//! The bold step is the point of no return: before it a failure undoes what may have happened, in reverse;
//! after it, and in a plan without one, a step is retried until it is done. Nothing is undone before GiveUp has
//! written down that the order fails, and why: whoever carries on an undo that had begun, a client that repeats
//! its command among them, can only undo the rest. Empty is left out of orders
//! that are not made of a cart.
//!
//! The goods of a checkout in one call stay reserved until the job that takes orders to Finish commits them, many in
//! one transaction: nobody waits for it, and the hold is long (`app::steps`). In two calls Commit is not left to the
//! job, since that hold ends soon after the time to pay.
//!
//! What is to be done is on disk before the first step, as the order's work, and every step can be asked
//! again by the order's id; so recovery needs no log of what was reached, and begins its plan anew. A step
//! without an answer is asked once more; without one again it may have happened. An undo that is refused is
//! [`Next::Stuck`], for a person; a needed answer that does not come leaves the order to recovery
//! ([`Next::Parked`]); goods that are gone when a PAID order's are to be let go make it a cancellation
//! ([`Next::SoldOut`]); whoever finds that its order is driven by somebody else stops ([`Next::Overtaken`]).

mod plan;

pub use plan::{Answer, End, Log, Next, Plan, Step, next};
