//! How many statements each call sends: the README's table, counted.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use ::store::Db;
use cart::app::{self, Wanted};
use cart::domain::Merged;
use cart::store::{MIGRATIONS, Store};
use expect_test::expect;
use kernel::Quantity;
use shop::{NOW, Shop, line, order, product, user, wanted};
use store_suite::{counted, database};

store_suite::also_on_postgres!();

#[test]
fn every_call_costs_what_the_readme_says() {
    let (driver, count) = counted(database::fresh_driver().unwrap());
    let carts = Store::new(Db::open(driver, MIGRATIONS).unwrap());
    let add = |pieces, key| {
        drop(app::add(
            &carts,
            &Shop,
            user(42),
            wanted(3, None, pieces),
            key,
            NOW,
        ))
    };
    let change = |pieces| {
        app::change(
            &carts,
            &Shop,
            user(42),
            product(3),
            None,
            Quantity::try_new(pieces).ok(),
        )
    };
    let three = [line(1, 1, 1), line(2, 2, 1), line(3, 3, 1)];
    let take = || app::take(&carts, order(7), user(42), &three, NOW).unwrap();
    let merge = |items: &[Wanted], key| {
        let render = |_: &Merged| "{}".to_owned();
        drop(app::merge(&carts, &Shop, user(42), items, key, &render, NOW).unwrap());
    };
    let mut table = String::new();
    let mut line = |what: &str, call: &dyn Fn()| {
        count.set(0);
        call();
        table += &format!("{what}: {}\n", count.get());
    };
    line("add", &|| add(1, None));
    line("add with a key", &|| add(1, Some("a")));
    line("add with the key again", &|| add(1, Some("a")));
    line("add too many", &|| add(9, None));
    line("change", &|| assert!(change(5).unwrap().is_some()));
    line("lines", &|| drop(app::lines(&carts, user(42)).unwrap()));
    line("take three lines", &|| assert!(take().is_new()));
    line("take again", &|| assert!(!take().is_new()));
    line("change to none", &|| assert!(change(0).unwrap().is_none()));
    line("remove", &|| {
        app::remove(&carts, user(42), product(3), None).unwrap()
    });
    let guests = [wanted(1, None, 1), wanted(2, None, 1)];
    let more = [wanted(1, None, 1), wanted(2, None, 1), wanted(3, None, 1)];
    line("merge new lines", &|| merge(&guests, "b"));
    line("merge old lines", &|| merge(&guests, "e"));
    line("merge old and new lines", &|| merge(&more, "c"));
    line("merge nothing that fits", &|| merge(&[wanted(4, None, 1)], "d"));
    line("merge again", &|| merge(&more, "c"));
    line("clear", &|| app::clear(&carts, user(42)).unwrap());
    expect![[r#"
        add: 3
        add with a key: 5
        add with the key again: 1
        add too many: 4
        change: 4
        lines: 1
        take three lines: 5
        take again: 3
        change to none: 4
        remove: 3
        merge new lines: 6
        merge old lines: 6
        merge old and new lines: 7
        merge nothing that fits: 5
        merge again: 1
        clear: 3
    "#]]
    .assert_eq(&table);
}
