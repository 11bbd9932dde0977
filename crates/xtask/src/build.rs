//! `cargo xtask build`: guests, then the host, then composition, then machine code.
//!
//! What `spin.toml` names is `target/components/NAME.wasm`. A file there changes only when its
//! content does, and then in one step, so a compile cache stays warm and nobody reads half of one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::guest::{self, Guest};
use crate::run::{heading, note, run};
use crate::target::{self, TRIPLE, Target};
use crate::tree::{Tree, cargo};
use crate::variant;

/// Builds everything that `up` and the tests run.
pub(crate) fn build(tree: &Tree) -> Result<()> {
    let target = target::ensure(tree)?;
    let guests = guest::all(tree)?;
    components(tree, &target, &guests)
}

/// The same, and the variants that only tests run.
pub(crate) fn build_with_variants(tree: &Tree) -> Result<()> {
    let target = target::ensure(tree)?;
    let guests = guest::all(tree)?;
    components(tree, &target, &guests)?;
    variant::build(tree, &target, &guests)
}

fn components(tree: &Tree, target: &Target, guests: &[Guest]) -> Result<()> {
    heading("building the components (1/4)");
    let mut command = guest_cargo(tree, "build", guests);
    target.configure(&mut command);
    run(&mut command)?;

    heading("building the host (2/4)");
    // Of the whole workspace, though only one binary is wanted: so cargo settles on the same
    // features as for `cargo test --workspace`, and wasmtime is compiled once.
    run(cargo()
        .args(["build", "--workspace", "--bin", "bodega"])
        .current_dir(tree.root()))?;

    heading("composing (3/4)");
    fs::create_dir_all(tree.target("components"))?;
    for guest in guests {
        finish(tree, guest).with_context(|| format!("could not finish the component {}", guest.name))?;
    }
    for guest in guests.iter().filter(|guest| !guest.whole.is_empty()) {
        complete(tree, guest).with_context(|| format!("could not complete the component {}", guest.name))?;
    }
    for guest in guest::remotes(guests) {
        make_remote(tree, guest)
            .with_context(|| format!("could not compose the remote variant of {}", guest.name))?;
    }
    precompile(tree, guests)
}

/// Checks the shop, which also fills the host's cache of machine code: the first `up` then starts as fast
/// as any other, and without what a compiler leaves in memory.
fn precompile(tree: &Tree, guests: &[Guest]) -> Result<()> {
    let stamp = tree.target("components/.compiled");
    let components = guests.iter().map(|guest| artefact(tree, &guest.name));
    let inputs: Vec<PathBuf> = components.chain([host(tree), tree.path("spin.toml")]).collect();
    if is_fresh(&stamp, inputs.iter())? {
        return Ok(());
    }
    heading("compiling them for this machine (4/4)");
    run(Command::new(host(tree))
        .args(["check", "--from"])
        .arg(tree.path("spin.toml"))
        .current_dir(tree.root()))?;
    fs::write(&stamp, "").with_context(|| format!("could not write {}", stamp.display()))
}

/// The host's binary, as [`build`] leaves it.
pub(crate) fn host(tree: &Tree) -> PathBuf {
    tree.target("debug/bodega")
}

/// A cargo invocation for all guests at once.
pub(crate) fn guest_cargo(tree: &Tree, verb: &str, guests: &[Guest]) -> Command {
    let mut command = cargo();
    command
        .args([verb, "--profile", "guest", "--target", TRIPLE, "--lib"])
        .current_dir(tree.root());
    for guest in guests {
        command.args(["--package", &guest.name]);
    }
    command
}

/// Makes the final artefact of one guest, unless it is there and nothing it is made of is newer.
fn finish(tree: &Tree, guest: &Guest) -> Result<()> {
    let plugs = guest.plugs.iter().map(|plug| raw(tree, plug)).collect();
    compose(tree, &raw(tree, &guest.name), plugs, &artefact(tree, &guest.name))
}

