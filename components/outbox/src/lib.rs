//! Runs the jobs of the domains and publishes their events, every second or when it is asked to.
//!
//! [`app`] is one run: the jobs and the bus are small traits there. `component.rs` (wasm only) is woken by
//! the clock or by HTTP; both do the same.

pub mod app;
#[cfg(target_family = "wasm")]
mod component;
pub mod http;
