//! `cargo xtask clean-data`: a shop without a past. Keys and compiled components stay.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::note;
use crate::tree::Tree;

/// Removes the databases in `state_dir`, unless a process has one of them open.
pub(crate) fn clean(tree: &Tree, state_dir: &Path) -> Result<()> {
    let dir = located(tree, state_dir)?;
    let files = databases(&dir)?;
    if files.is_empty() {
        note(&format!("there are no databases in {}", dir.display()));
        return Ok(());
    }
    if let Some((process, file)) = opened(&files) {
        bail!(
            "process {process} has {} open; stop the shop first",
            file.display()
        );
    }
    for file in &files {
        note(&format!("removing {}", file.display()));
        fs::remove_file(file).with_context(|| format!("could not remove {}", file.display()))?;
    }
    Ok(())
}

/// Where `--state-dir` is: the shop's own below the tree, any other from where we were started.
pub(crate) fn located(tree: &Tree, state_dir: &Path) -> Result<PathBuf> {
    Ok(if state_dir == Path::new(crate::up::STATE_DIR) {
        tree.path(crate::up::STATE_DIR)
    } else {
        std::env::current_dir()?.join(state_dir)
    })
}

/// Databases below `dir`, each with the files SQLite keeps beside it.
fn databases(dir: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if is_database(&entry.file_name().to_string_lossy()) {
                found.insert(entry.path());
            }
        }
    }
    Ok(found)
}

fn is_database(name: &str) -> bool {
    [".db", ".db-wal", ".db-shm", ".db-journal"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// A process that has one of `files` open, as far as we may look into others.
fn opened(files: &BTreeSet<PathBuf>) -> Option<(String, PathBuf)> {
    let real: BTreeSet<PathBuf> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(handles) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        for handle in handles.flatten() {
            if let Some(file) = fs::read_link(handle.path())
                .ok()
                .filter(|file| real.contains(file))
            {
                return Some((process.file_name().to_string_lossy().into_owned(), file));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_go_and_everything_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "stock.db",
            "stock.db-wal",
            "stock.db-shm",
            "secrets.toml",
            "notes.dbx",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        clean(&Tree::here().unwrap(), dir.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["notes.dbx", "secrets.toml"]);
    }

    #[test]
    fn a_database_in_use_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stock.db");
        let held = fs::File::create(&path).unwrap();
        let error = clean(&Tree::here().unwrap(), dir.path()).unwrap_err().to_string();
        assert!(error.contains("stop the shop first"), "{error}");
        assert!(path.exists());
        drop(held);
        clean(&Tree::here().unwrap(), dir.path()).unwrap();
        assert!(!path.exists());
    }
}
