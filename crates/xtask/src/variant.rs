//! Builds of the shop that only tests run: each a whole set of components beside the real ones.
//!
//! * A **mutant** is a cargo feature `mutant-…` of a component: one guard removed on purpose, for the test that must
//!   notice. Its set is `target/mutants/NAME/`.
//! * The **next release** stands for one whose every schema has one migration more (the feature `next-release` of
//!   `store`), for the test that replaces this one by it while it sells. Its set is `target/next/`.
//!
//! What a variant does not change is a link to the real component.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build::{artefact, compose, guest_cargo, is_fresh, raw};
use crate::guest::Guest;
use crate::run::{heading, run};
use crate::target::Target;
use crate::tree::Tree;

/// The crate whose feature makes the next release of all components that have a database.
const STORE: &str = "store";
const NEXT: &str = "next-release";

/// One set of components.
struct Variant<'a> {
    /// What is built, for a person to read.
    title: String,
    /// Where the set is.
    dir: PathBuf,
    /// The package and its feature that make the difference.
    package: &'a str,
    feature: &'a str,
    /// The one component that differs; none when all of them may.
    only: Option<&'a Guest>,
}

/// Builds all variants that are older than what they are made of.
pub(crate) fn build(tree: &Tree, target: &Target, guests: &[Guest]) -> Result<()> {
    let variants = all(tree, guests);
    forget_others(tree, &variants)?;
    let real: Vec<PathBuf> = guests.iter().map(|guest| artefact(tree, &guest.name)).collect();
    for (number, variant) in variants.iter().enumerate() {
        let stamp = variant.dir.join(".built");
        if is_fresh(&stamp, real.iter())? {
            continue;
        }
        heading(&format!(
            "building {} ({}/{})",
            variant.title,
            number + 1,
            variants.len()
        ));
        one(tree, target, guests, variant).with_context(|| format!("could not build {}", variant.title))?;
        fs::write(&stamp, "").with_context(|| format!("could not write {}", stamp.display()))?;
    }
    // What cargo left where the real components belong is a variant's: put the real ones back.
    let mut command = guest_cargo(tree, "build", guests);
    target.configure(&mut command);
    run(command.arg("--quiet"))
}

fn all<'a>(tree: &Tree, guests: &'a [Guest]) -> Vec<Variant<'a>> {
    let mutant = |guest: &'a Guest, name: &'a String| Variant {
        title: format!("the mutant {name}"),
        dir: tree.target(&format!("mutants/{name}")),
        package: &guest.name,
        feature: name,
        only: Some(guest),
    };
    let mutants = guests
        .iter()
        .flat_map(|guest| guest.mutants.iter().map(move |name| mutant(guest, name)));
    let next = Variant {
        title: "what stands for the next release".to_owned(),
        dir: tree.target("next"),
        package: STORE,
        feature: NEXT,
        only: None,
    };
    mutants.chain([next]).collect()
}

/// Removes what was built of mutants that are no more.
fn forget_others(tree: &Tree, variants: &[Variant<'_>]) -> Result<()> {
    let dir = tree.target("mutants");
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&dir).with_context(|| format!("could not read {}", dir.display()))? {
        let path = entry?.path();
        if !variants.iter().any(|variant| variant.dir == path) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

fn one(tree: &Tree, target: &Target, guests: &[Guest], variant: &Variant<'_>) -> Result<()> {
    fs::create_dir_all(&variant.dir)?;
    // All guests are named, so that cargo settles on the same features for what they share.
    let mut command = guest_cargo(tree, "build", guests);
    target.configure(&mut command);
    let Variant { package, feature, .. } = variant;
    run(command.args([
        "--package",
        package,
        "--features",
        &format!("{package}/{feature}"),
        "--quiet",
    ]))?;
    let file = |name: &str| variant.dir.join(format!("{name}.wasm"));
    for guest in guests {
        let part = file(&guest.name);
        if variant.only.is_some_and(|only| only.name != guest.name) {
            link(&artefact(tree, &guest.name), &part)?;
            continue;
        }
        if part.exists() {
            fs::remove_file(&part)?;
        }
        let plugs = guest.plugs.iter().map(|plug| raw(tree, plug)).collect();
        compose(tree, &raw(tree, &guest.name), plugs, &part)?;
    }
    for whole in guests.iter().filter(|guest| !guest.whole.is_empty()) {
        let parts = whole.whole.iter().map(|part| file(part)).collect();
        let done = file(&format!("{}-whole", whole.name));
        compose(tree, &file(&whole.name), parts, &done)?;
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
