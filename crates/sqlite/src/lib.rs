//! SQLite for many guests: one fair writer per database file, readers beside it.
//!
//! A guest believes it has a connection of its own. It has a [`Connection`], which owns no file
//! handle and runs its statements on the thread that asks. Statements that only read go to
//! read-only connections (`reader.rs`); everything else, and everything inside a transaction, goes to
//! the one writing connection (`desk.rs`). A transaction has it from `BEGIN` to its end, and the
//! others wait in line (`gate.rs`), so no guest meets "database is locked" because another is at work.
//! Commits of guests that come close together share one sync, made by the database's own thread
//! (`keeper.rs`), and are answered after it.
//!
//! What holds, whatever a guest does: a dropped connection leaves no transaction open; one held past
//! its deadline is rolled back, and nothing else is; an answered commit is on disk (with
//! [`Synchronous::Full`]); nothing is told that is not on disk; a panic costs one statement.
//!
//! That an answered commit is on disk is shown by cutting the power (`tests/power`): a VFS
//! ([`Options::vfs`]) writes down what guests make SQLite do to its files, and 10,000 times the files
//! are put together as a disk may hold them then, with what was never synced lost, torn or out of
//! order. Each time the database is whole and has every transaction that was answered, none in part;
//! with [`Synchronous::Normal`] the same test finds lost ones.

mod class;
mod connection;
mod core;
mod counters;
mod database;
mod desk;
mod engine;
mod error;
mod fault;
mod gate;
mod inline;
mod keeper;
mod link;
mod options;
mod policy;
mod reader;
mod session;
mod stats;
mod value;
mod watch;

pub use connection::Connection;
pub use database::Database;
pub use error::Error;
pub use fault::{Fault, Point};
pub use options::{Options, Synchronous};
pub use stats::Stats;
pub use value::{Rows, Value};
