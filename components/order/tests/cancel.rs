//! Cancelling a paid order: money and goods come back, once, whatever happens on the way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use std::cell::Cell;
use std::env;
use std::process::Command;
use std::rc::Rc;

use kernel::Millis;
use serde_json::json;
use shop::{Fault, Shop, When, header, id, json, request};
use web::{Method, Request, Role};

store_suite::also_on_postgres!();

fn paid(shop: &Shop) -> u64 {
    let placed = shop.buy(1, 2);
    assert_eq!(placed.status, 201, "{placed:?}");
    id(&placed)
}

/// A paid order whose goods are still held, and one whose goods were let go.
fn before_and_after(shop: &Shop, is_let_go: bool) -> u64 {
    let order = paid(shop);
    if is_let_go {
        shop.wait(Millis(1));
        assert_eq!(shop.jobs().done, 1);
    }
    shop.seam.heal();
    order
}

/// Pieces in the house, pieces held, money kept.
fn books(shop: &Shop) -> (i64, u32, i64) {
    (shop.on_hand(1), shop.held(1), shop.kept())
}

#[test]
fn money_and_goods_come_back() {
    let shop = Shop::open("");
    let order = paid(&shop);
    let body = json!({"reason": " changed my mind "});
    let cancelled = shop.post(1, &format!("/orders/{order}/cancel"), None, &body);
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let shown = json(&cancelled);
    assert_eq!(
        (&shown["status"], &shown["cancelReason"], &shown["cancelNote"]),
        (&json!("CANCELLED"), &json!("CUSTOMER"), &json!("changed my mind"))
    );
    assert_eq!(shop.get(1, &format!("/orders/{order}")).body, cancelled.body);
    assert_eq!(books(&shop), (100, 0, 0));
    assert_eq!(shop.topics(), ["order.created", "order.paid", "order.cancelled"]);
    shop.assert_sound("cancelled at once, with nothing left to finish");
}

#[test]
fn both_methods_do_the_same_with_and_without_a_body() {
    for method in [Method::Patch, Method::Post] {
        for body in ["", "{}", r#"{"reason":null}"#] {
            let shop = Shop::open("");
            let order = paid(&shop);
            let mut ask = Request::new(method, &format!("/orders/{order}/cancel"));
            if !body.is_empty() {
                ask = ask
                    .with_header("content-type", "application/json")
                    .with_body(body);
            }
            let cancelled = shop.send(1, Role::User, &ask);
            assert_eq!(cancelled.status, 200, "{method:?} {body:?}: {cancelled:?}");
        }
    }
}

#[test]
fn what_cannot_be_cancelled_stays_as_it_is() {
    let shop = Shop::open("refuse amount=25000 REJECT_CARD_PAYMENT");
    let order = paid(&shop);
    let theirs = shop.send(
        2,
        Role::User,
        &request(&format!("/orders/{order}/cancel"), None, None),
    );
    assert_eq!(theirs.status, 404, "somebody else's");
    assert_eq!(shop.cancel_as(None, order + 1).status, 404);
    assert_eq!(shop.buy(2, 1).status, 402);
    let failed = shop
        .all()
        .into_iter()
        .find(|order| shop.status(*order) == "FAILED")
        .unwrap();
    assert_eq!(shop.cancel_as(None, failed).status, 409, "a FAILED order");
    let pending = id(&shop.reserve_as(None, 3, 1));
    assert_eq!(shop.cancel_as(None, pending).status, 409, "a PENDING order");
    assert_eq!(shop.cancel_as(None, order).status, 200);
    assert_eq!(shop.cancel_as(None, order).status, 409, "a CANCELLED order");
    shop.assert_sound("refused cancellations");
}

#[test]
fn an_order_is_cancelled_before_and_after_it_was_finished() {
    for finished in [false, true] {
        let shop = Shop::open("");
        let order = paid(&shop);
        if finished {
            shop.recover("finish");
            assert_eq!(shop.work(order), "nothing");
        }
        assert_eq!(shop.cancel_as(None, order).status, 200);
        shop.recover("cancelled");
        shop.assert_sound("cancelled");
        assert_eq!(books(&shop), (100, 0, 0));
    }
}

