//! Three apps in three processes, each with its own folder of databases.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use store::params;
use tempfile::TempDir;
use tests::{Client, Reply, Shop, token_of, workspace};
use web::Role;

use crate::way::{Mode, Way};

/// Longer than an order's lease, after which the job takes it up, and many times what the job then needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The databases, and in whose folder each must be.
const SHOP: [&str; 5] = ["account", "product", "order", "cart", "settlement"];
const STOCK: [&str; 1] = ["stock"];
const PAYMENT: [&str; 2] = ["payment", "pg"];

/// The file in an app's folder that names its databases, where they are not files beside it (tests/src/books.rs).
const NAMES: &str = "databases.toml";

/// The lines of an app's [`NAMES`] that are about its own databases; none where these are files.
fn names_of(folder: &Path, labels: &[&str]) -> String {
    let names = std::fs::read_to_string(folder.join(NAMES)).unwrap_or_default();
    let is_own = |line: &&str| {
        let label = line.split_once("_database = ").map(|(label, _)| label);
        label.is_some_and(|label| labels.contains(&label))
    };
    names
        .lines()
        .filter(is_own)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The shop, the stock and the payments, and the ways between them.
pub(crate) struct Town {
    pub(crate) shop: Shop,
    pub(crate) stock: Shop,
    pub(crate) payment: Shop,
    pub(crate) to_stock: Way,
    pub(crate) to_payment: Way,
    /// All databases side by side, for those who check the books.
    books: TempDir,
}

impl Town {
    /// Starts all three on fresh data.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with rules for the payment gateway.
    pub(crate) fn start_with(flags: &[&str]) -> Result<Self> {
        let manifest = |name: &str| workspace().join(format!("deploy/remote/{name}.toml"));
        let (to_stock, to_payment) = (Way::new(), Way::new());
        let urls = [
            format!("stock_url={}", to_stock.url()),
            format!("payment_url={}", to_payment.url()),
        ];
        let town_flags = ["--variable", &urls[0], "--variable", &urls[1]];
        let books = tempfile::tempdir()?;
        let mut town = Self {
            shop: Shop::prepare(&manifest("order"), &town_flags)?,
            stock: Shop::prepare(&manifest("stock"), &[])?,
            payment: Shop::prepare(&manifest("payment"), flags)?,
            to_stock,
            to_payment,
            books,
        };
        town.resume_stock()?;
        town.resume_payment()?;
        town.shop.resume()?;
        town.bind_books()?;
        Ok(town)
    }

    /// Starts the stock again, at another address; the way leads there.
    pub(crate) fn resume_stock(&mut self) -> Result<()> {
        self.stock.resume()?;
        self.to_stock.lead_to(&self.stock.visitor().url());
        Ok(())
    }

    /// The same for the payments.
    pub(crate) fn resume_payment(&mut self) -> Result<()> {
        self.payment.resume()?;
        self.to_payment.lead_to(&self.payment.visitor().url());
        Ok(())
    }

    fn bind_books(&self) -> Result<()> {
        let mut names = String::new();
        for (app, labels) in [
            (&self.shop, &SHOP[..]),
            (&self.stock, &STOCK[..]),
            (&self.payment, &PAYMENT[..]),
        ] {
            for label in labels {
                let file = format!("{label}.db");
                symlink(app.folder().join(&file), self.books.path().join(&file))?;
            }
            names += &names_of(app.folder(), labels);
        }
        if !names.is_empty() {
            std::fs::write(self.books.path().join(NAMES), names)?;
        }
        Ok(())
    }

    /// No app has a database that is another's.
    pub(crate) fn assert_apart(&self) {
        let foreign = |app: &Shop, own: &[&str]| {
            let all = SHOP.iter().chain(&STOCK).chain(&PAYMENT);
            let mut foreign = all.filter(|label| !own.contains(label));
            foreign.find(|label| app.folder().join(format!("{label}.db")).exists())
        };
        assert_eq!(foreign(&self.shop, &SHOP), None);
        assert_eq!(foreign(&self.stock, &STOCK), None);
        assert_eq!(foreign(&self.payment, &PAYMENT), None);
    }

    /// Puts many more pieces of a product into the house. The first look at it makes the tables.
    pub(crate) async fn stock_up(&self, product: u64) -> Result<()> {
        self.shop.visitor().stock(product).await?;
        tests::stock_up(self.stock.folder(), product, 10_000)
    }

    /// A customer who is known by the token alone.
    pub(crate) fn customer(&self, number: u64) -> Client {
        let visitor = self.shop.visitor();
        visitor.with_token(&token_of(1_000 + number, Role::User))
    }

    /// Orders two pieces of a product by card, under a key.
    pub(crate) async fn checkout(&self, customer: &Client, product: u64, key: &str) -> Result<Reply> {
        let body = json!({"productId": product, "quantity": 2, "paymentMethod": "CARD"});
        customer.post_once("/orders", key, &body).await
    }

    /// Everything happens as usual again.
    pub(crate) fn calm_down(&self) {
        self.to_stock.becomes(Mode::Open);
        self.to_payment.becomes(Mode::Open);
    }

    /// Waits until every order has ended and every event has arrived, and fails with what is wrong in the books if that does not
    /// come to be.
    pub(crate) async fn assert_sound_in_the_end(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut broken = tests::audit(self.books.path())?;
            broken.extend(tests::audit_events(self.books.path())?);
            if broken.is_empty() {
                return Ok(());
            }
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "after {waited:?}:\n{}", broken.join("\n"));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Pieces of a SKU in the house and held, as the stock's own book says.
    pub(crate) fn level(&self, sku: i64) -> Result<(i64, i64)> {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
        let now = i64::try_from(now)?;
        let level = "select on_hand, (select coalesce(sum(quantity), 0) from reservation_line
                       where sku_id = ?1 and held_until > ?2) as reserved
                       from stock_level where sku_id = ?1";
        tests::with_database(self.books.path(), "stock", |stock| {
            let row = stock.read_one(level, params![sku, now])?.context("no such SKU")?;
            Ok((row.get("on_hand")?, row.get("reserved")?))
        })
    }

    /// How much money was taken and not given back, as the payments' own book says.
    pub(crate) fn money_kept(&self) -> Result<i64> {
        let kept = "select coalesce(sum(amount_minor), 0) - (select coalesce(sum(amount_minor), 0)
                      from refund where state = 'DONE') as kept from payment where state = 'CAPTURED'";
        tests::with_database(self.books.path(), "payment", |payment| {
            let row = payment.read_one(kept, params![])?.context("a sum is a row")?;
            Ok(row.get("kept")?)
        })
    }
}
