//! What goes on without anybody asking.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::Millis;
use order::app::Tally;
use serde_json::json;
use shop::{Fault, Shop, When, id};

const fn tally(done: u32, left: u32, stuck: u32) -> Tally {
    Tally { done, left, stuck }
}

fn recover(shop: &Shop, limit: u32) -> Tally {
    shop.with(|app| app.recover(limit)).unwrap()
}

#[test]
fn a_quiet_second_writes_nothing() {
    let shop = Shop::open("");
    shop.buy(1, 1);
    shop.reserve_as(None, 1, 1);
    shop.seam.heal();
    assert_eq!(shop.jobs(), tally(0, 0, 0));
    let points = shop.seam.points();
    assert!(
        points.iter().all(|point| point.starts_with("select")),
        "{points:?}"
    );
    assert_eq!(points.len(), 3);
}

#[test]
fn many_paid_orders_are_finished_in_two_transactions() {
    let shop = Shop::open("");
    let orders: Vec<u64> = (0..5).map(|_| id(&shop.buy(1, 1))).collect();
    shop.wait(Millis(21_000));
    shop.seam.heal();
    assert_eq!(recover(&shop, 3), tally(3, 0, 0), "as many as were asked for");
    let commits = shop
        .seam
        .points()
        .iter()
        .filter(|point| *point == "commit")
        .count();
    assert_eq!(commits, 2);
    assert_eq!(recover(&shop, 10), tally(2, 0, 0));
    assert!(orders.iter().all(|order| shop.work(*order) == "nothing"));
    shop.assert_sound("finished");
}

#[test]
fn the_order_stock_is_out_for_does_not_keep_others_from_being_finished() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.buy(1, 1);
    }
    shop.wait(Millis(21_000));
    shop.seam.lose(Fault {
        first: 0,
        last: 1,
        when: When::Before,
    });
    assert_eq!(recover(&shop, 10), tally(2, 1, 0));
    assert_eq!(
        recover(&shop, 10),
        tally(0, 0, 0),
        "its turn comes again when the lease has lapsed"
    );
    shop.recover("later");
    shop.assert_sound("later");
}

#[test]
fn an_outage_leaves_checkouts_for_the_next_run() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.seam.crash(9, When::After);
        shop.buy(1, 1);
        shop.seam.heal();
        shop.wait(Millis(1));
    }
    assert_eq!((shop.held(1), shop.kept()), (3, 30_000));
    shop.wait(Millis(21_000));
    shop.seam.lose(Fault {
        first: 0,
        last: u32::MAX,
        when: When::Before,
    });
    assert_eq!(recover(&shop, 2), tally(0, 2, 0));
    shop.seam.heal();
    assert_eq!(
        recover(&shop, 10),
        tally(1, 0, 0),
        "the two others have a lease now"
    );
    shop.recover("later");
    shop.assert_sound("later");
    assert_eq!((shop.held(1), shop.kept(), shop.on_hand(1)), (0, 0, 100));
}

#[test]
fn orders_run_out_one_by_one() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.reserve_as(None, 1, 1);
        shop.wait(Millis(1_000));
    }
    shop.wait(Millis(598_000));
    let expire = |limit| shop.with(|app| app.expire(limit)).unwrap();
    assert_eq!(expire(10), tally(2, 0, 0));
    assert_eq!(shop.held(1), 1);
    shop.wait(Millis(1_000));
    assert_eq!(expire(10), tally(1, 0, 0));
    assert_eq!(expire(10), tally(0, 0, 0));
    shop.assert_sound("expired");
}

#[test]
fn a_hint_of_the_gateway_recovers_what_nobody_drives_and_nothing_else() {
    let shop = Shop::open("");
    let hook = |order: serde_json::Value| {
        let data = json!({"paymentKey": "window", "orderId": order, "status": "DONE", "more": 1});
        let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-11-21T10:00:00.000000", "data": data});
        let answer = shop.post(0, "/payments/webhook", None, &body);
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "{answer:?}");
    };
    let order = id(&shop.reserve_as(None, 1, 2));
    hook(json!(order));
    assert_eq!(shop.work(order), "AWAIT", "a hint confirms nothing");
    shop.seam.crash(5, When::After);
    shop.confirm_as(None, order, "window", 20_000);
    shop.seam.heal();
    assert_eq!(shop.work(order), "CONFIRM");
    hook(json!(order));
    assert_eq!(shop.work(order), "CONFIRM", "somebody may be driving it");
    shop.wait(Millis(21_000));
    for name in [json!(order.to_string()), json!(order), json!(order)] {
        hook(name);
        assert_eq!(
            (shop.status(order).as_str(), shop.kept(), shop.held(1)),
            ("FAILED", 0, 0)
        );
    }
    for nobodys in [json!(0), json!(-1), json!(order + 1), json!("toss-17"), json!("")] {
        hook(nobodys);
    }
    shop.assert_sound("hints");
}

#[test]
fn what_was_left_before_there_was_work_is_recovered() {
    let (old, new) = order::store::MIGRATIONS.split_at(5);
    let db = store::native::in_memory(old).unwrap();
    let insert =
        "insert into customer_order (order_id, user_id, state, method, currency, total_minor, discount_minor,
                     due_minor, lease_until, created_at, changed_at)
                  values (?1, 1, ?2, 'CARD', 'KRW', 10, 0, 10, 7, 1, 1)";
    let key = "insert into idempotency (user_id, idempotency_key, command, order_id) values (1, ?1, 'c', ?2)";
    for (order, state) in [(1i64, "PENDING"), (2, "PAID")] {
        db.transaction(|tx| {
            tx.execute(insert, store::params![order, state])?;
            tx.execute(key, store::params![state, order])
        })
        .unwrap();
    }
    assert_eq!(new.len(), 5);
    let db = db.migrated(order::store::MIGRATIONS).unwrap();
    let statement =
        "select group_concat(order_id || ' ' || kind || ' ' || lease_until, ', ') as work from order_work";
    let work: String = db
        .read_one(statement, store::params![])
        .unwrap()
        .unwrap()
        .get("work")
        .unwrap();
    assert_eq!(work, "1 PLACE 7, 2 FINISH 7");
    let statement = "select count(*) as n from command_key where status is null and command = 'c'";
    let keys: u32 = db
        .read_one(statement, store::params![])
        .unwrap()
        .unwrap()
        .get("n")
        .unwrap();
    assert_eq!(keys, 2);
}
