//! Many orders' goods sold in one transaction.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod house;

use std::cell::Cell;
use std::rc::Rc;

use ::store::{Db, DbError, Driver, params};
use house::{
    DONE, at_once, commit, commit_all, history, in_file, level, release, reserve, reserve_until_200, stock,
    take_back,
};
use stock::app;
use stock::store::{MIGRATIONS, Store};
use store_suite::{database, gated, shared};

store_suite::also_on_postgres!();

#[test]
fn goods_of_many_orders_leave_as_if_one_after_the_other() {
    let stock = stock();
    reserve(&stock, 7, &[(1, 2), (3, 1)], 10).unwrap();
    reserve(&stock, 8, &[(1, 3)], 10).unwrap();
    reserve(&stock, 9, &[(1, 5)], 10).unwrap();
    assert_eq!(commit_all(&stock, &[8, 7], 20), ["done", "done"]);
    assert_eq!((level(&stock, 1, 20), level(&stock, 3, 20)), ((95, 5), (4, 0)));
    let house = format!("{}\n\n{}", history(&stock, 1), history(&stock, 3));
    expect_test::expect![[r#"
        1 INITIAL order -: 100 -> 100 on hand, 0 reserved, 100 free
        2 RESERVE order 7: 2 -> 100 on hand, 2 reserved, 98 free
        3 RESERVE order 8: 3 -> 100 on hand, 5 reserved, 95 free
        4 RESERVE order 9: 5 -> 100 on hand, 10 reserved, 90 free
        5 COMMIT order 7: 2 -> 98 on hand, 8 reserved, 90 free
        6 COMMIT order 8: 3 -> 95 on hand, 5 reserved, 90 free

        1 INITIAL order -: 5 -> 5 on hand, 0 reserved, 5 free
        2 RESERVE order 7: 1 -> 5 on hand, 1 reserved, 4 free
        3 COMMIT order 7: 1 -> 4 on hand, 0 reserved, 4 free"#]]
    .assert_eq(&house);
    assert_eq!(commit(&stock, 9, 20), Ok(DONE));
}

#[test]
fn every_order_gets_the_answer_it_would_get_alone() {
    let stock = stock();
    reserve_until_200(&stock, 1, &[(1, 1)], 10).unwrap();
    reserve_until_200(&stock, 2, &[(1, 1)], 10).unwrap();
    commit(&stock, 2, 20).unwrap();
    reserve_until_200(&stock, 3, &[(1, 1)], 10).unwrap();
    commit(&stock, 3, 20).unwrap();
    take_back(&stock, 3, 30).unwrap();
    reserve_until_200(&stock, 4, &[(1, 1)], 10).unwrap();
    release(&stock, 4, 20).unwrap();
    release(&stock, 5, 20).unwrap();
    reserve(&stock, 6, &[(1, 1)], 10).unwrap();
    reserve(&stock, 7, &[(3, 5), (2, 1)], 10).unwrap();
    reserve_until_200(&stock, 8, &[(3, 1)], 150).unwrap();
    let asked = [1, 2, 3, 4, 5, 6, 7, 8, 99, 1];
    let told = [
        "done",
        "again",
        "again",
        "Released",
        "UnknownOrder",
        "done",
        "Expired",
        "done",
        "UnknownOrder",
        "again",
    ];
    assert_eq!(commit_all(&stock, &asked, 160), told);
    assert_eq!(level(&stock, 1, 160), (97, 0), "orders 1, 2 and 6");
    assert_eq!(level(&stock, 2, 160), (50, 0), "of order 7 nothing was sold");
    assert_eq!(level(&stock, 3, 160), (4, 0), "order 8 has its piece");
    let again = [
        "again",
        "again",
        "again",
        "Released",
        "UnknownOrder",
        "again",
        "Expired",
        "again",
        "UnknownOrder",
        "again",
    ];
    let before = history(&stock, 1);
    assert_eq!(commit_all(&stock, &asked, 170), again);
    assert_eq!(history(&stock, 1), before, "asked again, nothing changes");
}

#[test]
fn of_expired_holds_those_are_honoured_for_which_there_is_enough() {
    let stock = stock();
    for order in 1..=5 {
        reserve(&stock, order, &[(3, 1)], 10).unwrap();
    }
    reserve_until_200(&stock, 6, &[(3, 2)], 150).unwrap();
    let told = commit_all(&stock, &[5, 4, 3, 2, 1], 160);
    assert_eq!(told, ["done", "done", "done", "Expired", "Expired"]);
    assert_eq!(level(&stock, 3, 160), (2, 2));
    assert_eq!(commit_all(&stock, &[6], 160), ["done"]);
}

#[test]
fn a_clock_that_runs_behind_sells_nothing_twice() {
    let stock = stock();
    reserve(&stock, 1, &[(3, 5)], 10).unwrap();
    reserve_until_200(&stock, 2, &[(3, 5)], 150).unwrap();
    assert_eq!(
        commit_all(&stock, &[1, 2], 90),
        ["Expired", "Expired"],
        "by that clock both hold all there is, so neither is let go"
    );
    assert_eq!(level(&stock, 3, 160), (5, 5));
    assert_eq!(commit_all(&stock, &[1, 2], 160), ["Expired", "done"]);
}

#[test]
fn an_order_that_stands_there_twice_is_sold_once_and_no_order_is_none() {
    let stock = stock();
    reserve(&stock, 1, &[(1, 2)], 10).unwrap();
    assert_eq!(commit_all(&stock, &[1, 1, 1], 20), ["done", "again", "again"]);
    assert_eq!(level(&stock, 1, 20), (98, 0));
    assert!(commit_all(&stock, &[], 20).is_empty());
}

/// A house with so many more pieces of the first two SKUs.
fn stock_with_more(pieces: u64) -> Store {
    let db = database::fresh(MIGRATIONS).unwrap();
    let more = "update stock_level set on_hand = on_hand + ?1 where sku_id < 3";
    db.transaction(|tx| tx.execute(more, params![pieces as i64]))
        .unwrap();
    Store::new(db)
}

#[test]
fn more_orders_than_one_transaction_takes_are_sold_in_several() {
    let many = app::MOST_AT_ONCE as u64 + 2;
    let stock = stock_with_more(many);
    let orders: Vec<u64> = (1..=many).collect();
    for &order in &orders {
        reserve(&stock, order, &[(1, 1), (2, 1)], 10).unwrap();
    }
    assert!(commit_all(&stock, &orders, 20).iter().all(|told| told == "done"));
    assert_eq!((level(&stock, 1, 20), level(&stock, 2, 20)), ((100, 0), (50, 0)));
    assert!(commit_all(&stock, &orders, 20).iter().all(|told| told == "again"));
    assert_eq!((level(&stock, 1, 20), level(&stock, 2, 20)), ((100, 0), (50, 0)));
}

/// A database that dies at its statement of this number: it, and what comes after it, is not done.
fn dying(at: u32) -> (Rc<dyn Driver>, Store, Rc<Cell<bool>>) {
    let connection: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
    let live = Store::new(Db::open(shared(&connection), MIGRATIONS).unwrap());
    for order in 1..=3 {
        reserve(&live, order, &[(1, 2), (2, 1)], 10).unwrap();
    }
    reserve(&live, 4, &[(3, 5)], 10).unwrap();
    reserve_until_200(&live, 5, &[(3, 1)], 150).unwrap();
    let (seen, is_dead) = (Cell::new(0), Rc::new(Cell::new(false)));
    let dead = is_dead.clone();
    let fragile = gated(connection.clone(), move |statement, run| {
        // What opening asks is not counted.
        if !statement.starts_with("pragma") && seen.replace(seen.get() + 1) == at {
            dead.set(true);
        }
        if dead.get() && statement != "rollback" {
            return Err(DbError::Unavailable("dead".to_owned()));
        }
        run()
    });
    let fragile = Store::new(Db::open(fragile, MIGRATIONS).unwrap());
    (connection, fragile, is_dead)
}

#[test]
fn a_death_anywhere_leaves_each_order_whole_and_the_repetition_ends_it() {
    let asked = [1, 2, 3, 4, 5];
    for number in 0.. {
        let (connection, fragile, is_dead) = dying(number);
        let told = commit_all(&fragile, &asked, 160);
        let live = Store::new(Db::open(shared(&connection), MIGRATIONS).unwrap());
        let (first, third) = (level(&live, 1, 160), level(&live, 3, 160));
        let context = format!("died at statement {number}: {told:?}");
        assert!([(100, 0), (94, 0)].contains(&first), "{context}: {first:?}");
        assert!([(5, 1), (4, 0)].contains(&third), "{context}: {third:?}");
        if told[0] == "done" {
            assert_eq!(first, (94, 0), "{context}: what was promised holds");
        }
        let end = commit_all(&live, &asked, 170);
        let sold = |told: &String| told == "done" || told == "again";
        assert!(
            end[..3].iter().all(sold) && sold(&end[4]),
            "{context}, then {end:?}"
        );
        assert_eq!(end[3], "Expired", "{context}");
        assert_eq!((level(&live, 1, 170), level(&live, 3, 170)), ((94, 0), (4, 0)));
        if !is_dead.get() {
            assert!(number > 15, "only {number} statements");
            break;
        }
    }
}

#[test]
fn a_defect_of_one_order_keeps_no_other_from_being_sold() {
    let db = database::fresh(MIGRATIONS).unwrap();
    db.transaction(|tx| {
        let unchecked = if database::is_postgres() {
            "alter table reservation drop constraint reservation_state"
        } else {
            "pragma ignore_check_constraints = on"
        };
        tx.execute(unchecked, params![])?;
        tx.execute("insert into reservation values (2, 'LOST', 9, 9, 1)", params![])
    })
    .unwrap();
    let stock = Store::new(db);
    reserve(&stock, 1, &[(1, 1)], 10).unwrap();
    let told = commit_all(&stock, &[1, 2], 20);
    assert_eq!(told[0], "done");
    assert!(told[1].contains("LOST"), "{told:?}");
}

#[test]
fn who_commits_the_same_orders_at_the_same_moment_sells_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let stock = in_file(&path);
    let orders: Vec<u64> = (1..=20).collect();
    for &order in &orders {
        reserve(&stock, order, &[(1, 2), (2, 1)], 10).unwrap();
    }
    let told = at_once(8, &path, |stock, thread| {
        let mut mine = orders.clone();
        mine.rotate_left(thread as usize);
        if thread % 2 == 0 {
            commit_all(stock, &mine, 20)
        } else {
            let alone = |order: &u64| commit(stock, *order, 20).unwrap();
            let word = |outcome| if outcome == DONE { "done" } else { "again" };
            mine.iter().map(|order| word(alone(order)).to_owned()).collect()
        }
    });
    let done = told.iter().flatten().filter(|told| *told == "done").count();
    assert_eq!(done, orders.len(), "{told:?}");
    assert_eq!((level(&stock, 1, 20), level(&stock, 2, 20)), ((60, 0), (30, 0)));
}
