//! The only public door.
//!
//! Every decision is a pure function over plain values, natively tested: which paths there are and who may
//! use them ([`path`], [`routes`], [`auth`]), what a forwarded request carries ([`headers`], [`door`]),
//! what of an answer reaches the client ([`reply`]), and how the components' documents become one
//! ([`contract`]). Only `component`, which exists in wasm alone, moves bytes.

pub mod auth;
pub mod contract;
pub mod document;
pub mod door;
pub mod headers;
pub mod path;
pub mod reply;
pub mod routes;

#[cfg(target_family = "wasm")]
mod component;