#[test]
fn goods_that_were_not_let_go_yet_are_released() {
    let shop = Shop::open("");
    let order = paid(&shop);
    assert_eq!(books(&shop), (100, 2, 20_000));
    assert_eq!(shop.cancel_as(None, order).status, 200);
    assert_eq!(books(&shop), (100, 0, 0));
    let reserved = "select order_id from reservation where state = 'RELEASED'";
    let released = shop.stock_tables.read(reserved, store::params![]).unwrap();
    assert_eq!(released.len(), 1, "released, and not sold and taken back");
    shop.recover("cancelled");
    shop.assert_sound("cancelled");
}

#[test]
fn a_cancellation_in_the_middle_of_the_checkouts_end_wins() {
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    shop.before_call(3, |shop| {
        let order = shop.all()[0];
        assert_eq!(
            shop.cancel_as(None, order).status,
            200,
            "it is PAID, its goods are only reserved, its cart is not emptied yet"
        );
    });
    assert_eq!(shop.buy_cart(None).status, 201);
    shop.recover("cancelled");
    shop.assert_sound("cancelled");
    assert_eq!(books(&shop), (100, 0, 0));
}

/// The job has taken the order over; its customer cancels it before its goods are let go, and after.
#[test]
fn a_cancellation_beside_the_job_that_lets_its_goods_go_wins() {
    for when in [When::Before, When::After] {
        let shop = Shop::open("");
        let (order, other) = (paid(&shop), paid(&shop));
        shop.wait(Millis(1));
        shop.beside_commit_all(when, move |shop| {
            assert_eq!(shop.cancel_as(None, order).status, 200, "{when:?}");
        });
        shop.jobs();
        let context = format!("cancelled {when:?} its goods were let go");
        assert_eq!(shop.status(order), "CANCELLED", "{context}");
        assert_eq!(
            (shop.work(order).as_str(), shop.work(other).as_str()),
            ("nothing", "nothing"),
            "{context}"
        );
        assert_eq!(books(&shop), (98, 0, 20_000), "{context}");
        assert_eq!(
            json(&shop.get(1, &format!("/orders/{order}")))["cancelReason"],
            "CUSTOMER",
            "{context}: nobody calls it sold out"
        );
        shop.recover(&context);
        shop.assert_sound(&context);
    }
}

