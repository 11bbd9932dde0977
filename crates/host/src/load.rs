//! From a manifest to an application that can serve: compose, compile, link, open.

mod error;
mod storage;
mod triggers;

pub use error::LoadError;

use crate::app::{App, Guest, Handlers, Shared};
use crate::compose::{self, Part};
use crate::event::{CRON_EXPORT, MESSAGE_EXPORT};
use crate::log::ComponentLog;
use crate::meter::Meters;
use crate::metrics::Metrics;
use crate::mounts::{self, Scratch};
use crate::options::{Bounds, Options};
use crate::outgoing::Client;
use crate::rest::Rested;
use crate::state::State;
use crate::stats::Counters;
use crate::{capability, deny, engine, script};
use bindings::cron::SpinCronPre;
use bindings::inbound_redis::RedisTriggerPre;
use manifest::{AllowedHosts, Component, Manifest, Resolver, Router};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use triggers::Needs;
use wasmtime::Engine;
use wasmtime::component::InstancePre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// How long a component may take before a line says what is going on. Whether it is compiled, or read from
/// the cache by a machine that is busy, only wasmtime knows.
const SLOW: Duration = Duration::from_millis(300);

impl App {
    /// Builds everything that requests need. Slow only the first time a component is seen.
    pub async fn load(manifest: &Manifest, options: Options) -> Result<Self, LoadError> {
        let environment = |name: &str| std::env::var(name).ok();
        let resolver = Resolver::new(
            manifest,
            &options.variables,
            &options.runtime_config.variables_providers,
            &environment,
        )?;
        let router = Router::new(manifest)?;
        let needs = triggers::needs(manifest, &options.only)?;
        let components: Vec<&Component> = needs
            .keys()
            .filter_map(|id| manifest.components.get(*id))
            .collect();
        let crons = triggers::crons(manifest, &needs);
        let listeners = triggers::listeners(manifest, &needs, &resolver)?;
        let bounds = Bounds::new(&options, &manifest.application.limits);
        let engine = engine::engine(&bounds, options.pooling, &options.cache).map_err(LoadError::Engine)?;
        let mut linked = link_all(&engine, &components, &needs, &options).await?;
        let (assets, scratch) = assets(&options)?;
        let mut guests = HashMap::new();
        let mut rested = Vec::new();
        for component in &components {
            let Some(handlers) = linked.remove(&component.id) else {
                continue;
            };
            let resting = Arc::new(Rested::new(requests_per_instance(component, &options)));
            let guest = guest(
                component, handlers, manifest, &resolver, &options, &assets, &resting,
            )?;
            rested.push(resting);
            guests.insert(component.id.clone(), Arc::new(guest));
        }
        let databases = storage::databases(&components, &options)?;
        let meters = options
            .meters
            .then(|| Meters::new(guests.keys(), databases.keys()));
        let shared = Shared {
            name: manifest.application.name.clone(),
            version: manifest.application.version.clone(),
            engine,
            router,
            guests,
            databases,
            postgres: pg::Pools::new(storage::pools(&options)),
            stores: storage::stores(&components, &options).await?,
            client: Client::new(),
            permits: Arc::new(Semaphore::new(bounds.concurrency)),
            waiting: AtomicUsize::new(0),
            bounds,
            counters: Counters::default(),
            meters,
            track: Arc::default(),
            tracing: options.tracing.clone(),
            metrics: metrics(&options, manifest, &resolver)?,
            paths: OnceLock::new(),
            faults: options.faults.clone(),
            clock: options.clock.clone(),
            seed: options.random_seed,
            broker: options.broker.clone(),
            crons,
            listeners,
            address: OnceLock::new(),
            _scratch: scratch,
        };
        script::run(&options.sqlite, &shared.databases).await?;
        Ok(Self::new(shared, rested))
    }
}

/// The figures to keep, when somebody will read them.
fn metrics(
    options: &Options,
    manifest: &Manifest,
    resolver: &Resolver,
) -> Result<Option<Metrics>, LoadError> {
    if !options.metrics {
        return Ok(None);
    }
    let page = manifest.application.metrics.as_ref();
    let page = page.map(|page| Ok::<_, LoadError>((page.path.clone(), resolver.expand(&page.key)?)));
    // Without a key the page is closed, and asking for it would only fill the log.
    let page = page.transpose()?.filter(|(_, key)| !key.trim().is_empty());
    Ok(Some(Metrics::new(page)?))
}

/// Compiles and links all components at once, each on a thread of its own.
async fn link_all(
    engine: &Engine,
    components: &[&Component],
    needs: &BTreeMap<&str, Needs>,
    options: &Options,
) -> Result<HashMap<String, Handlers>, LoadError> {
    let mut tasks: JoinSet<Result<(String, Handlers), LoadError>> = JoinSet::new();
    for component in components {
        let needs = needs.get(component.id.as_str()).copied().unwrap_or_default();
        let (engine, component) = (engine.clone(), (*component).clone());
        let progress = options.progress.clone();
        tasks.spawn(async move {
            let id = component.id.clone();
            let mut work = tokio::task::spawn_blocking(move || link(&engine, &component, needs));
            let joined = tokio::select! {
                joined = &mut work => joined,
                () = tokio::time::sleep(SLOW) => {
                    progress(&format!("preparing {id} (compiled once after every change)"));
                    let joined = work.await;
                    progress(&format!("{id} is ready"));
                    joined
                }
            };
            let linked = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
            Ok((id, linked))
        });
    }
    let mut linked = HashMap::new();
    while let Some(joined) = tasks.join_next().await {
        let (id, handlers) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        linked.insert(id, handlers);
    }
    Ok(linked)
}

