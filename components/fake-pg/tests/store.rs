//! The gateway's promises over its real book.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::cell::RefCell;
use store_suite::database;

use fake_pg::app::{ApproveError, Book, CancelError, Gateway};
use fake_pg::domain::{ApproveRefused, CancelRefused, Entry, PaymentKey, Rules};
use fake_pg::store::MIGRATIONS;
use kernel::{Currency, Millis, Money, OrderId};
use store::{Db, DbError, params};
use testkit::at_once;

store_suite::also_on_postgres!();

fn won(minor: i64) -> Money {
    Money::try_new(minor, Currency::Krw).unwrap()
}

fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

fn db() -> Db {
    database::fresh(MIGRATIONS).unwrap()
}

fn rules(text: &str) -> Rules {
    Rules::parse(text).unwrap()
}

fn gateway<'a>(db: &'a Db, rules: &'a Rules) -> Gateway<'a, Db> {
    Gateway {
        book: db,
        rules,
        wait: &|_| (),
    }
}

fn key(number: u64) -> String {
    format!("fake-pg-{number}")
}

#[test]
fn without_rules_every_amount_is_approved_once() {
    let (db, rules) = (db(), rules(""));
    let gateway = gateway(&db, &rules);
    for (number, amount) in [(1, 1), (2, 777), (3, 778), (4, 4242), (5, Money::MAX_MINOR)] {
        let first = gateway.approve(order(number), won(amount)).unwrap();
        assert_eq!(
            (first.key.as_str(), first.amount),
            (key(number).as_str(), won(amount))
        );
        assert_eq!(gateway.approve(order(number), won(amount)).unwrap(), first);
        assert_eq!(gateway.find(order(number)).unwrap(), Some(first));
    }
    assert!(matches!(
        gateway.approve(order(1), won(2)),
        Err(ApproveError::Refused(ApproveRefused::DiffersFromExisting))
    ));
    assert_eq!(gateway.find(order(6)).unwrap(), None);
}

#[test]
fn a_refusal_is_final_even_when_the_rules_change() {
    let db = db();
    let (strict, none) = (rules("refuse amount>=100 REJECT_CARD_PAYMENT"), rules(""));
    for rules in [&strict, &none] {
        let answer = gateway(&db, rules).approve(order(1), won(100));
        assert!(
            matches!(&answer, Err(ApproveError::Refused(ApproveRefused::Refused(code))) if code == "REJECT_CARD_PAYMENT"),
            "{answer:?}"
        );
    }
    assert_eq!(gateway(&db, &none).find(order(1)).unwrap(), None);
    assert!(matches!(
        gateway(&db, &none).cancel(&key(1), "c", won(1), ""),
        Err(CancelError::Refused(CancelRefused::UnknownPayment))
    ));
    assert!(gateway(&db, &strict).approve(order(2), won(99)).is_ok());
}

#[test]
fn an_approval_stands_even_when_the_rules_change() {
    let db = db();
    gateway(&db, &rules("")).approve(order(1), won(100)).unwrap();
    for text in ["refuse NO", "timeout", "lose-answer"] {
        assert!(
            gateway(&db, &rules(text)).approve(order(1), won(100)).is_ok(),
            "{text}"
        );
    }
}

#[test]
fn a_timeout_moves_nothing_and_a_lost_answer_does() {
    let (db, rules) = (db(), rules("timeout amount=777 first=2; lose-answer amount=778"));
    let gateway = gateway(&db, &rules);
    for _ in 0..2 {
        assert!(matches!(
            gateway.approve(order(1), won(777)),
            Err(ApproveError::NoAnswer)
        ));
        assert_eq!(gateway.find(order(1)).unwrap(), None);
    }
    assert!(gateway.approve(order(1), won(777)).is_ok());
    assert!(matches!(
        gateway.approve(order(2), won(778)),
        Err(ApproveError::NoAnswer)
    ));
    assert!(gateway.find(order(2)).unwrap().is_some());
    assert!(gateway.approve(order(2), won(778)).is_ok());
}

#[test]
fn a_slow_answer_waits_and_the_next_rule_decides() {
    let (db, rules) = (
        db(),
        rules("slow amount=779 ms=200; slow ms=1; refuse amount=779 NO"),
    );
    let waited = RefCell::new(Vec::new());
    let gateway = Gateway {
        book: &db,
        rules: &rules,
        wait: &|wait: Millis| waited.borrow_mut().push(wait.0),
    };
    assert!(matches!(
        gateway.approve(order(1), won(779)),
        Err(ApproveError::Refused(_))
    ));
    assert_eq!(*waited.borrow(), [200, 1]);
}

