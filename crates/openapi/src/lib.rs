//! A domain's part of the API's document (OpenAPI 3.1), written beside its routes.
//!
//! A domain says what its operations take and answer; what holds for all of them (problems, headers, lists,
//! who may call) is said here, once. The text is kept as `openapi.json` beside the domain's `Cargo.toml`: a
//! test compares it with what the code says, so a change of the API shows in a review, and the component
//! serves that file. The gateway puts the parts together.

mod document;
mod operation;
mod parameter;
mod response;
mod value;

pub use document::{Document, compare};
pub use operation::{Access, Operation};
pub use parameter::{Parameter, field, id, id_field, moment_field, text, whole, won_field, words};
pub use serde_json::json;
pub use value::{Id, Moment, Quantity, Won, null, one_of, one_of_or_null};
