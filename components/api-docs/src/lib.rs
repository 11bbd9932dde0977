//! The API's documentation as a page: Swagger UI over `/openapi.json`, from our own files alone.
//!
//! The build script packs the files and says what each is; [`files`] is that table, [`http`] serves it.
//! `component.rs` (wasm only) is the wire.

pub mod files;
pub mod http;

#[cfg(target_family = "wasm")]
mod component;
