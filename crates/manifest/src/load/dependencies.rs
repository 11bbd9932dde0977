//! `[component.ID.dependencies]`.

use super::Loader;
use crate::document::{OneOrList, StringOr};
use crate::schema::{RawComponent, RawDependency, Text};
use crate::{Capability, Dependency, DependencyName, Inherit};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use toml::Spanned;

/// The file of each component for `{ component = "ID" }`, or why it can't be taken.
type Sources = BTreeMap<String, Result<PathBuf, String>>;
type RawDependencies = BTreeMap<Text, Spanned<StringOr<RawDependency>>>;

impl Loader<'_> {
    pub(super) fn dependency_sources(&self, raw: &BTreeMap<Text, RawComponent>) -> Sources {
        raw.iter()
            .map(|(id, component)| {
                let source = match (component.source.get_ref(), grants(component).as_slice()) {
                    (StringOr::String(path), []) => Ok(self.dir.join(path)),
                    (StringOr::String(_), grants) => Err(format!(
                        "has {} of its own, which a dependency never gets; name its file with `path` instead",
                        grants.join(", ")
                    )),
                    (StringOr::Table(_), _) => Err("has no file".to_owned()),
                };
                (id.get_ref().clone(), source)
            })
            .collect()
    }

    /// Whether `dependencies_inherit_configuration` gives everything to every dependency.
    pub(super) fn inherit_all(&mut self, id: &Text, raw: &RawComponent) -> bool {
        let Some(whole) = &raw.dependencies_inherit_configuration else {
            return false;
        };
        let each = raw
            .dependencies
            .values()
            .any(|dependency| match dependency.get_ref() {
                StringOr::String(_) => false,
                StringOr::Table(table) => table.inherit_configuration.is_some(),
            });
        if each {
            let message = format!(
                "component `{}` has dependencies_inherit_configuration and a dependency with its own \
                 inherit_configuration; use one or the other",
                id.get_ref()
            );
            self.document.problem(whole.span(), message);
        }
        *whole.get_ref()
    }

    pub(super) fn dependencies(
        &mut self,
        raw: RawDependencies,
        inherit_all: bool,
        sources: &Sources,
    ) -> Vec<Dependency> {
        let mut names: Vec<(Text, DependencyName)> = Vec::new();
        let mut dependencies = Vec::new();
        for (text, dependency) in raw {
            let name = self.dependency_name(&text);
            if let Some((other, _)) = names.iter().find(|(_, other)| other.overlaps(&name)) {
                let message = format!(
                    "dependency `{}` overlaps with `{}`",
                    text.get_ref(),
                    other.get_ref()
                );
                self.document.problem(text.span(), message);
            }
            dependencies.extend(self.dependency(&name, dependency, inherit_all, sources));
            names.push((text, name));
        }
        dependencies
    }

    fn dependency_name(&mut self, text: &Text) -> DependencyName {
        text.get_ref().parse().unwrap_or_else(|reason| {
            self.document
                .problem(text.span(), format!("dependency `{}`: {reason}", text.get_ref()));
            DependencyName::Plain(text.get_ref().clone())
        })
    }

    fn dependency(
        &mut self,
        name: &DependencyName,
        raw: Spanned<StringOr<RawDependency>>,
        inherit_all: bool,
        sources: &Sources,
    ) -> Option<Dependency> {
        let span = raw.span();
        let table = match raw.into_inner() {
            StringOr::String(_) => RawDependency::default(),
            StringOr::Table(table) => table,
        };
        let path = match self.dependency_path(&table, sources) {
            Ok(path) => path,
            Err(reason) => {
                self.document
                    .problem(span, format!("dependency `{name}`: {reason}"));
                return None;
            }
        };
        if table.export.is_some() && matches!(name, DependencyName::Package { interface: None, .. }) {
            let message =
                format!("dependency `{name}` stands for a whole package, so it can't name one export");
            self.document.problem(span, message);
        }
        let own = table.inherit_configuration.map(|inherit| self.inherit(inherit));
        let inherit = if inherit_all {
            Inherit::All
        } else {
            own.unwrap_or_default()
        };
        Some(Dependency {
            name: name.clone(),
            path,
            export: table.export,
            inherit,
        })
    }

    fn dependency_path(&self, raw: &RawDependency, sources: &Sources) -> Result<PathBuf, String> {
        match (&raw.path, &raw.component) {
            (Some(_), Some(_)) => Err("has both `path` and `component`; keep one".to_owned()),
            (Some(path), None) => Ok(self.dir.join(path)),
            (None, Some(id)) => match sources.get(id.get_ref()) {
                Some(Ok(path)) => Ok(path.clone()),
                Some(Err(reason)) => Err(format!("component `{}` {reason}", id.get_ref())),
                None => Err(format!("component `{}` does not exist", id.get_ref())),
            },
            (None, None) => Err("this host fetches nothing; write `{ path = \"FILE.wasm\" }`".to_owned()),
        }
    }

    fn inherit(&mut self, raw: Spanned<OneOrList<bool, Text>>) -> Inherit {
        let names = match raw.into_inner() {
            OneOrList::One(true) => return Inherit::All,
            OneOrList::One(false) => return Inherit::Nothing,
            OneOrList::List(names) => names,
        };
        let granted: BTreeSet<_> = names
            .into_iter()
            .filter_map(|name| self.capability(&name))
            .collect();
        if granted.is_empty() {
            Inherit::Nothing
        } else {
            Inherit::Only(granted)
        }
    }

    fn capability(&mut self, name: &Text) -> Option<Capability> {
        let capability = Capability::by_name(name.get_ref());
        if capability.is_none() {
            let known = Capability::ALL.map(Capability::name).join(", ");
            let message = format!(
                "inherit_configuration: unknown capability `{}`; known are {known}",
                name.get_ref()
            );
            self.document.problem(name.span(), message);
        }
        capability
    }
}

/// What a component holds that would be lost when its file is composed into another.
fn grants(component: &RawComponent) -> Vec<&'static str> {
    [
        ("ai_models", component.ai_models.is_empty()),
        ("allowed_http_hosts", component.allowed_http_hosts.is_none()),
        (
            "allowed_outbound_hosts",
            component.allowed_outbound_hosts.is_empty(),
        ),
        ("dependencies", component.dependencies.is_empty()),
        ("environment", component.environment.is_empty()),
        ("files", component.files.is_empty()),
        ("key_value_stores", component.key_value_stores.is_empty()),
        ("sqlite_databases", component.sqlite_databases.is_empty()),
        ("variables", component.variables.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, empty)| (!empty).then_some(name))
    .collect()
}
