//! One small port over the databases a component can have.
//!
//! A component opens its [`Db`] once per call with its list of [`Migration`]s, reads with
//! [`Db::read`] and changes things inside [`Db::transaction`], which is the one place where
//! transactions begin and end, or with [`Db::execute`] where one statement is all of it. The same SQL text runs on every database; a [`Driver`] is the thin
//! part that differs:
//!
//! * `spin`: SQLite through `spin:sqlite@3.0.0`, in wasm;
//! * `native`: SQLite through rusqlite, for tests outside wasm (feature `native`);
//! * `postgres`: Postgres through `spin:postgres@4.0.0` in wasm, and through the crate `postgres` for tests and tools
//!   outside (feature `native-postgres`).
//!
//! In wasm `open` decides between them by a variable. One transaction writes at a time, on SQLite because that is its
//! way, on Postgres behind a lock. Single statements wait for none there; what one of them overtook begins again
//! (`serializable`).

mod db;
mod driver;
mod error;
mod like;
mod migration;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub mod native;
#[cfg(any(all(feature = "next-release", target_family = "wasm"), test))]
mod next;
#[cfg(target_family = "wasm")]
mod open;
#[cfg(any(target_family = "wasm", test))]
mod opened;
#[cfg(any(target_family = "wasm", test))]
mod place;
#[cfg(any(target_family = "wasm", feature = "native-postgres", test))]
pub mod postgres;
mod retry;
mod row;
#[cfg(target_family = "wasm")]
pub mod spin;
mod value;

pub use db::{Db, Tx};
pub use driver::{Driver, Rows};
pub use error::{DbError, RowError};
pub use like::like_containing;
pub use migration::Migration;
#[cfg(target_family = "wasm")]
pub use open::{check, open};
pub use row::{FromValue, Row};
pub use value::Value;
