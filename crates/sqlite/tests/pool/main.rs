//! What guests may rely on, tested through the public API only.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod batch;
mod counters;
mod crash;
mod endings;
mod faults;
mod lifecycle;
mod limits;
mod queue;
mod refusals;
mod statements;
mod support;
mod transactions;
