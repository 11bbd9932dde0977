//! The values of the application's variables.

mod cli;
mod provider;

use crate::{Manifest, Template, UndefinedVariable, VariablesProvider};
use provider::{Lookup, lookup};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub use cli::CliVariables;

/// Every variable's value, for the whole application and per component. Has no `Debug`: they may be secret.
#[derive(Clone)]
pub struct Resolver {
    values: BTreeMap<String, String>,
    components: BTreeMap<String, BTreeMap<String, String>>,
}

/// Variables that can't be given their values.
#[derive(Debug, thiserror::Error)]
pub enum VariablesError {
    /// A `--variable` can't be understood. What it says is not repeated: it may be a secret.
    #[error("--variable number {position} must be NAME=VALUE, NAME=@FILE, @FILE.toml or @FILE.json")]
    Argument {
        /// Which one, from 1.
        position: usize,
    },
    /// A file with values can't be used. What it says is not repeated: it may be a secret.
    #[error("cannot take variables from {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody gives these required variables a value.
    #[error("{}", missing_text(.0))]
    Missing(Vec<MissingVariable>),
    /// A component's variable refers to one that the application doesn't have; a checked manifest never does.
    #[error(transparent)]
    Undefined(#[from] UndefinedVariable),
}

/// A required variable without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name.
    pub name: String,
    /// What it is for, as the manifest says.
    pub description: String,
}

fn missing_text(missing: &[MissingVariable]) -> String {
    let mut text = String::from("these required variables have no value:\n");
    for MissingVariable { name, description } in missing {
        let description = if description.is_empty() {
            ""
        } else {
            &format!("  {description}")
        };
        text.push_str(&format!("  {name}{description}\n"));
    }
    let example = missing.first().map_or("NAME", |variable| variable.name.as_str());
    text.push_str(&format!(
        "give each one as `--variable {example}=VALUE`, as a line `{example} = \"VALUE\"` of a file named with \
         `--variable @FILE.toml`, in the environment as {}, or in a [[variables_provider]] of the runtime config",
        provider::environment_name(provider::DEFAULT_PREFIX, example)
    ));
    text
}

impl Resolver {
    /// Gives every variable its value, and every component its own.
    ///
    /// Asks, as Spin does, the command line first, then the providers of the runtime config in their order,
    /// then the environment (`SPIN_VARIABLE_NAME`, or the file `.env` where the host is started), and takes
    /// the default last. All that is missing comes in one error.
    pub fn new(
        manifest: &Manifest,
        cli: &CliVariables,
        providers: &[VariablesProvider],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, VariablesError> {
        let environment_last = VariablesProvider::Env {
            prefix: None,
            dotenv_path: Some(".env".into()),
        };
        let lookups: Vec<Lookup<'_>> = providers
            .iter()
            .chain([&environment_last])
            .map(|provider| lookup(provider, environment))
            .collect::<Result<_, _>>()?;
        let given = |name: &str| {
            cli.get(name)
                .or_else(|| lookups.iter().find_map(|lookup| lookup(name)))
        };
        let values = application_values(manifest, given)?;
        let components = component_values(manifest, &values)?;
        Ok(Self { values, components })
    }

    /// The values one component may ask for, by the component's own names; empty for an unknown component.
    pub fn component(&self, id: &str) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.components.get(id).unwrap_or(&NONE)
    }

    /// Puts the values into a template of the manifest.
    pub fn expand(&self, template: &Template) -> Result<String, UndefinedVariable> {
        expand(template, &self.values)
    }
}

fn application_values(
    manifest: &Manifest,
    given: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, VariablesError> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, variable) in &manifest.variables {
        match given(name).or_else(|| variable.default.clone()) {
            Some(value) => drop(values.insert(name.clone(), value)),
            None => missing.push(MissingVariable {
                name: name.clone(),
                description: variable.description.clone(),
            }),
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(VariablesError::Missing(missing))
    }
}

fn component_values(
    manifest: &Manifest,
    values: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, UndefinedVariable> {
    let own = |templates: &BTreeMap<String, Template>| -> Result<BTreeMap<_, _>, UndefinedVariable> {
        templates
            .iter()
            .map(|(name, template)| Ok((name.clone(), expand(template, values)?)))
            .collect()
    };
    manifest
        .components
        .iter()
        .map(|(id, component)| Ok((id.clone(), own(&component.variables)?)))
        .collect()
}

fn expand(template: &Template, values: &BTreeMap<String, String>) -> Result<String, UndefinedVariable> {
    template.expand(|name| values.get(name).map(String::as_str))
}

#[cfg(test)]
mod tests;
