//! All figures of a run, for programs to read.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::checkouts::Checkouts;
use crate::costs::Costs;
use crate::door::Door;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::pages::Pages;
use crate::start::Starts;

/// A run; what was not asked for is absent.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Where it ran.
    pub(crate) machine: Machine,
    /// The load average of the last minute when it ended.
    pub(crate) load_after: String,
    /// Whether it was only a smoke test.
    quick: bool,
    /// Starting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Starts>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
    /// Pages beside bare components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pages: Option<Pages>,
    /// Counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) costs: Option<Costs>,
    /// Orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkouts: Option<Checkouts>,
    /// The gateway, and the flood of logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) door: Option<Door>,
}

impl Report {
    /// A report without figures.
    pub(crate) fn new(machine: Machine, quick: bool) -> Self {
        Self {
            machine,
            load_after: String::new(),
            quick,
            start: None,
            memory: None,
            pages: None,
            costs: None,
            checkouts: None,
            door: None,
        }
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(path, json).with_context(|| format!("could not write {}", path.display()))
    }
}
