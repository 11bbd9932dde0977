//! A small shop to ask: products in one database, the real stock in another.

#![allow(dead_code, reason = "each suite takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use ::store::{Db, DbError, params};
use kernel::{Instant, OrderId, ProductId, SkuId};
use product::app::{Levels, LevelsError};
use product::domain::fold;
use product::store::{MIGRATIONS, Store};
use store_suite::database;

pub(crate) const NOW: Instant = Instant::from_micros(10);
pub(crate) const LATER: Instant = Instant::from_micros(100);

pub(crate) fn product(number: u64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

pub(crate) fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

/// The stock component's own code over its own database.
pub(crate) struct RealStock(stock::store::Store);

impl RealStock {
    /// The seeded stock.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// The seeded stock and so many pieces of further SKUs.
    pub(crate) fn with(further: &[(u64, u32)]) -> Self {
        let db = database::fresh(stock::store::MIGRATIONS).unwrap();
        db.transaction(|tx| {
            for &(number, on_hand) in further {
                tx.execute(
                    "insert into stock_level values (?1, ?2)",
                    params![sku(number), on_hand],
                )?;
            }
            Ok::<_, DbError>(())
        })
        .unwrap();
        Self(stock::store::Store::new(db))
    }

    /// Sets pieces aside, as an order does.
    pub(crate) fn reserve(&self, number: u64, pieces: u32) {
        let order = OrderId::try_new(number).unwrap();
        stock::app::reserve(&self.0, order, &[(sku(number), pieces)], LATER, NOW).unwrap();
    }
}

impl Levels for RealStock {
    fn free(&self, skus: &[SkuId]) -> Result<Vec<u32>, LevelsError> {
        match stock::app::level(&self.0, skus, NOW) {
            Ok(levels) => Ok(levels.iter().map(stock::domain::Level::free).collect()),
            Err(stock::app::LevelError::UnknownSku(sku)) => Err(LevelsError::UnknownSku(sku)),
            Err(error) => Err(LevelsError::Unavailable(error.to_string())),
        }
    }
}

/// A stock that does not answer.
pub(crate) struct NoStock;

impl Levels for NoStock {
    fn free(&self, _: &[SkuId]) -> Result<Vec<u32>, LevelsError> {
        Err(LevelsError::Unavailable("gone".to_owned()))
    }
}

/// One more product in category 1, with these SKUs.
pub(crate) fn add(
    db: &Db,
    number: u64,
    name: &str,
    price: i64,
    status: &str,
    skus: &[u64],
) -> Result<(), DbError> {
    db.transaction(|tx| {
        let statement = "insert into product values (?1, ?2, ?3, 1, ?4, 'KRW', ?5)";
        tx.execute(
            statement,
            params![product(number), name, fold(name), price, status],
        )?;
        for &number_of_sku in skus {
            let params = params![sku(number_of_sku), product(number)];
            tx.execute("insert into sku values (?1, ?2)", params)?;
        }
        Ok(())
    })
}

pub(crate) fn db() -> Db {
    database::fresh(MIGRATIONS).unwrap()
}

/// The seeded products.
pub(crate) fn seeded() -> Store {
    Store::new(db())
}

/// The seeded products and: 4 hidden, 5 with two SKUs, 6 without any, 7 to 9 with equal names and prices.
pub(crate) fn varied() -> Store {
    let db = db();
    add(&db, 4, "Hidden", 1, "HIDDEN", &[4]).unwrap();
    add(&db, 5, "T-Shirt 100% Cotton", 10_000, "ON_SALE", &[51, 52]).unwrap();
    add(&db, 6, "under_score", 30_000, "ON_SALE", &[]).unwrap();
    for number in 7..=9 {
        add(&db, number, "Straße", 10_000, "ON_SALE", &[number]).unwrap();
    }
    Store::new(db)
}
