//! `cargo xtask spin-profile`: the manifests that `deploy/push.sh` pushes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use deploy::{Part, profile};

use crate::run::note;
use crate::tree::Tree;

/// Which part of the shop, and where its manifest goes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What the application answers: requests, or events
    #[arg(long, value_enum)]
    part: Kind,
    /// The manifest it is made of
    #[arg(long, default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Http,
    Consumer,
}

/// Writes the profile; relative paths are those of the tree's root.
pub(crate) fn write(tree: &Tree, arguments: &Arguments) -> Result<()> {
    let (from, out) = (
        tree.root().join(&arguments.from),
        tree.root().join(&arguments.out),
    );
    let text = fs::read_to_string(&from).with_context(|| format!("could not read {}", from.display()))?;
    let part = match arguments.part {
        Kind::Http => Part::Http,
        Kind::Consumer => Part::Consumer,
    };
    let made = profile(&text, part, folder(&from), folder(&out))
        .with_context(|| format!("could not make a profile of {}", from.display()))?;
    fs::create_dir_all(folder(&out)).with_context(|| format!("could not make {}", folder(&out).display()))?;
    fs::write(&out, made).with_context(|| format!("could not write {}", out.display()))?;
    note(&format!("{}", out.display()));
    Ok(())
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}
