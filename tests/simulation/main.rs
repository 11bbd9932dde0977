//! The shop inside this process: its real components in the real host, with a clock, a network and
//! faults that the test owns.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod breaker;
mod differential;
mod events;
mod expiry;
mod held;
mod mutants;
mod points;
mod story;
mod switch;
mod world;
