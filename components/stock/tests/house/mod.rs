//! A house full of goods, and what can be done with them: an answer is what the caller would read.

#![allow(dead_code, reason = "each suite takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::path::Path;
use store_suite::database;

use kernel::{Instant, OrderId, Outcome, SkuId};
use stock::app::{self, CommitError, ReleaseError, Reservations, ReserveError, TakeBackError};
use stock::domain::{Change, CommitRefused, ReleaseRefused, ReserveRefused, TakeBackRefused};
use stock::store::{MIGRATIONS, Store};

pub(crate) fn stock() -> Store {
    Store::new(database::fresh(MIGRATIONS).unwrap())
}

pub(crate) fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

pub(crate) const fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

pub(crate) fn wanted(lines: &[(u64, u32)]) -> Vec<(SkuId, u32)> {
    lines
        .iter()
        .map(|&(number, pieces)| (sku(number), pieces))
        .collect()
}

pub(crate) type Reserved = Result<Outcome<()>, ReserveRefused>;

/// Reserves until 100; an answer is what the caller would read.
pub(crate) fn reserve(stock: &Store, number: u64, lines: &[(u64, u32)], now: i64) -> Reserved {
    reserve_until(100, stock, number, lines, now)
}

pub(crate) fn reserve_until_200(stock: &Store, number: u64, lines: &[(u64, u32)], now: i64) -> Reserved {
    reserve_until(200, stock, number, lines, now)
}

pub(crate) fn reserve_until(
    until: i64,
    stock: &Store,
    number: u64,
    lines: &[(u64, u32)],
    now: i64,
) -> Reserved {
    match app::reserve(stock, order(number), &wanted(lines), at(until), at(now)) {
        Err(ReserveError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

pub(crate) fn commit(stock: &Store, number: u64, now: i64) -> Result<Outcome<()>, CommitRefused> {
    match app::commit(stock, order(number), at(now)) {
        Err(CommitError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

/// Every answer as a caller would read it: "done", "again" or the refusal.
pub(crate) fn commit_all(stock: &Store, numbers: &[u64], now: i64) -> Vec<String> {
    let orders: Vec<OrderId> = numbers.iter().copied().map(order).collect();
    let word = |answer| match answer {
        Ok(Outcome::Done(())) => "done".to_owned(),
        Ok(Outcome::AlreadyDone(())) => "again".to_owned(),
        Err(CommitError::Refused(refused)) => format!("{refused:?}"),
        Err(CommitError::Store(error)) => error.to_string(),
    };
    let answers = app::commit_all(stock, &orders, at(now));
    answers.into_iter().map(word).collect()
}

pub(crate) fn release(stock: &Store, number: u64, now: i64) -> Result<Outcome<()>, ReleaseRefused> {
    match app::release(stock, order(number), at(now)) {
        Err(ReleaseError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

pub(crate) fn take_back(stock: &Store, number: u64, now: i64) -> Result<Outcome<()>, TakeBackRefused> {
    match app::take_back(stock, order(number), at(now)) {
        Err(TakeBackError::Refused(refused)) => Err(refused),
        other => Ok(other.unwrap()),
    }
}

/// On hand and reserved of one SKU.
pub(crate) fn level(stock: &Store, number: u64, now: i64) -> (u32, u32) {
    let levels = app::level(stock, &[sku(number)], at(now)).unwrap();
    (levels[0].on_hand, levels[0].reserved)
}

/// A SKU's history, oldest first, one change a line.
pub(crate) fn history(stock: &Store, number: u64) -> String {
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

pub(crate) const DONE: Outcome<()> = Outcome::Done(());
pub(crate) const AGAIN: Outcome<()> = Outcome::AlreadyDone(());

pub(crate) fn in_file(path: &Path) -> Store {
    Store::new(database::open(path, MIGRATIONS).unwrap())
}

/// Runs `work` at the same moment in as many threads, each with a connection of its own.
pub(crate) fn at_once<T: Send>(count: u64, path: &Path, work: impl Fn(&Store, u64) -> T + Sync) -> Vec<T> {
    let threads = usize::try_from(count).unwrap();
    testkit::at_once(
        threads,
        |_| in_file(path),
        |stock, thread| work(stock, thread as u64 + 1),
    )
}
