//! From the written shape to the checked application.

mod components;
mod dependencies;
mod triggers;

use crate::document::Document;
use crate::schema::{
    RawApplication, RawHostSettings, RawManifest, RawMetricsPage, RawVariable, Text, VersionProbe,
};
use crate::{Application, FileError, Limits, Manifest, MetricsPage, Template, Variable, ident, outbound};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::Spanned;

impl Manifest {
    /// Reads and checks `spin.toml`; everything wrong with it comes in one error.
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
        if let Some((span, message)) = wrong_version(&document.read()?) {
            return Err(document.error(span, message));
        }
        let raw: RawManifest = document.read()?;
        Loader::new(document, path, &raw).load(raw)
    }
}

fn wrong_version(probe: &VersionProbe) -> Option<(std::ops::Range<usize>, String)> {
    let Some(version) = &probe.spin_manifest_version else {
        return Some((
            0..0,
            "missing key `spin_manifest_version`, which must be 2".to_owned(),
        ));
    };
    let message = "this host reads manifests with `spin_manifest_version = 2` only".to_owned();
    (version.get_ref().as_integer() != Some(2)).then(|| (version.span(), message))
}

/// What all the checks need: where to complain, and what may be referred to.
struct Loader<'a> {
    document: Document<'a>,
    path: &'a Path,
    dir: PathBuf,
    variables: BTreeSet<String>,
}

impl<'a> Loader<'a> {
    fn new(document: Document<'a>, path: &'a Path, raw: &RawManifest) -> Self {
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let variables = raw.variables.keys().map(|name| name.get_ref().clone()).collect();
        Self {
            document,
            path,
            dir,
            variables,
        }
    }

    fn load(mut self, raw: RawManifest) -> Result<Manifest, FileError> {
        let application = self.application(raw.application);
        let variables = self.variables(raw.variables);
        let (triggers, inline) = self.triggers(raw.trigger, &raw.component, &application);
        let components = self.components(raw.component.into_iter().chain(inline).collect());
        let path = self.path.to_owned();
        let dir = self.dir.clone();
        self.document.finish(Manifest {
            path,
            dir,
            application,
            variables,
            components,
            triggers,
        })
    }

    fn application(&mut self, raw: RawApplication) -> Application {
        if raw.name.get_ref().trim().is_empty() {
            self.document
                .problem(raw.name.span(), "the application needs a name");
        }
        let redis_address = raw.trigger.redis.address.map(|address| self.template(&address));
        let nats_address = raw.trigger.nats.address.map(|address| self.template(&address));
        Application {
            name: raw.name.into_inner(),
            version: raw.version,
            description: raw.description,
            authors: raw.authors,
            http_base: raw.trigger.http.base.unwrap_or_else(|| "/".to_owned()),
            redis_address,
            nats_address,
            metrics: raw
                .tool
                .bodega
                .metrics
                .as_ref()
                .map(|page| self.metrics_page(page)),
            limits: self.limits(raw.tool.bodega),
        }
    }

    fn metrics_page(&mut self, raw: &RawMetricsPage) -> MetricsPage {
        if !raw.path.get_ref().starts_with('/') {
            self.document
                .problem(raw.path.span(), "the path of the figures begins with a slash");
        }
        MetricsPage {
            path: raw.path.get_ref().clone(),
            key: self.template(&raw.key),
        }
    }

    fn limits(&mut self, raw: RawHostSettings) -> Limits {
        Limits {
            memory_limit_bytes: self.limit(raw.memory_limit_bytes),
            request_timeout_ms: self.limit(raw.request_timeout_ms),
            max_concurrent_requests: self.limit(raw.max_concurrent_requests),
            max_waiting_requests: self.limit(raw.max_waiting_requests),
            body_limit_bytes: self.limit(raw.body_limit_bytes),
            header_limit_bytes: self.limit(raw.header_limit_bytes),
        }
    }

    fn limit(&mut self, raw: Option<Spanned<u64>>) -> Option<u64> {
        let raw = raw?;
        if *raw.get_ref() == 0 {
            self.document.problem(
                raw.span(),
                "a limit of 0 would let nothing through; leave the key out for the default",
            );
        }
        Some(raw.into_inner())
    }

    fn variables(&mut self, raw: BTreeMap<Text, RawVariable>) -> BTreeMap<String, Variable> {
        raw.into_iter()
            .map(|(name, variable)| self.variable(name, variable))
            .collect()
    }

    fn variable(&mut self, name: Text, raw: RawVariable) -> (String, Variable) {
        if let Err(reason) = ident::lower_snake(name.get_ref()) {
            self.document
                .problem(name.span(), format!("variable `{}`: {reason}", name.get_ref()));
        }
        let complaint = match (raw.required, &raw.default) {
            (true, Some(_)) => Some("has both `required = true` and a default; keep one"),
            (false, None) => Some("needs either `required = true` or a default"),
            (true, None) | (false, Some(_)) => None,
        };
        if let Some(complaint) = complaint {
            self.document
                .problem(name.span(), format!("variable `{}` {complaint}", name.get_ref()));
        }
        let variable = Variable {
            description: raw.description,
            default: raw.default,
            secret: raw.secret,
        };
        (name.into_inner(), variable)
    }

    /// Reads a template and checks that all it names is there.
    fn template(&mut self, text: &Text) -> Template {
        let template = Template::parse(text.get_ref()).unwrap_or_else(|error| {
            self.document
                .problem(text.span(), format!("`{}`: {error}", text.get_ref()));
            Template::default()
        });
        for name in template.names().filter(|name| !self.variables.contains(*name)) {
            let message = format!(
                "`{}`: variable `{name}` is not defined in [variables]",
                text.get_ref()
            );
            self.document.problem(text.span(), message);
        }
        template
    }

    /// Reads an outbound host; one without variables can be checked right here.
    fn outbound_host(&mut self, text: &Text) -> Template {
        let template = self.template(text);
        if template.is_literal()
            && let Err(reason) = outbound::check_entry(text.get_ref())
        {
            self.document.problem(
                text.span(),
                format!("allowed_outbound_hosts: `{}`: {reason}", text.get_ref()),
            );
        }
        template
    }
}

#[cfg(test)]
mod tests;
