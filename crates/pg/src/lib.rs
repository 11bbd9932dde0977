//! Postgres for many guests: a pool per database that hands out clean connections.
//!
//! A [`Connection`] is what a guest calls its connection. It has a session of the pool from its first statement to the
//! end of its transaction, or for good once something of it is in there, settings for instance; between statements
//! that leave nothing behind the session is anybody's, so that who waits for something else keeps nobody waiting. What is
//! left in a session, an open transaction, a statement that still runs, is cleared away before anybody else
//! gets it. When all sessions of a database are out, the next one waits a moment and is then told so, which is an answer to
//! pass on ("come again"), never a crash.
//!
//! ```text
//! Pools ── open() ──► Connection ── execute, query ──► Session
//!                         ▲                              │ clean, or dropped
//!                         └── at once, or cancel, rollback, discard ◄──┘
//! ```

mod connect;
mod connection;
mod error;
mod habit;
mod places;
mod pool;
mod session;

pub use connect::{parse, tls};
pub use connection::Connection;
pub use error::Error;
pub use pool::{Options, PoolStats, Pools};
pub use tokio_postgres::error::DbError;
pub use tokio_postgres::{Column, Config, Row, config, types};
