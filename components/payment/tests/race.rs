//! Several at one refund at once, and a gateway that says no to one of them and yes to the next.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Barrier;

use payment::app::Failed;
use payment::domain::Method;
use shop::{Shop, charge, refund, void};

store_suite::also_on_postgres!();

/// How many orders are tried: each is one more chance for the wrong order of things.
const ORDERS: u64 = 40;

const THREADS: usize = 4;

/// The gateway takes its time, and says no to the first cancellation of each order that it hears of.
const RULES: &str = "slow-cancel ms=2; refuse-cancel first=1";

/// Runs `work` for every order in several threads at once, all of them beginning together.
fn at_once(dir: &Path, work: impl Fn(&Shop, usize, u64) + Sync) {
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                let mut shop = catch_unwind(|| Shop::open(dir, RULES));
                for number in 1..=ORDERS {
                    barrier.wait();
                    // Who fails goes on to the next barrier, so that nobody waits there for ever.
                    shop = shop.and_then(|shop| {
                        catch_unwind(AssertUnwindSafe(|| work(&shop, thread, number))).map(|()| shop)
                    });
                }
                shop.map(drop).unwrap_or_else(|panic| resume_unwind(panic));
            });
        }
    });
}

fn paid(dir: &Path) -> Shop {
    let shop = Shop::open(dir, RULES);
    for number in 1..=ORDERS {
        shop.charge(&charge(number, 100, Method::Card)).unwrap();
    }
    shop
}

fn agree(shop: &Shop) {
    for number in 1..=ORDERS {
        let [ours, gateways, told] = shop.kept(number);
        assert_eq!((ours, ours), (gateways, told), "order {number}");
        assert_eq!(shop.refunding(number), 0, "order {number}");
    }
}

#[test]
fn the_same_refund_in_parallel_hears_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    let shop = paid(dir.path());
    at_once(dir.path(), |shop, _, number| {
        // Who hears that somebody is at it asks again.
        while let Err(Failed::Unanswered(_)) = shop.refund(&refund(number, "return", 30)) {}
    });
    agree(&shop);
    for number in 1..=ORDERS {
        let refused = shop.refund(&refund(number, "return", 30));
        assert!(matches!(refused, Err(Failed::Refused(_))), "{refused:?}");
        assert!(shop.refund(&refund(number, "return again", 30)).unwrap().is_new());
        assert_eq!((shop.refunded(number), shop.pg.cancelled(number)), (30, 30));
    }
}

#[test]
fn a_yes_that_others_overtook_with_a_no_is_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let shop = paid(dir.path());
    // Claims have lapsed for half of them: no clock is right enough to keep two from asking.
    at_once(dir.path(), |shop, thread, number| match thread {
        0 | 1 => drop(shop.refund(&refund(number, "return", 30))),
        _ => {
            shop.wait(21_000);
            drop(shop.app().recover(100, shop.now()));
        }
    });
    shop.wait(200_000_000);
    shop.recover();
    agree(&shop);
}

#[test]
fn a_void_beside_the_refund_it_carries_on_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let shop = paid(dir.path());
    at_once(dir.path(), |shop, thread, number| match thread {
        0 => drop(shop.refund(&refund(number, "return", 30))),
        _ => drop(shop.void(&void(number, 100, Method::Card, "undo"))),
    });
    for number in 1..=ORDERS {
        shop.void(&void(number, 100, Method::Card, "last")).unwrap();
    }
    agree(&shop);
    for number in 1..=ORDERS {
        assert_eq!(shop.kept(number), [0, 0, 0], "order {number}");
    }
}
