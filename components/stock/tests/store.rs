//! What the stock promises, over a real database: one suite for every database the store knows.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod house;

use ::store::{DbError, params};
use house::{
    AGAIN, DONE, at, commit, history, level, order, release, reserve, reserve_until_200, sku, stock,
    take_back, wanted,
};
use stock::app::{self, Added, Ended, LevelError, Reservations};
use stock::domain::{
    CommitRefused, Lines, ReleaseRefused, Reservation, ReserveRefused, Shortage, TakeBackRefused,
};
use stock::store::{MIGRATIONS, Store};
use store_suite::database;

store_suite::also_on_postgres!();

#[test]
fn the_shop_opens_with_three_skus() {
    let stock = stock();
    let levels = app::level(&stock, &[sku(3), sku(1), sku(2), sku(3)], at(0)).unwrap();
    let on_hand: Vec<_> = levels
        .iter()
        .map(|level| (level.sku.get(), level.on_hand))
        .collect();
    assert_eq!(on_hand, [(3, 5), (1, 100), (2, 50), (3, 5)]);
    assert!(levels.iter().all(|level| level.reserved == 0));
    let unknown = app::level(&stock, &[sku(1), sku(4)], at(0)).unwrap_err();
    assert!(matches!(unknown, LevelError::UnknownSku(unknown) if unknown == sku(4)));
    assert_eq!(app::level(&stock, &[], at(0)).unwrap(), []);
}

