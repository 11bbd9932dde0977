//! The checkout in two calls: goods are held, then paid for, or their time runs out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use std::cell::Cell;
use std::rc::Rc;

use kernel::{Instant, Millis};
use serde_json::json;
use shop::{Fault, Shop, When, id, json};

store_suite::also_on_postgres!();

const DUE: i64 = 20_000;

/// An order of two pieces that waits for its payment.
fn waiting(shop: &Shop) -> u64 {
    let placed = shop.reserve_as(None, 1, 2);
    assert_eq!(
        (placed.status, &json(&placed)["status"]),
        (201, &json!("PENDING")),
        "{placed:?}"
    );
    id(&placed)
}

/// Pieces in the house, pieces held, money kept.
fn books(shop: &Shop) -> (i64, u32, i64) {
    (shop.on_hand(1), shop.held(1), shop.kept())
}

#[test]
fn goods_are_held_until_they_are_paid_for() {
    let shop = Shop::open("");
    let placed = shop.reserve_as(None, 1, 2);
    let end = shop.now().after(Millis(600_000));
    assert_eq!(json(&placed)["expiresAt"], end.rfc3339());
    let order = id(&placed);
    assert_eq!(shop.get(1, &format!("/orders/{order}")).body, placed.body);
    assert_eq!((shop.work(order).as_str(), books(&shop)), ("AWAIT", (100, 2, 0)));
    shop.wait(Millis(599_000));
    shop.jobs();
    let paid = shop.confirm_as(None, order, "window", DUE);
    assert_eq!(
        (paid.status, &json(&paid)["status"]),
        (200, &json!("PAID")),
        "{paid:?}"
    );
    assert_eq!(json(&paid).get("expiresAt"), None);
    assert_eq!(books(&shop), (98, 0, DUE));
    shop.recover("paid");
    shop.assert_sound("paid");
    assert_eq!(shop.topics(), ["order.created", "order.paid"]);
}

#[test]
fn a_cart_waits_for_its_payment_too_and_is_emptied_then() {
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    let body = json!({"paymentMethod": "PG"});
    let placed = shop.post(1, "/orders/from-cart", None, &body);
    let order = json(&placed)[0]["id"].as_u64().unwrap();
    assert_eq!((placed.status, shop.in_cart()), (201, vec![(1, 2)]), "{placed:?}");
    shop.put_in_cart(1, 1);
    assert_eq!(shop.confirm_as(None, order, "window", DUE).status, 200);
    assert_eq!(shop.in_cart(), [(1, 1)], "what was put in meanwhile stays");
    shop.recover("paid");
    shop.assert_sound("paid");
}

#[test]
fn ten_orders_of_a_customer_wait_at_most() {
    let shop = Shop::open("");
    let orders: Vec<u64> = (0..10).map(|_| id(&shop.reserve_as(None, 1, 1))).collect();
    let refused = shop.reserve_as(None, 1, 1);
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("10 of your orders wait"), "{refused:?}");
    assert_eq!(
        (shop.all().len(), shop.held(1)),
        (10, 10),
        "nothing of it is there"
    );
    let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "PG"});
    assert_eq!(shop.post(2, "/orders", None, &body).status, 201, "others may");
    assert_eq!(shop.buy(1, 1).status, 201, "who pays at once does not wait");
    assert_eq!(shop.confirm_as(None, orders[3], "window", 10_000).status, 200);
    assert_eq!(shop.reserve_as(None, 1, 1).status, 201, "one is paid");
    assert_eq!(shop.reserve_as(None, 1, 1).status, 409);
    shop.wait(Millis(600_000));
    shop.jobs();
    assert_eq!(
        shop.reserve_as(None, 1, 1).status,
        201,
        "the others' time has run out"
    );
}

#[test]
fn a_refused_payment_fails_the_order_and_frees_the_goods() {
    let shop = Shop::open("refuse key=bad REJECT_CARD_PAYMENT");
    let order = waiting(&shop);
    let refused = shop.confirm_as(None, order, "bad", DUE);
    assert_eq!(refused.status, 402, "{refused:?}");
    assert_eq!(
        (shop.status(order).as_str(), books(&shop)),
        ("FAILED", (100, 0, 0))
    );
    assert_eq!(
        shop.confirm_as(None, order, "good", DUE).status,
        409,
        "it is final"
    );
    shop.assert_sound("refused");
}

