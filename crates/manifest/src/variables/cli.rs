//! Values from the command line.

use crate::{Manifest, VariablesError};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The values given with `--variable`. Has no `Debug`: they may be secret.
#[derive(Clone, Default)]
pub struct CliVariables {
    values: BTreeMap<String, String>,
}

impl CliVariables {
    /// Reads the arguments of `--variable`: `NAME=VALUE`, `NAME=@FILE` for a file that is the value, and
    /// `@FILE.toml` or `@FILE.json` for one that lists names and values. The last one to name a variable wins.
    pub fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<Self, VariablesError> {
        let mut values = BTreeMap::new();
        for (index, argument) in arguments.iter().enumerate() {
            let position = index + 1;
            values.extend(read_argument(argument.as_ref(), position)?);
        }
        Ok(Self { values })
    }

    /// The names given that the application doesn't define: probably misspelt, and without effect.
    pub fn unknown<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a str> {
        self.values
            .keys()
            .map(String::as_str)
            .filter(|name| !manifest.variables.contains_key(*name))
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }
}

fn read_argument(argument: &str, position: usize) -> Result<BTreeMap<String, String>, VariablesError> {
    if let Some(path) = argument.strip_prefix('@') {
        return read_list(Path::new(path));
    }
    let (name, value) = argument
        .split_once('=')
        .ok_or(VariablesError::Argument { position })?;
    let value = match value.strip_prefix('@') {
        Some(path) => read(Path::new(path))?,
        None => value.to_owned(),
    };
    Ok(BTreeMap::from([(name.to_owned(), value)]))
}

fn read_list(path: &Path) -> Result<BTreeMap<String, String>, VariablesError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("toml" | "json")) {
        return Err(file_error(path, "its name must end in .toml or .json"));
    }
    let text = read(path)?;
    let line = if extension == Some("toml") {
        toml_list(&text)
    } else {
        json_list(&text)
    };
    line.map_err(|line| {
        file_error(
            path,
            format!("line {line} is not a name with a string as its value"),
        )
    })
}

fn toml_list(text: &str) -> Result<BTreeMap<String, String>, usize> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        text.get(..offset).unwrap_or_default().matches('\n').count() + 1
    })
}

fn json_list(text: &str) -> Result<BTreeMap<String, String>, usize> {
    serde_json::from_str(text).map_err(|error| error.line())
}

fn read(path: &Path) -> Result<String, VariablesError> {
    fs::read_to_string(path).map_err(|error| file_error(path, error.to_string()))
}

pub(super) fn file_error(path: &Path, reason: impl Into<String>) -> VariablesError {
    VariablesError::File {
        path: PathBuf::from(path),
        reason: reason.into(),
    }
}
