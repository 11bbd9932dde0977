//! Access and refresh tokens: how they are signed, and when they are believed.
//!
//! A token is a JWT (RFC 7519) with one algorithm, HS256, one issuer, one audience and a `typ` claim that
//! says what it is good for. Both the component that signs and the one that only verifies use this crate,
//! so there is one opinion on what a valid token is. Time is an argument.

mod claims;
mod keys;
pub mod mark;
mod verify;

pub use claims::{Claims, Kind, Verified};
pub use keys::{Keys, KeysError, SignError};
pub use verify::Refused;
pub use web::Role;
