//! What an attacker, a careless client and a code generator meet first: the shop's door, over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod assignment;
mod conformance;
mod contract;
mod limits;
mod matrix;
mod scene;
mod spoof;
mod tokens;
mod uniform;
mod wire;
