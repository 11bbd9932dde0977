//! `cargo xtask check`: everything that is judged without running the shop.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::build::guest_cargo;
use crate::guest;
use crate::run::{heading, note, run};
use crate::target;
use crate::tree::{Tree, cargo};

/// One version for everybody, so that a new release does not fail an old commit.
const DENY_VERSION: &str = "0.19.0";

type Step = fn(&Tree) -> Result<()>;

/// Runs every check, also after one has failed, and names those that did.
pub(crate) fn check(tree: &Tree) -> Result<()> {
    let steps: [(&str, Step); 5] = [
        ("formatting", formatting),
        ("lints, host", lints_host),
        ("lints, components", lints_guests),
        ("dependencies", dependencies),
        ("rules of the tree", tidy),
    ];
    let mut failed = Vec::new();
    for (number, (name, step)) in steps.iter().enumerate() {
        heading(&format!("{name} ({}/{})", number + 1, steps.len()));
        if let Err(error) = step(tree) {
            eprintln!("error: {error:#}");
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        bail!("not in order: {}", failed.join("; "));
    }
    heading("all in order");
    Ok(())
}

fn in_tree(tree: &Tree, words: &[&str]) -> Result<()> {
    run(cargo().args(words).current_dir(tree.root()))
}

fn formatting(tree: &Tree) -> Result<()> {
    in_tree(tree, &["fmt", "--all", "--", "--check"])
}

fn lints_host(tree: &Tree) -> Result<()> {
    in_tree(
        tree,
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    )
}

fn lints_guests(tree: &Tree) -> Result<()> {
    let target = target::ensure(tree)?;
    let mut command = guest_cargo(tree, "clippy", &guest::all(tree)?);
    target.configure(&mut command);
    run(command.args(["--", "-D", "warnings"]))
}

fn dependencies(tree: &Tree) -> Result<()> {
    let deny = cargo_deny(tree)?;
    // Called as cargo calls it, with the subcommand's name first.
    run(Command::new(deny)
        .args(["deny", "check", "bans", "licenses", "sources"])
        .current_dir(tree.root()))
}

/// Of the whole workspace for the same reason as the host's build: one set of features.
fn tidy(tree: &Tree) -> Result<()> {
    in_tree(tree, &["test", "--workspace", "--test", "tidy"])
}

/// The program in the version above: installed beside our artefacts once, or already on the machine.
fn cargo_deny(tree: &Tree) -> Result<PathBuf> {
    let ours = tree.target("tools/bin/cargo-deny");
    for candidate in [ours.clone(), PathBuf::from("cargo-deny")] {
        let version = Command::new(&candidate)
            .arg("--version")
            .stderr(Stdio::null())
            .output();
        if version.is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .ends_with(DENY_VERSION)
        }) {
            return Ok(candidate);
        }
    }
    note(&format!(
        "installing cargo-deny {DENY_VERSION} into target/tools, once; this takes minutes"
    ));
    let root = tree.target("tools");
    // Unoptimised: it runs for a second, and compiles in half the time.
    let mut command = cargo();
    command.args([
        "install",
        "cargo-deny",
        "--locked",
        "--debug",
        "--force",
        "--version",
        DENY_VERSION,
    ]);
    command
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("build"));
    run(command
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(tree.root()))?;
    std::fs::remove_dir_all(root.join("build"))?;
    Ok(ours)
}
