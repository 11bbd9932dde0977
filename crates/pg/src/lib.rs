//! Postgres for many guests: a pool per database that hands out clean connections.
//!
//! A [`Lease`] is one connection for as long as it lives. What its last holder left behind, an open
//! transaction, a statement that still runs, settings of the session, is cleared away after the lease ends and before
//! anybody else gets the connection, so that nobody has to wait for it or can see it. When all
//! connections of a database are out, the next one waits a moment and is then told so, which is an answer to
//! pass on ("come again"), never a crash.
//!
//! ```text
//! Pools ── by address ──► Pool ── lease() ──► Lease ── execute, query
//!                           ▲                   │ dropped
//!                           └─ cancel, rollback, discard ─┘
//! ```

mod connect;
mod error;
mod habit;
mod lease;
mod pool;
mod session;

pub use connect::parse;
pub use error::Error;
pub use lease::Lease;
pub use pool::{Options, PoolStats, Pools};
pub use tokio_postgres::error::DbError;
pub use tokio_postgres::{Column, Config, Row, config, types};
