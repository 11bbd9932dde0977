//! Stock: how many pieces of each SKU there are, and for whom they are set aside.
//!
//! Read the `README.md` first; then the files in this order.

pub mod domain;

pub mod app;

pub mod store;

pub mod http;

#[cfg(target_family = "wasm")]
mod component;
