//! The application that the shop's pages are measured against.

use anyhow::{Context, Result, ensure};
use tests::{Shop, workspace};

use crate::place::Place;

/// Starts it in the host that also serves the shop.
pub(crate) fn start(place: &Place) -> Result<Shop> {
    let components = workspace().join("target/components");
    ensure!(
        components.join("hello.wasm").exists(),
        "{}/hello.wasm is missing: run `cargo xtask build`",
        components.display()
    );
    let folder = components.to_str().context("the workspace's path is not UTF-8")?;
    let mut bare = place.application(&include_str!("bare.toml").replace("COMPONENTS", folder))?;
    bare.resume()?;
    Ok(bare)
}
