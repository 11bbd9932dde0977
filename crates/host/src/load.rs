//! From a manifest to an application that can serve: compose, compile, link, open.

mod error;
mod storage;

pub use error::LoadError;

use crate::app::{App, Guest, Shared};
use crate::compose::{self, Part};
use crate::log::ComponentLog;
use crate::mounts::{self, Scratch};
use crate::options::{Bounds, Options};
use crate::outgoing::Client;
use crate::stats::Counters;
use crate::{capability, deny, engine, script};
use manifest::{AllowedHosts, Component, Manifest, Resolver, Router};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wasmtime::Engine;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// How long compiling may take before a line says what is going on.
const SLOW: Duration = Duration::from_millis(300);

impl App {
    /// Builds everything that requests need. Slow only the first time a component is seen.
    pub async fn load(manifest: &Manifest, options: Options) -> Result<Self, LoadError> {
        refuse_other_triggers(manifest)?;
        let environment = |name: &str| std::env::var(name).ok();
        let resolver = Resolver::new(
            manifest,
            &options.variables,
            &options.runtime_config.variables_providers,
            &environment,
        )?;
        let router = Router::new(manifest)?;
        let components = serving(manifest, &options.only)?;
        let bounds = Bounds::new(&options, &manifest.application.limits);
        let engine = engine::engine(&bounds, options.pooling, &options.cache).map_err(LoadError::Engine)?;
        let mut linked = link_all(&engine, &components, &options).await?;
        let (assets, scratch) = assets(&options)?;
        let mut guests = HashMap::new();
        for component in &components {
            let Some(pre) = linked.remove(&component.id) else {
                continue;
            };
            let guest = guest(component, pre, manifest, &resolver, &options, &assets)?;
            guests.insert(component.id.clone(), Arc::new(guest));
        }
        let shared = Shared {
            name: manifest.application.name.clone(),
            version: manifest.application.version.clone(),
            engine,
            router,
            guests,
            databases: storage::databases(&components, &options)?,
            stores: storage::stores(&components, &options).await?,
            client: Client::new(),
            permits: Arc::new(Semaphore::new(bounds.concurrency)),
            bounds,
            counters: Counters::default(),
            faults: options.faults.clone(),
            address: OnceLock::new(),
            _scratch: scratch,
        };
        script::run(&options.sqlite, &shared.databases).await?;
        Ok(Self(Arc::new(shared)))
    }
}

fn refuse_other_triggers(manifest: &Manifest) -> Result<(), LoadError> {
    let triggers = &manifest.triggers;
    let trigger = match (triggers.redis.is_empty(), triggers.cron.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => "redis",
        (true, false) => "cron",
    };
    let text = std::fs::read_to_string(&manifest.path).unwrap_or_default();
    let header = format!("[[trigger.{trigger}]]");
    let line = text
        .lines()
        .position(|line| line.replace(' ', "").starts_with(&header))
        .map_or(1, |index| index + 1);
    Err(LoadError::NotYet {
        path: manifest.path.clone(),
        line,
        trigger,
    })
}

/// The components that HTTP triggers name, all of them or those asked for.
fn serving<'m>(manifest: &'m Manifest, only: &[String]) -> Result<Vec<&'m Component>, LoadError> {
    let ids: BTreeSet<&String> = manifest
        .triggers
        .http
        .iter()
        .map(|trigger| &trigger.component)
        .collect();
    if let Some(unknown) = only.iter().find(|id| !ids.contains(id)) {
        return Err(LoadError::NoSuchComponent(unknown.clone()));
    }
    let wanted = ids.into_iter().filter(|id| only.is_empty() || only.contains(id));
    Ok(wanted.filter_map(|id| manifest.components.get(id)).collect())
}

type Linked = ProxyPre<crate::state::State>;

/// Compiles and links all components at once, each on a thread of its own.
async fn link_all(
    engine: &Engine,
    components: &[&Component],
    options: &Options,
) -> Result<HashMap<String, Linked>, LoadError> {
    let mut tasks: JoinSet<Result<(String, Linked), LoadError>> = JoinSet::new();
    for component in components {
        let (engine, component) = (engine.clone(), (*component).clone());
        let progress = options.progress.clone();
        tasks.spawn(async move {
            let id = component.id.clone();
            let mut work = tokio::task::spawn_blocking(move || link(&engine, &component));
            let joined = tokio::select! {
                joined = &mut work => joined,
                () = tokio::time::sleep(SLOW) => {
                    progress(&format!("compiling {id} (once after every change)"));
                    let joined = work.await;
                    progress(&format!("compiled {id}"));
                    joined
                }
            };
            let linked = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
            Ok((id, linked))
        });
    }
    let mut linked = HashMap::new();
    while let Some(joined) = tasks.join_next().await {
        let (id, pre) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        linked.insert(id, pre);
    }
    Ok(linked)
}

fn link(engine: &Engine, component: &Component) -> Result<Linked, LoadError> {
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
    ProxyPre::new(pre).map_err(wasm(
        "it has an HTTP trigger but exports no wasi:http/incoming-handler@0.2",
    ))
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

fn guest(
    component: &Component,
    pre: Linked,
    manifest: &Manifest,
    resolver: &Resolver,
    options: &Options,
    assets: &Path,
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
        pre,
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
