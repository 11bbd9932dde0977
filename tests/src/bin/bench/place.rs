//! The temporary folder of a run, and the shops in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use tempfile::TempDir;
use tests::{Shop, audit, workspace};

/// Pieces added to product 1: more than any run can sell.
const ADDED: i64 = 1_000_000;

/// Takes the place of a correction by hand, history included, so that the audit goes on adding up.
const RESTOCK: &str = "
    update stock_level set on_hand = on_hand + ?1 where sku_id = 1;
    insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
    select sku_id, number + 1, 'MANUAL', null, ?1, on_hand + ?1, reserved, at + 1
      from stock_history where sku_id = 1 order by number desc limit 1;";

/// The shop's components but the one that works by itself; without it no events come either.
const QUIET: [&str; 9] = [
    "gateway",
    "account",
    "product",
    "stock",
    "payment",
    "cart",
    "order",
    "settlement",
    "api-docs",
];

/// Where a run keeps compiled components, manifests and counters, away from everybody else's.
pub(crate) struct Place {
    folder: TempDir,
    host: PathBuf,
}

impl Place {
    /// An empty place with no compiled component, for the host that `up` starts or another build of it.
    pub(crate) fn make(host: Option<PathBuf>) -> Result<Self> {
        let place = Self {
            folder: tempfile::tempdir()?,
            host: match host {
                Some(path) => path.canonicalize()?,
                None => workspace().join("target/debug/bodega"),
            },
        };
        let config = format!("[cache]\ndirectory = {:?}\n", place.compiled());
        fs::write(place.cache_config(), config)?;
        Ok(place)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The host's binary.
    pub(crate) fn host(&self) -> &Path {
        &self.host
    }

    /// Makes the next start a cold one.
    pub(crate) fn forget_compiled(&self) -> Result<()> {
        match fs::remove_dir_all(self.compiled()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("could not empty the compile cache")
            }
            _ => Ok(()),
        }
    }

    /// The shop, with no data and not started.
    pub(crate) fn shop(&self) -> Result<Shop> {
        self.shop_with(&[])
    }

    /// The shop, running, with a million pieces of product 1.
    pub(crate) async fn stocked_shop(&self) -> Result<Shop> {
        self.stocked_shop_with(&[]).await
    }

    /// The same with more flags for the host.
    pub(crate) async fn stocked_shop_with(&self, flags: &[&str]) -> Result<Shop> {
        stocked(self.shop_with(flags)?).await
    }

    /// The same without jobs and events: nothing happens in it that nobody asked for.
    pub(crate) async fn quiet_shop(&self) -> Result<Shop> {
        let asked = QUIET.iter().flat_map(|id| ["--component-id", *id]);
        stocked(self.shop_with(&asked.collect::<Vec<_>>())?).await
    }

    /// The shop, with no data and not started, with more flags for the host.
    pub(crate) fn shop_with(&self, flags: &[&str]) -> Result<Shop> {
        let stats = self.stats_file();
        let mut all = vec![
            "--variable",
            "rate_limit_per_minute=0",
            "--stats-file",
            text(&stats)?,
        ];
        all.extend(flags);
        self.prepare(&workspace().join("spin.toml"), &all)
    }

    /// Another application in the same host, not started.
    pub(crate) fn application(&self, manifest: &str) -> Result<Shop> {
        let path = self.path().join("spin.toml");
        fs::write(&path, manifest)?;
        self.prepare(&path, &[])
    }

    /// Where shops write their counters.
    pub(crate) fn stats_file(&self) -> PathBuf {
        self.path().join("stats.json")
    }

    fn prepare(&self, manifest: &Path, flags: &[&str]) -> Result<Shop> {
        let cache = self.cache_config();
        let mut all = vec!["--cache", text(&cache)?];
        all.extend(flags);
        Ok(Shop::prepare(manifest, &all)?.hosted_by(&self.host))
    }

    fn compiled(&self) -> PathBuf {
        self.path().join("compiled")
    }

    fn cache_config(&self) -> PathBuf {
        self.path().join("cache.toml")
    }
}

/// Starts a shop that was never started, and fills its shelves.
async fn stocked(mut shop: Shop) -> Result<Shop> {
    shop.resume()?;
    // The first question lays out the tables.
    first_page(&shop).await?;
    stop(&mut shop)?;
    restock(&shop.folder().join("stock.db"))?;
    shop.resume()?;
    first_page(&shop).await?;
    Ok(shop)
}

/// Asks for a product's page: the shop serves.
pub(crate) async fn first_page(shop: &Shop) -> Result<()> {
    let page = shop.visitor().get("/products/1").await?;
    ensure!(page.status == 200, "GET /products/1 answered {page:?}");
    Ok(())
}

/// Stops a shop that sold something, and fails if it lost count.
pub(crate) fn close(mut shop: Shop) -> Result<()> {
    stop(&mut shop)?;
    let broken = audit(shop.folder())?;
    ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    Ok(())
}

/// Stops a shop, and fails if it does not end in order.
pub(crate) fn stop(shop: &mut Shop) -> Result<()> {
    let ended = shop.stop()?;
    ensure!(ended.success(), "the host ended with {ended}:\n{}", shop.logged());
    Ok(())
}

fn restock(database: &Path) -> Result<()> {
    let stock = Connection::open(database)?;
    let work = stock.unchecked_transaction()?;
    for statement in RESTOCK.split_inclusive(';') {
        let changed = work.execute(statement, [ADDED])?;
        ensure!(changed == 1, "product 1 has no stock of its own: {statement}");
    }
    Ok(work.commit()?)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
