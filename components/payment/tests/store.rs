//! What payments promise, over the real store and the real fake gateway.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use expect_test::expect;
use kernel::{Money, Outcome};
use payment::app::{App, Approval, ApproveError, CancelError, Entry, Failed, Gateway, Payments, Trouble};
use payment::domain::{
    Charge, ChargeRefused, Method, NewRefund, Refund, RefundRefused, RefundState, State, Till,
};
use payment::store::MIGRATIONS;
use shop::{NOW, Shop, charge, order, refund, won};
use store::{DbError, params};
use testkit::at_once;

store_suite::also_on_postgres!();

#[test]
fn a_card_is_charged_once_and_repetitions_get_the_first_answer() {
    let shop = Shop::new("");
    let first = shop.charge(&charge(1, 100, Method::Card)).unwrap();
    assert!(first.is_new());
    let again = shop.charge(&charge(1, 100, Method::Card)).unwrap();
    assert_eq!(again, Outcome::AlreadyDone(first.into_inner()));
    assert_eq!(shop.app().status(order(1)).unwrap(), Some(again.into_inner()));
    for other in [charge(1, 101, Method::Card), charge(1, 100, Method::Cash)] {
        assert!(matches!(
            shop.charge(&other),
            Err(Failed::Refused(ChargeRefused::DiffersFromExisting))
        ));
    }
}

#[test]
fn a_refused_charge_is_refused_for_good() {
    let shop = Shop::new("refuse amount>=100 REJECT_CARD_PAYMENT");
    for _ in 0..2 {
        let refused = shop.charge(&charge(1, 100, Method::Card));
        assert!(
            matches!(&refused, Err(Failed::Refused(ChargeRefused::Refused(code))) if code == "REJECT_CARD_PAYMENT"),
            "{refused:?}"
        );
    }
    let failed = shop.app().status(order(1)).unwrap().unwrap();
    assert_eq!(failed.status(), "FAILED");
    assert!(matches!(
        shop.refund(&refund(1, "a", 1)),
        Err(Failed::Refused(RefundRefused::NotCaptured))
    ));
}

#[test]
fn cash_needs_no_gateway_and_what_is_not_offered_is_refused() {
    let shop = Shop::new("timeout; timeout-cancel");
    shop.charge(&charge(1, 100, Method::Cash)).unwrap();
    let back = shop.refund(&refund(1, "a", 30)).unwrap().into_inner();
    assert_eq!((back.status(), back.refunded()), ("PARTIALLY_REFUNDED", won(30)));
    assert_eq!(
        shop.refund(&refund(1, "a", 30)).unwrap(),
        Outcome::AlreadyDone(back)
    );
    for method in [Method::Point, Method::Pg] {
        assert!(matches!(
            shop.charge(&charge(2, 100, method)),
            Err(Failed::Refused(ChargeRefused::MethodNotOffered))
        ));
    }
    assert_eq!(shop.app().status(order(2)).unwrap(), None);
}

#[test]
fn without_an_answer_nothing_is_written_and_nothing_is_denied() {
    let shop = Shop::new("timeout amount=777 first=1; lose-answer amount=778");
    for (number, amount, taken) in [(1, 777, false), (2, 778, true)] {
        let silent = shop.charge(&charge(number, amount, Method::Card));
        assert!(
            matches!(silent, Err(Failed::Unanswered(Trouble::Gateway(_)))),
            "{silent:?}"
        );
        assert_eq!(shop.payments.find(order(number)).unwrap(), None);
        // While the gateway holds money, neither call may say that nothing was charged.
        let (status, undo) = (
            shop.app().status(order(number)),
            shop.refund(&refund(number, "undo", amount)),
        );
        if taken {
            assert!(matches!(status, Err(Trouble::Unsettled)), "{status:?}");
            assert!(
                matches!(undo, Err(Failed::Unanswered(Trouble::Unsettled))),
                "{undo:?}"
            );
        } else {
            assert!(matches!(status, Ok(None)), "{status:?}");
            assert!(
                matches!(undo, Err(Failed::Refused(RefundRefused::NotCaptured))),
                "{undo:?}"
            );
        }
        assert!(
            shop.charge(&charge(number, amount, Method::Card))
                .unwrap()
                .is_new()
        );
    }
    assert_eq!(shop.topics(), ["payment.completed", "payment.completed"]);
}

