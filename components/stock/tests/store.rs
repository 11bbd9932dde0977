//! What the stock promises, over a real database: one suite for every database the store knows.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use ::store::{DbError, native, params};
use kernel::{Instant, OrderId, Outcome, SkuId};
use stock::app::{self, Added, CommitError, Ended, LevelError, ReleaseError, Reservations, ReserveError};
use stock::domain::{Change, CommitRefused, Lines, ReleaseRefused, Reservation, ReserveRefused, Shortage};
use stock::store::{MIGRATIONS, Store};

fn stock() -> Store {
    Store::new(native::in_memory(MIGRATIONS).unwrap())
}

fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

const fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

fn wanted(lines: &[(u64, u32)]) -> Vec<(SkuId, u32)> {
    lines
        .iter()
        .map(|&(number, pieces)| (sku(number), pieces))
        .collect()
}

/// Reserves until 100; an answer is what the caller would read.
fn reserve(
    stock: &Store,
    number: u64,
    lines: &[(u64, u32)],
    now: i64,
) -> Result<Outcome<()>, ReserveRefused> {
    match app::reserve(stock, order(number), &wanted(lines), at(100), at(now)) {
        Err(ReserveError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

fn commit(stock: &Store, number: u64, now: i64) -> Result<Outcome<()>, CommitRefused> {
    match app::commit(stock, order(number), at(now)) {
        Err(CommitError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

fn release(stock: &Store, number: u64, now: i64) -> Result<Outcome<()>, ReleaseRefused> {
    match app::release(stock, order(number), at(now)) {
        Err(ReleaseError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

/// On hand and reserved of one SKU.
fn level(stock: &Store, number: u64, now: i64) -> (u32, u32) {
    let levels = app::level(stock, &[sku(number)], at(now)).unwrap();
    (levels[0].on_hand, levels[0].reserved)
}

/// A SKU's history, oldest first, one change a line.
fn history(stock: &Store, number: u64) -> String {
    let mut changes = stock.history(sku(number), None, 100).unwrap();
    changes.reverse();
    let line = |change: &Change| {
        let order = change.order.map_or("-".to_owned(), |order| order.to_string());
        format!(
            "{} {} order {order}: {} -> {} on hand, {} reserved, {} free",
            change.number,
            change.kind.text(),
            change.quantity,
            change.on_hand,
            change.reserved,
            change.free(),
        )
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

const DONE: Outcome<()> = Outcome::Done(());
const AGAIN: Outcome<()> = Outcome::AlreadyDone(());

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
fn expired_goods_are_free_without_anybody_sweeping() {
    let stock = stock();
    reserve(&stock, 7, &[(3, 5)], 10).unwrap();
    let short = ReserveRefused::Insufficient(Shortage { sku: sku(3), free: 0 });
    let until_200 = |number, now| app::reserve(&stock, order(number), &wanted(&[(3, 5)]), at(200), at(now));
    assert!(matches!(until_200(8, 99), Err(ReserveError::Refused(refused)) if refused == short));
    assert_eq!((level(&stock, 3, 99), level(&stock, 3, 100)), ((5, 5), (5, 0)));
    assert_eq!(until_200(9, 100).unwrap(), DONE);
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
    let db = native::in_memory(MIGRATIONS).unwrap();
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
    let lines = Lines::try_new(&wanted(&[(1, 1)])).unwrap();
    let second = Reservation::try_new(order(7), lines, at(100), at(11)).unwrap();
    assert_eq!(stock.add(&second, at(11)).unwrap(), Added::Exists);
    assert_eq!(level(&stock, 1, 11), (100, 0));
}

fn in_file(path: &Path) -> Store {
    Store::new(native::open(path, MIGRATIONS).unwrap())
}

/// Runs `work` at the same moment in as many threads, each with a connection of its own.
fn at_once<T: Send>(count: u64, path: &Path, work: impl Fn(&Store, u64) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(usize::try_from(count).unwrap());
    thread::scope(|scope| {
        let spawn = |number| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                let stock = in_file(path);
                barrier.wait();
                work(&stock, number)
            })
        };
        let threads: Vec<_> = (1..=count).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

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
