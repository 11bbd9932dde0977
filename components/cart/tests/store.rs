//! What a cart promises, over a real database.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use ::store::{DbError, params};
use cart::app::{self, Added, CartError, Carts, Key};
use cart::domain::{Line, MAX_LINES, Refused};
use cart::store::{MIGRATIONS, Store};
use kernel::{Outcome, Quantity};
use shop::{NOW, NoShop, Shop, at_once, carts, in_file, line, order, product, sku, user, wanted};
use store_suite::database;

store_suite::also_on_postgres!();

fn add(carts: &Store, number: u64, kind: Option<u64>, pieces: u32) -> Result<Line, Refused> {
    match app::add(carts, &Shop, user(42), wanted(number, kind, pieces), None, NOW) {
        Err(CartError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

/// Takes with the answer of whether it was the first time.
fn take(carts: &Store, number: u64, lines: &[Line]) -> bool {
    let outcome: Outcome<()> = app::take(carts, order(number), user(42), lines, NOW).unwrap();
    outcome.is_new()
}

fn lines(carts: &Store) -> Vec<(u64, u64, u32)> {
    let lines = app::lines(carts, user(42)).unwrap();
    let numbers = |line: &Line| (line.product.get(), line.sku.get(), line.quantity.get());
    lines.iter().map(numbers).collect()
}

#[test]
fn what_is_put_in_is_merged_and_listed_by_product_and_sku() {
    let carts = carts();
    assert_eq!(lines(&carts), []);
    assert_eq!(add(&carts, 5, Some(52), 1), Ok(line(5, 52, 1)));
    assert_eq!(add(&carts, 3, None, 2), Ok(line(3, 3, 2)));
    assert_eq!(add(&carts, 5, Some(51), 2), Ok(line(5, 51, 2)));
    assert_eq!(add(&carts, 1, Some(1), 1), Ok(line(1, 1, 1)));
    assert_eq!(add(&carts, 3, None, 3), Ok(line(3, 3, 5)));
    assert_eq!(lines(&carts), [(1, 1, 1), (3, 3, 5), (5, 51, 2), (5, 52, 1)]);
    let others = app::lines(&carts, user(43)).unwrap();
    assert_eq!(others, []);
}

#[test]
fn what_does_not_fit_leaves_the_cart_as_it_was() {
    let carts = carts();
    add(&carts, 3, None, 4).unwrap();
    let short = |free| Err(Refused::OutOfStock { free });
    assert_eq!(add(&carts, 3, None, 2), short(5));
    assert_eq!(add(&carts, 2, None, 51), short(50));
    assert_eq!(add(&carts, 6, None, 1), short(0));
    assert_eq!(add(&carts, 4, None, 1), Err(Refused::UnknownProduct));
    assert_eq!(add(&carts, 5, None, 1), Err(Refused::SkuRequired));
    assert_eq!(add(&carts, 5, Some(1), 1), Err(Refused::UnknownSku));
    assert_eq!(lines(&carts), [(3, 3, 4)]);
    assert_eq!(add(&carts, 7, None, Quantity::MAX), Ok(line(7, 7, Quantity::MAX)));
    assert_eq!(add(&carts, 7, None, 1), Err(Refused::TooMany));
}

#[test]
fn a_cart_has_a_hundred_lines_that_can_still_grow() {
    let carts = carts();
    for number in 1_000..1_000 + u64::from(MAX_LINES) {
        add(&carts, number, None, 1).unwrap();
    }
    assert_eq!(add(&carts, 1, None, 1), Err(Refused::Full));
    assert_eq!(add(&carts, 1_099, None, 8), Ok(line(1_099, 1_099, 9)));
    assert_eq!(add(&carts, 1_099, None, 1), Err(Refused::OutOfStock { free: 9 }));
    assert_eq!(lines(&carts).len(), 100);
}

#[test]
fn a_line_is_changed_or_taken_out() {
    let carts = carts();
    add(&carts, 3, None, 2).unwrap();
    add(&carts, 5, Some(51), 2).unwrap();
    add(&carts, 5, Some(52), 1).unwrap();
    let change = |number, kind: Option<u64>, pieces: u32| {
        let quantity = Quantity::try_new(i64::from(pieces)).ok();
        match app::change(&carts, &Shop, user(42), product(number), kind.map(sku), quantity) {
            Err(CartError::Refused(refused)) => Err(refused),
            other => Ok(other.unwrap()),
        }
    };
    assert_eq!(change(3, None, 5), Ok(Some(line(3, 3, 5))));
    assert_eq!(change(3, None, 6), Err(Refused::OutOfStock { free: 5 }));
    assert_eq!(change(5, None, 1), Err(Refused::SkuRequired));
    assert_eq!(change(5, None, 0), Err(Refused::SkuRequired));
    assert_eq!(change(5, Some(51), 7), Ok(Some(line(5, 51, 7))));
    assert_eq!(change(5, Some(52), 0), Ok(None));
    assert_eq!(change(5, Some(52), 0), Err(Refused::NotInCart));
    assert_eq!(change(5, None, 3), Ok(Some(line(5, 51, 3))));
    assert_eq!(change(1, None, 1), Err(Refused::NotInCart));
    assert_eq!(lines(&carts), [(3, 3, 5), (5, 51, 3)]);
}

#[test]
fn taking_a_line_out_needs_no_products_and_may_be_repeated() {
    let carts = carts();
    add(&carts, 5, Some(51), 2).unwrap();
    add(&carts, 5, Some(52), 1).unwrap();
    add(&carts, 3, None, 2).unwrap();
    let out = app::change(&carts, &NoShop, user(42), product(3), None, None);
    assert_eq!(out.unwrap(), None);
    for _ in 0..2 {
        app::remove(&carts, user(42), product(5), Some(sku(52))).unwrap();
        assert_eq!(lines(&carts), [(5, 51, 2)]);
    }
    app::remove(&carts, user(43), product(5), None).unwrap();
    assert_eq!(lines(&carts), [(5, 51, 2)]);
    add(&carts, 5, Some(52), 1).unwrap();
    app::remove(&carts, user(42), product(5), None).unwrap();
    assert_eq!(lines(&carts), []);
    add(&carts, 3, None, 2).unwrap();
    for _ in 0..2 {
        app::clear(&carts, user(42)).unwrap();
        assert_eq!(lines(&carts), []);
    }
}

#[test]
fn a_key_puts_in_once_and_answers_the_same_again() {
    let carts = carts();
    let add = |pieces, key| app::add(&carts, &Shop, user(42), wanted(3, None, pieces), Some(key), NOW);
    assert_eq!(add(2, "a").unwrap(), line(3, 3, 2));
    assert_eq!(add(1, "b").unwrap(), line(3, 3, 3));
    assert_eq!(add(2, "a").unwrap(), line(3, 3, 2));
    assert!(matches!(add(1, "a"), Err(CartError::KeyReused)));
    let named = app::add(&carts, &Shop, user(42), wanted(3, Some(3), 2), Some("a"), NOW);
    assert!(matches!(named, Err(CartError::KeyReused)));
    assert_eq!(lines(&carts), [(3, 3, 3)]);
    // The first answer stays, whatever became of the line and the products.
    app::clear(&carts, user(42)).unwrap();
    let again = app::add(&carts, &NoShop, user(42), wanted(3, None, 2), Some("a"), NOW);
    assert_eq!(again.unwrap(), line(3, 3, 2));
    assert_eq!(lines(&carts), []);
    // Another customer's key is another key.
    let other = app::add(&carts, &Shop, user(43), wanted(3, None, 1), Some("a"), NOW);
    assert_eq!(other.unwrap(), line(3, 3, 1));
}

#[test]
fn a_refusal_leaves_the_key_free() {
    let carts = carts();
    let add = |pieces| app::add(&carts, &Shop, user(42), wanted(3, None, pieces), Some("a"), NOW);
    assert!(matches!(
        add(6),
        Err(CartError::Refused(Refused::OutOfStock { free: 5 }))
    ));
    assert_eq!(add(5).unwrap(), line(3, 3, 5));
}

#[test]
fn who_is_overtaken_with_a_key_changes_nothing() {
    let carts = carts();
    let key = Key {
        key: "a".to_owned(),
        command: "x".to_owned(),
    };
    let add = || carts.add(user(42), line(3, 3, 2), 5, Some(&key), NOW).unwrap();
    assert_eq!(add(), Added::Done(line(3, 3, 2)));
    assert_eq!(add(), Added::KeyTaken);
    assert_eq!(lines(&carts), [(3, 3, 2)]);
}

#[test]
fn an_order_takes_what_it_bought_once_and_leaves_what_came_meanwhile() {
    let carts = carts();
    add(&carts, 3, None, 2).unwrap();
    add(&carts, 5, Some(51), 2).unwrap();
    add(&carts, 5, Some(52), 1).unwrap();
    let bought = app::lines(&carts, user(42)).unwrap();
    add(&carts, 5, Some(51), 3).unwrap();
    add(&carts, 1, None, 4).unwrap();
    assert!(take(&carts, 7, &bought));
    let left = [(1, 1, 4), (5, 51, 3)];
    assert_eq!(lines(&carts), left);
    let mut reordered = bought.clone();
    reordered.reverse();
    for again in [&bought, &reordered, &vec![line(1, 1, 1)], &vec![]] {
        assert!(!take(&carts, 7, again));
        assert_eq!(lines(&carts), left);
    }
    // Bought again meanwhile: the late repetition of the first order must not take it.
    add(&carts, 3, None, 2).unwrap();
    assert!(!take(&carts, 7, &bought));
    assert_eq!(lines(&carts), [(1, 1, 4), (3, 3, 2), (5, 51, 3)]);
}

#[test]
fn what_is_not_in_the_cart_is_not_missed() {
    let carts = carts();
    add(&carts, 3, None, 2).unwrap();
    assert!(take(&carts, 7, &[line(3, 3, 5), line(1, 1, 1)]));
    assert_eq!(lines(&carts), []);
    add(&carts, 3, None, 5).unwrap();
    assert!(take(&carts, 8, &[line(3, 3, 1), line(3, 3, 2)]));
    assert_eq!(lines(&carts), [(3, 3, 2)]);
    assert!(take(&carts, 9, &[]));
    assert!(take(&carts, 10, &[line(5, 3, 1), line(3, 5, 1)]));
    assert_eq!(lines(&carts), [(3, 3, 2)]);
    assert!(
        app::take(&carts, order(11), user(43), &[line(3, 3, 2)], NOW)
            .unwrap()
            .is_new()
    );
    assert_eq!(lines(&carts), [(3, 3, 2)]);
}

#[test]
fn fifty_that_add_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    let answers = at_once(50, &path, |carts, _| {
        add(carts, 1, None, 2).unwrap().quantity.get()
    });
    let mut seen = answers;
    seen.sort_unstable();
    let expected: Vec<u32> = (1..=50).map(|count| 2 * count).collect();
    assert_eq!(seen, expected);
    assert_eq!(lines(&in_file(&path)), [(1, 1, 100)]);
}

#[test]
fn fifty_that_add_at_once_stop_at_what_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    let answers = at_once(50, &path, |carts, _| add(carts, 3, None, 1));
    let refused = |answer: &&Result<Line, Refused>| **answer == Err(Refused::OutOfStock { free: 5 });
    assert_eq!(answers.iter().filter(refused).count(), 45);
    assert_eq!(lines(&in_file(&path)), [(3, 3, 5)]);
}

#[test]
fn one_key_in_many_hands_puts_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    let answers = at_once(20, &path, |carts, _| {
        app::add(carts, &Shop, user(42), wanted(3, None, 1), Some("a"), NOW).unwrap()
    });
    assert_eq!(answers, [line(3, 3, 1); 20]);
    assert_eq!(lines(&in_file(&path)), [(3, 3, 1)]);
}

