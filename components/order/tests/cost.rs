//! How many statements a call sends to the orders' database: the README's figures, counted.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::Millis;
use serde_json::json;
use shop::{Shop, id};

store_suite::also_on_postgres!();

/// Statements of what was done since the last healing, and how many of them begin or commit.
fn cost(shop: &Shop) -> String {
    let points = shop.seam.points();
    let calls = ["stock.", "payment.", "cart."];
    let is_call = |point: &&String| calls.iter().any(|domain| point.starts_with(domain));
    let count = |is_it: &dyn Fn(&&String) -> bool| points.iter().filter(is_it).count();
    let around = count(&|point| *point == "commit" || point.starts_with("begin"));
    let called = count(&is_call);
    let work = points.len() - called - around;
    format!("{work} and {around} around them, {called} calls")
}

#[test]
fn every_call_costs_what_the_readme_says() {
    let shop = Shop::open("");
    let mut table = String::new();
    let mut line = |what: &str, call: &dyn Fn() -> order::app::Reply| {
        shop.seam.heal();
        let reply = call();
        assert!(reply.status < 300, "{what}: {reply:?}");
        table += &format!("{what}: {}\n", cost(&shop));
        reply
    };
    let three = json!({"items": [
        {"productId": 1, "quantity": 1}, {"productId": 2, "quantity": 1}, {"productId": 3, "quantity": 1}],
        "paymentMethod": "CARD"});
    let bought = id(&line("one line", &|| shop.buy(1, 1)));
    line("three lines", &|| shop.post(1, "/orders", None, &three));
    line("one line with a key", &|| shop.buy_as(Some("k"), 1, 1));
    line("the same key again", &|| shop.buy_as(Some("k"), 1, 1));
    shop.put_in_cart(1, 1);
    line("a cart", &|| shop.buy_cart(None));
    let order = id(&line("two steps, the first", &|| shop.reserve_as(None, 1, 1)));
    line("two steps, the second", &|| {
        shop.confirm_as(None, order, "window", 10_000)
    });
    line("cancel", &|| shop.cancel_as(None, bought));
    shop.wait(Millis(21_000));
    shop.seam.heal();
    assert_eq!(shop.jobs().done, 4);
    table += &format!(
        "a run of the jobs that finishes four, a cart among them: {}\n",
        cost(&shop)
    );
    expect_test::expect![[r#"
        one line: 8 and 4 around them, 2 calls
        three lines: 8 and 4 around them, 2 calls
        one line with a key: 11 and 4 around them, 2 calls
        the same key again: 1 and 0 around them, 0 calls
        a cart: 8 and 4 around them, 4 calls
        two steps, the first: 5 and 2 around them, 1 calls
        two steps, the second: 7 and 4 around them, 2 calls
        cancel: 9 and 4 around them, 3 calls
        a run of the jobs that finishes four, a cart among them: 7 and 0 around them, 3 calls
    "#]]
    .assert_eq(&table);
}