#[test]
fn goods_are_reserved_and_sold_once_however_often_it_is_asked() {
    let stock = stock();
    assert_eq!(reserve(&stock, 7, &[(1, 2), (3, 5)], 10), Ok(DONE));
    assert_eq!((level(&stock, 1, 10), level(&stock, 3, 10)), ((100, 2), (5, 5)));
    assert_eq!(reserve(&stock, 7, &[(3, 5), (1, 2)], 11), Ok(AGAIN));
    assert_eq!((level(&stock, 1, 11), level(&stock, 3, 11)), ((100, 2), (5, 5)));
    assert_eq!(commit(&stock, 7, 12), Ok(DONE));
    assert_eq!(commit(&stock, 7, 13), Ok(AGAIN));
    assert_eq!(reserve(&stock, 7, &[(1, 2), (3, 5)], 14), Ok(AGAIN));
    assert_eq!((level(&stock, 1, 14), level(&stock, 3, 14)), ((98, 0), (0, 0)));
    assert_eq!(release(&stock, 7, 15), Err(ReleaseRefused::Committed));
    expect_test::expect![[r#"
        1 INITIAL order -: 5 -> 5 on hand, 0 reserved, 5 free
        2 RESERVE order 7: 5 -> 5 on hand, 5 reserved, 0 free
        3 COMMIT order 7: 5 -> 0 on hand, 0 reserved, 0 free"#]]
    .assert_eq(&history(&stock, 3));
}

#[test]
fn released_goods_are_free_and_stay_released() {
    let stock = stock();
    reserve(&stock, 7, &[(3, 5)], 10).unwrap();
    assert_eq!(release(&stock, 7, 11), Ok(DONE));
    assert_eq!(release(&stock, 7, 12), Ok(AGAIN));
    assert_eq!(level(&stock, 3, 12), (5, 0));
    assert_eq!(commit(&stock, 7, 12), Err(CommitRefused::Released));
    assert_eq!(reserve(&stock, 7, &[(3, 5)], 12), Err(ReserveRefused::Ended));
    assert_eq!(
        reserve(&stock, 7, &[(3, 4)], 12),
        Err(ReserveRefused::DiffersFromExisting)
    );
    expect_test::expect![[r#"
        1 INITIAL order -: 5 -> 5 on hand, 0 reserved, 5 free
        2 RESERVE order 7: 5 -> 5 on hand, 5 reserved, 0 free
        3 RELEASE order 7: 5 -> 5 on hand, 0 reserved, 5 free"#]]
    .assert_eq(&history(&stock, 3));
}

#[test]
fn sold_goods_come_back_once_however_often_it_is_asked() {
    let stock = stock();
    reserve(&stock, 7, &[(1, 2), (3, 5)], 10).unwrap();
    assert_eq!(take_back(&stock, 7, 10), Err(TakeBackRefused::NotCommitted));
    commit(&stock, 7, 11).unwrap();
    reserve(&stock, 8, &[(1, 98)], 11).unwrap();
    assert_eq!(take_back(&stock, 7, 12), Ok(DONE));
    assert_eq!(take_back(&stock, 7, 13), Ok(AGAIN));
    assert_eq!((level(&stock, 1, 13), level(&stock, 3, 13)), ((100, 98), (5, 0)));
    assert_eq!(commit(&stock, 7, 14), Ok(AGAIN));
    assert_eq!(release(&stock, 7, 14), Err(ReleaseRefused::Committed));
    assert_eq!(
        reserve(&stock, 7, &[(1, 2), (3, 5)], 14),
        Err(ReserveRefused::Ended)
    );
    assert_eq!((level(&stock, 1, 14), level(&stock, 3, 14)), ((100, 98), (5, 0)));
    assert_eq!(reserve(&stock, 9, &[(3, 5)], 15), Ok(DONE));
    expect_test::expect![[r#"
        1 INITIAL order -: 5 -> 5 on hand, 0 reserved, 5 free
        2 RESERVE order 7: 5 -> 5 on hand, 5 reserved, 0 free
        3 COMMIT order 7: 5 -> 0 on hand, 0 reserved, 0 free
        4 RETURN order 7: 5 -> 5 on hand, 0 reserved, 5 free
        5 RESERVE order 9: 5 -> 5 on hand, 5 reserved, 0 free"#]]
    .assert_eq(&history(&stock, 3));
}

#[test]
fn only_what_was_sold_comes_back() {
    let stock = stock();
    let refused = Err(TakeBackRefused::NotCommitted);
    assert_eq!(take_back(&stock, 7, 10), refused);
    assert_eq!(release(&stock, 8, 10), Ok(DONE));
    assert_eq!(take_back(&stock, 8, 10), refused);
    reserve(&stock, 9, &[(3, 5)], 10).unwrap();
    assert_eq!(take_back(&stock, 9, 10), refused);
    assert_eq!(take_back(&stock, 9, 100), refused);
    release(&stock, 9, 100).unwrap();
    assert_eq!(take_back(&stock, 9, 101), refused);
    assert_eq!(level(&stock, 3, 101), (5, 0));
}

#[test]
fn expired_goods_that_nobody_took_are_sold_all_the_same() {
    let stock = stock();
    reserve(&stock, 7, &[(1, 2), (3, 3)], 10).unwrap();
    reserve_until_200(&stock, 8, &[(3, 2), (1, 98)], 100).unwrap();
    assert_eq!(commit(&stock, 7, 100), Ok(DONE));
    assert_eq!(commit(&stock, 7, 101), Ok(AGAIN));
    assert_eq!((level(&stock, 1, 101), level(&stock, 3, 101)), ((98, 98), (2, 2)));
    assert_eq!(commit(&stock, 8, 102), Ok(DONE));
    assert_eq!((level(&stock, 1, 102), level(&stock, 3, 102)), ((0, 0), (0, 0)));
}

#[test]
fn expired_goods_of_which_one_line_is_taken_are_not_sold_at_all() {
    let stock = stock();
    reserve(&stock, 7, &[(1, 2), (3, 3)], 10).unwrap();
    reserve_until_200(&stock, 8, &[(3, 3)], 100).unwrap();
    assert_eq!(commit(&stock, 7, 100), Err(CommitRefused::Expired));
    assert_eq!((level(&stock, 1, 100), level(&stock, 3, 100)), ((100, 0), (5, 3)));
    // Whether the others hold the goods or have bought them is the same; when they give them back it is not.
    assert_eq!(commit(&stock, 8, 101), Ok(DONE));
    assert_eq!(commit(&stock, 7, 102), Err(CommitRefused::Expired));
    assert_eq!(stock.history(sku(1), None, 10).unwrap().len(), 2);
    assert_eq!(take_back(&stock, 8, 103), Ok(DONE));
    assert_eq!(commit(&stock, 7, 104), Ok(DONE));
    assert_eq!((level(&stock, 1, 104), level(&stock, 3, 104)), ((98, 0), (2, 0)));
}

#[test]
fn expired_goods_are_free_without_anybody_sweeping() {
    let stock = stock();
    reserve(&stock, 7, &[(3, 5)], 10).unwrap();
    let short = ReserveRefused::Insufficient(Shortage { sku: sku(3), free: 0 });
    assert_eq!(reserve_until_200(&stock, 8, &[(3, 5)], 99), Err(short));
    assert_eq!((level(&stock, 3, 99), level(&stock, 3, 100)), ((5, 5), (5, 0)));
    assert_eq!(reserve_until_200(&stock, 9, &[(3, 5)], 100), Ok(DONE));
    assert_eq!(commit(&stock, 7, 100), Err(CommitRefused::Expired));
    assert_eq!(commit(&stock, 9, 199), Ok(DONE));
    assert_eq!(release(&stock, 7, 200), Ok(DONE));
    assert_eq!(level(&stock, 3, 200), (0, 0));
}

#[test]
fn the_first_expiry_counts() {
    let stock = stock();
    let lines = wanted(&[(3, 5)]);
    app::reserve(&stock, order(7), &lines, at(100), at(10)).unwrap();
    for until in [50, 500] {
        let again = app::reserve(&stock, order(7), &lines, at(until), at(60)).unwrap();
        assert_eq!(again, AGAIN);
    }
    assert_eq!((level(&stock, 3, 99), level(&stock, 3, 100)), ((5, 5), (5, 0)));
}

#[test]
fn a_reserve_that_arrives_after_its_release_is_refused() {
    let stock = stock();
    assert_eq!(release(&stock, 7, 10), Ok(DONE));
    assert_eq!(release(&stock, 7, 11), Ok(AGAIN));
    assert_eq!(reserve(&stock, 7, &[(1, 1)], 12), Err(ReserveRefused::Ended));
    assert_eq!(commit(&stock, 7, 12), Err(CommitRefused::UnknownOrder));
    assert_eq!(commit(&stock, 8, 12), Err(CommitRefused::UnknownOrder));
    assert_eq!(level(&stock, 1, 12), (100, 0));
}

#[test]
fn all_lines_or_none() {
    let stock = stock();
    let short = |number, free| {
        Err(ReserveRefused::Insufficient(Shortage {
            sku: sku(number),
            free,
        }))
    };
    assert_eq!(reserve(&stock, 7, &[(1, 100), (3, 6), (2, 51)], 10), short(3, 5));
    assert_eq!(reserve(&stock, 7, &[(1, 100), (2, 51), (3, 6)], 10), short(2, 50));
    let unknown = Err(ReserveRefused::UnknownSku(sku(9)));
    assert_eq!(reserve(&stock, 7, &[(1, 101), (2, 1), (9, 1)], 10), unknown);
    for number in 1..=3 {
        assert_eq!(level(&stock, number, 10).1, 0);
        assert_eq!(stock.history(sku(number), None, 10).unwrap().len(), 1);
    }
    assert_eq!(reserve(&stock, 7, &[(1, 100), (2, 50), (3, 5)], 10), Ok(DONE));
}

#[test]
fn what_nobody_could_reserve_leaves_no_trace() {
    let stock = stock();
    for lines in [
        &[] as &[(u64, u32)],
        &[(1, 0)],
        &[(1, 1_000_001)],
        &[(1, 1), (1, 1)],
    ] {
        assert!(matches!(
            reserve(&stock, 7, lines, 10),
            Err(ReserveRefused::Lines(_))
        ));
    }
    assert_eq!(
        reserve(&stock, 7, &[(9, 1)], 100),
        Err(ReserveRefused::UntilPassed)
    );
    assert!(stock.find(order(7)).unwrap().is_none());
}

#[test]
fn a_hundred_lines_are_held_sold_and_numbered() {
    let db = database::fresh(MIGRATIONS).unwrap();
    db.transaction(|tx| {
        for number in 4..=100i64 {
            tx.execute("insert into stock_level values (?1, 1)", params![number])?;
        }
        Ok::<_, DbError>(())
    })
    .unwrap();
    let stock = Store::new(db);
    let lines: Vec<_> = (1..=100).map(|number| (number, 1)).collect();
    assert_eq!(reserve(&stock, 7, &lines, 10), Ok(DONE));
    assert_eq!(level(&stock, 100, 10), (1, 1));
    assert_eq!(commit(&stock, 7, 11), Ok(DONE));
    assert_eq!((level(&stock, 1, 11), level(&stock, 100, 11)), ((99, 0), (0, 0)));
    let numbers = |number| -> Vec<u32> {
        let changes = stock.history(sku(number), None, 10).unwrap();
        changes.iter().map(|change| change.number).collect()
    };
    assert_eq!((numbers(1), numbers(100)), (vec![3, 2, 1], vec![2, 1]));
}

#[test]
fn a_slow_clock_never_sells_what_was_given_to_others() {
    let stock = stock();
    reserve(&stock, 7, &[(3, 3)], 10).unwrap();
    app::reserve(&stock, order(8), &wanted(&[(3, 5)]), at(200), at(100)).unwrap();
    assert_eq!(level(&stock, 3, 99), (5, 8));
    assert_eq!(commit(&stock, 7, 99), Err(CommitRefused::Expired));
    assert_eq!(
        reserve(&stock, 9, &[(3, 1)], 99),
        Err(ReserveRefused::Insufficient(Shortage { sku: sku(3), free: 0 }))
    );
    assert_eq!(level(&stock, 3, 100), (5, 5));
    assert_eq!(release(&stock, 7, 99), Ok(DONE));
    assert_eq!(commit(&stock, 8, 101), Ok(DONE));
    assert_eq!(level(&stock, 3, 101), (0, 0));
}

#[test]
fn who_is_overtaken_is_told_so_and_changes_nothing() {
    let stock = stock();
    reserve(&stock, 7, &[(3, 5)], 10).unwrap();
    let held = stock.find(order(7)).unwrap().unwrap();
    let committed = held.clone().commit(at(11)).unwrap().into_inner();
    let released = held.release(at(11)).unwrap().into_inner();
    assert_eq!(stock.end(&committed, at(11)).unwrap(), Ended::Done);
    assert_eq!(stock.end(&released, at(11)).unwrap(), Ended::Overtaken);
    assert_eq!(level(&stock, 3, 11), (0, 0));
    let taken_back = committed.take_back(at(12)).unwrap().into_inner();
    assert!(stock.take_back(&taken_back, at(12)).unwrap());
    assert!(!stock.take_back(&taken_back, at(12)).unwrap());
    assert_eq!(level(&stock, 3, 12), (5, 0));
    let lines = Lines::try_new(&wanted(&[(1, 1)])).unwrap();
    let second = Reservation::try_new(order(7), lines, at(100), at(11)).unwrap();
    assert_eq!(stock.add(&second, at(11)).unwrap(), Added::Exists);
    assert_eq!(level(&stock, 1, 11), (100, 0));
}
