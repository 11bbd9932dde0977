//! Where things are in this repository.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The repository, and the directory that cargo builds into.
pub(crate) struct Tree {
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// The tree that this xtask was compiled from.
    pub(crate) fn here() -> Result<Tree> {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_dir
            .ancestors()
            .nth(2)
            .context("xtask is not in crates/xtask")?
            .to_path_buf();
        // Cargo resolves a relative CARGO_TARGET_DIR against the working directory; so do we.
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
            Some(chosen) => env::current_dir()?.join(chosen),
            None => root.join("target"),
        };
        Ok(Tree { root, target })
    }

    /// A path below the repository's root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The root itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below cargo's target directory.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }
}

/// The cargo that started us, so that its toolchain is used throughout, but without what it told us about this
/// crate: build scripts of others look at that, and would be run anew whenever cargo is called by hand in between.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let told = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_"));
        if told {
            command.env_remove(name);
        }
    }
    command
}

/// The compiler that cargo will use.
pub(crate) fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}
