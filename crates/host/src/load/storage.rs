//! Databases and key-value stores, opened for the labels that components are granted.

use super::LoadError;
use crate::capability::key_value::{Store, Stores};
use crate::options::Options;
use manifest::Component;
use sqlite::Database;
use std::collections::{BTreeMap, BTreeSet};

/// Opens every database that a component is granted: where the runtime config says, else in the
/// state directory under its label, else in memory.
pub(super) fn databases(
    components: &[&Component],
    options: &Options,
) -> Result<BTreeMap<String, Database>, LoadError> {
    let labels: BTreeSet<&String> = components
        .iter()
        .flat_map(|component| &component.sqlite_databases)
        .collect();
    let mut databases = BTreeMap::new();
    for label in labels {
        let configured = options.runtime_config.sqlite_databases.get(label);
        if configured.is_some_and(|database| database.allow_attach_file) {
            return Err(LoadError::Attach(label.clone()));
        }
        let path = match configured {
            Some(database) => database.path.clone(),
            None => options
                .state_dir
                .as_ref()
                .map(|dir| dir.join(format!("{label}.db"))),
        };
        let settings = sqlite::Options {
            fault: options.sqlite_fault.clone(),
            group_commit: options.group_commit,
            sync_takes: options.sync_takes,
            ..sqlite::Options::default()
        };
        let opened = match path {
            Some(path) => Database::open(&path, settings),
            None => Database::open_in_memory(settings),
        };
        let database = opened.map_err(|source| LoadError::Database {
            label: label.clone(),
            source,
        })?;
        databases.insert(label.clone(), database);
    }
    Ok(databases)
}

/// What the pools of Postgres connections are like; they are opened by who needs them.
pub(super) fn pools(options: &Options) -> pg::Options {
    let total = options.runtime_config.postgres_connections;
    pg::Options {
        total: total.map(|total| usize::try_from(total).unwrap_or(usize::MAX)),
        ..pg::Options::default()
    }
}

/// Opens every store that a component is granted; what the runtime config does not name is in memory.
pub(super) async fn stores(components: &[&Component], options: &Options) -> Result<Stores, LoadError> {
    let mut labels: BTreeSet<&str> = components
        .iter()
        .flat_map(|component| component.key_value_stores.iter().map(String::as_str))
        .collect();
    if !options.key_values.is_empty() {
        labels.insert("default");
    }
    let mut stores = Stores::default();
    for label in labels {
        let failed = |reason| LoadError::Store {
            label: label.to_owned(),
            reason,
        };
        let configured = options.runtime_config.key_value_stores.get(label);
        let store = Store::open(configured, &options.broker).await.map_err(failed)?;
        if label == "default" {
            for (key, value) in &options.key_values {
                store.set(key, value.clone().into_bytes()).await.map_err(failed)?;
            }
        }
        stores.add(label, store);
    }
    Ok(stores)
}
