//! One release takes the place of another while the shop sells, and is taken back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use testkit::servers::Sync;
use tests::{Bus, Servers, Shop, workspace};

use crate::buyers::Buyers;

/// Each release for at least so long on its own.
const PAUSE: Duration = Duration::from_secs(2);

/// The shop's manifest with the components that stand for the next release (`crates/xtask/src/variant.rs`).
fn next_release(folder: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(workspace().join("spin.toml"))?;
    let components = workspace().join("target/next");
    ensure!(
        components.join("order.wasm").exists(),
        "the next release is missing: run `cargo xtask test`"
    );
    let manifest = folder.join("next.toml");
    let from = "\"target/components/";
    ensure!(text.contains(from), "the manifest names its components otherwise");
    let next = text.replace(from, &format!("\"{}/", components.display()));
    std::fs::write(&manifest, next)?;
    Ok(manifest)
}

/// As a rolling upgrade without unavailable replicas does it: the new ones come first, then the old ones go.
fn replace(shop: &mut Shop, old: [usize; 2], manifest: &Path) -> Result<[usize; 2]> {
    shop.set_manifest(manifest);
    let new = [shop.grow()?, shop.grow()?];
    std::thread::sleep(PAUSE);
    for place in old {
        let ended = shop.retire(place)?;
        ensure!(ended.success(), "a replica ended with {ended}");
    }
    std::thread::sleep(PAUSE);
    Ok(new)
}

/// How many migrations a database has.
fn schema(shop: &Shop, label: &str) -> Result<u32> {
    tests::with_database(shop.folder(), label, |database| Ok(database.schema()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_replaced_and_taken_back_while_the_shop_sells() -> Result<()> {
    let Some(servers) = Servers::shared(Sync::Off, Bus::Redis) else {
        return Ok(());
    };
    let mut shop = crate::start(servers, 2).await?;
    let (now, next) = (workspace().join("spin.toml"), next_release(shop.folder())?);
    let labels = ["order", "payment", "pg", "stock", "settlement"];
    let buyers = Buyers::at(&shop);
    tokio::time::sleep(PAUSE).await;
    let before = labels.map(|label| schema(&shop, label));
    let new = tokio::task::block_in_place(|| replace(&mut shop, [0, 1], &next))?;
    for (label, before) in labels.into_iter().zip(before) {
        ensure!(schema(&shop, label)? == before? + 1, "{label} was not migrated");
    }
    tokio::task::block_in_place(|| replace(&mut shop, new, &now))?;
    let sold = buyers.stop().await?;
    crate::assert_sound(&shop).await?;
    let told = sold.compare(&shop)?;
    tests::say(&format!("upgraded and taken back while selling: {told}"));
    let sent_away = sold.sent_away();
    ensure!(
        sent_away.is_empty(),
        "{} answers sent a customer away:\n{}",
        sent_away.len(),
        sent_away.join("\n")
    );
    Ok(())
}
