//! bodega: runs a Spin application in one process.
//!
//! [`App::load`] reads the manifest's components, composes their dependencies, compiles them and
//! links them once. [`Server`] then answers HTTP requests: every request runs on a fresh instance
//! of the component its route names, with exactly the capabilities the manifest grants. [`Triggers`]
//! run components for ticks and messages in the same way.
//!
//! Reading order: `options` and `load` (what is built at start), `run` (one request on one
//! instance), `event` (one tick or message), `server` (the public door), `triggers` (the other ones),
//! `outgoing` (chaining and the network), then `capability` (one file per interface), `deny` (what a
//! dependency does not inherit). What can be seen of it from outside is in `trace`, `metrics` and `log`. Tests own
//! the time (`clock`) and what goes wrong (`faults`).
//!
//! Of Spin's triggers the cron plugin's (the synchronous handler) and Redis (`fermyon:spin/inbound-redis`)
//! are there, and NATS, which only this host has. `spin:redis/inbound-redis@3`, whose handler is `async`,
//! is not: it needs WASI p3.

mod answer;
mod app;
mod body;
mod capability;
pub mod cli;
mod clock;
mod compose;
mod deny;
mod engine;
mod event;
mod faults;
mod inside;
mod leftover;
mod load;
mod log;
mod meter;
mod metrics;
mod mounts;
mod options;
mod outgoing;
mod pace;
mod rest;
mod routes;
mod run;
mod script;
mod server;
mod state;
mod stats;
mod trace;
mod triggers;

pub use app::App;
pub use clock::{Clock, SystemClock};
pub use compose::{ComposeError, Part, plug};
pub use event::TriggerError;
pub use faults::{Action, Call, Cause, Faults, Gate, Kind, Moment, NoFaults};
pub use load::LoadError;
pub use metrics::AdminServer;
pub use mounts::MountError;
pub use options::{CompileCache, GuestLog, Options};
pub use script::ScriptError;
pub use server::Server;
pub use stats::{DatabaseStats, Stats};
pub use trace::{Tracing, TracingError};
pub use triggers::Triggers;
