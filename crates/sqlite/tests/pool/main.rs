//! What guests may rely on, tested through the public API only.

mod counters;
mod crash;
mod faults;
mod lifecycle;
mod limits;
mod queue;
mod refusals;
mod statements;
mod support;
mod transactions;