#[test]
fn an_order_the_gateway_took_for_another_amount_differs() {
    let shop = Shop::new("lose-answer amount=778");
    let _ = shop.charge(&charge(1, 778, Method::Card));
    assert!(matches!(
        shop.charge(&charge(1, 779, Method::Card)),
        Err(Failed::Refused(ChargeRefused::DiffersFromExisting))
    ));
}

#[test]
fn refunds_are_partial_repeatable_and_never_above_the_captured_sum() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    assert!(shop.refund(&refund(1, "a", 60)).unwrap().is_new());
    assert!(!shop.refund(&refund(1, "a", 60)).unwrap().is_new());
    let refused = |key, amount| match shop.refund(&refund(1, key, amount)) {
        Err(Failed::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("a", 61), RefundRefused::DiffersFromExisting);
    assert_eq!(refused("b", 41), RefundRefused::ExceedsCaptured(won(40)));
    let all = shop.refund(&refund(1, "b", 40)).unwrap().into_inner();
    assert_eq!(all.status(), "REFUNDED");
    assert_eq!(refused("c", 1), RefundRefused::ExceedsCaptured(won(0)));
    assert_eq!(shop.pg.cancelled(1), 100);
}

#[test]
fn a_silent_gateway_leaves_the_refund_requested_and_the_repetition_finishes_it() {
    let shop = Shop::new("timeout-cancel amount=5 first=1; lose-cancel-answer amount=6");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for (key, amount, cancelled) in [("a", 5, 0), ("b", 6, 11)] {
        assert!(matches!(
            shop.refund(&refund(1, key, amount)),
            Err(Failed::Unanswered(Trouble::Gateway(_)))
        ));
        assert_eq!(
            shop.refund_states(1).last().unwrap(),
            &(key.to_owned(), "REQUESTED".to_owned())
        );
        let promised = shop.payments.find(order(1)).unwrap().unwrap().refundable();
        assert!(shop.refund(&refund(1, key, amount)).unwrap().is_new());
        assert_eq!(
            shop.payments.find(order(1)).unwrap().unwrap().refundable(),
            promised
        );
        assert!(shop.pg.cancelled(1) >= cancelled);
    }
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (11, 11));
}

#[test]
fn a_refused_refund_gives_its_promise_back_and_is_final() {
    let shop = Shop::new("refuse-cancel first=1");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for _ in 0..2 {
        let refused = shop.refund(&refund(1, "a", 100));
        assert!(
            matches!(&refused, Err(Failed::Refused(RefundRefused::Refused(code))) if code == "NOT_CANCELABLE_PAYMENT"),
            "{refused:?}"
        );
    }
    assert_eq!(shop.refunded(1), 0);
    assert!(shop.refund(&refund(1, "b", 100)).unwrap().is_new());
    assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
}

#[test]
fn a_gateway_that_lost_the_payment_is_a_refusal_for_a_person_to_look_at() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    shop.pg
        .db
        .transaction(|tx| tx.execute("delete from pg_payment", params![]))
        .unwrap();
    let refused = shop.refund(&refund(1, "a", 100));
    assert!(
        matches!(&refused, Err(Failed::Refused(RefundRefused::Refused(code))) if code == "UNKNOWN_PAYMENT"),
        "{refused:?}"
    );
}

/// While the gateway takes the card's money, another call takes cash for the same order.
struct Overtaken<'a>(&'a Shop);

impl Gateway for Overtaken<'_> {
    fn approve(&self, order: kernel::OrderId, amount: Money) -> Result<Approval, ApproveError> {
        let cash = Charge {
            order,
            ..charge(1, 100, Method::Cash)
        };
        self.0.charge(&cash).unwrap();
        self.0.pg.approve(order, amount)
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        self.0.pg.cancel(key, cancel_key, amount, reason)
    }

    fn confirm(&self, order: kernel::OrderId, key: &str, amount: Money) -> Result<Approval, ApproveError> {
        self.0.pg.confirm(order, key, amount)
    }

    fn find(&self, order: kernel::OrderId) -> Result<Option<Entry>, String> {
        self.0.pg.find(order)
    }
}

