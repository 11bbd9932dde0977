//! Accounts: sign-up, login, who am I.
//!
//! The rules are in [`domain`], the use cases in [`app`], their SQL in [`store`], the routes in [`http`].
//! Only `component`, which exists in wasm alone, touches the world.

pub mod domain;

pub mod app;
pub mod http;
pub mod store;

#[cfg(target_family = "wasm")]
mod component;
