//! The values of the application's variables.

use crate::{Manifest, Template, UndefinedVariable, VariablesProvider};
use std::collections::BTreeMap;

/// The values given with `--variable`. Has no `Debug`: they may be secret.
#[derive(Clone, Default)]
pub struct CliVariables {
    values: BTreeMap<String, String>,
}

/// Every variable's value, for the whole application and per component. Has no `Debug`: they may be secret.
#[derive(Clone)]
pub struct Resolver {
    values: BTreeMap<String, String>,
    components: BTreeMap<String, BTreeMap<String, String>>,
}

/// Variables that can't be given their values.
#[derive(Debug, thiserror::Error)]
pub enum VariablesError {
    /// `--variable` is neither `name=value`, `name=@file` nor `@file.toml`.
    #[error("--variable {argument}: {reason}")]
    Argument {
        /// What names the argument; never a value.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that a provider needs can't be used.
    #[error("cannot use {file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody gives these required variables a value.
    #[error("{}", list(.0))]
    Missing(Vec<MissingVariable>),
}

/// A required variable without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name.
    pub name: String,
    /// What it is for, as the manifest says.
    pub description: String,
}

fn list(missing: &[MissingVariable]) -> String {
    missing
        .iter()
        .map(|variable| variable.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl CliVariables {
    /// Reads the arguments of `--variable`: `name=value`, `name=@file`, `@file.toml` or `@file.json`; later ones win.
    pub fn parse<S: AsRef<str>>(_arguments: &[S]) -> Result<Self, VariablesError> {
        Ok(Self::default())
    }
}

impl Resolver {
    /// Asks, as Spin does, the command line, then the providers in their order, then the environment
    /// (`SPIN_VARIABLE_NAME`), then takes the default. All that is missing comes in one error.
    pub fn new(
        _manifest: &Manifest,
        _cli: &CliVariables,
        _providers: &[VariablesProvider],
        _environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, VariablesError> {
        Err(VariablesError::Missing(Vec::new()))
    }

    /// The values one component may ask for, by the component's own names; empty for an unknown component.
    pub fn component(&self, id: &str) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.components.get(id).unwrap_or(&NONE)
    }

    /// Puts the values into a template of the manifest.
    pub fn expand(&self, template: &Template) -> Result<String, UndefinedVariable> {
        template.expand(|name| self.values.get(name).map(String::as_str))
    }
}
