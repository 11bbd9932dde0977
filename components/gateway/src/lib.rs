//! The only public door.
//!
//! Every decision is a pure function over plain values, natively tested: which paths there are and who may
//! use them ([`path`], [`routes`], [`auth`], [`methods`]), how often ([`client`], [`limit`]), in which form and from
//! which pages ([`accept`], [`cors`]), what a forwarded request carries ([`headers`], [`trace`], [`door`]), which
//! component gets a rest ([`breaker`]), what of an answer reaches the client ([`reply`]), and how the components'
//! documents become one ([`contract`]). The pages about [`problems`] are made here. Only `component`, which exists
//! in wasm alone, moves bytes.

pub mod accept;
pub mod auth;
pub mod client;
pub mod contract;
pub mod cors;
pub mod document;
pub mod door;
pub mod headers;
pub mod limit;
pub mod methods;
pub mod metrics;
pub mod path;
pub mod problems;
pub mod ready;
pub mod reply;
pub mod routes;
pub mod settings;
pub mod trace;

#[cfg(target_family = "wasm")]
mod component;
