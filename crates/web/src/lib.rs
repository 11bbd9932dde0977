//! What every HTTP component says the same way.
//!
//! [`Request`] and [`Response`] are plain values, so that a domain's `http.rs` is tested natively; only
//! [`guest`] knows the wire. A handler answers `Result<Response, Problem>`, and a [`Problem`] is the one
//! form in which anything is refused (RFC 9457).

mod etag;
pub mod figures;
#[cfg(target_family = "wasm")]
pub mod guest;
mod identity;
mod internal;
mod json;
pub mod log;
mod page;
mod problem;
mod query;
mod request;
mod response;
mod route;

pub use etag::{ETag, IfMatch};
pub use identity::{
    CREDENTIAL_HEADER, IDENTITY_HEADER, Identity, IdentityKey, REQUEST_ID_HEADER, Role, Unverified,
};
pub use internal::{InternalKey, credential};
pub use json::{Object, Whole};
pub use page::{Page, PageRequest};
pub use problem::{Code, FieldError, Problem};
pub use query::Query;
pub use request::{MAX_BODY_BYTES, Method, Request};
pub use response::Response;
pub use route::{DOCUMENT_PATH, PathParams, READY_PATH, Route, document, find, ready};
