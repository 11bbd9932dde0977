//! Orders and the saga that drives one from its first line to paid goods.
//!
//! Read in this order: [`domain`] says what an order is and which ways it can go, [`saga`] which steps
//! a checkout takes and what a failure at each of them undoes, [`app`] puts both to work over the other
//! domains' contracts, [`store`] keeps orders in SQL, [`http`] is the API.

pub mod domain;
pub mod saga;

pub mod app;
#[cfg(target_family = "wasm")]
mod component;
pub mod http;
pub mod store;

mod event;