#[test]
fn every_wrong_confirmation_has_its_status_and_changes_nothing() {
    let shop = Shop::open("");
    let order = waiting(&shop);
    let before = books(&shop);
    for (amount, status) in [
        (DUE - 1, 422),
        (DUE + 1, 422),
        (0, 422),
        (-DUE, 400),
        (i64::MAX, 400),
    ] {
        let told = shop.confirm_as(None, order, "window", amount);
        assert_eq!(told.status, status, "{amount}");
    }
    assert_eq!(shop.confirm_as(None, order + 1, "window", DUE).status, 404);
    let body = json!({"paymentKey": "window", "orderId": order, "amount": DUE});
    assert_eq!(
        shop.post(2, "/payments/confirm", None, &body).status,
        404,
        "somebody else's"
    );
    let at_once = id(&shop.buy(2, 1));
    assert_eq!(
        shop.confirm_as(None, at_once, "window", 25_000).status,
        409,
        "paid already"
    );
    assert_eq!(
        (shop.work(order).as_str(), shop.held(1), before.1),
        ("AWAIT", 2, 2)
    );
    assert_eq!(
        shop.confirm_as(None, order, "window", DUE).status,
        200,
        "and it can still be paid"
    );
}

#[test]
fn a_confirmation_before_the_goods_are_held_is_told_to_come_again() {
    let shop = Shop::open("");
    let early = Rc::new(Cell::new(0));
    let told = early.clone();
    shop.before_call(0, move |shop| {
        let order = shop.all()[0];
        let answer = shop.confirm_as(None, order, "window", DUE);
        assert_eq!(shop::header(&answer, "retry-after"), Some("1"));
        told.set(answer.status);
    });
    let order = waiting(&shop);
    assert_eq!(early.get(), 409);
    assert_eq!(shop.confirm_as(None, order, "window", DUE).status, 200);
}

#[test]
fn a_second_confirmation_beside_the_first_changes_nothing() {
    for key in ["window", "another"] {
        let shop = Shop::open("");
        let order = waiting(&shop);
        let second = Rc::new(Cell::new(0));
        let told = second.clone();
        shop.before_call(0, move |shop| {
            told.set(shop.confirm_as(None, order, key, DUE).status)
        });
        assert_eq!(shop.confirm_as(None, order, "window", DUE).status, 200);
        assert_eq!(second.get(), 409, "{key}");
        assert_eq!(
            shop.confirm_as(None, order, key, DUE).status,
            409,
            "and none after it"
        );
        shop.recover("confirmed");
        shop.assert_sound("confirmed");
    }
}

#[test]
fn one_microsecond_decides_between_payment_and_expiry() {
    for (tick, paid_first, paid_last) in [(-1, 200, 409), (0, 409, 409), (1, 409, 409)] {
        for expire_first in [false, true] {
            let shop = Shop::open("");
            let order = waiting(&shop);
            let end = shop.now().after(Millis(600_000));
            shop.set_now(Instant::from_micros(end.micros() + tick));
            let context = format!("{tick} µs from the end, expiry first: {expire_first}");
            if expire_first {
                shop.jobs();
            }
            let told = shop.confirm_as(None, order, "window", DUE).status;
            shop.jobs();
            assert_eq!(told, paid_first, "{context}");
            let expected = if paid_first == 200 { "PAID" } else { "CANCELLED" };
            assert_eq!(shop.status(order), expected, "{context}");
            assert_eq!(
                shop.confirm_as(None, order, "window", DUE).status,
                paid_last,
                "{context}"
            );
            shop.recover(&context);
            shop.assert_sound(&context);
        }
    }
}

