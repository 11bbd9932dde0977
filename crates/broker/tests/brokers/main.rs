//! What every broker promises, proved with the real servers.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod address;
mod jetstream;
mod local;
mod nats;
mod redis;
mod secrets;
mod support;
