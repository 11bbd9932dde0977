//! The checkout in one call, against the real stock, payment, gateway and cart.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::Millis;
use order::app::Orders;
use serde_json::json;
use shop::{Fault, Shop, When, header, id, json, user};

store_suite::also_on_postgres!();

fn sold(shop: &Shop) -> (i64, u32, i64) {
    (shop.on_hand(1), shop.held(1), shop.kept())
}

#[test]
fn what_is_paid_for_leaves_the_stock_and_stays_on_the_account() {
    let shop = Shop::open("");
    let placed = shop.buy(1, 2);
    assert_eq!(
        (placed.status, &json(&placed)["status"]),
        (201, &json!("PAID")),
        "{placed:?}"
    );
    let order = id(&placed);
    assert_eq!(
        header(&placed, "location"),
        Some(format!("/orders/{order}").as_str())
    );
    assert_eq!(json(&placed)["paymentAmount"], 20_000);
    assert_eq!(sold(&shop), (100, 2, 20_000), "set aside, for the job to let go");
    assert_eq!(shop.get(1, &format!("/orders/{order}")).body, placed.body);
    assert_eq!(
        shop.get(2, &format!("/orders/{order}")).status,
        404,
        "not somebody else's"
    );
    assert_eq!(shop.topics(), ["order.created", "order.paid"]);
    assert_eq!(shop.work(order), "FINISH", "its goods are to be let go");
    shop.wait(Millis(1));
    assert_eq!(shop.jobs().done, 1, "at once: nobody drives it any more");
    assert_eq!(
        (shop.work(order).as_str(), sold(&shop)),
        ("nothing", (98, 0, 20_000))
    );
    shop.recover("paid");
    shop.assert_sound("paid");
}

#[test]
fn events_carry_what_sums_by_seller_and_category_need() {
    let shop = Shop::open("");
    shop.buy(1, 2);
    let rows = shop
        .orders
        .read("select data from outbox", store::params![])
        .unwrap();
    for row in rows {
        let data: serde_json::Value = serde_json::from_str(&row.get::<String>("data").unwrap()).unwrap();
        assert_eq!(
            data["items"],
            json!([{"productId": 1, "skuId": 1, "name": "테스트 상품 1", "category": "전자", "seller": "bodega",
                    "unitPrice": 10_000, "quantity": 2, "amount": 20_000}])
        );
    }
}

#[test]
fn too_few_pieces_are_a_refusal_that_holds_and_charges_nothing() {
    let shop = Shop::open("");
    let refused = shop.buy(3, 6);
    assert_eq!(
        (refused.status, &json(&refused)["error"]),
        (409, &json!("OUT_OF_STOCK"))
    );
    assert_eq!((shop.on_hand(3), shop.held(3), shop.kept()), (5, 0, 0));
    assert_eq!(shop.topics(), ["order.created", "order.failed"]);
    shop.assert_sound("refused goods leave no work");
}

#[test]
fn a_refused_card_gives_the_goods_back() {
    let shop = Shop::open("refuse amount=20000 REJECT_CARD_PAYMENT");
    let refused = shop.buy(1, 2);
    assert_eq!(refused.status, 402, "{refused:?}");
    assert!(refused.body.contains("REJECT_CARD_PAYMENT"));
    assert_eq!(sold(&shop), (100, 0, 0));
    shop.assert_sound("a refused card leaves no work");
}

#[test]
fn a_method_that_is_not_offered_is_refused_and_cash_is_taken_without_the_gateway() {
    let shop = Shop::open("");
    let by = |method: &str| {
        let body = json!({"productId": 1, "quantity": 1, "paymentMethod": method});
        shop.post(1, "/orders", None, &body).status
    };
    assert_eq!(by("POINT"), 422);
    assert_eq!(by("CASH"), 201);
    assert_eq!(sold(&shop), (100, 1, 10_000));
    shop.recover("cash");
    assert_eq!(sold(&shop), (99, 0, 10_000));
    shop.assert_sound("cash");
}

#[test]
fn a_users_orders_come_newest_first() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.wait(Millis(1));
        shop.buy(1, 1);
    }
    let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    shop.post(2, "/orders", None, &body);
    let list = |before| -> Vec<_> {
        let listed = shop.orders.list(user(1), before, 10).unwrap();
        listed.into_iter().map(|one| one.found.unwrap()).collect()
    };
    let all = list(None);
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted_by(|a, b| a.id > b.id));
    assert!(all.iter().all(|order| order.lines.len() == 1));
    let rest = list(Some(all[0].id));
    assert_eq!(rest, all[1..]);
}

