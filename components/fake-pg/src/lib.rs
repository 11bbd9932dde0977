//! A payment gateway that moves no money and that tests can steer.
//!
//! Read the `README.md` first; then the files in this order.

pub mod domain;

pub mod app;

pub mod store;

#[cfg(target_family = "wasm")]
mod component;
