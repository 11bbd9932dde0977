//! Payments: money taken for an order, once, and given back.
//!
//! Read the `README.md` first; then the files in this order.

pub mod domain;

pub mod app;

pub mod store;

mod event;

pub mod http;

#[cfg(target_family = "wasm")]
mod component;
