//! Cart: what a customer means to buy.
//!
//! Read the `README.md` first; then the files in this order.

pub mod domain;

pub mod app;

pub mod store;

pub mod http;

#[cfg(target_family = "wasm")]
mod component;