#[test]
fn money_is_given_back_once_for_each_key_and_never_more_than_was_taken() {
    let (db, rules) = (db(), rules(""));
    let gateway = gateway(&db, &rules);
    gateway.approve(order(1), won(100)).unwrap();
    for _ in 0..2 {
        gateway.cancel(&key(1), "a", won(60), "why").unwrap();
    }
    assert_eq!(gateway.find(order(1)).unwrap().unwrap().cancelled, won(60));
    let refused = |cancel_key, amount| match gateway.cancel(&key(1), cancel_key, won(amount), "") {
        Err(CancelError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("a", 61), CancelRefused::DiffersFromExisting);
    assert_eq!(refused("b", 41), CancelRefused::ExceedsRemaining(won(40)));
    gateway.cancel(&key(1), "b", won(40), "").unwrap();
    assert_eq!(refused("c", 1), CancelRefused::ExceedsRemaining(won(0)));
    for unknown in ["", "fake-pg-2", "x"] {
        assert!(matches!(
            gateway.cancel(unknown, "a", won(1), ""),
            Err(CancelError::Refused(CancelRefused::UnknownPayment))
        ));
    }
}

#[test]
fn cancellations_misbehave_as_told() {
    let (db, rules) = (
        db(),
        rules("refuse-cancel first=1; timeout-cancel amount=5 first=1; lose-cancel-answer amount=6"),
    );
    let gateway = gateway(&db, &rules);
    gateway.approve(order(1), won(100)).unwrap();
    let cancel = |cancel_key, amount| gateway.cancel(&key(1), cancel_key, won(amount), "");
    let cancelled = || gateway.find(order(1)).unwrap().unwrap().cancelled.minor();
    assert!(
        matches!(cancel("a", 5), Err(CancelError::Refused(CancelRefused::Refused(code))) if code == "NOT_CANCELABLE_PAYMENT")
    );
    assert!(matches!(cancel("a", 5), Err(CancelError::NoAnswer)));
    assert_eq!(cancelled(), 0);
    assert!(cancel("a", 5).is_ok());
    assert!(matches!(cancel("b", 6), Err(CancelError::NoAnswer)));
    assert_eq!(cancelled(), 11);
    assert!(cancel("b", 6).is_ok());
    assert_eq!(cancelled(), 11);
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ApproveError>) -> ApproveRefused {
    match answer {
        Err(ApproveError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_begun_in_the_window_is_confirmed_once() {
    let (db, rules) = (db(), rules(""));
    let gateway = gateway(&db, &rules);
    let first = gateway.confirm(order(1), "window-1", won(100)).unwrap();
    assert_eq!((first.key.as_str(), first.amount), ("window-1", won(100)));
    assert_eq!(gateway.confirm(order(1), "window-1", won(100)).unwrap(), first);
    assert_eq!(gateway.find(order(1)).unwrap(), Some(first));
    let differs = ApproveRefused::DiffersFromExisting;
    assert_eq!(refused(gateway.confirm(order(1), "window-1", won(101))), differs);
    assert_eq!(refused(gateway.confirm(order(1), "window-2", won(100))), differs);
    // Approval and confirmation of one order exclude each other.
    assert_eq!(refused(gateway.approve(order(1), won(100))), differs);
    gateway.approve(order(2), won(100)).unwrap();
    assert_eq!(refused(gateway.confirm(order(2), "window-2", won(100))), differs);
}

#[test]
fn a_key_that_no_window_gave_or_that_another_order_has_is_refused() {
    let (db, rules) = (db(), rules(""));
    let gateway = gateway(&db, &rules);
    gateway.confirm(order(1), "window-1", won(100)).unwrap();
    let code = |code: &str| ApproveRefused::Refused(code.to_owned());
    let too_long = "k".repeat(201);
    for unknown in ["", "a b", "키", "fake-pg-1", "fake-pg-2", &too_long] {
        let answer = gateway.confirm(order(2), unknown, won(100));
        assert_eq!(refused(answer), code("NOT_FOUND_PAYMENT"), "{unknown}");
    }
    for amount in [100, 101] {
        let answer = gateway.confirm(order(2), "window-1", won(amount));
        assert_eq!(refused(answer), code("ALREADY_PROCESSED_PAYMENT"));
    }
    // Nothing of it is held against the order.
    assert_eq!(gateway.find(order(2)).unwrap(), None);
    gateway.confirm(order(2), "window-2", won(100)).unwrap();
}

#[test]
fn confirmations_are_given_back_under_their_own_key() {
    let (db, rules) = (db(), rules("refuse-cancel key=window-2"));
    let gateway = gateway(&db, &rules);
    gateway.confirm(order(1), "window-1", won(100)).unwrap();
    for _ in 0..2 {
        gateway.cancel("window-1", "a", won(60), "").unwrap();
    }
    assert_eq!(gateway.find(order(1)).unwrap().unwrap().cancelled, won(60));
    for unknown in ["fake-pg-1", "window-2", "window"] {
        assert!(matches!(
            gateway.cancel(unknown, "b", won(1), ""),
            Err(CancelError::Refused(CancelRefused::UnknownPayment))
        ));
    }
    gateway.confirm(order(2), "window-2", won(100)).unwrap();
    assert!(matches!(
        gateway.cancel("window-2", "a", won(1), ""),
        Err(CancelError::Refused(CancelRefused::Refused(_)))
    ));
}

#[test]
fn rules_steer_confirmations_like_approvals() {
    let (db, rules) = (
        db(),
        rules(
            "refuse key=stolen LOST_CARD; timeout key=slow first=1; lose-answer key=lost; refuse amount=13 NO",
        ),
    );
    let gateway = gateway(&db, &rules);
    let code = |code: &str| ApproveRefused::Refused(code.to_owned());
    for _ in 0..2 {
        assert_eq!(
            refused(gateway.confirm(order(1), "stolen", won(100))),
            code("LOST_CARD")
        );
        assert_eq!(refused(gateway.confirm(order(2), "k", won(13))), code("NO"));
    }
    // A refusal is final for the order, whatever the key.
    assert_eq!(
        refused(gateway.confirm(order(1), "good", won(100))),
        code("LOST_CARD")
    );
    for (number, key, taken) in [(3, "slow", false), (4, "lost", true)] {
        let silent = gateway.confirm(order(number), key, won(100));
        assert!(matches!(silent, Err(ApproveError::NoAnswer)), "{silent:?}");
        assert_eq!(gateway.find(order(number)).unwrap().is_some(), taken);
        assert!(gateway.confirm(order(number), key, won(100)).is_ok());
    }
    // A key that is steered is still one order's only.
    assert_eq!(
        refused(gateway.confirm(order(5), "lost", won(100))),
        code("ALREADY_PROCESSED_PAYMENT")
    );
}

#[test]
fn parallel_orders_with_one_key_are_paid_once() {
    const THREADS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg.db");
    database::open(&path, MIGRATIONS).unwrap();
    let connect = |_| (database::open(&path, MIGRATIONS).unwrap(), rules(""));
    let confirmed = at_once(THREADS, connect, |(db, rules), thread| {
        let order = order(thread as u64 + 1);
        gateway(db, rules).confirm(order, "window", won(100)).is_ok()
    });
    assert_eq!(confirmed.iter().filter(|confirmed| **confirmed).count(), 1);
}

#[test]
fn what_others_gave_back_since_somebody_looked_is_not_given_again() {
    let db = db();
    gateway(&db, &rules("")).approve(order(1), won(100)).unwrap();
    assert!(db.cancel(order(1), "a", won(60), "").unwrap());
    assert!(!db.cancel(order(1), "a", won(1), "").unwrap(), "its key is used");
    assert!(!db.cancel(order(1), "b", won(41), "").unwrap(), "less is left");
    assert_eq!(db.find_cancel(&key(1), "b").unwrap().unwrap().1, None);
    assert!(db.cancel(order(1), "b", won(40), "").unwrap());
}

#[test]
fn parallel_approvals_are_one_and_parallel_cancellations_stay_within_it() {
    const THREADS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pg.db");
    database::open(&path, MIGRATIONS).unwrap();
    let connect = |_| (database::open(&path, MIGRATIONS).unwrap(), rules(""));
    at_once(THREADS, connect, |(db, rules), thread| {
        gateway(db, rules).approve(order(1), won(100)).unwrap();
        // Eight times 30 is asked for, and three fit.
        let _ = gateway(db, rules).cancel(&key(1), &thread.to_string(), won(30), "");
    });
    let db = database::open(&path, MIGRATIONS).unwrap();
    assert_eq!(
        gateway(&db, &rules(""))
            .find(order(1))
            .unwrap()
            .unwrap()
            .cancelled,
        won(90)
    );
}

#[test]
fn the_book_itself_keeps_what_can_not_be_out() {
    let db = db();
    db.record(&Entry::approved(order(1), PaymentKey::of(order(1)), won(10)))
        .unwrap();
    let broken = |statement: &str| {
        let answer = db.transaction(|tx| tx.execute(statement, params![]));
        match answer {
            Err(DbError::Check(name)) => name,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        broken("update pg_payment set cancelled_minor = 11"),
        "pg_payment_cancelled_within_approved"
    );
    assert_eq!(
        broken("update pg_payment set state = 'REFUSED'"),
        "pg_payment_refused_has_code"
    );
    assert_eq!(
        broken("update pg_payment set asked_minor = 0"),
        "pg_payment_asked_positive"
    );
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(MIGRATIONS);
}
