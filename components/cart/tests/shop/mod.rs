//! What can be bought in the tests, and a cart to put it into.

#![allow(dead_code, reason = "each suite takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

pub(crate) mod visit;

use std::path::Path;
use store_suite::database;

use cart::app::{Offers, OffersError, Wanted};
use cart::domain::{Line, Offer};
use cart::store::{MIGRATIONS, Store};
use kernel::{Instant, OrderId, ProductId, Quantity, SkuId, UserId};

pub(crate) const NOW: Instant = Instant::from_micros(10);

pub(crate) fn user(number: u64) -> UserId {
    UserId::try_new(number).unwrap()
}

pub(crate) fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn product(number: u64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

pub(crate) fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

pub(crate) fn line(number: u64, kind: u64, pieces: u32) -> Line {
    Line {
        product: product(number),
        sku: sku(kind),
        quantity: Quantity::try_new(i64::from(pieces)).unwrap(),
    }
}

pub(crate) fn wanted(number: u64, kind: Option<u64>, pieces: u32) -> Wanted {
    Wanted {
        product: product(number),
        sku: kind.map(sku),
        quantity: Quantity::try_new(i64::from(pieces)).unwrap(),
    }
}

pub(crate) fn carts() -> Store {
    Store::new(database::fresh(MIGRATIONS).unwrap())
}

pub(crate) fn in_file(path: &Path) -> Store {
    Store::new(database::open(path, MIGRATIONS).unwrap())
}

/// Runs `work` at the same moment in as many threads, each with a connection of its own.
pub(crate) fn at_once<T: Send>(count: u64, path: &Path, work: impl Fn(&Store, u64) -> T + Sync) -> Vec<T> {
    let threads = usize::try_from(count).unwrap();
    testkit::at_once(
        threads,
        |_| in_file(path),
        |carts, thread| work(carts, thread as u64 + 1),
    )
}

/// Products 1 to 3 with one SKU each, of which 100, 50 and 5 are free; 4 is not there; 5 has SKU 51 with 7
/// pieces and 52 with 1; 6 has no SKU; 7 has more than anybody may have; from 1000 on every product has 9.
pub(crate) struct Shop;

impl Offers for Shop {
    fn find(&self, product: ProductId) -> Result<Option<Vec<Offer>>, OffersError> {
        let skus: &[(u64, u32)] = match product.get() {
            1 => &[(1, 100)],
            2 => &[(2, 50)],
            3 => &[(3, 5)],
            5 => &[(51, 7), (52, 1)],
            6 => &[],
            7 => &[(7, 2_000_000)],
            number @ 1_000.. => &[(number, 9)],
            _ => return Ok(None),
        };
        let offer = |&(number, free): &(u64, u32)| Offer {
            sku: sku(number),
            free,
        };
        Ok(Some(skus.iter().map(offer).collect()))
    }
}

/// Products that do not answer.
pub(crate) struct NoShop;

impl Offers for NoShop {
    fn find(&self, _: ProductId) -> Result<Option<Vec<Offer>>, OffersError> {
        Err(OffersError("status 503".to_owned()))
    }
}
