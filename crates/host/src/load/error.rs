//! Why an application cannot be started.

use crate::compose::ComposeError;
use crate::mounts::MountError;
use crate::script::ScriptError;
use std::path::PathBuf;

/// Why an application cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Variables lack values.
    #[error(transparent)]
    Variables(#[from] manifest::VariablesError),
    /// The key of the application's page of figures cannot be made.
    #[error("[application.tool.bodega] metrics: {0}")]
    MetricsKey(#[from] manifest::UndefinedVariable),
    /// Figures cannot be kept.
    #[error("figures cannot be kept")]
    Metrics(#[from] prometheus::Error),
    /// A route cannot be used.
    #[error(transparent)]
    Route(#[from] manifest::RouteError),
    /// A component's outbound hosts cannot be used.
    #[error("component `{component}`")]
    Hosts {
        /// The component.
        component: String,
        /// What is wrong.
        source: manifest::AllowedHostsError,
    },
    /// `--component-id` names a component that does not exist or has no trigger.
    #[error("there is no component `{0}` with a trigger")]
    NoSuchComponent(String),
    /// A trigger waits at a place that makes no sense.
    #[error("trigger `{trigger}`: {reason}")]
    Trigger {
        /// Its id.
        trigger: String,
        /// What is wrong; never a variable's value.
        reason: String,
    },
    /// A trigger names a component that it cannot run.
    #[error("component `{component}`: it has {trigger} trigger but exports no {export}")]
    Handler {
        /// The component.
        component: String,
        /// Which kind of trigger, with its article.
        trigger: &'static str,
        /// What it should export.
        export: &'static str,
        /// What wasmtime says.
        source: wasmtime::Error,
    },
    /// A `.wasm` file cannot be read.
    #[error("component `{component}`: cannot read {}", path.display())]
    Source {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its dependencies do not fit.
    #[error("component `{component}`")]
    Compose {
        /// The component.
        component: String,
        /// What does not fit.
        source: ComposeError,
    },
    /// It does not compile, or needs what the host does not have.
    #[error("component `{component}`: {step}")]
    Wasm {
        /// The component.
        component: String,
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        source: wasmtime::Error,
    },
    /// Its files cannot be mounted.
    #[error("component `{component}`")]
    Mount {
        /// The component.
        component: String,
        /// Why not.
        source: MountError,
    },
    /// The engine cannot be made with these limits.
    #[error("cannot set up wasmtime")]
    Engine(#[source] wasmtime::Error),
    /// A folder or log file cannot be written.
    #[error("cannot write {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A database cannot be opened.
    #[error("database `{label}`")]
    Database {
        /// Its label.
        label: String,
        /// Why not.
        source: sqlite::Error,
    },
    /// A guest would be let into other files.
    #[error("database `{0}`: allow_attach_file is not supported")]
    Attach(String),
    /// A key-value store cannot be opened or filled.
    #[error("key-value store `{label}`: {reason}")]
    Store {
        /// Its label.
        label: String,
        /// Why not.
        reason: String,
    },
    /// SQL given at start failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
}
