//! `cargo xtask test` and `cargo xtask bench`: what they run is what `up` runs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::build::{build, build_with_mutants};
use crate::run::{heading, run};
use crate::tree::{Tree, cargo};

/// The journeys that are made a second time, with the shop's data in Postgres. What is below them has its own second
/// run inside of its program.
const ON_POSTGRES: [&str; 2] = ["e2e", "survival"];

/// Builds everything, then runs the tests of the workspace, or those that `arguments` select.
pub(crate) fn test(tree: &Tree, arguments: &[String]) -> Result<()> {
    build_with_mutants(tree)?;
    heading("testing");
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut passed = tested(tree, arguments, None, &mut tally)?;
    if arguments.is_empty() {
        heading("testing on Postgres");
        if postgres_is_here() {
            let journeys: Vec<String> = ON_POSTGRES
                .iter()
                .flat_map(|name| ["--test".to_owned(), (*name).to_owned()])
                .collect();
            passed &= tested(tree, &journeys, Some("postgres"), &mut tally)?;
        } else if std::env::var_os("BODEGA_REQUIRE_SERVERS").is_some() {
            bail!("Postgres is not installed, and BODEGA_REQUIRE_SERVERS asks for it");
        } else {
            eprintln!(
                "    SKIPPED: Postgres is not installed (the package postgresql), so nothing was run on it"
            );
        }
    }
    heading(&format!("{tally} in {} s", started.elapsed().as_secs()));
    if !passed {
        bail!("some tests did not pass");
    }
    Ok(())
}

/// Runs the tests that `arguments` select, with the shop's data in this store; whether all of them passed.
fn tested(tree: &Tree, arguments: &[String], store: Option<&str>, tally: &mut Tally) -> Result<bool> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).current_dir(tree.root());
    if let Some(store) = store {
        command.env("BODEGA_TEST_STORE", store);
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

/// Whether the tests find a Postgres to start: where the distribution puts it, or on the path.
fn postgres_is_here() -> bool {
    let packaged = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&path))
        .any(|folder| folder.join("initdb").is_file())
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
