//! `cargo xtask test` and `cargo xtask bench`: what they run is what `up` runs.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::build::{build, build_with_variants};
use crate::run::{heading, run};
use crate::tree::{Tree, cargo};

/// The journeys that are made once more on each of [`PROFILES`]. What is below them has its own second run on Postgres
/// inside of its program.
const JOURNEYS: [&str; 2] = ["e2e", "survival"];

/// What the shop is made of beside one process with its data in files (`tests/src/profile.rs`), and the servers that
/// this takes.
const PROFILES: [Profile; 2] = [
    Profile {
        name: "postgres",
        title: "on Postgres",
        servers: &["postgres"],
    },
    Profile {
        name: "replicas",
        title: "with two replicas on one Postgres and one Redis",
        servers: &["postgres", "redis-server"],
    },
];

struct Profile {
    name: &'static str,
    title: &'static str,
    servers: &'static [&'static str],
}

/// Builds everything, then runs the tests of the workspace, or those that `arguments` select.
pub(crate) fn test(tree: &Tree, arguments: &[String]) -> Result<()> {
    build_with_variants(tree)?;
    heading("testing");
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut passed = tested(tree, arguments, None, &mut tally)?;
    if arguments.is_empty() {
        let journeys: Vec<String> = JOURNEYS
            .iter()
            .flat_map(|name| ["--test".to_owned(), (*name).to_owned()])
            .collect();
        for profile in &PROFILES {
            heading(&format!("testing {}", profile.title));
            let missing = profile.servers.iter().find(|server| !is_here(server));
            match missing {
                None => passed &= tested(tree, &journeys, Some(profile.name), &mut tally)?,
                Some(server) if std::env::var_os("BODEGA_REQUIRE_SERVERS").is_some() => {
                    bail!("{server} is not installed, and BODEGA_REQUIRE_SERVERS asks for it")
                }
                Some(server) => {
                    eprintln!("    SKIPPED: {server} is not installed, so no journey was made here");
                }
            }
        }
    }
    heading(&format!("{tally} in {} s", started.elapsed().as_secs()));
    if !passed {
        bail!("some tests did not pass");
    }
    Ok(())
}

/// Runs the tests that `arguments` select, with shops of this profile; whether all of them passed.
fn tested(tree: &Tree, arguments: &[String], profile: Option<&str>, tally: &mut Tally) -> Result<bool> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).current_dir(tree.root());
    if let Some(profile) = profile {
        command.env("BODEGA_TEST_PROFILE", profile);
    }
    let own = arguments.iter().take_while(|argument| *argument != "--");
    if !own
        .clone()
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
    {
        command.arg("--workspace");
    }
    let mut child = command
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo")?;
    let mut lines = BufReader::new(child.stdout.take().context("cargo has no stdout")?);
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        out.write_all(&line)?;
        tally.count(&String::from_utf8_lossy(&line));
        line.clear();
    }
    out.flush()?;
    Ok(child.wait()?.success())
}

/// Whether the tests find this server to start: on the path, or where the distribution puts it.
fn is_here(server: &str) -> bool {
    let packaged = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .any(|folder| folder.join(server).is_file())
}

/// Builds everything, then measures.
pub(crate) fn bench(tree: &Tree, arguments: &[String]) -> Result<()> {
    build(tree)?;
    heading("measuring");
    run(cargo()
        .args(["build", "--workspace", "--bin", "bench"])
        .current_dir(tree.root()))?;
    run(Command::new(tree.target("debug/bench"))
        .args(arguments)
        .current_dir(tree.root()))
}

/// The sum over all test programs.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    programs: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Tally {
    /// Counts a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.programs += 1;
        for part in counts.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let number: u32 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally {
            programs,
            passed,
            failed,
            ignored,
        } = self;
        write!(
            f,
            "{passed} tests passed, {failed} failed, {ignored} ignored in {programs} programs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up_over_programs() {
        let mut tally = Tally::default();
        for line in [
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            tally.count(line);
        }
        assert_eq!(
            tally,
            Tally {
                programs: 2,
                passed: 4,
                failed: 2,
                ignored: 1
            }
        );
    }
}
