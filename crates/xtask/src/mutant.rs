//! Builds of the shop with one guard removed on purpose, for the test that must notice.
//!
//! A mutant is a cargo feature `mutant-…` of a component. Each gets a whole set of components under
//! `target/mutants/NAME/`: links to the real ones, but for those that the missing guard is part of.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build::{artefact, compose, guest_cargo, is_fresh, raw};
use crate::guest::Guest;
use crate::run::{heading, run};
use crate::target::Target;
use crate::tree::Tree;

/// Builds all mutants that are older than what they are made of.
pub(crate) fn build(tree: &Tree, target: &Target, guests: &[Guest]) -> Result<()> {
    let mutants: Vec<(&Guest, &str)> = guests
        .iter()
        .flat_map(|guest| guest.mutants.iter().map(move |name| (guest, name.as_str())))
        .collect();
    forget_others(tree, &mutants)?;
    let real: Vec<PathBuf> = guests.iter().map(|guest| artefact(tree, &guest.name)).collect();
    for (number, (guest, name)) in mutants.iter().enumerate() {
        let stamp = tree.target(&format!("mutants/{name}/.built"));
        if is_fresh(&stamp, real.iter())? {
            continue;
        }
        heading(&format!(
            "building the mutant {name} ({}/{})",
            number + 1,
            mutants.len()
        ));
        one(tree, target, guests, guest, name)
            .with_context(|| format!("could not build the mutant {name}"))?;
        fs::write(&stamp, "").with_context(|| format!("could not write {}", stamp.display()))?;
    }
    if mutants.is_empty() {
        return Ok(());
    }
    // What cargo left where the real components belong is a mutant's: put the real ones back.
    let mut command = guest_cargo(tree, "build", guests);
    target.configure(&mut command);
    run(command.arg("--quiet"))
}

/// Removes what was built of mutants that are no more.
fn forget_others(tree: &Tree, mutants: &[(&Guest, &str)]) -> Result<()> {
    let dir = tree.target("mutants");
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&dir).with_context(|| format!("could not read {}", dir.display()))? {
        let entry = entry?;
        if !mutants.iter().any(|(_, name)| entry.file_name() == *name) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn one(tree: &Tree, target: &Target, guests: &[Guest], guest: &Guest, name: &str) -> Result<()> {
    let dir = tree.target(&format!("mutants/{name}"));
    fs::create_dir_all(&dir)?;
    // All guests are named, so that cargo settles on the same features for what they share.
    let mut command = guest_cargo(tree, "build", guests);
    target.configure(&mut command);
    run(command
        .arg("--features")
        .arg(format!("{}/{name}", guest.name))
        .arg("--quiet"))?;
    let file = |name: &str| dir.join(format!("{name}.wasm"));
    for other in guests.iter().filter(|other| other.name != guest.name) {
        link(&artefact(tree, &other.name), &file(&other.name))?;
    }
    let plugs = guest.plugs.iter().map(|plug| raw(tree, plug)).collect();
    let part = file(&guest.name);
    if part.exists() {
        fs::remove_file(&part)?;
    }
    compose(tree, &raw(tree, &guest.name), plugs, &part)?;
    for whole in guests.iter().filter(|guest| !guest.whole.is_empty()) {
        let parts = whole.whole.iter().map(|part| file(part)).collect();
        compose(
            tree,
            &file(&whole.name),
            parts,
            &file(&format!("{}-whole", whole.name)),
        )?;
    }
    Ok(())
}

/// Puts a hard link in the place of whatever was there.
fn link(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_file(to)?;
    }
    fs::hard_link(from, to).with_context(|| format!("could not link {} to {}", from.display(), to.display()))
}
