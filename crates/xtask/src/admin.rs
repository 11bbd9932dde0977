//! `cargo xtask admin create`: `bodega admin create` with the keys of the shop that `up` runs here.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use crate::data;
use crate::tree::Tree;
use crate::up;

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Make an account with the role ADMIN, or give the role to the one with this e-mail
    ///
    /// The password is asked for on a terminal, or read as the first line of the standard input. An account
    /// that is there already keeps its own.
    Create {
        /// The e-mail to log in with
        #[arg(long)]
        email: String,
        /// How the person is called
        #[arg(long, default_value = "Admin")]
        name: String,
        /// Where the shop is; with http:// the key of the internal routes goes there in the clear
        #[arg(long, default_value = "http://127.0.0.1:3000")]
        url: String,
        /// The directory that `up` was given, with the shop's keys
        #[arg(long, default_value = up::STATE_DIR)]
        state_dir: PathBuf,
    },
}

pub(crate) fn run(tree: &Tree, action: Action) -> Result<()> {
    let Action::Create {
        email,
        name,
        url,
        state_dir,
    } = action;
    let secrets = data::located(tree, &state_dir)?.join("secrets.toml");
    ensure!(
        secrets.exists(),
        "there are no keys in {}; start the shop with `cargo xtask up`, or name its --state-dir",
        secrets.display()
    );
    let bodega = tree.target("debug/bodega");
    let status = Command::new(&bodega)
        .args([
            "admin", "create", "--email", &email, "--name", &name, "--url", &url,
        ])
        .arg("--secrets")
        .arg(&secrets)
        .status()
        .with_context(|| {
            format!(
                "could not start {}; `cargo xtask build` makes it",
                bodega.display()
            )
        })?;
    ensure!(status.success(), "no admin was made");
    Ok(())
}
