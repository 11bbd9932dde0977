//! How many statements each call sends: the README's table, counted.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use ::store::Db;
use expect_test::expect;
use kernel::{Instant, OrderId, SkuId};
use stock::app;
use stock::store::{MIGRATIONS, Store};
use store_suite::{counted, database};

store_suite::also_on_postgres!();

const NOW: Instant = Instant::from_micros(10);
const LATER: Instant = Instant::from_micros(100);

#[test]
fn every_call_costs_what_the_readme_says() {
    let (driver, count) = counted(database::fresh_driver().unwrap());
    let stock = Store::new(Db::open(driver, MIGRATIONS).unwrap());
    let (sku, order) = (|n| SkuId::try_new(n).unwrap(), |n| OrderId::try_new(n).unwrap());
    let (one, three) = ([(sku(1), 1)], [(sku(1), 1), (sku(2), 1), (sku(3), 1)]);
    let reserve = |number, lines: &[_]| drop(app::reserve(&stock, order(number), lines, LATER, NOW));
    let mut table = String::new();
    let mut line = |what: &str, call: &dyn Fn()| {
        count.set(0);
        call();
        table += &format!("{what}: {}\n", count.get());
    };
    line("reserve one line", &|| reserve(1, &one));
    line("reserve three lines", &|| reserve(2, &three));
    line("reserve again", &|| reserve(2, &three));
    line("reserve too many", &|| reserve(3, &[(sku(3), 6)]));
    line("reserve an unknown SKU", &|| reserve(3, &[(sku(4), 6)]));
    let commit = |number| app::commit(&stock, order(number), NOW).unwrap();
    let release = |number| app::release(&stock, order(number), NOW).unwrap();
    line("commit", &|| assert!(commit(2).is_new()));
    line("commit again", &|| assert!(!commit(2).is_new()));
    let all = |orders: &[u64]| -> Vec<_> {
        let orders: Vec<OrderId> = orders.iter().copied().map(order).collect();
        let told = app::commit_all(&stock, &orders, NOW).into_iter();
        told.map(|answer| answer.unwrap().is_new()).collect()
    };
    (5..8).for_each(|number| reserve(number, &one));
    line("commit three together", &|| {
        assert_eq!(all(&[5, 6, 7]), [true; 3])
    });
    line("commit them again", &|| assert_eq!(all(&[5, 6, 7]), [false; 3]));
    let take_back = |number| app::take_back(&stock, order(number), NOW).unwrap();
    line("take back", &|| assert!(take_back(2).is_new()));
    line("take back again", &|| assert!(!take_back(2).is_new()));
    line("release", &|| assert!(release(1).is_new()));
    line("release again", &|| assert!(!release(1).is_new()));
    line("release an unknown order", &|| assert!(release(4).is_new()));
    line("level of three", &|| {
        drop(app::level(&stock, &[sku(1), sku(2), sku(3)], NOW).unwrap())
    });
    expect![[r#"
        reserve one line: 5
        reserve three lines: 5
        reserve again: 4
        reserve too many: 5
        reserve an unknown SKU: 5
        commit: 7
        commit again: 1
        commit three together: 7
        commit them again: 1
        take back: 6
        take back again: 1
        release: 6
        release again: 1
        release an unknown order: 2
        level of three: 1
    "#]]
    .assert_eq(&table);
}
