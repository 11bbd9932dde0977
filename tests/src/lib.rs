//! A running shop for journeys and benchmarks: the real binary, the real components, its own folder.

mod audit;
mod shop;

pub use audit::{audit, audit_events};
pub use shop::{Client, Reply, Shop, Signup, jobs_key, secrets, stock_up, token_at, token_of, workspace};
