//! What a checked `spin.toml` says. Every path is resolved against the manifest's folder.

use crate::{Dependency, Schedule, Template};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// A whole application: every reference in it points to something that exists.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file this was read from.
    pub path: PathBuf,
    /// The folder of that file; relative paths start here.
    pub dir: PathBuf,
    /// The table `[application]`.
    pub application: Application,
    /// The table `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// The tables `[component.ID]` and the components written inline in a trigger, by id.
    pub components: BTreeMap<String, Component>,
    /// What starts a component.
    pub triggers: Triggers,
}

/// The table `[application]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The application's name.
    pub name: String,
    /// Its version, empty when the manifest names none.
    pub version: String,
    /// What it is for, in words for a reader.
    pub description: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// `[application.trigger.http] base`: what every route starts with; `/` by default.
    pub http_base: String,
    /// `[application.trigger.redis] address`: the server of triggers that name none.
    pub redis_address: Option<Template>,
    /// `[application.trigger.nats] address`: the same for NATS.
    pub nats_address: Option<Template>,
    /// `[application.tool.bodega] metrics`: where it shows figures of its own.
    pub metrics: Option<MetricsPage>,
    /// `[application.tool.bodega]`: limits only this host knows; Spin skips the table.
    pub limits: Limits,
}

/// A page of figures in the text format of Prometheus, which the host shows beside its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsPage {
    /// Its path.
    pub path: String,
    /// What `Authorization: Bearer` must say there.
    pub key: Template,
}

/// Limits of this host; `None` leaves the host's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most linear memory one instance may grow to.
    pub memory_limit_bytes: Option<u64>,
    /// How long one request may take before it is stopped.
    pub request_timeout_ms: Option<u64>,
    /// How many requests run at once; the next one is told to come back later.
    pub max_concurrent_requests: Option<u64>,
    /// How many requests may wait for one of those to end; beyond it they are answered 503 at once.
    pub max_waiting_requests: Option<u64>,
    /// The largest request body that is let in.
    pub body_limit_bytes: Option<u64>,
    /// The largest request head that is let in.
    pub header_limit_bytes: Option<u64>,
}

/// One application variable.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// What it is for, in words for a reader.
    pub description: String,
    /// The value used when no provider knows the variable; `None` exactly when it is required.
    pub default: Option<String>,
    /// Whether its value must never be shown.
    pub secret: bool,
}

impl Variable {
    /// Whether somebody must give it a value before the application can start.
    pub fn required(&self) -> bool {
        self.default.is_none()
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self.default.as_deref();
        let shown = if self.secret {
            default.map(|_| "(secret)")
        } else {
            default
        };
        f.debug_struct("Variable")
            .field("default", &shown)
            .field("secret", &self.secret)
            .finish()
    }
}

/// One component and the capabilities it is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its key in the manifest, also its host name in service chaining.
    pub id: String,
    /// The `.wasm` file.
    pub source: PathBuf,
    /// What it is for, in words for a reader.
    pub description: String,
    /// What it may ask for by name; the values refer to application variables.
    pub variables: BTreeMap<String, Template>,
    /// Its process environment.
    pub environment: BTreeMap<String, String>,
    /// The files it may read.
    pub files: Vec<FileMount>,
    /// Glob patterns taken out of `files` again.
    pub exclude_files: Vec<String>,
    /// Where it may connect to; see [`crate::AllowedHosts`].
    pub allowed_outbound_hosts: Vec<Template>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: Vec<String>,
    /// Labels of the databases it may open.
    pub sqlite_databases: Vec<String>,
    /// How it is built; the host itself never builds.
    pub build: Option<Build>,
    /// The components composed into it, in the order of their names.
    pub dependencies: Vec<Dependency>,
    /// How many HTTP requests one of its instances may serve, one after the other: more than one where the
    /// component promises to remember nothing between them that an answer depends on. Only this host knows it
    /// (`[component.ID.tool.bodega]`); elsewhere an instance serves one.
    pub requests_per_instance: u32,
}

/// Files a component may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMount {
    /// Every file that matches the glob, relative to the manifest's folder, at the same path in the guest.
    Pattern(String),
    /// A folder of this machine under another path in the guest.
    Directory {
        /// The folder here.
        source: PathBuf,
        /// Its absolute path in the guest.
        destination: String,
    },
}

/// The table `[component.ID.build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The commands, run one after the other.
    pub commands: Vec<String>,
    /// Where they run.
    pub workdir: PathBuf,
    /// Glob patterns of the sources, relative to `workdir`.
    pub watch: Vec<String>,
}

/// Everything that starts a component, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triggers {
    /// `[[trigger.http]]`.
    pub http: Vec<HttpTrigger>,
    /// `[[trigger.redis]]`.
    pub redis: Vec<RedisTrigger>,
    /// `[[trigger.cron]]`.
    pub cron: Vec<CronTrigger>,
    /// `[[trigger.nats]]`.
    pub nats: Vec<NatsTrigger>,
}

/// Runs a component for each HTTP request on its route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTrigger {
    /// Its name, given or made up as Spin makes it up.
    pub id: String,
    /// The component it runs.
    pub component: String,
    /// The requests it runs for.
    pub route: HttpRoute,
}

/// The requests an HTTP trigger answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpRoute {
    /// Those whose path fits this pattern, written as in the manifest.
    Path(String),
    /// Those of other components, by service chaining, and none from outside.
    Private,
}

/// Runs a component for each message on a Redis channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisTrigger {
    /// Its name, given or made up as Spin makes it up.
    pub id: String,
    /// The component it runs.
    pub component: String,
    /// The channel it listens to.
    pub channel: Template,
    /// The server; `None` is the one of [`Application::redis_address`].
    pub address: Option<Template>,
}

/// Runs a component at the times of a cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronTrigger {
    /// Its name, given or made up as Spin makes it up.
    pub id: String,
    /// The component it runs.
    pub component: String,
    /// When.
    pub schedule: Schedule,
}

/// Runs a component for each message on a NATS subject. Only this host has it; Spin has no such trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsTrigger {
    /// Its name, made up in the way of the others.
    pub id: String,
    /// The component it runs.
    pub component: String,
    /// The subject it listens to; wildcards are NATS's own.
    pub subject: Template,
    /// The server; `None` is the one of [`Application::nats_address`].
    pub address: Option<Template>,
    /// The queue group that shares the messages; `None` is what the address says.
    pub queue: Option<Template>,
    /// The JetStream stream to take messages from; without one, delivery is at most once.
    pub stream: Option<Template>,
    /// The durable consumer on that stream.
    pub durable: Option<Template>,
    /// How often the stream delivers a message that is not handled.
    pub max_deliver: Option<u64>,
    /// How long the stream waits for a message to be handled before it delivers it again.
    pub ack_wait_ms: Option<u64>,
}