#[test]
fn the_cart_is_bought_whole_and_emptied_of_what_was_bought() {
    let shop = Shop::open("");
    assert_eq!(shop.buy_cart(None).status, 400, "nothing is in it");
    shop.put_in_cart(1, 2);
    shop.put_in_cart(3, 1);
    let placed = shop.buy_cart(None);
    assert_eq!(placed.status, 201, "{placed:?}");
    let orders = json(&placed);
    assert_eq!(orders.as_array().map(Vec::len), Some(1), "{orders}");
    assert_eq!(
        (&orders[0]["status"], &orders[0]["paymentAmount"]),
        (&json!("PAID"), &json!(25_000))
    );
    assert_eq!(shop.in_cart(), []);
    shop.recover("cart");
    shop.assert_sound("cart");
}

#[test]
fn a_cart_that_is_being_bought_is_not_bought_again() {
    for number in 0..3 {
        let shop = Shop::open("");
        shop.put_in_cart(1, 2);
        shop.before_call(number, |shop| drop(shop.buy_cart(None)));
        let told = shop.buy_cart(None);
        let context = format!("a second click before call {number}: {told:?}");
        // Before the first call nothing is written down, so the second click comes first.
        let expected = if number == 0 { 400 } else { 201 };
        assert_eq!(told.status, expected, "{context}");
        shop.recover(&context);
        assert_eq!(sold(&shop), (98, 0, 20_000), "{context}");
        shop.assert_sound(&context);
    }
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    let second = std::rc::Rc::new(std::cell::RefCell::new(None));
    let told = second.clone();
    shop.before_call(2, move |shop| *told.borrow_mut() = Some(shop.buy_cart(None)));
    assert_eq!(shop.buy_cart(None).status, 201);
    let second = second.borrow_mut().take().unwrap();
    assert_eq!(
        (second.status, header(&second, "retry-after")),
        (409, Some("1")),
        "{second:?}"
    );
    shop.put_in_cart(1, 2);
    assert_eq!(shop.buy_cart(None).status, 201, "and then the next one");
}

#[test]
fn a_cart_that_cannot_be_bought_whole_stays_as_it_is() {
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    shop.put_in_cart(3, 6);
    assert_eq!(shop.buy_cart(None).status, 409);
    assert_eq!(shop.in_cart(), [(1, 2), (3, 6)]);
    assert_eq!((shop.on_hand(1), shop.held(1)), (100, 0), "all lines or nothing");
    shop.put_in_cart(4, 1);
    let outdated = shop.buy_cart(None);
    assert_eq!(outdated.status, 409, "{outdated:?}");
    assert!(outdated.body.contains("not for sale any more"));
    shop.assert_sound("refused cart");
}

/// Every call but quoting that buying a cart makes.
fn calls(shop: &Shop) -> u32 {
    shop.put_in_cart(1, 2);
    assert_eq!(shop.buy_cart(None).status, 201);
    let calls = shop.seam.next_call();
    assert_eq!(calls, 4, "lines, reserve, charge, take");
    calls
}

/// One call is lost: the client asked once more within the request, so the order is paid, once.
#[test]
fn one_lost_call_anywhere_costs_neither_money_nor_goods() {
    for place in 1..calls(&Shop::open("")) {
        for when in When::BOTH {
            let shop = Shop::open("");
            shop.put_in_cart(1, 2);
            let context = format!("call {place} lost {when:?}");
            shop.seam.lose(Fault {
                first: place,
                last: place,
                when,
            });
            let placed = shop.buy_cart(None);
            assert_eq!(placed.status, 201, "{context}: {placed:?}");
            assert_eq!(sold(&shop), (100, 2, 20_000), "{context}");
            assert_eq!(shop.in_cart(), [], "{context}");
            shop.recover(&context);
            assert_eq!(sold(&shop), (98, 0, 20_000), "{context}");
            shop.assert_sound(&context);
        }
    }
}

/// From one call on nothing answers any more, for a while.
#[test]
fn an_outage_from_any_call_on_ends_whole_or_not_at_all() {
    for first in 0..calls(&Shop::open("")) {
        for last in [first + 1, first + 2, first + 3, u32::MAX] {
            for when in When::BOTH {
                let shop = Shop::open("");
                shop.put_in_cart(1, 2);
                let context = format!("calls {first} to {last} lost {when:?}");
                shop.seam.lose(Fault { first, last, when });
                let placed = shop.buy_cart(None);
                shop.recover(&context);
                shop.assert_sound(&context);
                let expected = match placed.status {
                    201 => (98, 0, 20_000, vec![]),
                    503 => (100, 0, 0, vec![(1, 2)]),
                    other => panic!("{context}: {other}"),
                };
                let found = (shop.on_hand(1), shop.held(1), shop.kept(), shop.in_cart());
                assert_eq!(found, expected, "{context}");
            }
        }
    }
}