fn link(engine: &Engine, component: &Component, needs: Needs) -> Result<Handlers, LoadError> {
    let bytes = composed(component)?;
    let wasm = |step| {
        let component = component.id.clone();
        move |source| LoadError::Wasm {
            component,
            step,
            source,
        }
    };
    let compiled =
        wasmtime::component::Component::new(engine, &bytes).map_err(wasm("it does not compile"))?;
    let mut linker = capability::linker(engine).map_err(wasm("the host's interfaces clash"))?;
    deny::define(&mut linker, engine, &compiled).map_err(wasm("what it is denied cannot be defined"))?;
    let pre = linker
        .instantiate_pre(&compiled)
        .map_err(wasm("it needs an interface that this host does not have"))?;
    handlers(&component.id, pre, needs)
}

/// Finds the handlers that the triggers need. The others are found too when they are there, all but
/// HTTP: without a route nobody gets to it.
fn handlers(id: &str, pre: InstancePre<State>, needs: Needs) -> Result<Handlers, LoadError> {
    let missing = |trigger, export| {
        move |source| LoadError::Handler {
            component: id.to_owned(),
            trigger,
            export,
            source,
        }
    };
    let http = needs.http.then(|| ProxyPre::new(pre.clone())).transpose();
    let cron = SpinCronPre::new(pre.clone()).map(Some);
    let message = RedisTriggerPre::new(pre).map(Some);
    Ok(Handlers {
        http: http.map_err(missing("an HTTP", "wasi:http/incoming-handler@0.2"))?,
        cron: match needs.cron {
            true => cron.map_err(missing("a cron", CRON_EXPORT))?,
            false => cron.unwrap_or_default(),
        },
        message: match needs.message {
            Some(trigger) => message.map_err(missing(trigger, MESSAGE_EXPORT))?,
            None => message.unwrap_or_default(),
        },
    })
}

/// The component's bytes with its dependencies put in.
fn composed(component: &Component) -> Result<Vec<u8>, LoadError> {
    let bytes = read(component, &component.source)?;
    if component.dependencies.is_empty() {
        return Ok(bytes);
    }
    let mut dependencies = Vec::new();
    for dependency in &component.dependencies {
        dependencies.push((dependency, read(component, &dependency.path)?));
    }
    let part = Part {
        name: component.id.clone(),
        bytes,
    };
    compose::compose(&part, &dependencies).map_err(|source| LoadError::Compose {
        component: component.id.clone(),
        source,
    })
}

fn read(component: &Component, path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Source {
        component: component.id.clone(),
        path: path.to_owned(),
        source,
    })
}

/// An instance draws its random numbers from the seed, if there is one, and its own number.
fn requests_per_instance(component: &Component, options: &Options) -> u32 {
    if options.random_seed.is_some() {
        1
    } else {
        component.requests_per_instance
    }
}

fn guest(
    component: &Component,
    handlers: Handlers,
    manifest: &Manifest,
    resolver: &Resolver,
    options: &Options,
    assets: &Path,
    rested: &Arc<Rested>,
) -> Result<Guest, LoadError> {
    let id = &component.id;
    let hosts = AllowedHosts::new(component, manifest, resolver).map_err(|source| LoadError::Hosts {
        component: id.clone(),
        source,
    })?;
    let mounts = mounts::prepare(component, &manifest.dir, assets).map_err(|source| LoadError::Mount {
        component: id.clone(),
        source,
    })?;
    let log = ComponentLog::new(id, &options.guest_log).map_err(|source| LoadError::Folder {
        path: options.guest_log.dir.clone().unwrap_or_default(),
        source,
    })?;
    // What the command line says comes later and so replaces what the manifest says.
    let mut environment: BTreeMap<String, String> = component.environment.clone();
    environment.extend(options.environment.iter().cloned());
    Ok(Guest {
        id: id.clone(),
        handlers,
        rested: Arc::downgrade(rested),
        ticking: tokio::sync::Mutex::new(()),
        variables: resolver.component(id).clone(),
        environment: environment.into_iter().collect(),
        mounts,
        hosts,
        stores: component.key_value_stores.iter().cloned().collect(),
        databases: component.sqlite_databases.iter().cloned().collect(),
        log,
    })
}

/// Where mounted files are copied to, and the guard that removes the folder if it is a temporary one.
fn assets(options: &Options) -> Result<(PathBuf, Option<Scratch>), LoadError> {
    if let Some(dir) = &options.temp_dir {
        return Ok((dir.clone(), None));
    }
    if let Some(dir) = &options.state_dir {
        return Ok((dir.join("assets"), None));
    }
    let scratch = Scratch::new().map_err(|source| LoadError::Folder {
        path: std::env::temp_dir(),
        source,
    })?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}
