//! A running shop for journeys and benchmarks: the real binary, the real components, its own folder.

mod audit;
mod books;
mod client;
mod costs;
mod counts;
mod keys;
mod leak;
mod profile;
mod shop;

pub use audit::{audit, audit_events};
pub use books::{apart, database_flags, name_postgres, sources, with_database};
pub use client::{Client, Reply};
pub use costs::{Cost, cost_flags, costs};
pub use counts::{Counts, Work};
pub use keys::{jobs_key, remote_key, secrets, token_at, token_of, unlimited};
pub use leak::leaks;
pub use profile::{Bus, Profile, Servers};
pub use shop::{Shop, Signup, stock_up, workspace};

/// Writes a line that is seen whether or not the test passes: counts are part of what a test proves.
pub fn say(line: &str) {
    use std::io::Write;
    // Only the macros' output is captured. A line that can't be written is not worth failing for.
    let _ = writeln!(std::io::stderr(), "    {line}");
}
