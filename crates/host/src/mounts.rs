//! The files of the manifest, as folders a guest may read.
//!
//! Spin copies what a pattern matches into a folder of its own and shows that as `/`; so do we,
//! below the state directory.

use manifest::{Component, FileMount};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// One folder of this machine that a guest may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) source: PathBuf,
    pub(crate) destination: String,
}

/// A temporary folder that goes with its owner.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder that nobody else has.
    pub(crate) fn new() -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("bodega-{process}-{count}"));
        // Whatever has that name was left behind by a process that is gone.
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, path = %self.0.display(), "cannot remove a temporary folder");
        }
    }
}

/// Why files cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The pattern is no glob.
    #[error("`{pattern}` is no file pattern")]
    Pattern {
        /// As the manifest writes it.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A file or folder cannot be read or copied.
    #[error("cannot mount {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Prepares the mounts of one component below `assets`, which is emptied first.
pub(crate) fn prepare(
    component: &Component,
    manifest_dir: &Path,
    assets: &Path,
) -> Result<Vec<Mount>, MountError> {
    if component.files.is_empty() {
        return Ok(Vec::new());
    }
    let excluded = excluded(component, manifest_dir)?;
    let root = assets.join(&component.id);
    if root.exists() {
        std::fs::remove_dir_all(&root).map_err(|source| io(&root, source))?;
    }
    let mut mounts = BTreeSet::new();
    for file in &component.files {
        match file {
            FileMount::Pattern(pattern) => {
                for path in matching(pattern, manifest_dir)? {
                    let below = path.strip_prefix(manifest_dir).unwrap_or(&path);
                    place(&path, &root.join("patterns").join(below), &excluded)?;
                }
                mounts.insert((root.join("patterns"), "/".to_owned()));
            }
            FileMount::Directory { source, destination } => {
                if !source.is_dir() {
                    return Err(io(source, std::io::ErrorKind::NotADirectory.into()));
                }
                let target = root.join("folders").join(destination.trim_matches('/'));
                place(source, &target, &excluded)?;
                mounts.insert((target, destination.clone()));
            }
        }
    }
    let mounts = mounts.into_iter().map(|(source, destination)| {
        std::fs::create_dir_all(&source).map_err(|error| io(&source, error))?;
        Ok(Mount { source, destination })
    });
    mounts.collect()
}

fn excluded(component: &Component, manifest_dir: &Path) -> Result<BTreeSet<PathBuf>, MountError> {
    let mut excluded = BTreeSet::new();
    for pattern in &component.exclude_files {
        excluded.extend(matching(pattern, manifest_dir)?);
    }
    Ok(excluded)
}

fn matching(pattern: &str, dir: &Path) -> Result<Vec<PathBuf>, MountError> {
    let whole = format!("{}/{pattern}", glob::Pattern::escape(&dir.to_string_lossy()));
    let paths = glob::glob(&whole).map_err(|source| MountError::Pattern {
        pattern: pattern.to_owned(),
        source,
    })?;
    paths
        .map(|path| path.map_err(|error| io(&PathBuf::from(error.path()), error.into())))
        .collect()
}

/// Copies a file, or all files of a folder.
fn place(source: &Path, target: &Path, excluded: &BTreeSet<PathBuf>) -> Result<(), MountError> {
    if excluded.contains(source) {
        return Ok(());
    }
    if source.is_dir() {
        let entries = std::fs::read_dir(source).map_err(|error| io(source, error))?;
        for entry in entries {
            let path = entry.map_err(|error| io(source, error))?.path();
            if let Some(name) = path.file_name() {
                place(&path, &target.join(name), excluded)?;
            }
        }
        return Ok(());
    }
    if target.exists() {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    }
    std::fs::copy(source, target)
        .map(drop)
        .map_err(|error| io(source, error))
}

fn io(path: &Path, source: std::io::Error) -> MountError {
    MountError::Io {
        path: path.to_owned(),
        source,
    }
}
