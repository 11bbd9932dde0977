//! Spin's files as typed values: `spin.toml`, `runtime-config.toml`, variables, routes and outbound hosts.
//!
//! Nothing here touches the network, wasmtime or a clock; files are read only by the `load` functions.
//! [`Manifest::load`] answers a checked application or one error that names file, line and column of
//! everything wrong with it. [`Resolver::new`] gives its variables their values, [`Router::new`] its
//! routes, and [`AllowedHosts::new`] says where one component may connect to.

mod dependency;
mod document;
mod error;
mod headers;
mod ident;
mod load;
mod model;
mod outbound;
mod routes;
mod runtime_config;
mod schedule;
mod schema;
mod template;
mod variables;

pub use dependency::{Capability, Dependency, DependencyName, Inherit};
pub use error::{FileError, Problem};
pub use headers::{RequestLine, is_spin_header, spin_headers};
pub use model::{
    Application, Build, Component, CronTrigger, FileMount, HttpRoute, HttpTrigger, Limits, Manifest,
    MetricsPage, NatsTrigger, RedisTrigger, Triggers, Variable,
};
pub use outbound::{AllowedHosts, AllowedHostsError, service_chaining_target};
pub use routes::{RouteError, RouteMatch, Router};
pub use runtime_config::{KeyValueStore, RedisUrl, RuntimeConfig, SqliteDatabase, VariablesProvider};
pub use schedule::{Schedule, ScheduleError};
pub use template::{Template, TemplateError, UndefinedVariable};
pub use variables::{CliVariables, MissingVariable, Resolver, VariablesError};
