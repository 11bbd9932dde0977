//! The temporary folder of a run, and the shops in it.

use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use serde::Serialize;
use tempfile::TempDir;
use tests::{Shop, audit, cost_flags, workspace};

/// Pieces added to product 1: more than any run can sell.
const ADDED: i64 = 1_000_000;

/// Takes the place of a correction by hand, history included, so that the audit goes on adding up.
const RESTOCK: &str = "
    update stock_level set on_hand = on_hand + ?1 where sku_id = 1;
    insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
    select sku_id, number + 1, 'MANUAL', null, ?1, on_hand + ?1, reserved, at + 1
      from stock_history where sku_id = 1 order by number desc limit 1;";

/// The products that a market has beside the seeded ones. Each has one SKU, and both have this number, which is its
/// price as well; all have six digits.
pub(crate) const MARKET: Range<u32> = 100_000..110_000;

/// Fills a market's shelves; a million pieces of everything.
pub(crate) const PRODUCTS: &str = "
    with recursive number (n) as (values (?1) union all select n + 1 from number where n + 1 < ?2)
    insert into product (product_id, name, name_folded, category_id, price_minor, currency, status)
    select n, '시장 상품 ' || n, '시장 상품 ' || n, 1 + n % 3, n, 'KRW', 'ON_SALE' from number;
    insert into sku (sku_id, product_id)
    select product_id, product_id from product where product_id >= ?1 and product_id < ?2;";
/// The same for the stock.
pub(crate) const PIECES: &str = "
    with recursive number (n) as (values (?1) union all select n + 1 from number where n + 1 < ?2)
    insert into stock_level (sku_id, on_hand) select n, 1000000 from number;
    insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
    select sku_id, 1, 'INITIAL', null, on_hand, on_hand, 0, 1767225600000000
      from stock_level where sku_id >= ?1 and sku_id < ?2;";

/// How long a shop that was flooded may take until nothing is left to do.
const REST: Duration = Duration::from_secs(120);

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
        self.stocked_shop_with(&cost_flags()).await
    }

    /// A shop with 10,000 products more, and a million pieces of each.
    pub(crate) async fn market(&self, flags: &[&str]) -> Result<Shop> {
        let shop = self.shop_with(flags)?;
        filled(shop, |folder| {
            restock(&folder.join("stock.db"))?;
            fill(folder)
        })
        .await
    }

    /// The shop, with no data and not started, with more flags for the host.
    pub(crate) fn shop_with(&self, flags: &[&str]) -> Result<Shop> {
        let stats = self.stats_file();
        let mut all = vec![
            "--variable",
            "rate_limit_per_minute=0",
            "--variable",
            "login_limit_per_minute=0",
            "--variable",
            "password_checks_per_minute=0",
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
async fn stocked(shop: Shop) -> Result<Shop> {
    filled(shop, |folder| restock(&folder.join("stock.db"))).await
}

async fn filled(mut shop: Shop, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Shop> {
    shop.resume()?;
    // The first question lays out the tables.
    first_page(&shop).await?;
    stop(&mut shop)?;
    fill(shop.folder())?;
    shop.resume()?;
    first_page(&shop).await?;
    Ok(shop)
}

/// Puts the market's products into the databases of a shop that has tables and does not run.
pub(crate) fn fill(folder: &Path) -> Result<()> {
    for (label, script) in [("product", PRODUCTS), ("stock", PIECES)] {
        let database = Connection::open(folder.join(format!("{label}.db")))?;
        let work = database.unchecked_transaction()?;
        for statement in script.split_inclusive(';') {
            let changed = work.execute(statement, [MARKET.start, MARKET.end])?;
            ensure!(changed == MARKET.len(), "{changed} rows by {statement}");
        }
        work.commit()?;
    }
    Ok(())
}

/// Asks for a product's page: the shop serves.
pub(crate) async fn first_page(shop: &Shop) -> Result<()> {
    let page = shop.visitor().get("/products/1").await?;
    ensure!(page.status == 200, "GET /products/1 answered {page:?}");
    Ok(())
}

/// Waits until everything that was begun has been brought to its end.
pub(crate) async fn at_rest(shop: &Shop) -> Result<Duration> {
    let started = Instant::now();
    let orders = Connection::open(shop.folder().join("order.db"))?;
    orders.busy_timeout(Duration::from_secs(10))?;
    loop {
        let left = "select count(*) from order_work where kind not in ('AWAIT', 'FINISH')";
        let left: i64 = orders.query_row(left, [], |row| row.get(0))?;
        if left == 0 {
            return Ok(started.elapsed());
        }
        ensure!(
            started.elapsed() < REST,
            "after {REST:?} {left} orders are not at their end"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Stops a shop that sold something, and fails if it lost count.
pub(crate) async fn close(mut shop: Shop) -> Result<Audited> {
    let rest = at_rest(&shop).await?;
    stop(&mut shop)?;
    let started = Instant::now();
    let broken = audit(shop.folder())?;
    ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    let orders = Connection::open(shop.folder().join("order.db"))?;
    let paid = "select count(*) from customer_order where state = 'PAID'";
    let paid: i64 = orders.query_row(paid, [], |row| row.get(0))?;
    Ok(Audited {
        paid: usize::try_from(paid)?,
        rest_s: rest.as_secs_f64(),
        audit_s: started.elapsed().as_secs_f64(),
    })
}

/// A shop in which nothing was found broken.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Audited {
    /// Orders that are PAID.
    pub(crate) paid: usize,
    /// How long it took until nothing was left to do.
    pub(crate) rest_s: f64,
    /// How long looking took.
    pub(crate) audit_s: f64,
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            paid,
            rest_s,
            audit_s,
        } = self;
        write!(
            f,
            "nothing broken in the audit of {paid} paid orders ({audit_s:.1} s; at rest after {rest_s:.1} s)"
        )
    }
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