#[test]
fn an_order_taken_by_many_while_others_add_takes_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    add(&in_file(&path), 1, None, 10).unwrap();
    let answers = at_once(20, &path, |carts, number| match number % 2 {
        0 => take(carts, 7, &[line(1, 1, 10)]),
        _ => add(carts, 1, None, 1).is_err(),
    });
    assert_eq!(answers.iter().filter(|done| **done).count(), 1);
    assert_eq!(lines(&in_file(&path)), [(1, 1, 10)]);
}

#[test]
fn the_tables_themselves_refuse_what_cannot_be() {
    let refused = |statement: &str| {
        let db = database::fresh(MIGRATIONS).unwrap();
        let run = |statement: &str| db.transaction(|tx| tx.execute(statement, params![]));
        match run(statement).unwrap_err() {
            DbError::Check(name) | DbError::Conflict(name) => name,
            other => format!("{other:?}"),
        }
    };
    let seen = [
        refused("insert into cart_line values (1, 1, 1, 0)"),
        refused("insert into cart_line values (1, 1, 1, 1000001)"),
        refused("insert into cart_line values (1, 1, 1, 1), (1, 1, 1, 2)"),
        refused("insert into cart_taken values (1, 1), (1, 2)"),
        refused("insert into cart_key values (1, 'a', 'x', 1, 1, 1, 1), (1, 'a', 'y', 1, 1, 1, 1)"),
        refused("insert into cart_key values (1, '', 'x', 1, 1, 1, 1)"),
        refused("insert into cart_key values (1, 'a', 'x', 1, 1, 0, 1)"),
        refused("insert into cart_merge values (1, 'a', 'x', 'y', 1), (1, 'a', 'z', 'y', 1)"),
        refused("insert into cart_merge values (1, '', 'x', 'y', 1)"),
    ];
    expect_test::expect![[r#"
        cart_line_quantity
        cart_line_quantity
        cart_line.user_id, cart_line.product_id, cart_line.sku_id
        cart_taken.order_id
        cart_key.user_id, cart_key.idempotency_key
        cart_key_text
        cart_key_quantity
        cart_merge.user_id, cart_merge.idempotency_key
        cart_merge_text"#]]
    .assert_eq(&seen.join("\n"));
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(MIGRATIONS);
}
