//! A loaded application: what all its requests share.

use crate::capability::key_value::Stores;
use crate::clock::Clock;
use crate::event::{self, Event, TriggerError};
use crate::faults::{self, Call, Faults, Interruption, Moment};
use crate::log::ComponentLog;
use crate::meter::Meters;
use crate::metrics::Metrics;
use crate::mounts::{Mount, Scratch};
use crate::options::Bounds;
use crate::outgoing::Client;
use crate::pace::Track;
use crate::rest::Rested;
use crate::routes::Paths;
use crate::state::State;
use crate::stats::{Counters, DatabaseStats, Stats};
use crate::trace::Tracing;
use bindings::cron::SpinCronPre;
use bindings::inbound_redis::RedisTriggerPre;
use broker::{Address, Broker};
use bytes::Bytes;
use manifest::{AllowedHosts, Router, Schedule};
use sqlite::Database;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock, Weak};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// An application with its components compiled and linked. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    pub(crate) shared: Arc<Shared>,
    /// The instances that rest, which hold on to what all share: they go with the last handle.
    _rested: Arc<Vec<Arc<Rested>>>,
}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) guests: HashMap<String, Arc<Guest>>,
    pub(crate) databases: BTreeMap<String, Database>,
    pub(crate) postgres: pg::Pools,
    pub(crate) stores: Stores,
    pub(crate) client: Client,
    pub(crate) bounds: Bounds,
    pub(crate) permits: Arc<Semaphore>,
    /// How many requests wait for a permit.
    pub(crate) waiting: AtomicUsize,
    pub(crate) track: Arc<Track>,
    pub(crate) counters: Counters,
    /// Measured only when somebody asked for it.
    pub(crate) meters: Option<Meters>,
    /// Where spans go, if anywhere.
    pub(crate) tracing: Option<Tracing>,
    /// Kept only when somebody reads them.
    pub(crate) metrics: Option<Metrics>,
    /// The application's own names for its paths, once it was asked.
    pub(crate) paths: OnceLock<Paths>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: Option<u64>,
    pub(crate) broker: Broker,
    pub(crate) crons: Vec<Cron>,
    pub(crate) listeners: Vec<Listener>,
    /// Where the server listens, once it does.
    pub(crate) address: OnceLock<SocketAddr>,
    /// Keeps mounted files for as long as they can be read.
    pub(crate) _scratch: Option<Scratch>,
}

/// A component that runs at certain times.
#[derive(Debug, Clone)]
pub(crate) struct Cron {
    pub(crate) component: String,
    pub(crate) schedule: Schedule,
}

/// A component that runs for messages.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) component: String,
    pub(crate) address: Address,
    pub(crate) channel: String,
}

/// One component, ready to be instantiated, and what it may do.
pub(crate) struct Guest {
    pub(crate) id: String,
    pub(crate) handlers: Handlers,
    /// Its instances that wait for their next request.
    pub(crate) rested: Weak<Rested>,
    /// Held by a tick: a component has one at a time.
    pub(crate) ticking: tokio::sync::Mutex<()>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) hosts: AllowedHosts,
    pub(crate) stores: BTreeSet<String>,
    pub(crate) databases: BTreeSet<String>,
    pub(crate) log: ComponentLog,
}

/// What a component can be run for. It always has those that its triggers need.
pub(crate) struct Handlers {
    pub(crate) http: Option<ProxyPre<State>>,
    pub(crate) cron: Option<SpinCronPre<State>>,
    pub(crate) message: Option<RedisTriggerPre<State>>,
}

impl App {
    pub(crate) fn new(shared: Shared, rested: Vec<Arc<Rested>>) -> Self {
        Self {
            shared: Arc::new(shared),
            _rested: Arc::new(rested),
        }
    }

    /// The name the manifest gives it.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Pattern and component of every public route, in the order they are tried.
    pub fn routes(&self) -> Vec<(String, String)> {
        self.shared
            .router
            .routes()
            .map(|(route, component)| (route.to_owned(), component.to_owned()))
            .collect()
    }

    /// Address, channel and component of every trigger that waits for messages. No password is shown.
    pub fn channels(&self) -> Vec<(String, String, String)> {
        let shown = |listener: &Listener| {
            (
                listener.address.to_string(),
                listener.channel.clone(),
                listener.component.clone(),
            )
        };
        self.shared.listeners.iter().map(shown).collect()
    }

    /// Component and cron expression of every trigger that waits for a time.
    pub fn schedules(&self) -> Vec<(String, String)> {
        let shown = |cron: &Cron| (cron.component.clone(), cron.schedule.to_string());
        self.shared.crons.iter().map(shown).collect()
    }

    /// Runs the component's cron handler once, to its end, whether or not a cron trigger names it and
    /// whether or not it runs already.
    pub async fn run_cron(&self, component: &str) -> Result<(), TriggerError> {
        event::run(&self.shared, component, Event::Tick).await
    }

    /// Runs the component's message handler once, to its end, whether or not a trigger names it.
    pub async fn deliver(&self, component: &str, payload: Bytes) -> Result<(), TriggerError> {
        event::run(
            &self.shared,
            component,
            Event::Message {
                payload,
                channel: String::new(),
            },
        )
        .await
    }

    /// What has happened since the start.
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.counters.read();
        for (label, database) in &self.shared.databases {
            let counted = database.stats();
            let seen = DatabaseStats {
                statements: counted.statements,
                commits: counted.commits,
                syncs: counted.syncs,
            };
            stats.databases.insert(label.clone(), seen);
        }
        if let Some(meters) = &self.shared.meters {
            [stats.guests_us, stats.sqlite_us] = meters.read();
        }
        stats
    }

    /// Where other parts of the program put figures of their own: pools, audits. None when nobody reads them.
    pub fn registry(&self) -> Option<&prometheus::Registry> {
        self.shared.metrics.as_ref().map(Metrics::registry)
    }

    /// Closes the databases once their open transactions have ended, at most after the drain timeout.
    pub async fn close(&self) {
        let end = tokio::time::Instant::now() + self.shared.bounds.drain;
        for database in self.shared.databases.values() {
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            database.drain(left).await;
        }
    }
}

impl Shared {
    /// Counts a host call and asks the faults about it.
    pub(crate) async fn before(&self, call: Call<'_>) -> Result<(), Interruption> {
        self.counters.host_call(call.kind);
        faults::consult(self.faults.as_ref(), call).await
    }

    /// Asks the faults about a call that has been carried out.
    pub(crate) async fn after(&self, call: Call<'_>) -> Result<(), Interruption> {
        let call = Call {
            moment: Moment::After,
            ..call
        };
        faults::consult(self.faults.as_ref(), call).await
    }
}
