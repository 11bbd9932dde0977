//! The command line, and how much work it asks for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use crate::disk::Disk;

/// Measures the shop that `up` serves.
#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench")]
pub(crate) struct Flags {
    /// Fewer and shorter rounds: a smoke test, no figures to quote
    #[arg(long)]
    pub(crate) quick: bool,
    /// Also write the figures to this file
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,
    /// Also write the figures and a plot into this folder, named after the day
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
    /// Measure checkouts a second time with every fsync taking at least so long
    #[arg(long, value_name = "N")]
    fsync_ms: Option<u64>,
    /// Another build of the host than target/debug/bodega, to compare the two
    #[arg(long, value_name = "PATH")]
    pub(crate) host: Option<PathBuf>,
    /// Only this section; may be repeated
    #[arg(long, value_enum, value_name = "SECTION")]
    only: Vec<Section>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// From the command to the first page, with and without compiled components
    Start,
    /// What the host's process holds in memory
    Memory,
    /// A product's page beside bare components
    Pages,
    /// What one request asks of the host, counted
    Costs,
    /// Checkouts and pages by 1 to 256 clients, and what they take of the host
    Scenarios,
    /// The shop beside bare SQLite, a native server, and a commit per transaction
    Rivals,
    /// Three times as many orders as the shop can carry
    Overload,
    /// What the gateway costs, and orders while the login is flooded
    Door,
    /// SQLite beside Postgres, and one process beside two
    Stores,
}

/// How much of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Starts without compiled components.
    pub(crate) cold_starts: usize,
    /// Starts after each of those.
    pub(crate) warm_starts: usize,
    /// How often the pages are compared.
    pub(crate) rounds: usize,
    /// Requests of one client, one after the other, in a round.
    pub(crate) requests: usize,
    /// How long many clients go on in a round.
    pub(crate) together: Duration,
    /// How often each crowd buys.
    pub(crate) buying_rounds: usize,
    /// How long it does each time.
    pub(crate) buying: Duration,
    /// How many clients there are at the same time.
    pub(crate) crowds: Vec<usize>,
    /// Whether customers log in, instead of being given a token.
    pub(crate) signs_in: bool,
    /// How often the rivals take turns.
    pub(crate) rival_rounds: usize,
    /// How many checkouts the bare statements are recorded of.
    pub(crate) ceiling: usize,
    /// How long too many orders come.
    pub(crate) flood: Duration,
    /// What checkouts are made durable on.
    pub(crate) disks: Vec<Disk>,
}

impl Flags {
    /// Refuses what would only be found out after minutes of measuring.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(host) = &self.host {
            ensure!(host.is_file(), "--host: there is no file {}", host.display());
        }
        if let Some(folder) = &self.report {
            ensure!(
                folder.is_dir(),
                "--report: there is no folder {}",
                folder.display()
            );
        }
        let Some(path) = &self.json else { return Ok(()) };
        ensure!(!path.is_dir(), "--json: {} is a folder", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        ensure!(
            folder.is_none_or(|folder| folder.is_dir()),
            "--json: there is no folder to put {} into",
            path.display()
        );
        Ok(())
    }

    /// What to measure, each once and in the usual order.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Section> {
        let all = Section::value_variants().iter().copied();
        all.filter(|section| self.only.is_empty() || self.only.contains(section))
    }
}

impl Section {
    /// The word for it on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Plan {
    /// As much as the flags ask for.
    pub(crate) fn of(flags: &Flags) -> Self {
        let slower = flags.fsync_ms.map(|ms| Disk { delay_ms: Some(ms) });
        let disks = std::iter::once(Disk::default()).chain(slower).collect();
        if flags.quick {
            return Self {
                cold_starts: 1,
                warm_starts: 2,
                rounds: 3,
                requests: 100,
                together: Duration::from_millis(200),
                buying_rounds: 1,
                buying: Duration::from_millis(300),
                crowds: vec![1, 16],
                signs_in: false,
                rival_rounds: 1,
                ceiling: 256,
                flood: Duration::from_secs(1),
                disks,
            };
        }
        Self {
            cold_starts: 3,
            warm_starts: 3,
            rounds: 9,
            requests: 400,
            together: Duration::from_secs(1),
            buying_rounds: 3,
            buying: Duration::from_secs(3),
            crowds: vec![1, 8, 64, 256],
            signs_in: true,
            rival_rounds: 7,
            ceiling: 4096,
            flood: Duration::from_secs(5),
            disks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Flags, String> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Flags::try_parse_from(words).map_err(|error| error.to_string())
    }

    fn sections(line: &str) -> Vec<Section> {
        parsed(line).unwrap().sections().collect()
    }

    #[test]
    fn everything_is_measured_unless_sections_are_named_and_each_only_once() {
        assert_eq!(sections("").len(), 9);
        assert_eq!(
            sections("--only costs --only start --only costs"),
            [Section::Start, Section::Costs]
        );
    }

    #[test]
    fn nonsense_is_refused_with_what_would_make_sense() {
        for (line, expected) in [
            (
                "--only everything",
                "start, memory, pages, costs, scenarios, rivals, overload, door, stores",
            ),
            ("--rounds 3", "unexpected argument '--rounds'"),
            ("loudly", "unexpected argument 'loudly'"),
            ("--json", "a value is required for '--json <PATH>'"),
        ] {
            let error = parsed(line).map(|_| line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn a_host_that_is_not_there_is_refused_at_once() {
        let error = parsed("--host no/bodega").unwrap().check().unwrap_err();
        assert_eq!(error.to_string(), "--host: there is no file no/bodega");
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: PathBuf| {
            let flags = Flags {
                quick: true,
                json: Some(path),
                report: None,
                fsync_ms: None,
                host: None,
                only: Vec::new(),
            };
            flags.check().map_err(|error| error.to_string())
        };
        assert!(check(folder.path().join("a.json")).is_ok());
        assert!(check(PathBuf::from("a.json")).is_ok());
        assert!(
            check(folder.path().to_owned())
                .unwrap_err()
                .contains("is a folder")
        );
        let nowhere = folder.path().join("no/a.json");
        assert!(check(nowhere).unwrap_err().contains("there is no folder"));
    }
}