/// Makes the artefact with everything in it that the manifest would put in.
fn complete(tree: &Tree, guest: &Guest) -> Result<()> {
    let parts = guest.whole.iter().map(|part| artefact(tree, part)).collect();
    let done = artefact(tree, &format!("{}-whole", guest.name));
    compose(tree, &artefact(tree, &guest.name), parts, &done)
}

/// Makes the artefact for where some domains are deployed on their own: adapters take their place.
fn make_remote(tree: &Tree, guest: &Guest) -> Result<()> {
    let parts = guest.remote.iter().map(|part| artefact(tree, part)).collect();
    let done = artefact(tree, &format!("{}-remote", guest.name));
    compose(tree, &raw(tree, &guest.name), parts, &done)
}

pub(crate) fn compose(tree: &Tree, socket: &Path, plugs: Vec<PathBuf>, done: &Path) -> Result<()> {
    // Another host may compose differently.
    let composer = (!plugs.is_empty()).then(|| host(tree));
    let inputs = [socket.to_owned()].into_iter().chain(plugs.iter().cloned());
    let inputs: Vec<PathBuf> = inputs.chain(composer).collect();
    if is_fresh(done, inputs.iter())? {
        return Ok(());
    }
    let part = done.with_extension("wasm.part");
    if plugs.is_empty() {
        fs::copy(socket, &part)?;
    } else {
        let mut command = Command::new(host(tree));
        command.arg("compose").arg(socket);
        for plug in &plugs {
            command.arg("--plug").arg(plug);
        }
        run(command.arg("-o").arg(&part))?;
    }
    if replace(&part, done)? {
        note(&format!("{}", done.display()));
    }
    Ok(())
}

pub(crate) fn artefact(tree: &Tree, name: &str) -> PathBuf {
    tree.target(&format!("components/{name}.wasm"))
}

pub(crate) fn raw(tree: &Tree, name: &str) -> PathBuf {
    tree.target(&format!("{TRIPLE}/guest/{}.wasm", name.replace('-', "_")))
}

/// Whether `done` exists and is no older than all of `inputs`.
pub(crate) fn is_fresh<'a>(done: &Path, inputs: impl Iterator<Item = &'a PathBuf>) -> Result<bool> {
    let Some(made) = modified(done)? else {
        return Ok(false);
    };
    for input in inputs {
        let changed = modified(input)?.with_context(|| format!("there is no {}", input.display()))?;
        if changed > made {
            return Ok(false);
        }
    }
    Ok(true)
}

fn modified(path: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not look at {}", path.display())),
    }
}

/// Puts `part` in the place of `done`; answers whether that changed anything.
fn replace(part: &Path, done: &Path) -> Result<bool> {
    let made = fs::metadata(part)?.modified()?;
    if fs::read(done).is_ok_and(|old| fs::read(part).is_ok_and(|new| old == new)) {
        File::options().write(true).open(done)?.set_modified(made)?;
        fs::remove_file(part)?;
        return Ok(false);
    }
    fs::rename(part, done)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_artefact_is_made_again_when_an_input_is_newer() {
        let dir = tempfile::tempdir().unwrap();
        let (done, input) = (dir.path().join("done"), dir.path().join("input"));
        fs::write(&input, "1").unwrap();
        assert!(!is_fresh(&done, [&input].into_iter()).unwrap());
        fs::write(&done, "1").unwrap();
        assert!(is_fresh(&done, [&input].into_iter()).unwrap());
        let later = fs::metadata(&done).unwrap().modified().unwrap() + Duration::from_secs(1);
        File::options()
            .write(true)
            .open(&input)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(!is_fresh(&done, [&input].into_iter()).unwrap());
    }

    #[test]
    fn an_artefact_is_left_alone_when_its_content_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let (done, part) = (dir.path().join("done"), dir.path().join("part"));
        for (content, changes) in [("1", true), ("1", false), ("2", true)] {
            fs::write(&part, content).unwrap();
            assert_eq!(replace(&part, &done).unwrap(), changes);
            assert_eq!(fs::read_to_string(&done).unwrap(), content);
            assert!(!part.exists());
        }
    }
}
