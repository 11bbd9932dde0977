//! Asking a service that is deployed on its own, for the adapters that stand in its place.
//!
//! [`Caller::ask`] tries a function of [`remote`] until it has an answer or its budget is used up. What it promises:
//!
//! * A refusal comes from the service, word for word, and is never asked for again. Everything else that is no answer (nobody
//!   there, late, broken off, nonsense, a defect) is `unavailable`, and no refusal is ever made up of it.
//! * Trying again is safe, because every call of the contracts may be repeated: it is done under the order's id or the
//!   refund's key, once, and says again what it said first. So a request whose answer came too late has no second effect.
//! * It ends within its budget, and pauses in between: exponentially longer, of which a random part is waited ("full jitter"),
//!   so that those who failed together do not come back together. `Retry-After` is waited in full, or not at all where the
//!   budget ends before.
//! * Who fails again and again gets a rest: a [`breaker`] whose state all instances share.

mod caller;
mod settings;

#[cfg(target_family = "wasm")]
pub mod guest;

pub use caller::{Caller, Patience, Wire};
pub use settings::{Address, Settings};
