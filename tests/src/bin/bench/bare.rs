//! The applications that the shop's pages are measured against.

use anyhow::{Context, Result, ensure};
use tests::{Shop, workspace};

use crate::place::Place;

/// Starts the barest component, alone and behind the shop's gateway, in the host that also serves the shop.
pub(crate) fn start(place: &Place) -> Result<Shop> {
    start_of(place, include_str!("bare.toml"))
}

/// Starts the products' component without a gateway.
pub(crate) fn start_direct(place: &Place) -> Result<Shop> {
    start_of(place, include_str!("direct.toml"))
}

fn start_of(place: &Place, manifest: &str) -> Result<Shop> {
    let components = workspace().join("target/components");
    ensure!(
        components.join("hello.wasm").exists(),
        "{}/hello.wasm is missing: run `cargo xtask build`",
        components.display()
    );
    let folder = components.to_str().context("the workspace's path is not UTF-8")?;
    let mut application = place.application(&manifest.replace("COMPONENTS", folder))?;
    application.resume()?;
    Ok(application)
}