#[test]
fn a_charge_that_is_overtaken_by_another_method_returns_the_money() {
    let shop = Shop::new("");
    let app = App {
        payments: &shop.payments,
        gateway: &Overtaken(&shop),
    };
    assert!(matches!(
        app.charge(&charge(1, 100, Method::Card), NOW, 7),
        Err(Failed::Refused(ChargeRefused::DiffersFromExisting))
    ));
    assert_eq!(shop.pg.cancelled(1), 100);
    let kept = shop.app().status(order(1)).unwrap().unwrap();
    assert!(matches!(kept.state, State::Captured { till: Till::Cash, .. }));
}

#[test]
fn a_taken_id_is_replaced_by_another_one() {
    let shop = Shop::new("");
    let random = 0b1_0000_0000_0001;
    shop.app()
        .charge(&charge(1, 100, Method::Card), NOW, random)
        .unwrap();
    let second = shop
        .app()
        .charge(&charge(2, 100, Method::Card), NOW, random)
        .unwrap()
        .into_inner();
    assert_ne!(second.id, shop.payments.find(order(1)).unwrap().unwrap().id);
}

#[test]
fn events_tell_what_happened_once() {
    let shop = Shop::new("refuse amount=13 REJECT_CARD_PAYMENT");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for _ in 0..2 {
        let _ = shop.charge(&charge(2, 13, Method::Card));
        shop.refund(&refund(1, "return 1", 60)).unwrap();
    }
    shop.refund(&refund(1, "return 2", 40)).unwrap();
    expect![[r#"
        payment.completed:1 | 1 | 2026-11-20T23:23:40.000Z | None | {"paymentId":487648624647189,"orderId":1,"userId":2,"method":"CARD","currency":"KRW","amount":100}
        payment.failed:2 | 2 | 2026-11-20T23:23:40.000Z | None | {"paymentId":487648624646186,"orderId":2,"userId":2,"method":"CARD","currency":"KRW","amount":13,"failureCode":"REJECT_CARD_PAYMENT"}
        payment.refunded:1:return 1 | 1 | 2026-11-20T23:23:41.000Z | None | {"paymentId":487648624647189,"orderId":1,"userId":2,"method":"CARD","currency":"KRW","amount":100,"refundKey":"return 1","refundAmount":60,"refundedAmount":60,"reason":"broken"}
        payment.refunded:1:return 2 | 1 | 2026-11-20T23:23:41.000Z | None | {"paymentId":487648624647189,"orderId":1,"userId":2,"method":"CARD","currency":"KRW","amount":100,"refundKey":"return 2","refundAmount":40,"refundedAmount":100,"reason":"broken"}
    "#]].assert_eq(&shop.events());
}

#[test]
fn what_others_decided_since_somebody_looked_is_not_decided_again() {
    let shop = Shop::new("");
    let paid = shop.charge(&charge(1, 100, Method::Card)).unwrap().into_inner();
    assert!(!shop.payments.insert(&paid).unwrap());
    let (first, second) = (requested("a", 60), requested("b", 41));
    assert!(shop.payments.promise(&first).unwrap());
    assert!(!shop.payments.promise(&first).unwrap(), "its key is used");
    assert!(!shop.payments.promise(&second).unwrap(), "less is left");
    assert_eq!(shop.payments.give_cash(&second, NOW).unwrap(), None);
    assert_eq!(
        shop.payments.finish(&second, NOW).unwrap(),
        None,
        "it was never requested"
    );
    assert!(shop.payments.finish(&first, NOW).unwrap().is_some());
    assert_eq!(shop.payments.finish(&first, NOW).unwrap(), None, "it is done");
    assert!(!shop.payments.refuse(&first, "NO", NOW).unwrap(), "it is done");
    let third = requested("c", 40);
    assert!(shop.payments.promise(&third).unwrap());
    assert!(shop.payments.refuse(&third, "NO", NOW).unwrap());
    assert_eq!(shop.payments.finish(&third, NOW).unwrap(), None, "it was refused");
    assert_eq!(shop.refunded(1), 60);
    assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
}

fn requested(key: &str, amount: i64) -> Refund {
    let NewRefund {
        order,
        key,
        amount,
        reason,
    } = refund(1, key, amount);
    Refund {
        order,
        key,
        amount,
        reason,
        state: RefundState::Requested,
        requested_at: NOW,
    }
}

#[test]
fn a_refund_whose_promise_survived_a_crash_is_continued() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    assert!(shop.payments.promise(&requested("a", 60)).unwrap());
    // As long as whoever promised it may live, nobody else asks the gateway.
    assert!(matches!(
        shop.refund(&refund(1, "a", 60)),
        Err(Failed::Unanswered(Trouble::UnderWay))
    ));
    shop.wait(20_000);
    assert!(shop.refund(&refund(1, "a", 60)).unwrap().is_new());
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (60, 60));
}

