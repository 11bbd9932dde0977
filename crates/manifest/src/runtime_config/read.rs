//! From the written `runtime-config.toml` to the checked one.

use super::{KeyValueStore, RedisUrl, RuntimeConfig, SqliteDatabase, VariablesProvider};
use crate::FileError;
use crate::document::Document;
use crate::schema::{Refused, Text};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// A table whose keys depend on its `type`.
type Typed = Spanned<BTreeMap<Text, Spanned<Value>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    state_dir: Option<Text>,
    log_dir: Option<Text>,
    max_instance_memory: Option<u64>,
    #[serde(default)]
    sqlite_database: BTreeMap<String, Typed>,
    #[serde(default)]
    key_value_store: BTreeMap<String, Typed>,
    #[serde(default, alias = "config_provider")]
    variables_provider: Vec<Typed>,
    client_tls: Refused,
    llm_compute: Refused,
    outbound_http: Refused,
    outbound_mqtt: Refused,
    outbound_mysql: Refused,
    outbound_networking: Refused,
    outbound_pg: Option<OutboundPg>,
    outbound_redis: Refused,
}

/// `[outbound_pg]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundPg {
    max_connections: Option<Spanned<u64>>,
}

pub(super) struct Reader<'a> {
    document: Document<'a>,
    dir: &'a Path,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: Document<'a>, path: &'a Path) -> Self {
        Self {
            document,
            dir: path.parent().unwrap_or(Path::new("")),
        }
    }

    pub(super) fn read(mut self, raw: RawConfig) -> Result<RuntimeConfig, FileError> {
        self.refuse_what_is_not_supported(&raw);
        let config = RuntimeConfig {
            sqlite_databases: labelled(raw.sqlite_database, |table| self.sqlite_database(table)),
            key_value_stores: labelled(raw.key_value_store, |table| self.key_value_store(table)),
            variables_providers: raw
                .variables_provider
                .into_iter()
                .filter_map(|table| self.variables_provider(table))
                .collect(),
            state_dir: raw.state_dir.map(|dir| self.folder("state_dir", dir)),
            log_dir: raw.log_dir.map(|dir| self.folder("log_dir", dir)),
            max_instance_memory_bytes: raw.max_instance_memory,
            postgres_connections: raw.outbound_pg.and_then(|table| self.connections(table)),
        };
        self.document.finish(config)
    }

    fn refuse_what_is_not_supported(&mut self, raw: &RawConfig) {
        let refused = [
            ("client_tls", &raw.client_tls),
            ("llm_compute", &raw.llm_compute),
            ("outbound_http", &raw.outbound_http),
            ("outbound_mqtt", &raw.outbound_mqtt),
            ("outbound_mysql", &raw.outbound_mysql),
            ("outbound_networking", &raw.outbound_networking),
            ("outbound_redis", &raw.outbound_redis),
        ];
        for (key, table) in refused {
            if let Some(table) = table {
                self.document
                    .problem(table.span(), format!("{key} is not supported by this host yet"));
            }
        }
    }

    fn connections(&mut self, raw: OutboundPg) -> Option<u64> {
        let connections = raw.max_connections?;
        if *connections.get_ref() == 0 {
            let message = "max_connections is 0: no component could open a database";
            self.document.problem(connections.span(), message.to_owned());
        }
        Some(connections.into_inner())
    }

    fn folder(&mut self, key: &str, raw: Text) -> PathBuf {
        if raw.get_ref().is_empty() {
            self.document.problem(
                raw.span(),
                format!("{key} is empty; name a folder or leave it out"),
            );
        }
        PathBuf::from(raw.into_inner())
    }

    fn sqlite_database(&mut self, raw: Typed) -> Option<SqliteDatabase> {
        let mut keys = Keys::new(&mut self.document, raw, "sqlite_database")?;
        match keys.kind.as_str() {
            "spin" => {
                let path = keys.string("path").map(PathBuf::from);
                let allow_attach_file = keys.boolean("allow_attach_file").unwrap_or(false);
                keys.no_others(&["path", "allow_attach_file"]);
                Some(SqliteDatabase {
                    path,
                    allow_attach_file,
                })
            }
            _ => keys.refuse_type(&["libsql"], "`spin`"),
        }
    }

    fn key_value_store(&mut self, raw: Typed) -> Option<KeyValueStore> {
        let mut keys = Keys::new(&mut self.document, raw, "key_value_store")?;
        match keys.kind.as_str() {
            "spin" => {
                let path = keys.string("path");
                keys.no_others(&["path"]);
                Some(path.map_or(KeyValueStore::Memory, |path| {
                    KeyValueStore::File(self.dir.join(path))
                }))
            }
            "memory" => {
                keys.no_others(&[]);
                Some(KeyValueStore::Memory)
            }
            "redis" => {
                let url = keys.url("url", &["redis://", "rediss://"]);
                keys.no_others(&["url"]);
                Some(KeyValueStore::Redis(RedisUrl(url?)))
            }
            _ => keys.refuse_type(&["azure_cosmos", "aws_dynamo"], "`spin`, `memory` and `redis`"),
        }
    }

    fn variables_provider(&mut self, raw: Typed) -> Option<VariablesProvider> {
        let mut keys = Keys::new(&mut self.document, raw, "variables_provider")?;
        match keys.kind.as_str() {
            "static" => {
                let values = keys.strings("values");
                keys.no_others(&["values"]);
                Some(VariablesProvider::Static { values })
            }
            "env" => {
                let prefix = keys.string("prefix");
                let dotenv_path = keys.string("dotenv_path").map(PathBuf::from);
                keys.no_others(&["prefix", "dotenv_path"]);
                Some(VariablesProvider::Env { prefix, dotenv_path })
            }
            _ => keys.refuse_type(&["vault", "azure_key_vault"], "`static` and `env`"),
        }
    }
}

