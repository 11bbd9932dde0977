//! What may be set at start, merged from the command line, the runtime config and the manifest.

use manifest::{CliVariables, Limits, RuntimeConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::faults::{Faults, NoFaults};
use crate::trace::Tracing;
use broker::Broker;

/// Everything about a start that the manifest does not say.
pub struct Options {
    /// What `--runtime-config-file` says.
    pub runtime_config: RuntimeConfig,
    /// Values given with `--variable`.
    pub variables: CliVariables,
    /// Added to the environment of every component.
    pub environment: Vec<(String, String)>,
    /// Where databases and mounted files live; `None` keeps all of it in memory or temporary.
    pub state_dir: Option<PathBuf>,
    /// Where mounted files are copied to; below `state_dir`, or in a temporary folder, by default.
    pub temp_dir: Option<PathBuf>,
    /// SQL to run before the first request, as Spin's `--sqlite`: a statement, or `@FILE[:LABEL]`.
    pub sqlite: Vec<String>,
    /// Values to put into the key-value store `default` before the first request.
    pub key_values: Vec<(String, String)>,
    /// Only these components are loaded; empty means all.
    pub only: Vec<String>,
    /// Where compiled components are kept.
    pub cache: CompileCache,
    /// Whether instances come from a pool; off only for comparison.
    pub pooling: bool,
    /// Goes before the manifest's and the runtime config's memory limit.
    pub memory_limit_bytes: Option<u64>,
    /// What becomes of the components' output.
    pub guest_log: GuestLog,
    /// Called with a line whenever a slow step of loading begins or ends.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
    /// Where tests make host calls fail.
    pub faults: Arc<dyn Faults>,
    /// What time it is for the components; tests own it.
    pub clock: Arc<dyn Clock>,
    /// Makes the components' random numbers the same in every start, as long as instances are made in
    /// the same order; for tests.
    pub random_seed: Option<u64>,
    /// The way to the brokers. Applications of one process that share it share its local buses.
    pub broker: Broker,
    /// Where tests make the databases themselves fail, below the host calls.
    pub sqlite_fault: Option<Arc<dyn sqlite::Fault>>,
    /// Whether commits of several guests share one sync; off only to measure what that is worth.
    pub group_commit: bool,
    /// Every sync of a database takes at least this long, as on a slower disk; to measure what a disk is worth.
    pub sync_takes: Option<Duration>,
    /// Goes before the manifest's limits; for tests.
    pub limits: Limits,
    /// Whether to measure where time goes, for the counters.
    pub meters: bool,
    /// Where spans go, if anywhere.
    pub tracing: Option<Tracing>,
    /// Whether to keep figures for an [`crate::AdminServer`].
    pub metrics: bool,
    /// How long requests may go on after the server was told to stop.
    pub drain_timeout: Duration,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
}

/// Where compiled components are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileCache {
    /// Nowhere: every start compiles.
    Off,
    /// In this folder.
    Dir(PathBuf),
    /// As this wasmtime cache configuration says.
    File(PathBuf),
}

/// What becomes of what components write to stdout and stderr.
#[derive(Debug, Clone, Default)]
pub struct GuestLog {
    /// Drop it all.
    pub quiet: bool,
    /// Log only these components; empty means all.
    pub follow: Vec<String>,
    /// Also append it to `COMPONENT_stdout.txt` and `COMPONENT_stderr.txt` in this folder.
    pub dir: Option<PathBuf>,
    /// Empty those files first.
    pub truncate: bool,
}

impl GuestLog {
    /// Whether this component's output goes to the log.
    pub(crate) fn follows(&self, component: &str) -> bool {
        !self.quiet && (self.follow.is_empty() || self.follow.iter().any(|id| id == component))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime_config: RuntimeConfig::default(),
            variables: CliVariables::default(),
            environment: Vec::new(),
            state_dir: None,
            temp_dir: None,
            sqlite: Vec::new(),
            key_values: Vec::new(),
            only: Vec::new(),
            cache: CompileCache::Off,
            pooling: true,
            memory_limit_bytes: None,
            guest_log: GuestLog::default(),
            progress: Arc::new(|_| {}),
            faults: Arc::new(NoFaults),
            clock: Arc::new(SystemClock),
            random_seed: None,
            broker: Broker::new(),
            sqlite_fault: None,
            group_commit: true,
            sync_takes: None,
            limits: Limits::default(),
            meters: false,
            tracing: None,
            metrics: false,
            drain_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(30),
        }
    }
}

/// The limits in force, all with a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) memory_bytes: usize,
    pub(crate) request: Duration,
    pub(crate) concurrency: usize,
    pub(crate) waiting: usize,
    pub(crate) body_bytes: u64,
    pub(crate) header_bytes: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) drain: Duration,
}

impl Bounds {
    /// Takes each limit from the first that sets it: the options, the manifest, the default.
    pub(crate) fn new(options: &Options, manifest: &Limits) -> Self {
        let set = |ours: Option<u64>, theirs: Option<u64>, default: u64| ours.or(theirs).unwrap_or(default);
        let ours = &options.limits;
        let memory = options
            .memory_limit_bytes
            .or(ours.memory_limit_bytes)
            .or(options.runtime_config.max_instance_memory_bytes);
        Self {
            memory_bytes: to_usize(set(memory, manifest.memory_limit_bytes, 128 << 20)),
            request: Duration::from_millis(set(ours.request_timeout_ms, manifest.request_timeout_ms, 30_000)),
            concurrency: to_usize(set(
                ours.max_concurrent_requests,
                manifest.max_concurrent_requests,
                128,
            ))
            .clamp(1, 10_000),
            waiting: to_usize(set(ours.max_waiting_requests, manifest.max_waiting_requests, 0)),
            body_bytes: set(ours.body_limit_bytes, manifest.body_limit_bytes, 10 << 20),
            // hyper accepts no smaller buffer.
            header_bytes: to_usize(set(
                ours.header_limit_bytes,
                manifest.header_limit_bytes,
                64 << 10,
            ))
            .max(8 << 10),
            header_timeout: options.header_timeout,
            drain: options.drain_timeout,
        }
    }
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_runtime_config_and_that_before_the_manifest() {
        let mut options = Options::default();
        let manifest = Limits {
            memory_limit_bytes: Some(1),
            ..Limits::default()
        };
        assert_eq!(Bounds::new(&options, &manifest).memory_bytes, 1);
        options.runtime_config.max_instance_memory_bytes = Some(2);
        assert_eq!(Bounds::new(&options, &manifest).memory_bytes, 2);
        options.memory_limit_bytes = Some(3);
        assert_eq!(Bounds::new(&options, &manifest).memory_bytes, 3);
    }

    #[test]
    fn what_nobody_sets_has_a_default() {
        let bounds = Bounds::new(&Options::default(), &Limits::default());
        assert_eq!(bounds.memory_bytes, 128 << 20);
        assert_eq!(bounds.body_bytes, 10 << 20);
    }
}
