//! A running shop for journeys and benchmarks: the real binary, the real components, its own folder.

mod audit;
mod shop;

pub use audit::audit;
pub use shop::{Client, Reply, Shop, Signup, workspace};
