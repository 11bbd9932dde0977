//! `[component.ID]`.

use super::Loader;
use crate::document::{OneOrList, StringOr};
use crate::schema::{RawBuild, RawComponent, RawMount, RawRemote, Text};
use crate::{Build, Component, FileMount, Template, ident};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use toml::Spanned;

impl Loader<'_> {
    pub(super) fn components(&mut self, raw: BTreeMap<Text, RawComponent>) -> BTreeMap<String, Component> {
        let sources = self.dependency_sources(&raw);
        raw.into_iter()
            .map(|(id, component)| {
                let component = self.component(&id, component, &sources);
                (id.into_inner(), component)
            })
            .collect()
    }

    fn component(
        &mut self,
        id: &Text,
        raw: RawComponent,
        sources: &BTreeMap<String, Result<PathBuf, String>>,
    ) -> Component {
        if let Err(reason) = ident::kebab(id.get_ref()) {
            self.document
                .problem(id.span(), format!("component `{}`: {reason}", id.get_ref()));
        }
        self.refuse_what_is_not_supported(&raw);
        let inherit_all = self.inherit_all(id, &raw);
        Component {
            id: id.get_ref().clone(),
            source: self.source(id, &raw.source),
            description: raw.description,
            variables: self.component_variables(raw.variables),
            environment: raw.environment,
            files: raw.files.into_iter().map(|file| self.file_mount(file)).collect(),
            exclude_files: raw.exclude_files,
            allowed_outbound_hosts: raw
                .allowed_outbound_hosts
                .iter()
                .map(|host| self.outbound_host(host))
                .collect(),
            key_value_stores: self.labels("key_value_stores", raw.key_value_stores),
            sqlite_databases: self.labels("sqlite_databases", raw.sqlite_databases),
            build: raw.build.map(|build| self.build(build)),
            requests_per_instance: raw.tool.bodega.requests_per_instance.map_or(1, NonZeroU32::get),
            dependencies: self.dependencies(raw.dependencies, inherit_all, sources),
        }
    }

    fn refuse_what_is_not_supported(&mut self, raw: &RawComponent) {
        if let Some(old) = &raw.allowed_http_hosts {
            self.document.problem(
                old.span(),
                "allowed_http_hosts is an old form: write allowed_outbound_hosts",
            );
        }
        if let Some(model) = raw.ai_models.first() {
            let message = format!(
                "ai_models: `{}`: AI models are not supported by this host",
                model.get_ref()
            );
            self.document.problem(model.span(), message);
        }
    }

    fn source(&mut self, id: &Text, raw: &Spanned<StringOr<RawRemote>>) -> PathBuf {
        match raw.get_ref() {
            StringOr::String(path) => self.dir.join(path),
            StringOr::Table(_) => {
                let message = format!(
                    "source of component `{}`: this host fetches nothing; download the file and write its path here",
                    id.get_ref()
                );
                self.document.problem(raw.span(), message);
                PathBuf::new()
            }
        }
    }

    fn component_variables(&mut self, raw: BTreeMap<Text, Text>) -> BTreeMap<String, Template> {
        raw.into_iter()
            .map(|(name, value)| {
                if let Err(reason) = ident::lower_snake(name.get_ref()) {
                    self.document
                        .problem(name.span(), format!("variable `{}`: {reason}", name.get_ref()));
                }
                (name.into_inner(), self.template(&value))
            })
            .collect()
    }

    fn file_mount(&mut self, raw: Spanned<StringOr<RawMount>>) -> FileMount {
        let span = raw.span();
        match raw.into_inner() {
            StringOr::String(pattern) => FileMount::Pattern(pattern),
            StringOr::Table(mount) => {
                if !mount.destination.starts_with('/') {
                    let message = format!("destination `{}` must start with `/`", mount.destination);
                    self.document.problem(span, message);
                }
                FileMount::Directory {
                    source: self.dir.join(mount.source),
                    destination: mount.destination,
                }
            }
        }
    }

    fn labels(&mut self, key: &str, raw: Vec<Text>) -> Vec<String> {
        for label in &raw {
            if let Err(reason) = ident::label(label.get_ref()) {
                self.document
                    .problem(label.span(), format!("{key}: `{}`: {reason}", label.get_ref()));
            }
        }
        raw.into_iter().map(Spanned::into_inner).collect()
    }

    fn build(&self, raw: RawBuild) -> Build {
        let commands = match raw.command {
            OneOrList::One(command) => vec![command],
            OneOrList::List(commands) => commands,
        };
        let workdir = raw
            .workdir
            .map_or_else(|| self.dir.clone(), |workdir| self.dir.join(workdir));
        Build {
            commands,
            workdir,
            watch: raw.watch,
        }
    }
}