fn labelled<T>(
    raw: BTreeMap<String, Typed>,
    mut read: impl FnMut(Typed) -> Option<T>,
) -> BTreeMap<String, T> {
    raw.into_iter()
        .filter_map(|(label, table)| Some((label, read(table)?)))
        .collect()
}

/// The keys of a typed table, taken one by one; what is left is unknown.
struct Keys<'d, 'a> {
    document: &'d mut Document<'a>,
    what: &'static str,
    kind: String,
    kind_span: Range<usize>,
    left: BTreeMap<Text, Spanned<Value>>,
}

impl<'d, 'a> Keys<'d, 'a> {
    fn new(document: &'d mut Document<'a>, raw: Typed, what: &'static str) -> Option<Self> {
        let span = raw.span();
        let mut keys = Self {
            document,
            what,
            kind: String::new(),
            kind_span: span.clone(),
            left: raw.into_inner(),
        };
        if let Some(kind) = keys
            .left
            .iter()
            .find_map(|(key, value)| (key.get_ref() == "type").then(|| value.span()))
        {
            keys.kind_span = kind;
            keys.kind = keys.string("type")?;
            return Some(keys);
        }
        keys.document
            .problem(span, format!("missing key `type` of this {what}"));
        None
    }

    fn take(&mut self, key: &str) -> Option<Spanned<Value>> {
        let found = self.left.keys().find(|found| found.get_ref() == key)?.clone();
        self.left.remove(&found)
    }

    fn string(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.document
                .problem(value.span(), format!("{key} must be a string"));
        }
        text
    }

    /// A URL that has to be there; it may hold a password, so no message shows it.
    fn url(&mut self, key: &str, schemes: &[&str]) -> Option<String> {
        let span = self
            .left
            .iter()
            .find(|(found, _)| found.get_ref() == key)
            .map(|(_, value)| value.span());
        let Some(span) = span else {
            let message = format!("missing key `{key}` of this {}", self.what);
            self.document.problem(self.kind_span.clone(), message);
            return None;
        };
        let url = self.string(key)?;
        if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            let message = format!("{key} must begin with {}", schemes.join(" or "));
            self.document.problem(span, message);
            return None;
        }
        Some(url)
    }

    fn boolean(&mut self, key: &str) -> Option<bool> {
        let value = self.take(key)?;
        let answer = value.get_ref().as_bool();
        if answer.is_none() {
            self.document
                .problem(value.span(), format!("{key} must be true or false"));
        }
        answer
    }

    fn strings(&mut self, key: &str) -> BTreeMap<String, String> {
        let Some(value) = self.take(key) else {
            self.document.problem(
                self.kind_span.clone(),
                format!("missing key `{key}` of this {}", self.what),
            );
            return BTreeMap::new();
        };
        let strings = value.get_ref().clone().try_into();
        strings.unwrap_or_else(|_| {
            self.document
                .problem(value.span(), format!("{key} must be a table of strings"));
            BTreeMap::new()
        })
    }

    fn no_others(self, known: &[&str]) {
        for key in self.left.keys() {
            let known: String = ["type"]
                .iter()
                .chain(known)
                .map(|key| format!("`{key}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!(
                "unknown key `{}` for type `{}`, expected one of {known}",
                key.get_ref(),
                self.kind
            );
            self.document.problem(key.span(), message);
        }
    }

    fn refuse_type<T>(self, later: &[&str], supported: &str) -> Option<T> {
        let Self {
            document,
            what,
            kind,
            kind_span,
            ..
        } = self;
        let message = if later.contains(&kind.as_str()) {
            format!("{what} type `{kind}` is not supported by this host yet; it has {supported}")
        } else {
            format!("unknown {what} type `{kind}`; this host has {supported}")
        };
        document.problem(kind_span, message);
        None
    }
}
