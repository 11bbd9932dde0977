//! A guest's cart becomes a customer's: nothing lost, nothing twice.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use ::store::{Db, DbError, Driver, params};
use cart::app::{self, CartError, Offers, OffersError, Wanted};
use cart::domain::{Adjusted, Line, MAX_LINES, Merged, Offer};
use cart::store::{MIGRATIONS, Store};
use kernel::ProductId;
use shop::{NOW, NoShop, Shop, at_once, carts, in_file, line, order, user, wanted};
use store_suite::{database, gated, shared};

store_suite::also_on_postgres!();

/// The answer as a text that tells two answers apart.
fn render(merged: &Merged) -> String {
    let adjusted: Vec<String> = merged.adjusted.iter().map(cut).collect();
    format!("{} | {}", text(&merged.lines), adjusted.join("; "))
}

fn cut(adjusted: &Adjusted) -> String {
    let asked = adjusted.asked;
    let sku = asked.sku.map(|sku| format!("/{sku}")).unwrap_or_default();
    let (came_in, reason) = (adjusted.came_in, adjusted.reason);
    format!("{}{sku} {came_in} of {}: {reason}", asked.product, asked.pieces)
}

fn text(lines: &[Line]) -> String {
    let line = |line: &Line| format!("{}/{} x{}", line.product, line.sku, line.quantity);
    lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn merge(carts: &Store, key: &str, items: &[Wanted]) -> Result<String, CartError> {
    app::merge(carts, &Shop, user(42), items, key, &render, NOW)
}

fn lines(carts: &Store) -> String {
    text(&app::lines(carts, user(42)).unwrap())
}

fn put(carts: &Store, number: u64, kind: Option<u64>, pieces: u32) {
    app::add(carts, &Shop, user(42), wanted(number, kind, pieces), None, NOW).unwrap();
}

#[test]
fn a_guests_cart_is_put_to_what_was_there() {
    let carts = carts();
    put(&carts, 1, None, 10);
    put(&carts, 3, None, 3);
    let items = [
        wanted(5, Some(51), 2),
        wanted(3, None, 4),
        wanted(2, None, 1),
        wanted(1, Some(1), 5),
        wanted(1, None, 1),
        wanted(4, None, 2),
    ];
    let answer = merge(&carts, "a", &items).unwrap();
    assert_eq!(
        answer,
        "1/1 x16, 2/2 x1, 3/3 x5, 5/51 x2 | 3/3 2 of 4: only 5 are free; 4 0 of 2: there is no such product"
    );
    assert_eq!(lines(&carts), "1/1 x16, 2/2 x1, 3/3 x5, 5/51 x2");
    assert_eq!(
        app::lines(&carts, user(43)).unwrap(),
        [],
        "another customer's cart is another"
    );
}

#[test]
fn nothing_fits_and_still_there_is_an_answer() {
    let carts = carts();
    put(&carts, 3, None, 5);
    let items = [wanted(3, None, 1), wanted(4, None, 1), wanted(6, None, 1)];
    let answer = merge(&carts, "a", &items).unwrap();
    assert_eq!(
        answer,
        "3/3 x5 | 3/3 0 of 1: only 5 are free; 4 0 of 1: there is no such product; 6 0 of 1: only 0 are free"
    );
    assert_eq!(merge(&carts, "a", &items).unwrap(), answer);
}

#[test]
fn a_hundred_lines_go_into_an_empty_cart_and_a_hundred_more_do_not() {
    let carts = carts();
    let hundred = |first: u64| -> Vec<Wanted> {
        let numbers = first..first + u64::from(MAX_LINES);
        numbers.map(|number| wanted(number, None, 1)).collect()
    };
    assert!(merge(&carts, "a", &hundred(1_000)).unwrap().ends_with(" | "));
    let answer = merge(&carts, "b", &hundred(1_050)).unwrap();
    assert_eq!(answer.matches(" x2").count(), 50);
    assert_eq!(answer.matches("0 of 1: the cart has 100 lines").count(), 50);
    assert_eq!(app::lines(&carts, user(42)).unwrap().len(), 100);
}

#[test]
fn a_key_merges_once_and_answers_the_same_again() {
    let carts = carts();
    let items = [wanted(3, None, 2), wanted(4, None, 1), wanted(1, None, 1)];
    let first = merge(&carts, "a", &items).unwrap();
    put(&carts, 3, None, 1);
    let reordered = [items[2], items[0], items[1]];
    for again in [&items, &reordered] {
        assert_eq!(merge(&carts, "a", again).unwrap(), first);
    }
    let late = app::merge(&carts, &NoShop, user(42), &items, "a", &render, NOW);
    assert_eq!(late.unwrap(), first, "nobody needs to be asked");
    assert_eq!(lines(&carts), "1/1 x1, 3/3 x3");
    // What was bought meanwhile does not come back.
    let bought = app::lines(&carts, user(42)).unwrap();
    app::take(&carts, order(7), user(42), &bought, NOW).unwrap();
    assert_eq!(merge(&carts, "a", &items).unwrap(), first);
    assert_eq!(lines(&carts), "");
    // Another customer's key is another key, and another key is another merge.
    let other = app::merge(&carts, &Shop, user(43), &items[..1], "a", &render, NOW);
    assert_eq!(other.unwrap(), "3/3 x2 | ");
    assert_eq!(merge(&carts, "b", &items[..1]).unwrap(), "3/3 x2 | ");
}

#[test]
fn a_key_means_one_thing() {
    let carts = carts();
    let one = [wanted(3, None, 1)];
    merge(&carts, "merged", &one).unwrap();
    for other in [wanted(3, None, 2), wanted(3, Some(3), 1), wanted(1, None, 1)] {
        let reused = merge(&carts, "merged", &[other]);
        assert!(matches!(reused, Err(CartError::KeyReused)));
    }
    let add = |key| app::add(&carts, &Shop, user(42), one[0], Some(key), NOW);
    assert!(matches!(add("merged"), Err(CartError::KeyReused)));
    add("added").unwrap();
    assert!(matches!(merge(&carts, "added", &one), Err(CartError::KeyReused)));
    assert_eq!(lines(&carts), "3/3 x2");
}

/// Carts on a connection of which `gate` sees every statement first; `Some` is answered in its place.
fn watched(
    connection: &Rc<dyn Driver>,
    gate: impl Fn(&str, &dyn Driver) -> Option<DbError> + 'static,
) -> Store {
    let inner = connection.clone();
    let driver = gated(connection.clone(), move |statement, run| {
        gate(statement, inner.as_ref()).map_or_else(run, Err)
    });
    Store::new(Db::open(driver, MIGRATIONS).unwrap())
}

fn connection() -> Rc<dyn Driver> {
    database::fresh_driver().unwrap().into()
}

/// Asks with key `a`, which `other` uses after it was looked up, and before it is remembered.
fn overtaken<T>(other: &'static str, ask: impl Fn(&Store) -> Result<T, CartError>) -> Result<T, CartError> {
    let connection = connection();
    let carts = watched(&connection, move |statement, inner| {
        if statement == "rollback" {
            // What the other one wrote stays.
            for statement in ["rollback", inner.begin(), other, "commit"] {
                inner.execute(statement, params![]).unwrap();
            }
            return Some(DbError::Unavailable("rolled back already".to_owned()));
        }
        if ["insert into cart_key", "insert into cart_merge"]
            .iter()
            .any(|insert| statement.contains(insert))
        {
            inner.execute(other, params![]).unwrap();
        }
        None
    });
    let answer = ask(&carts);
    assert_eq!(lines(&carts), "", "{other}");
    answer
}

#[test]
fn a_key_that_is_used_for_something_else_at_the_same_moment_is_used_once() {
    let add_first = "insert into cart_key values (42, 'a', 'x', 3, 3, 1, 1)";
    let merge_first = "insert into cart_merge values (42, 'a', 'x', 'y', 1)";
    let one = wanted(3, None, 1);
    for other in [add_first, merge_first] {
        let merged = overtaken(other, |carts| merge(carts, "a", &[one]));
        assert!(matches!(merged, Err(CartError::KeyReused)), "{merged:?}");
        let added = overtaken(other, |carts| {
            app::add(carts, &Shop, user(42), one, Some("a"), NOW)
        });
        assert!(matches!(added, Err(CartError::KeyReused)), "{added:?}");
    }
}

#[test]
fn who_finds_another_cart_than_a_moment_ago_looks_again() {
    let meddle = [
        (
            "insert into cart_line",
            "insert into cart_line values (42, 1, 1, 7)",
        ),
        ("update cart_line", "delete from cart_line where product_id = 3"),
        (
            "update cart_line",
            "update cart_line set quantity = 1 where product_id = 3",
        ),
    ];
    for (before, statement) in meddle {
        let connection = connection();
        let carts = Store::new(Db::open(shared(&connection), MIGRATIONS).unwrap());
        put(&carts, 3, None, 2);
        let (once, begins) = (Cell::new(true), Rc::new(Cell::new(0)));
        let begun = begins.clone();
        let watched = watched(&connection, move |now, inner| {
            if now.starts_with("begin") {
                begun.set(begun.get() + 1);
            }
            if now.contains(before) && once.replace(false) {
                inner.execute(statement, &[]).unwrap();
            }
            None
        });
        let items = [wanted(1, None, 1), wanted(3, None, 1)];
        // The rollback took the other's change along, so the second look finds the cart as it was.
        assert_eq!(
            merge(&watched, "a", &items).unwrap(),
            "1/1 x1, 3/3 x3 | ",
            "{statement}"
        );
        assert_eq!(begins.get(), 2, "{statement}");
    }
}

#[test]
fn a_crash_at_any_statement_leaves_all_or_nothing_and_the_repetition_the_same_answer() {
    let items = [wanted(1, None, 1), wanted(3, None, 9), wanted(4, None, 1)];
    let mut unheard = 0;
    for (last, is_heard) in (1..=8).flat_map(|last| [(last, true), (last, false)]) {
        let connection = connection();
        let carts = Store::new(Db::open(shared(&connection), MIGRATIONS).unwrap());
        put(&carts, 3, None, 2);
        let count = Cell::new(0);
        // The last statement arrives or not, and nothing is heard of it, nor sent after it.
        let dying = watched(&connection, move |statement, inner| {
            count.set(count.get() + 1);
            if count.get() == last && is_heard && statement == "commit" {
                inner.execute(statement, &[]).unwrap();
            }
            (count.get() >= last).then(|| DbError::Unavailable("gone".to_owned()))
        });
        let answer = merge(&dying, "a", &items);
        // A connection that is gone takes its transaction along; after a commit there is none.
        let _ = connection.execute("rollback", params![]);
        let is_there = lines(&carts) == "1/1 x1, 3/3 x5";
        assert!(is_there || lines(&carts) == "3/3 x2", "{last}");
        unheard += u32::from(is_there && answer.is_err());
        let expected = "1/1 x1, 3/3 x5 | 3/3 3 of 9: only 5 are free; 4 0 of 1: there is no such product";
        assert_eq!(merge(&carts, "a", &items).unwrap(), expected, "{last}");
        assert_eq!(lines(&carts), "1/1 x1, 3/3 x5", "{last}");
        assert_eq!(answer.is_ok(), last > 7, "a merge has seven statements");
    }
    assert_eq!(unheard, 1, "the commit whose answer was lost");
}

#[test]
fn products_that_do_not_answer_leave_the_cart_and_the_key_as_they_were() {
    let carts = carts();
    let items = [wanted(1, None, 1), wanted(3, None, 1)];
    let outage = app::merge(&carts, &NoShop, user(42), &items, "a", &render, NOW);
    assert!(matches!(outage, Err(CartError::Offers(_))));
    assert_eq!(lines(&carts), "");
    assert_eq!(merge(&carts, "a", &items[..1]).unwrap(), "1/1 x1 | ");
}

/// A shop that remembers how often it was asked for what.
#[derive(Default)]
struct Busy(RefCell<BTreeMap<u64, u32>>);

impl Offers for Busy {
    fn find(&self, product: ProductId) -> Result<Option<Vec<Offer>>, OffersError> {
        *self.0.borrow_mut().entry(product.get()).or_default() += 1;
        Shop.find(product)
    }
}

#[test]
fn every_product_is_asked_for_once() {
    let busy = Busy::default();
    let items = [
        wanted(5, Some(51), 1),
        wanted(5, Some(52), 1),
        wanted(4, None, 1),
        wanted(4, None, 1),
        wanted(5, Some(51), 1),
    ];
    app::merge(&carts(), &busy, user(42), &items, "a", &render, NOW).unwrap();
    assert_eq!(busy.0.into_inner(), BTreeMap::from([(4, 1), (5, 1)]));
}

#[test]
fn one_key_in_many_hands_merges_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    let items = [wanted(1, None, 2), wanted(3, None, 9)];
    let answers = at_once(20, &path, |carts, _| merge(carts, "a", &items).unwrap());
    let expected = "1/1 x2, 3/3 x5 | 3/3 5 of 9: only 5 are free";
    assert!(answers.iter().all(|answer| answer == expected), "{answers:?}");
    assert_eq!(lines(&in_file(&path)), "1/1 x2, 3/3 x5");
}

#[test]
fn many_merges_and_additions_at_once_lose_nothing_and_stop_at_what_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cart.db");
    let items = [wanted(1, None, 2), wanted(3, None, 1)];
    at_once(40, &path, |carts, number| match number % 2 {
        0 => drop(merge(carts, &number.to_string(), &items).unwrap()),
        _ => put(carts, 1, None, 1),
    });
    assert_eq!(lines(&in_file(&path)), "1/1 x60, 3/3 x5");
}

#[test]
fn an_order_that_empties_the_cart_takes_what_it_bought_and_not_what_a_merge_brings() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cart.db");
        put(&in_file(&path), 1, None, 10);
        put(&in_file(&path), 2, None, 3);
        let bought = [line(1, 1, 10), line(2, 2, 3)];
        let items = [wanted(1, None, 4), wanted(5, Some(52), 1)];
        at_once(6, &path, |carts, number| match number % 2 {
            0 => drop(app::take(carts, order(7), user(42), &bought, NOW).unwrap()),
            _ => drop(merge(carts, "a", &items).unwrap()),
        });
        assert_eq!(lines(&in_file(&path)), "1/1 x4, 5/52 x1");
    }
}
