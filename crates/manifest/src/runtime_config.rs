//! `runtime-config.toml`: where the capabilities come from on this machine.

mod read;

use crate::FileError;
use crate::document::Document;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A checked `runtime-config.toml`; the default is what holds without one.
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// `[sqlite_database.LABEL]`; without an entry the label `default` means `sqlite_db.db` in the state folder.
    pub sqlite_databases: BTreeMap<String, SqliteDatabase>,
    /// `[key_value_store.LABEL]`; without an entry a store is in memory, and gone with the process.
    pub key_value_stores: BTreeMap<String, KeyValueStore>,
    /// `[[variables_provider]]`, the first one asked first.
    pub variables_providers: Vec<VariablesProvider>,
    /// `state_dir`, relative to where the host is started; `--state-dir` goes before it.
    pub state_dir: Option<PathBuf>,
    /// `log_dir`, relative to where the host is started.
    pub log_dir: Option<PathBuf>,
    /// `max_instance_memory`: the most linear memory one instance may grow to.
    pub max_instance_memory_bytes: Option<u64>,
    /// `max_connections` of `[outbound_pg]`: how many connections to Postgres all components together have at once.
    pub postgres_connections: Option<u64>,
}

/// A SQLite database of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteDatabase {
    /// Its file, relative to where the host is started as in Spin; `None` keeps it in memory.
    pub path: Option<PathBuf>,
    /// Whether a guest may attach another file.
    pub allow_attach_file: bool,
}

/// A key-value store of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValueStore {
    /// A SQLite file, already resolved against the runtime config's folder.
    File(PathBuf),
    /// Gone when the host ends: type `memory`, or `spin` without a path.
    Memory,
    /// A Redis, which several hosts can share.
    Redis(RedisUrl),
}

/// The address of a Redis: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(pub String);

/// Shows no password.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self
            .0
            .rsplit_once('@')
            .map_or(self.0.as_str(), |(_, place)| place);
        f.debug_tuple("RedisUrl").field(&place).finish()
    }
}

/// Someone to ask for the value of a variable.
#[derive(Clone)]
pub enum VariablesProvider {
    /// The values stand in the file itself.
    Static {
        /// Value by name.
        values: BTreeMap<String, String>,
    },
    /// The environment.
    Env {
        /// What the names start with; `SPIN_VARIABLE` by default.
        prefix: Option<String>,
        /// A file in dotenv form that is asked when the environment has no answer.
        dotenv_path: Option<PathBuf>,
    },
}

/// Shows names, never values.
impl fmt::Debug for VariablesProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static { values } => f.debug_set().entries(values.keys()).finish(),
            Self::Env { prefix, dotenv_path } => f
                .debug_struct("Env")
                .field("prefix", prefix)
                .field("dotenv_path", dotenv_path)
                .finish(),
        }
    }
}

impl RuntimeConfig {
    /// Reads the file; everything in it that is unknown, or that this host can't do yet, comes in one error.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path).map_err(|source| FileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// The same for a text already in memory; `path` stands in messages and gives the folder.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let document = Document::new(text, path);
        let raw = document.read()?;
        read::Reader::new(document, path).read(raw)
    }
}

#[cfg(test)]
mod tests;
