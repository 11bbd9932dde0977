//! The only public door.
//!
//! Every decision is a pure function over plain values, natively tested: which paths there are and who may
//! use them ([`path`], [`routes`], [`auth`]), how often ([`client`], [`limit`]), what a forwarded request carries
//! ([`headers`], [`door`]), which component gets a rest ([`breaker`]), and what of an answer reaches the client
//! ([`reply`]). Only `component`, which exists in wasm alone, moves bytes.

pub mod auth;
pub mod breaker;
pub mod cells;
pub mod client;
pub mod door;
pub mod headers;
pub mod limit;
pub mod metrics;
pub mod path;
pub mod ready;
pub mod reply;
pub mod routes;
pub mod settings;

#[cfg(target_family = "wasm")]
mod component;
