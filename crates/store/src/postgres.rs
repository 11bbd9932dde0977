//! Postgres behind the same port: what does not depend on who carries the statements.
//!
//! * [`dialect`] puts a statement of ours, written as SQLite reads it, into Postgres' words;
//! * [`fault`] sorts what the server complains of;
//! * [`number`] makes whole numbers of Postgres' endless ones;
//! * [`driver`] keeps a connection fit for use and the schema's number in a table.
//!
//! Two [`driver::Link`]s carry statements: `native` outside wasm, `spin` inside.

mod dialect;
mod driver;
mod fault;
#[cfg(all(feature = "native-postgres", not(target_family = "wasm")))]
pub mod native;
mod number;
#[cfg(target_family = "wasm")]
pub(crate) mod spin;
