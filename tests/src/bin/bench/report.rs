//! All figures of a run, for programs to read.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::costs::Costs;
use crate::door::Door;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::overload::Overload;
use crate::pages::Pages;
use crate::plot;
use crate::rivals::Rivals;
use crate::scenarios::Scenarios;
use crate::start::Starts;
use crate::stores::Stores;

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
    /// Loads of every kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scenarios: Option<Scenarios>,
    /// The shop beside others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rivals: Option<Rivals>,
    /// Too many orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overload: Option<Overload>,
    /// The gateway, and the flood of logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) door: Option<Door>,
    /// SQLite, Postgres, and two processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stores: Option<Stores>,
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
            scenarios: None,
            rivals: None,
            overload: None,
            door: None,
            stores: None,
        }
    }

    /// Writes `2026-11-21.json` and, where loads were measured, `2026-11-21.svg` into a folder.
    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        let day = Command::new("date").args(["-u", "+%F"]).output()?;
        let day = String::from_utf8(day.stdout)?.trim().to_owned();
        self.write(&folder.join(format!("{day}.json")))?;
        let Some(scenarios) = &self.scenarios else {
            return Ok(());
        };
        let picture = plot::svg(&format!("{day}: {}", self.machine), &scenarios.curves());
        let path = folder.join(format!("{day}.svg"));
        fs::write(&path, picture).with_context(|| format!("could not write {}", path.display()))
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(path, json).with_context(|| format!("could not write {}", path.display()))
    }
}