/// Nobody is called for the test above, of which only a process of its own shows what it logs.
#[test]
fn goods_that_a_cancellation_took_are_nobodys_mistake() {
    let told = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_cancellation_beside_the_job_that_lets_its_goods_go_wins"])
        .arg("--nocapture")
        // Its schemas would have the names of ours.
        .env_remove("BODEGA_TEST_POSTGRES")
        .output()
        .unwrap();
    let (passed, log) = (
        String::from_utf8(told.stdout).unwrap(),
        String::from_utf8(told.stderr).unwrap(),
    );
    assert!(passed.contains("1 passed"), "{passed}");
    assert!(!log.contains(r#""level":"error""#), "{log}");
}

/// The job's call is still on its way when the cancellation is half-way.
#[test]
fn goods_that_are_let_go_late_come_back_all_the_same() {
    for number in 0..3 {
        for admin in [false, true] {
            let shop = Shop::open("");
            let order = paid(&shop);
            shop.before_call(number, move |shop| shop.let_go(order));
            let told = if admin {
                shop.admin_post(&format!("/admin/orders/{order}/cancel"))
            } else {
                shop.cancel_as(None, order)
            };
            let context = format!("let go before call {number}, admin {admin}: {told:?}");
            assert_eq!(told.status, 200, "{context}");
            assert_eq!(books(&shop), (100, 0, 0), "{context}");
            shop.let_go(order);
            assert_eq!(books(&shop), (100, 0, 0), "{context}, and once more after it");
            shop.recover(&context);
            shop.assert_sound(&context);
        }
    }
}

/// The job dies at every point, then the order is cancelled, then the job's next run comes.
#[test]
fn a_job_that_died_anywhere_leaves_an_order_that_can_be_cancelled() {
    for when in When::BOTH {
        for point in 0.. {
            let shop = Shop::open("");
            let order = paid(&shop);
            shop.wait(Millis(1));
            shop.seam.crash(point, when);
            let _ = shop.with(|app| app.recover(100));
            let crashed = shop.seam.has_crashed();
            let context = format!("the job died at {point} of {:?}, {when:?}", shop.seam.points());
            shop.seam.heal();
            assert_eq!(shop.cancel_as(None, order).status, 200, "{context}");
            shop.recover(&context);
            shop.assert_sound(&context);
            assert_eq!(books(&shop), (100, 0, 0), "{context}");
            if !crashed {
                assert_eq!(point, 5, "{context}");
                break;
            }
        }
    }
}

#[test]
fn of_two_cancellations_one_wins() {
    for number in 0..2 {
        let shop = Shop::open("");
        let order = paid(&shop);
        let second = Rc::new(Cell::new(0));
        let told = second.clone();
        shop.before_call(number, move |shop| told.set(shop.cancel_as(None, order).status));
        assert_eq!(shop.cancel_as(None, order).status, 200);
        assert_eq!(second.get(), 409);
        shop.recover("cancelled");
        shop.assert_sound("cancelled");
    }
}

#[test]
fn recovery_beside_a_cancellation_waits_for_its_lease_and_then_ends_it() {
    for (later, lapsed) in [(19_000, false), (21_000, true)] {
        for number in 0..2 {
            let shop = Shop::open("");
            let order = paid(&shop);
            let done = Rc::new(Cell::new(0));
            let counted = done.clone();
            shop.before_call(number, move |shop| {
                shop.wait(Millis(later));
                counted.set(shop.jobs().done);
            });
            let cancelled = shop.cancel_as(None, order);
            let context = format!("{later} ms later, before call {number}: {cancelled:?}");
            assert_eq!(
                (cancelled.status, done.get()),
                (200, u32::from(lapsed)),
                "{context}"
            );
            shop.recover(&context);
            shop.assert_sound(&context);
            assert_eq!(books(&shop), (100, 0, 0), "{context}");
        }
    }
}

#[test]
fn an_outage_from_any_call_on_is_carried_on_by_recovery() {
    for is_let_go in [false, true] {
        for first in 0..3 {
            for last in [first, first + 1, first + 2, u32::MAX] {
                for when in When::BOTH {
                    carried_on(is_let_go, Fault { first, last, when });
                }
            }
        }
    }
}

fn carried_on(is_let_go: bool, fault: Fault) {
    let shop = Shop::open("");
    let order = before_and_after(&shop, is_let_go);
    let context = format!("{fault:?}, let go {is_let_go}");
    shop.seam.lose(fault);
    let told = shop.cancel_as(None, order);
    assert!([200, 503].contains(&told.status), "{context}: {told:?}");
    if told.status == 503 {
        assert_eq!(header(&told, "retry-after"), Some("5"), "{context}");
        let again = shop.cancel_as(None, order);
        assert_eq!(again.status, 409, "{context}: it is under way");
    }
    shop.recover(&context);
    shop.assert_sound(&context);
    assert_eq!(
        (shop.status(order).as_str(), books(&shop)),
        ("CANCELLED", (100, 0, 0)),
        "{context}"
    );
}

#[test]
fn a_crash_anywhere_is_recovered_from() {
    for (is_let_go, points) in [(false, 16), (true, 15)] {
        for when in When::BOTH {
            for point in 0.. {
                let shop = Shop::open("");
                let order = before_and_after(&shop, is_let_go);
                shop.seam.crash(point, when);
                let told = shop.cancel_as(None, order);
                let context = format!("died at {point} of {:?}, {when:?}: {told:?}", shop.seam.points());
                let crashed = shop.seam.has_crashed();
                if !crashed {
                    assert_eq!(point, points, "{:?}", shop.seam.points());
                }
                shop.recover(&context);
                shop.assert_sound(&context);
                assert_eq!(books(&shop).1, 0, "{context}");
                if told.status == 200 {
                    assert_eq!(shop.status(order), "CANCELLED", "{context}");
                }
                if !crashed {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_refused_refund_is_stuck_until_a_person_has_sent_it_on() {
    let shop = Shop::open("refuse-cancel first=2");
    let order = paid(&shop);
    let refused = shop.cancel_as(Some("k"), order);
    assert_eq!(
        (refused.status, header(&refused, "retry-after")),
        (502, None),
        "{refused:?}"
    );
    assert_eq!(
        (shop.status(order).as_str(), shop.work(order).as_str()),
        ("PAID", "CANCEL stuck at void")
    );
    assert_eq!(
        shop.cancel_as(Some("k"), order).status,
        502,
        "and nothing is tried again"
    );
    assert_eq!(shop.cancel_as(None, order).status, 409);
    shop.wait(Millis(100_000));
    assert_eq!(shop.jobs().done, 0, "recovery leaves it alone");
    let stuck = json(&shop.admin_get("/admin/orders/stuck"));
    assert_eq!(
        (&stuck[0]["id"], &stuck[0]["work"]["stuckStep"]),
        (&json!(order), &json!("void"))
    );

    let retry = format!("/admin/orders/{order}/retry");
    let again = shop.admin_post(&retry);
    assert_eq!(
        (again.status, &json(&again)["work"]["attempt"]),
        (200, &json!(2)),
        "{again:?}"
    );
    assert_eq!(shop.work(order), "CANCEL stuck at void", "refused again");
    let retried = json(&shop.admin_post(&retry));
    assert_eq!(
        (&retried["status"], &retried["work"]),
        (&json!("CANCELLED"), &json!(null)),
        "{retried}"
    );
    assert_eq!(shop.admin_get("/admin/orders/stuck").body, "[]");
    assert_eq!(shop.admin_post(&retry).status, 409, "nothing is stuck any more");
    assert_eq!(
        shop.cancel_as(Some("k"), order).status,
        200,
        "the key has its answer now"
    );
    assert_eq!(books(&shop), (100, 0, 0));
    shop.assert_sound("retried");
}

#[test]
fn a_checkout_whose_undo_is_refused_is_stuck_too() {
    let shop = Shop::open("refuse-cancel first=1");
    shop.seam.lose(Fault {
        first: 1,
        last: 2,
        when: When::After,
    });
    let stuck = shop.buy(1, 2);
    assert_eq!(stuck.status, 502, "{stuck:?}");
    let order = shop.all()[0];
    assert_eq!(
        (shop.status(order).as_str(), shop.work(order).as_str()),
        ("PENDING", "UNDO stuck at void")
    );
    let retried = json(&shop.admin_post(&format!("/admin/orders/{order}/retry")));
    assert_eq!(
        (&retried["status"], &retried["failureReason"]),
        (&json!("FAILED"), &json!("UNAVAILABLE"))
    );
    shop.recover("retried");
    shop.assert_sound("retried");
}

#[test]
fn an_administrator_cancels_anybodys_order() {
    let shop = Shop::open("");
    let order = paid(&shop);
    let path = format!("/admin/orders/{order}/cancel");
    let refused = shop.send(1, Role::User, &request(&path, None, None));
    assert_eq!(refused.status, 403);
    let body = json!({"reason": "fraud"});
    let cancelled = shop.send(99, Role::Admin, &request(&path, Some("k"), Some(&body)));
    let shown = json(&cancelled);
    assert_eq!(
        (cancelled.status, &shown["cancelReason"]),
        (200, &json!("ADMIN")),
        "{cancelled:?}"
    );
    let again = shop.send(99, Role::Admin, &request(&path, Some("k"), Some(&body)));
    assert_eq!(again, cancelled);
    shop.assert_sound("cancelled");
}
