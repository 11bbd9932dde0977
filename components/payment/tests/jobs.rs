//! What goes on without anybody asking, and what the books say.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use kernel::OrderId;
use payment::app::{Failed, Ledger, Payments, Tally, Trouble};
use payment::domain::{Method, NewRefund, Refund, RefundRefused, RefundState};
use shop::{Shop, charge, order, refund, void};
use testkit::at_once;

store_suite::also_on_postgres!();

fn tally(done: u32, left: u32, stuck: u32) -> Tally {
    Tally { done, left, stuck }
}

/// Order `number` is paid by card, and a refund of `amount` was promised when its caller died.
fn abandoned(shop: &Shop, number: u64, amount: i64) {
    shop.charge(&charge(number, 100, Method::Card)).unwrap();
    let NewRefund {
        order,
        key,
        amount,
        reason,
    } = refund(number, "return", amount);
    let refund = Refund {
        order,
        key,
        amount,
        reason,
        state: RefundState::Requested,
        requested_at: shop.now(),
    };
    assert!(shop.payments.promise(&refund).unwrap());
}

#[test]
fn a_refund_is_carried_on_when_nobody_can_be_at_it_any_more() {
    let shop = Shop::new("");
    abandoned(&shop, 1, 40);
    shop.wait(15_999);
    assert_eq!(shop.recover(), tally(0, 0, 0));
    shop.wait(1);
    assert_eq!(shop.recover(), tally(1, 0, 0));
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (40, 40));
    assert_eq!(shop.recover(), tally(0, 0, 0));
    assert!(!shop.refund(&refund(1, "return", 40)).unwrap().is_new());
}

#[test]
fn a_gateway_that_refuses_is_somebodys_business_and_one_that_is_silent_is_asked_again() {
    let shop =
        Shop::new("refuse-cancel amount=13; timeout-cancel amount=5 first=2; lose-cancel-answer amount=6");
    for (number, amount) in [(1, 13), (2, 5), (3, 6), (4, 7)] {
        abandoned(&shop, number, amount);
    }
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(1, 2, 1));
    assert_eq!(shop.recover(), tally(0, 0, 0), "the silent ones rest");
    shop.wait(60_000);
    assert_eq!(shop.recover(), tally(1, 1, 0));
    shop.wait(60_000);
    assert_eq!(shop.recover(), tally(1, 0, 0));
    let refunded: Vec<i64> = (1..=4).map(|number| shop.refunded(number)).collect();
    assert_eq!(refunded, [0, 5, 6, 7]);
    assert!(matches!(
        shop.refund(&refund(1, "return", 13)),
        Err(Failed::Refused(RefundRefused::Refused(_)))
    ));
}

#[test]
fn a_silent_gateway_keeps_no_refund_from_its_turn() {
    let shop = Shop::new("timeout-cancel amount=5");
    for number in 1..=3 {
        abandoned(&shop, number, 5);
    }
    abandoned(&shop, 4, 7);
    shop.wait(20_000);
    let run = || shop.app().recover(3, shop.now()).unwrap();
    assert_eq!((run(), run()), (tally(0, 3, 0), tally(1, 0, 0)));
}

#[test]
fn money_that_comes_after_the_void_goes_back_whenever_it_comes() {
    for (ms, looks_before) in [(19_000, 0), (100_000, 1), (1_000_000, 2)] {
        let shop = Shop::new("");
        shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
        assert_eq!(shop.recover(), tally(0, 0, 0), "not due yet");
        let mut looks = 0;
        for _ in 0..ms / 1_000 {
            shop.wait(1_000);
            looks += shop.recover().done;
        }
        assert_eq!(looks, looks_before);
        // The caller is long dead; its request was slow on its way to the gateway.
        payment::app::Gateway::approve(&shop.pg, order(1), shop::won(100)).unwrap();
        for _ in 0..3 {
            shop.wait(3_600_000);
            looks += shop.recover().done;
        }
        assert_eq!((looks, shop.pg.cancelled(1)), (3, 100));
        assert_eq!(shop.recover(), tally(0, 0, 0), "nobody looks for ever");
    }
}

#[test]
fn a_gateway_that_keeps_late_money_is_told_again_and_somebody_hears_of_it() {
    let shop = Shop::new("timeout-cancel first=1; refuse-cancel first=1");
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    payment::app::Gateway::approve(&shop.pg, order(1), shop::won(100)).unwrap();
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(0, 1, 0));
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(0, 0, 1));
    shop.wait(300_000);
    assert_eq!(shop.recover(), tally(1, 0, 0));
    assert_eq!(shop.pg.cancelled(1), 100);
}

#[test]
fn events_are_drained_in_the_order_in_which_they_happened() {
    let shop = Shop::new("");
    shop.charge(&charge(2, 100, Method::Card)).unwrap();
    shop.wait(1);
    shop.charge(&charge(1, 100, Method::Cash)).unwrap();
    shop.refund(&refund(2, "a", 30)).unwrap();
    shop.wait(5_000);
    let drain = |acknowledged| {
        let due = relay::outbox::drain(&shop.payments, shop.now(), acknowledged, 100).unwrap();
        due.iter()
            .map(|due| (due.event.position, due.event.topic.clone(), due.published))
            .collect::<Vec<_>>()
    };
    let all = [
        (1, "payment.completed".to_owned(), 0),
        (2, "payment.completed".to_owned(), 0),
        (3, "payment.refunded".to_owned(), 0),
    ];
    assert_eq!(drain(0), all);
    assert_eq!(drain(0), [], "they are on their way");
    shop.wait(5_000);
    assert_eq!(drain(2), [(3, "payment.refunded".to_owned(), 1)]);
    shop.wait(60_000);
    assert_eq!(drain(3), []);
}

