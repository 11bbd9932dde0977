//! Asking one provider.

use super::cli::file_error;
use crate::{VariablesError, VariablesProvider};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

/// What the names start with in the environment, when nothing else is said.
pub(super) const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

/// Answers the value of a variable, if it knows it.
pub(super) type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// A provider ready to be asked; files it needs are read here.
pub(super) fn lookup<'a>(
    provider: &'a VariablesProvider,
    environment: &'a dyn Fn(&str) -> Option<String>,
) -> Result<Lookup<'a>, VariablesError> {
    match provider {
        VariablesProvider::Static { values } => Ok(Box::new(|name| values.get(name).cloned())),
        VariablesProvider::Env { prefix, dotenv_path } => {
            let file = dotenv_path
                .as_deref()
                .map_or_else(|| Ok(HashMap::new()), read_dotenv)?;
            let prefix = prefix.as_deref().unwrap_or(DEFAULT_PREFIX);
            Ok(Box::new(move |name| {
                let name = environment_name(prefix, name);
                environment(&name).or_else(|| file.get(&name).cloned())
            }))
        }
    }
}

/// How a variable is called in the environment.
pub(super) fn environment_name(prefix: &str, variable: &str) -> String {
    format!("{prefix}_{}", variable.to_ascii_uppercase())
}

/// A file that isn't there says nothing, as in Spin.
fn read_dotenv(path: &Path) -> Result<HashMap<String, String>, VariablesError> {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(dotenvy::Error::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(dotenvy::Error::Io(error)) => return Err(file_error(path, error.to_string())),
        Err(_) => return Err(file_error(path, NOT_DOTENV)),
    };
    lines
        .collect::<Result<_, _>>()
        .map_err(|_| file_error(path, NOT_DOTENV))
}

/// The cause holds the line itself, and that may be a secret.
const NOT_DOTENV: &str = "it is not in dotenv form, NAME=VALUE on each line";