/// Every statement on the order's database, and every call to another domain.
#[test]
fn a_checkout_costs_two_transactions() {
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    shop.seam.heal();
    shop.buy_cart(None);
    expect_test::expect![[r#"
        cart.lines
        begin
        insert into customer_order
        insert into order_line
        insert into order_work
        insert into outbox
        commit
        stock.reserve
        payment.charge
        begin
        update order_work set
        update customer_order set
        insert into order_history
        insert into outbox
        commit
        cart.take"#]]
    .assert_eq(&shop.seam.points().join("\n"));
}

/// The request dies at every call and at every statement, before and after it was done.
#[test]
fn a_crash_anywhere_is_recovered_from() {
    for when in When::BOTH {
        for point in 0.. {
            let shop = Shop::open("");
            shop.put_in_cart(1, 2);
            shop.seam.crash(point, when);
            let told = shop.buy_cart(None);
            if !shop.seam.has_crashed() {
                assert_eq!(point, 16, "every point was covered");
                break;
            }
            let context = format!("died at {point} of {:?}, {when:?}", shop.seam.points());
            shop.recover(&context);
            shop.assert_sound(&context);
            let bought = shop.kept() > 0;
            assert_eq!(
                shop.in_cart().is_empty(),
                bought,
                "{context}: the cart is emptied only when PAID"
            );
            assert!(told.status != 201 || bought, "{context}: what was promised holds");
        }
    }
}

/// Recovery dies too, at every one of its own points.
#[test]
fn a_crash_of_recovery_is_recovered_from() {
    let mut covered = 0;
    for first in 0..16 {
        for point in 0.. {
            let shop = Shop::open("");
            shop.put_in_cart(1, 2);
            shop.seam.crash(first, When::After);
            shop.buy_cart(None);
            shop.wait(Millis(21_000));
            shop.seam.crash(point, When::After);
            let _ = shop.with(|app| app.recover(100));
            let crashed = shop.seam.has_crashed();
            let context = format!("died at {first}, recovery at {point}");
            shop.recover(&context);
            shop.assert_sound(&context);
            if !crashed {
                break;
            }
            covered += 1;
        }
    }
    assert!(covered > 100, "only {covered} points");
}

#[test]
fn nobody_disturbs_a_checkout_whose_lease_is_alive() {
    for number in 0..4 {
        let shop = Shop::open("");
        shop.put_in_cart(1, 2);
        shop.before_call(number, |shop| {
            shop.wait(Millis(19_000));
            shop.jobs();
        });
        let placed = shop.buy_cart(None);
        assert_eq!(placed.status, 201, "jobs before call {number}: {placed:?}");
        shop.recover("alive");
        shop.assert_sound("alive");
    }
}

#[test]
fn a_checkout_that_was_taken_over_changes_nothing_any_more() {
    for number in 1..4 {
        let shop = Shop::open("");
        shop.put_in_cart(1, 2);
        shop.before_call(number, |shop| {
            shop.wait(Millis(21_000));
            shop.jobs();
        });
        let placed = shop.buy_cart(None);
        let context = format!("taken over before call {number}, answered {placed:?}");
        let expected = if number == 3 { 201 } else { 503 };
        assert_eq!(placed.status, expected, "{context}");
        shop.recover(&context);
        shop.assert_sound(&context);
    }
}

#[test]
fn the_goods_of_a_paid_order_outlive_a_long_outage_of_the_jobs() {
    let shop = Shop::open("");
    assert_eq!(shop.buy(3, 5).status, 201);
    shop.wait(Millis(6 * 24 * 3_600_000));
    assert_eq!(shop.buy(3, 1).status, 409, "they are still set aside");
    shop.recover("six days later");
    assert_eq!((shop.on_hand(3), shop.held(3)), (0, 0));
    shop.assert_sound("six days later");
}

#[test]
fn a_paid_order_whose_goods_went_to_others_is_given_back() {
    let shop = Shop::open("");
    assert_eq!(shop.buy(3, 5).status, 201);
    let order = shop.all()[0];
    assert_eq!((shop.status(order).as_str(), shop.held(3)), ("PAID", 5));
    shop.wait(Millis(7 * 24 * 3_600_000));
    let other = shop.buy(3, 1);
    assert_eq!(
        other.status, 201,
        "the hold has run out, so somebody else may have it"
    );
    assert_eq!(shop.buy(1, 1).status, 201);
    shop.recover("sold out");
    let shown = json(&shop.get(1, &format!("/orders/{order}")));
    assert_eq!(
        (&shown["status"], &shown["cancelReason"]),
        (&json!("CANCELLED"), &json!("SOLD_OUT"))
    );
    assert_eq!((shop.on_hand(3), shop.held(3), shop.kept()), (4, 0, 15_000));
    assert_eq!(shop.status(id(&other)), "PAID", "of the same batch");
    shop.assert_sound("sold out");
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(order::store::MIGRATIONS);
}