#[test]
fn a_payment_claimed_at_the_last_moment_still_finds_its_goods() {
    let shop = Shop::open("");
    let order = waiting(&shop);
    let end = shop.now().after(Millis(600_000));
    shop.set_now(Instant::from_micros(end.micros() - 1));
    shop.before_call(0, |shop| {
        shop.wait(Millis(10_000));
        assert_eq!(shop.jobs().done, 0, "its time has run out, but it is being paid");
        assert_eq!(shop.buy(1, 99).status, 409, "its goods are nobody else's");
    });
    assert_eq!(shop.confirm_as(None, order, "window", DUE).status, 200);
    shop.recover("last moment");
    shop.assert_sound("last moment");
    assert_eq!(shop.status(order), "PAID");
}

#[test]
fn an_order_that_is_not_paid_in_time_is_cancelled() {
    let shop = Shop::open("");
    let order = waiting(&shop);
    shop.wait(Millis(600_000));
    assert_eq!(shop.jobs().done, 1);
    let shown = json(&shop.get(1, &format!("/orders/{order}")));
    assert_eq!(
        (&shown["status"], &shown["cancelReason"]),
        (&json!("CANCELLED"), &json!("EXPIRED"))
    );
    assert_eq!(books(&shop), (100, 0, 0));
    assert_eq!(shop.topics(), ["order.created", "order.cancelled"]);
    shop.assert_sound("expired");
    assert_eq!(shop.cancel_as(None, order).status, 409);
}

#[test]
fn a_setting_that_makes_no_sense_is_a_defect_and_places_nothing() {
    let shop = Shop::open("");
    shop.set_hold("ten minutes");
    assert_eq!(shop.reserve_as(None, 1, 1).status, 500);
    assert!(shop.all().is_empty());
    assert_eq!(shop.buy(1, 1).status, 201, "who pays at once does not need it");
    shop.set_hold("1");
    let placed = shop.reserve_as(None, 1, 1);
    assert_eq!(
        json(&placed)["expiresAt"],
        shop.now().after(Millis(1_000)).rfc3339()
    );
}

/// Dies at every point of one part, then recovers; the part must have so many points.
fn crash_everywhere(prepare: fn(&Shop) -> u64, part: fn(&Shop, u64), points: usize) {
    for when in When::BOTH {
        for point in 0.. {
            let shop = Shop::open("");
            let order = prepare(&shop);
            shop.seam.crash(point, when);
            part(&shop, order);
            let context = format!("died at {point} of {:?}, {when:?}", shop.seam.points());
            let crashed = shop.seam.has_crashed();
            if !crashed {
                assert_eq!(point, points, "{:?}", shop.seam.points());
            }
            shop.recover(&context);
            shop.assert_sound(&context);
            if !crashed {
                break;
            }
        }
    }
}

#[test]
fn a_crash_anywhere_is_recovered_from() {
    let placing = |shop: &Shop, _| drop(shop.reserve_as(None, 1, 2));
    crash_everywhere(|_| 0, placing, 8);
    let confirming = |shop: &Shop, order| drop(shop.confirm_as(None, order, "window", DUE));
    crash_everywhere(waiting, confirming, 13);
    let expired = |shop: &Shop| {
        let order = waiting(shop);
        shop.wait(Millis(600_001));
        order
    };
    let expiring = |shop: &Shop, _| drop(shop.with(|app| app.expire(100)));
    crash_everywhere(expired, expiring, 12);
}

#[test]
fn an_outage_from_any_call_on_ends_whole_or_not_at_all() {
    for first in 0..3 {
        for last in [first, first + 1, first + 2, u32::MAX] {
            for when in When::BOTH {
                let shop = Shop::open("");
                let order = waiting(&shop);
                let context = format!("calls {first} to {last} lost {when:?}");
                shop.seam.lose(Fault { first, last, when });
                let told = shop.confirm_as(None, order, "window", DUE).status;
                shop.recover(&context);
                shop.assert_sound(&context);
                let expected = match told {
                    200 => ("PAID", (98, 0, DUE)),
                    503 => ("FAILED", (100, 0, 0)),
                    other => panic!("{context}: {other}"),
                };
                assert_eq!((shop.status(order).as_str(), books(&shop)), expected, "{context}");
            }
        }
    }
}
