//! A loaded application: what all its requests share.

use crate::capability::key_value::Stores;
use crate::faults::{Faults, Kind};
use crate::log::ComponentLog;
use crate::mounts::{Mount, Scratch};
use crate::options::Bounds;
use crate::outgoing::Client;
use crate::state::State;
use crate::stats::{Counters, DatabaseStats, Stats};
use manifest::{AllowedHosts, Router};
use sqlite::Database;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// An application with its components compiled and linked. Cloning is cheap.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Shared>);

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) guests: HashMap<String, Arc<Guest>>,
    pub(crate) databases: BTreeMap<String, Database>,
    pub(crate) stores: Stores,
    pub(crate) client: Client,
    pub(crate) bounds: Bounds,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) counters: Counters,
    pub(crate) faults: Arc<dyn Faults>,
    /// Where the server listens, once it does.
    pub(crate) address: OnceLock<SocketAddr>,
    /// Keeps mounted files for as long as they can be read.
    pub(crate) _scratch: Option<Scratch>,
}

/// One component, ready to be instantiated, and what it may do.
pub(crate) struct Guest {
    pub(crate) id: String,
    pub(crate) pre: ProxyPre<State>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) hosts: AllowedHosts,
    pub(crate) stores: BTreeSet<String>,
    pub(crate) databases: BTreeSet<String>,
    pub(crate) log: ComponentLog,
}

impl App {
    /// The name the manifest gives it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Pattern and component of every public route, in the order they are tried.
    pub fn routes(&self) -> Vec<(String, String)> {
        self.0
            .router
            .routes()
            .map(|(route, component)| (route.to_owned(), component.to_owned()))
            .collect()
    }

    /// What has happened since the start.
    pub fn stats(&self) -> Stats {
        let mut stats = self.0.counters.read();
        for (label, database) in &self.0.databases {
            let counted = database.stats();
            let seen = DatabaseStats {
                statements: counted.statements,
                commits: counted.commits,
            };
            stats.databases.insert(label.clone(), seen);
        }
        stats
    }

    /// Closes the databases once their open transactions have ended, at most after the drain timeout.
    pub async fn close(&self) {
        for database in self.0.databases.values() {
            database.drain(self.0.bounds.drain).await;
        }
    }
}

impl Shared {
    /// Counts a host call and asks the faults about it.
    pub(crate) async fn before(
        &self,
        kind: Kind,
        component: &str,
        detail: &str,
    ) -> Result<(), crate::faults::Interruption> {
        self.counters.host_call(kind);
        let call = crate::faults::Call {
            kind,
            component,
            detail,
            moment: crate::faults::Moment::Before,
        };
        crate::faults::consult(self.faults.as_ref(), call).await
    }

    /// Asks the faults about a call that has been carried out.
    pub(crate) async fn after(
        &self,
        kind: Kind,
        component: &str,
        detail: &str,
    ) -> Result<(), crate::faults::Interruption> {
        let call = crate::faults::Call {
            kind,
            component,
            detail,
            moment: crate::faults::Moment::After,
        };
        crate::faults::consult(self.faults.as_ref(), call).await
    }
}