#[test]
fn parallel_charges_of_one_order_capture_once() {
    const THREADS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    Shop::open(dir.path(), "");
    let connect = |_| Shop::open(dir.path(), "");
    let new = at_once(THREADS, connect, |shop, thread| {
        let answer = shop
            .app()
            .charge(&charge(1, 100, Method::Card), NOW, thread as u64);
        usize::from(answer.unwrap().is_new())
    });
    let new: usize = new.into_iter().sum();
    let shop = Shop::open(dir.path(), "");
    assert_eq!((new, shop.topics().len(), shop.pg.cancelled(1)), (1, 1, 0));
}

#[test]
fn parallel_refunds_never_exceed_the_captured_sum() {
    const THREADS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    Shop::open(dir.path(), "")
        .charge(&charge(1, 100, Method::Card))
        .unwrap();
    let connect = |_| Shop::open(dir.path(), "");
    at_once(THREADS, connect, |shop, thread| {
        // Two threads share each of four keys; three times 30 fit.
        match shop.refund(&refund(1, &format!("key {}", thread / 2), 30)) {
            Ok(_)
            | Err(
                Failed::Refused(RefundRefused::ExceedsCaptured(_)) | Failed::Unanswered(Trouble::UnderWay),
            ) => {}
            other => panic!("{other:?}"),
        }
    });
    let shop = Shop::open(dir.path(), "");
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (90, 90));
    assert_eq!(shop.topics().len(), 4);
}

#[test]
fn the_database_itself_keeps_what_can_not_be_out() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    shop.refund(&refund(1, "a", 60)).unwrap();
    let broken = |statement: &str| match shop.payments.transaction(|tx| tx.execute(statement, params![])) {
        Err(DbError::Check(name)) => name,
        Err(DbError::Conflict(columns)) => columns,
        other => panic!("{statement}: {other:?}"),
    };
    let copy = "insert into payment select 1, order_id, user_id, method, currency, amount_minor, state, \
                gateway_key, failure_code, 0, 0, decided_at from payment";
    let mut table = String::new();
    for statement in [
        "update payment set refunded_minor = 101",
        "update payment set refunding_minor = 41",
        "update payment set refunding_minor = -1",
        "update payment set state = 'FAILED'",
        "update payment set state = 'LOST', gateway_key = null, refunded_minor = 0",
        "update payment set amount_minor = 0",
        "update refund set state = 'REQUESTED'",
        "update refund set state = 'REFUSED'",
        copy,
    ] {
        table.push_str(&broken(statement));
        table.push('\n');
    }
    expect![[r#"
        payment_refunds_within_captured
        payment_refunds_within_captured
        payment_refunds_within_captured
        payment_failed_has_code
        payment_state_known
        payment_amount_positive
        refund_decided_has_time
        refund_refused_has_code
        payment.order_id
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_row_that_can_not_be_is_a_defect_and_no_default() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for broken in [
        "method = 'BITCOIN'",
        "currency = 'krw'",
        "gateway_key = null",
        "user_id = 0",
    ] {
        let kept = "update payment set method = 'CARD', currency = 'KRW', gateway_key = 'k', user_id = 2";
        let break_it = format!("update payment set {broken}");
        shop.payments
            .transaction(|tx| tx.execute(kept, params![]))
            .unwrap();
        shop.payments
            .transaction(|tx| tx.execute(&break_it, params![]))
            .unwrap();
        let answer = shop.app().status(order(1));
        assert!(
            matches!(answer, Err(Trouble::Store(DbError::Row(_)))),
            "{broken}: {answer:?}"
        );
    }
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(MIGRATIONS);
}