#[test]
fn the_books_tell_what_was_taken_and_given_back_by_order() {
    let shop = Shop::new("refuse amount=13 NO; timeout-cancel amount=5; refuse-cancel amount=6");
    for number in [5, 1, 3] {
        shop.charge(&charge(number, 100, Method::Card)).unwrap();
    }
    let _ = shop.charge(&charge(2, 13, Method::Card));
    shop.void(&void(4, 100, Method::Card, "undo")).unwrap();
    for (key, amount) in [("c", 10), ("b", 20), ("silent", 5), ("refused", 6)] {
        let _ = shop.refund(&refund(3, key, amount));
        shop.wait(1);
    }
    let entries = |after: Option<u64>, limit| {
        let after = after.map(|number| OrderId::try_new(number).unwrap());
        let entries = shop.payments.captured(after, limit).unwrap();
        let line = |(payment, refunds): &(payment::domain::Payment, Vec<Refund>)| {
            let refunds = refunds.iter();
            let refunds =
                refunds.map(|refund| format!(" {}={}", refund.key.as_str(), refund.amount.money().minor()));
            format!("{}:{}", payment.order, refunds.collect::<String>())
        };
        entries.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(entries(None, 10), ["1:", "3: c=10 b=20", "5:"]);
    assert_eq!(entries(None, 2), ["1:", "3: c=10 b=20"]);
    assert_eq!(entries(Some(3), 2), ["5:"]);
    assert_eq!(entries(Some(5), 2), [""; 0]);
    assert_eq!(entries(None, 0), [""; 0]);
}

#[test]
fn fifty_parallel_refunds_stay_within_the_captured_sum() {
    const THREADS: usize = 50;
    let dir = tempfile::tempdir().unwrap();
    Shop::open(dir.path(), "")
        .charge(&charge(1, 100, Method::Card))
        .unwrap();
    let connect = |_| Shop::open(dir.path(), "");
    let count = at_once(THREADS + 1, connect, |shop, thread| {
        if thread == THREADS {
            shop.wait(21_000);
            return (0..10).map(|_| shop.recover().done).sum();
        }
        // Two threads share each of 25 keys; fourteen times 7 fit.
        match shop.refund(&refund(1, &format!("key {}", thread / 2), 7)) {
            Ok(done) => u32::from(done.is_new()),
            Err(
                Failed::Refused(RefundRefused::ExceedsCaptured(_)) | Failed::Unanswered(Trouble::UnderWay),
            ) => 0,
            other => panic!("{other:?}"),
        }
    });
    let shop = Shop::open(dir.path(), "");
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (98, 98), "{count:?}");
    assert_eq!(shop.topics().len(), 1 + 14);
    let after = shop
        .void(&void(1, 100, Method::Card, "cancel"))
        .unwrap()
        .into_inner();
    assert_eq!((after.status(), shop.pg.cancelled(1)), ("REFUNDED", 100));
}

#[test]
fn fifty_parallel_voids_charges_and_refunds_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    Shop::open(dir.path(), "");
    let connect = |_| Shop::open(dir.path(), "");
    at_once(50, connect, |shop, thread| {
        let number = 1 + thread as u64 % 2;
        match thread % 10 {
            0..4 => drop(shop.charge(&charge(number, 100, Method::Card))),
            4..6 => drop(shop.refund(&refund(number, &thread.to_string(), 30))),
            _ => drop(shop.void(&void(number, 100, Method::Card, &format!("undo {}", thread % 3)))),
        }
    });
    let shop = Shop::open(dir.path(), "");
    for number in [1, 2] {
        let ended = shop
            .void(&void(number, 100, Method::Card, "last"))
            .unwrap()
            .into_inner();
        let (taken, back) = (shop.pg.approved(number), shop.pg.cancelled(number));
        assert_eq!(taken, back, "{ended:?}");
        assert!(ended.is_voided() || ended.refunded() == ended.amount, "{ended:?}");
    }
}

#[test]
fn the_job_finds_its_work_by_index() {
    // The words are SQLite's.
    if store_suite::database::is_postgres() {
        return;
    }
    let shop = Shop::new("");
    let plan = |statement: &str| {
        let numbers = [0i64; 6].map(store::Value::from);
        let wanted = (1..=6)
            .filter(|number| statement.contains(&format!("?{number}")))
            .count();
        let rows = shop
            .payments
            .read(&format!("explain query plan {statement}"), &numbers[..wanted]);
        let details = rows
            .unwrap()
            .iter()
            .map(|row| row.get::<String>("detail").unwrap())
            .collect::<Vec<_>>();
        details.join("; ")
    };
    let refunds = plan(include_str!("../src/sql/requested_refunds.sql"));
    assert!(
        refunds.contains("USING INDEX refund_requested") && !refunds.contains("TEMP B-TREE"),
        "{refunds}"
    );
    let looks = plan(include_str!("../src/sql/due_looks.sql"));
    assert!(
        looks.contains("INDEX gateway_look_by_time") && !looks.contains("TEMP B-TREE"),
        "{looks}"
    );
    // The list, and its length as a figure.
    let list = include_str!("../src/sql/list_stuck.sql");
    for statement in [
        list,
        &format!("select count(*) as number from ({list}) as listed"),
    ] {
        let stuck = plan(statement);
        assert!(stuck.contains("INDEX refund_refused"), "{stuck}");
    }
}
