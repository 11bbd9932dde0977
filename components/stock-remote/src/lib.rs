//! The contract of `stock`, forwarded to a `stock` that is deployed on its own.
//!
//! Read the `README.md` first. All that could be wrong here without wasm is in the crates `forward` and `remote`.

#[cfg(target_family = "wasm")]
mod component;
