//! What the shop is told about making things durable.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::place::Place;

/// The disk: as it is, or slower.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Disk {
    /// Every fsync takes at least so long.
    pub(crate) delay_ms: Option<u64>,
}

/// How transactions become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// Those that wait at the same time, together.
    Grouped,
    /// Each by itself.
    Single,
}

/// Makes every fsync of the host take at least so many milliseconds.
const DELAY: &str = "--sync-takes-ms";
/// Makes every transaction commit by itself.
const SINGLE: &str = "--no-group-commit";

impl Disk {
    /// How long an fsync takes at least.
    pub(crate) fn delay(self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or_default())
    }

    /// The host's flags for a shop on this disk; none when this build of the host has no such flag.
    pub(crate) fn flags(self, commits: Commits, place: &Place) -> Result<Option<Vec<String>>> {
        let delay = self.delay_ms.map(|ms| vec![DELAY.to_owned(), ms.to_string()]);
        let single = (commits == Commits::Single).then(|| vec![SINGLE.to_owned()]);
        let flags: Vec<String> = delay.into_iter().chain(single).flatten().collect();
        // Its help leaves out what only measurements need, but does not come behind a flag it never heard of.
        let mut help = Command::new(place.host());
        let asked = help.arg("up").args(&flags).arg("--help").output()?;
        Ok(asked.status.success().then_some(flags))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delay_ms {
            None => write!(f, "the disk as it is"),
            Some(ms) => write!(f, "every fsync at least {ms} ms"),
        }
    }
}
