//! What the stock promises when many ask at the same moment, each over a connection of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod house;

use house::{DONE, at_once, commit, in_file, level, release, reserve, reserve_until_200, sku, take_back};
use kernel::Outcome;
use stock::domain::{ReserveRefused, Shortage};

store_suite::also_on_postgres!();

#[test]
fn fifty_buyers_of_the_last_five_pieces_are_five_winners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let answers = at_once(50, &path, |stock, number| {
        let reserved = reserve(stock, number, &[(3, 1), (1, 1)], 10);
        reserved.map(|_| commit(stock, number, 11).unwrap())
    });
    let winners = answers.iter().filter(|answer| **answer == Ok(DONE)).count();
    let losers = answers.iter().filter(|answer| {
        matches!(answer, Err(ReserveRefused::Insufficient(short)) if *short == Shortage { sku: sku(3), free: 0 })
    });
    assert_eq!((winners, losers.count()), (5, 45));
    let stock = in_file(&path);
    assert_eq!((level(&stock, 3, 11), level(&stock, 1, 11)), ((0, 0), (95, 0)));
}

#[test]
fn one_order_asked_for_by_many_at_once_is_reserved_and_sold_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let answers = at_once(20, &path, |stock, _| {
        (reserve(stock, 7, &[(3, 2)], 10), commit(stock, 7, 11))
    });
    let new = |outcome: &Outcome<()>| outcome.is_new();
    assert_eq!(
        answers
            .iter()
            .filter(|(reserved, _)| new(&reserved.unwrap()))
            .count(),
        1
    );
    assert_eq!(
        answers
            .iter()
            .filter(|(_, committed)| new(&committed.unwrap()))
            .count(),
        1
    );
    assert_eq!(level(&in_file(&path), 3, 11), (3, 0));
}

#[test]
fn goods_that_many_take_back_at_once_come_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let stock = in_file(&path);
    reserve(&stock, 7, &[(3, 2), (1, 3)], 10).unwrap();
    commit(&stock, 7, 11).unwrap();
    let answers = at_once(20, &path, |stock, _| take_back(stock, 7, 12).unwrap());
    assert_eq!(answers.iter().filter(|outcome| outcome.is_new()).count(), 1);
    assert_eq!((level(&stock, 3, 12), level(&stock, 1, 12)), ((5, 0), (100, 0)));
}

#[test]
fn an_expired_order_and_new_buyers_at_once_never_share_a_piece() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.db");
        reserve(&in_file(&path), 20, &[(3, 5)], 10).unwrap();
        let sold = at_once(10, &path, |stock, number| match number {
            1 => commit(stock, 20, 100).map_or(0, |_| 5),
            _ => reserve_until_200(stock, number, &[(3, 1)], 100).map_or(0, |_| {
                commit(stock, number, 101).unwrap();
                1
            }),
        });
        let sold = sold.iter().sum::<u32>();
        assert_eq!((sold, level(&in_file(&path), 3, 101)), (5, (0, 0)));
    }
}

#[test]
fn a_commit_and_a_release_at_once_have_one_winner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    reserve(&in_file(&path), 7, &[(3, 2)], 10).unwrap();
    let won = at_once(16, &path, |stock, number| match number % 2 {
        0 => commit(stock, 7, 11).is_ok(),
        _ => release(stock, 7, 11).is_ok(),
    });
    let committed = won[1];
    for (index, won) in won.iter().enumerate() {
        assert_eq!(*won, (index % 2 == 1) == committed);
    }
    let left = if committed { 3 } else { 5 };
    assert_eq!(level(&in_file(&path), 3, 11), (left, 0));
}
