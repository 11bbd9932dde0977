//! The contracts of stock and payment as JSON over HTTP, for a service that is deployed on its own.
//!
//! One WIT function is one [`Function`] here: one route, one JSON body that goes in under the contract's own names, one
//! that comes out, and one enum of refusals. Both sides are made of this crate, so they can't disagree: the service
//! answers with [`serve`], its caller understands with [`read`].
//!
//! | answer | what it means |
//! |---|---|
//! | 200, `application/vnd.bodega.rpc+json` | done, or done before |
//! | 409, `application/problem+json` with a `code` of the contract | refused: an answer, never worth repeating |
//! | 503, `application/problem+json` whose `error` is `SERVICE_UNAVAILABLE` | unavailable: worth repeating as it stands |
//! | anything else | no answer of the service's; a 503 of who runs it, which has no room, is none either |
//!
//! An ask is read strictly, an answer is not: a service may say more than its caller knows. So a contract grows in the service
//! first. A word that the caller does not know, such as a new case, is still no answer for it, but no sign of an outage either.
//!
//! Every call may be repeated after any failure, as the contracts promise: what is done is done under the order's id, or
//! under the refund's key. So the caller never has to know whether a request arrived whose answer did not.

mod function;
pub mod payment;
mod reading;
pub mod stock;

pub use function::{Done, Failure, Function, NoRefusal, PREFIX, serve};
pub use reading::{Reading, Reply, read};

/// The variable that holds the key of these routes, on both sides: who does not send it as [`web::InternalKey`] wants it
/// is refused, and a service that was given none is closed.
pub const KEY_VARIABLE: &str = "remote_key";
