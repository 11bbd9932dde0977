//! The contract of `payment`, forwarded to a `payment` that is deployed on its own.
//!
//! Read the `README.md` first. All that could be wrong here without wasm is in the crates `forward` and `remote`.

#[cfg(target_family = "wasm")]
mod component;
