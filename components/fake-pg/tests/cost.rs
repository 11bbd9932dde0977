//! How many statements each call sends: the README's figures, counted.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fake_pg::app::Gateway;
use fake_pg::domain::Rules;
use fake_pg::store::MIGRATIONS;
use kernel::{Currency, Money, OrderId};
use store::Db;
use store_suite::{counted, database};

store_suite::also_on_postgres!();

#[test]
fn every_call_costs_what_the_readme_says() {
    let (driver, count) = counted(database::fresh_driver().unwrap());
    let book = Db::open(driver, MIGRATIONS).unwrap();
    let gateway = Gateway {
        book: &book,
        rules: &Rules::parse("").unwrap(),
        wait: &|_| {},
    };
    let order = |number| OrderId::try_new(number).unwrap();
    let won = Money::try_new(100, Currency::Krw).unwrap();
    let mut table = String::new();
    let mut line = |what: &str, call: &dyn Fn()| {
        count.set(0);
        call();
        table += &format!("{what}: {}\n", count.get());
    };
    let approve = || gateway.approve(order(1), won).unwrap();
    let key = approve().key.as_str().to_owned();
    line("approve", &|| drop(gateway.approve(order(2), won).unwrap()));
    line("approve again", &|| drop(gateway.approve(order(2), won).unwrap()));
    line("confirm", &|| drop(gateway.confirm(order(3), "k", won).unwrap()));
    line("confirm again", &|| {
        drop(gateway.confirm(order(3), "k", won).unwrap())
    });
    line("cancel", &|| gateway.cancel(&key, "c", won, "r").unwrap());
    line("cancel again", &|| gateway.cancel(&key, "c", won, "r").unwrap());
    line("find", &|| drop(gateway.find(order(1)).unwrap()));
    expect_test::expect![[r#"
        approve: 1
        approve again: 2
        confirm: 4
        confirm again: 4
        cancel: 5
        cancel again: 1
        find: 1
    "#]]
    .assert_eq(&table);
}
