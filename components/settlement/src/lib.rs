//! Settlements: the ledger of what was taken and given back, and its sums by day, seller and category.
//!
//! Read the `README.md` first; then the files in this order.

pub mod domain;

pub mod app;

pub mod event;

pub mod store;

pub mod http;

#[cfg(target_family = "wasm")]
mod component;
