//! Stock and payment as apps of their own, in processes of their own: the same promises, whatever becomes of the way between
//! them. `deploy/remote/*.toml` as they are, over loopback.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod door;
mod journeys;
mod kills;
mod outages;
mod town;
mod way;
