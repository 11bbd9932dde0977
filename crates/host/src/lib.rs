//! bodega: runs a Spin application in one process.
//!
//! [`App::load`] reads the manifest's components, composes their dependencies, compiles them and
//! links them once. [`Server`] then answers HTTP requests: every request runs on a fresh instance
//! of the component its route names, with exactly the capabilities the manifest grants.
//!
//! Reading order: `options` and `load` (what is built at start), `run` (one request on one
//! instance), `server` (the public door), `outgoing` (chaining and the network), then
//! `capability` (one file per interface), `deny` (what a dependency does not inherit).

mod answer;
mod app;
mod body;
mod capability;
pub mod cli;
mod compose;
mod deny;
mod engine;
mod faults;
mod leftover;
mod load;
mod log;
mod mounts;
mod options;
mod outgoing;
mod run;
mod script;
mod server;
mod state;
mod stats;

pub use app::App;
pub use compose::{ComposeError, Part, plug};
pub use faults::{Action, Call, Faults, Kind, Moment, NoFaults};
pub use load::LoadError;
pub use mounts::MountError;
pub use options::{CompileCache, GuestLog, Options};
pub use script::ScriptError;
pub use server::Server;
pub use stats::{DatabaseStats, Stats};
