//! The shape of `spin.toml` as it is written, before anything in it is checked.
//!
//! Everything that a later check may complain about carries its place. Keys that Spin knows and this host
//! refuses are read here too, so that the complaint can say so.

use crate::document::{OneOrList, StringOr};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use toml::Spanned;

pub(crate) type Text = Spanned<String>;
pub(crate) type Refused = Option<Spanned<IgnoredAny>>;

/// Read alone first, since a manifest of another version would only yield unknown keys.
#[derive(Deserialize)]
pub(crate) struct VersionProbe {
    pub(crate) spin_manifest_version: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawManifest {
    #[serde(rename = "spin_manifest_version")]
    pub(crate) _version: IgnoredAny,
    pub(crate) application: RawApplication,
    #[serde(default)]
    pub(crate) variables: BTreeMap<Text, RawVariable>,
    #[serde(default)]
    pub(crate) trigger: RawTriggers,
    #[serde(default)]
    pub(crate) component: BTreeMap<Text, RawComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawApplication {
    pub(crate) name: Text,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    #[serde(rename = "targets")]
    pub(crate) _targets: Option<IgnoredAny>,
    #[serde(default)]
    pub(crate) trigger: RawTriggerSettings,
    #[serde(default)]
    pub(crate) tool: RawTools,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTriggerSettings {
    #[serde(default)]
    pub(crate) http: RawHttpSettings,
    #[serde(default)]
    pub(crate) redis: RawRedisSettings,
    #[serde(default)]
    pub(crate) nats: RawNatsSettings,
    #[serde(default, rename = "cron")]
    pub(crate) _cron: RawCronSettings,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawHttpSettings {
    pub(crate) base: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRedisSettings {
    pub(crate) address: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawNatsSettings {
    pub(crate) address: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCronSettings {}

/// Other tools keep what they like under their own names.
#[derive(Deserialize, Default)]
pub(crate) struct RawTools {
    #[serde(default)]
    pub(crate) bodega: RawHostSettings,
}

/// The same for one component.
#[derive(Deserialize, Default)]
pub(crate) struct RawComponentTools {
    #[serde(default)]
    pub(crate) bodega: RawComponentSettings,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawComponentSettings {
    pub(crate) requests_per_instance: Option<NonZeroU32>,
}

/// Where an application shows figures of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMetricsPage {
    pub(crate) path: Text,
    pub(crate) key: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawHostSettings {
    pub(crate) metrics: Option<RawMetricsPage>,
    pub(crate) memory_limit_bytes: Option<Spanned<u64>>,
    pub(crate) request_timeout_ms: Option<Spanned<u64>>,
    pub(crate) max_concurrent_requests: Option<Spanned<u64>>,
    pub(crate) max_waiting_requests: Option<Spanned<u64>>,
    pub(crate) body_limit_bytes: Option<Spanned<u64>>,
    pub(crate) header_limit_bytes: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawVariable {
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) secret: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTriggers {
    #[serde(default)]
    pub(crate) http: Vec<RawHttpTrigger>,
    #[serde(default)]
    pub(crate) redis: Vec<RawRedisTrigger>,
    #[serde(default)]
    pub(crate) cron: Vec<RawCronTrigger>,
    #[serde(default)]
    pub(crate) nats: Vec<RawNatsTrigger>,
}

pub(crate) type RawComponentRef = Spanned<StringOr<Box<RawComponent>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawHttpTrigger {
    pub(crate) id: Option<String>,
    pub(crate) component: Option<RawComponentRef>,
    pub(crate) route: Spanned<StringOr<RawPrivate>>,
    pub(crate) executor: Option<RawExecutor>,
    pub(crate) static_response: Refused,
    pub(crate) components: Refused,
    pub(crate) dependencies: Refused,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrivate {
    pub(crate) private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawExecutor {
    pub(crate) r#type: Text,
    #[serde(rename = "argv")]
    pub(crate) _argv: Option<IgnoredAny>,
    #[serde(rename = "entrypoint")]
    pub(crate) _entrypoint: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRedisTrigger {
    pub(crate) id: Option<String>,
    pub(crate) component: RawComponentRef,
    pub(crate) channel: Text,
    pub(crate) address: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCronTrigger {
    pub(crate) id: Option<String>,
    pub(crate) component: RawComponentRef,
    pub(crate) cron_expression: Text,
}

/// Known to this host only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawNatsTrigger {
    pub(crate) id: Option<String>,
    pub(crate) component: RawComponentRef,
    pub(crate) subject: Text,
    pub(crate) address: Option<Text>,
    pub(crate) queue: Option<Text>,
    pub(crate) stream: Option<Text>,
    pub(crate) durable: Option<Text>,
    pub(crate) max_deliver: Option<Spanned<u64>>,
    pub(crate) ack_wait_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawComponent {
    pub(crate) source: Spanned<StringOr<RawRemote>>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) variables: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) files: Vec<Spanned<StringOr<RawMount>>>,
    #[serde(default)]
    pub(crate) exclude_files: Vec<String>,
    pub(crate) allowed_http_hosts: Refused,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<Text>,
    #[serde(default)]
    pub(crate) key_value_stores: Vec<Text>,
    #[serde(default)]
    pub(crate) sqlite_databases: Vec<Text>,
    #[serde(default)]
    pub(crate) ai_models: Vec<Text>,
    #[serde(rename = "targets")]
    pub(crate) _targets: Option<IgnoredAny>,
    pub(crate) build: Option<RawBuild>,
    #[serde(default)]
    pub(crate) tool: RawComponentTools,
    pub(crate) dependencies_inherit_configuration: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) dependencies: BTreeMap<Text, Spanned<StringOr<RawDependency>>>,
    /// Named profiles change nothing unless one is asked for, which this host never does.
    #[serde(default, rename = "profile")]
    pub(crate) _profile: BTreeMap<String, IgnoredAny>,
}

/// A source that would have to be fetched.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRemote {
    #[serde(rename = "url")]
    pub(crate) _url: Option<String>,
    #[serde(rename = "digest")]
    pub(crate) _digest: Option<String>,
    #[serde(rename = "registry")]
    pub(crate) _registry: Option<String>,
    #[serde(rename = "package")]
    pub(crate) _package: Option<String>,
    #[serde(rename = "version")]
    pub(crate) _version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMount {
    pub(crate) source: String,
    pub(crate) destination: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBuild {
    pub(crate) command: OneOrList<String, String>,
    pub(crate) workdir: Option<String>,
    #[serde(default)]
    pub(crate) watch: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDependency {
    pub(crate) path: Option<String>,
    pub(crate) component: Option<Text>,
    pub(crate) export: Option<String>,
    pub(crate) inherit_configuration: Option<Spanned<OneOrList<bool, Text>>>,
    #[serde(rename = "version")]
    pub(crate) _version: Option<String>,
    #[serde(rename = "registry")]
    pub(crate) _registry: Option<String>,
    #[serde(rename = "package")]
    pub(crate) _package: Option<String>,
    #[serde(rename = "url")]
    pub(crate) _url: Option<String>,
    #[serde(rename = "digest")]
    pub(crate) _digest: Option<String>,
}
