//! What goes on without anybody asking.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::Millis;
use order::app::Tally;
use serde_json::json;
use shop::{Fault, Shop, When, id};
use store_suite::database;

store_suite::also_on_postgres!();

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
fn many_paid_orders_are_finished_together() {
    let shop = Shop::open("");
    let orders: Vec<u64> = (0..5).map(|_| id(&shop.buy(1, 1))).collect();
    shop.wait(Millis(21_000));
    shop.seam.heal();
    assert_eq!(recover(&shop, 3), tally(5, 0, 0), "however few were asked for");
    expect_test::expect![[r#"
        select 1 as
        update order_work set
        stock.commit-all
        delete from order_work
        select order_id from"#]]
    .assert_eq(&shop.seam.points().join("\n"));
    assert_eq!(shop.on_hand(1), 95);
    assert!(orders.iter().all(|order| shop.work(*order) == "nothing"));
    shop.assert_sound("finished");
}

#[test]
fn orders_whose_goods_cannot_be_let_go_wait_for_a_later_run() {
    for when in When::BOTH {
        let shop = Shop::open("");
        for _ in 0..3 {
            shop.buy(1, 1);
        }
        shop.wait(Millis(1));
        shop.seam.lose(Fault {
            first: 0,
            last: 0,
            when,
        });
        assert_eq!(recover(&shop, 10), tally(0, 3, 0));
        assert_eq!(
            recover(&shop, 10),
            tally(0, 0, 0),
            "their turn comes again when the lease has lapsed"
        );
        shop.wait(Millis(21_000));
        assert_eq!(recover(&shop, 10), tally(3, 0, 0));
        assert_eq!(shop.on_hand(1), 97, "each was let go once");
        shop.recover("later");
        shop.assert_sound("later");
    }
}

#[test]
fn the_order_that_is_sold_out_does_not_keep_others_from_being_finished() {
    let shop = Shop::open("");
    let orders: Vec<u64> = (0..3).map(|_| id(&shop.buy(1, 1))).collect();
    shop.put_in_cart(2, 1);
    let cart = id_of_first(&shop.buy_cart(None));
    shop.release(orders[1]);
    shop.wait(Millis(21_000));
    assert_eq!(recover(&shop, 10), tally(4, 0, 0));
    let states: Vec<String> = orders.iter().map(|order| shop.status(*order)).collect();
    assert_eq!(states, ["PAID", "CANCELLED", "PAID"]);
    assert_eq!((shop.status(cart).as_str(), shop.in_cart()), ("PAID", vec![]));
    shop.assert_sound("one was sold out");
}

/// The id of the one order in a list.
fn id_of_first(reply: &order::app::Reply) -> u64 {
    shop::json(reply)[0]["id"].as_u64().unwrap()
}

#[test]
fn an_outage_leaves_checkouts_for_the_next_run() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.seam.crash(8, When::After);
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

/// Whoever was half-way when it was not yet written down that a checkout is being undone.
#[test]
fn checkouts_of_before_an_undo_was_written_down_are_given_back_and_all_else_goes_on() {
    let (old, _) = order::store::MIGRATIONS.split_at(10);
    let db = database::fresh(old).unwrap();
    let order =
        "insert into customer_order (order_id, user_id, state, method, currency, total_minor, discount_minor,
                     due_minor, lease_until, created_at, changed_at)
                  values (?1, ?2, 'PAID', 'CARD', 'KRW', 10, 0, 10, 7, 1, 1)";
    let work =
        "insert into order_work (order_id, kind, attempt, lease_owner, lease_until, expires_at, payment_key,
                     from_cart, reason, stuck, stuck_reason)
                values (?1, ?2, 3, 5, 7, 9, 'window', 1, case ?2 when 'CANCEL' then 'ADMIN' end, ?3, ?3)";
    let key = "insert into command_key (user_id, idempotency_key, command, order_id) values (?1, ?2, ?3, ?4)";
    let kinds = ["PLACE", "PLACE", "AWAIT", "CONFIRM", "FINISH", "CANCEL", "EXPIRE"];
    db.transaction(|tx| {
        for (number, kind) in (1i64..).zip(kinds) {
            tx.execute(order, store::params![number, 11i64])?;
            let stuck = (number == 2).then_some("void");
            tx.execute(work, store::params![number, kind, stuck])?;
            tx.execute(
                key,
                store::params![11i64, format!("old {number}"), "CARD: ", number],
            )?;
        }
        tx.execute(key, store::params![99i64, "new 6", "cancel 6 by ADMIN: ", 6i64])
    })
    .unwrap();
    let db = db.migrated(order::store::MIGRATIONS).unwrap();
    let statement =
        "select order_id || ' ' || user_id || ' ' || kind || ' ' || attempt || ' ' || lease_owner || ' '
                       || lease_until || ' ' || expires_at || ' ' || from_cart || coalesce(' ' || reason, '')
                       || coalesce(' ' || failure, '') || coalesce(' stuck at ' || stuck, '')
                       || coalesce(', key ' || idempotency_key || ' of ' || key_user_id, '') as work
                       from order_work order by order_id";
    let rows = db.read(statement, store::params![]).unwrap();
    let works: Vec<String> = rows.iter().map(|row| row.get("work").unwrap()).collect();
    expect_test::expect![[r#"
        1 11 UNDO 3 5 7 9 1 ABANDONED, key old 1 of 11
        2 11 UNDO 3 5 7 9 1 ABANDONED stuck at void, key old 2 of 11
        3 11 AWAIT 3 5 7 9 1
        4 11 UNDO 3 5 7 9 1 ABANDONED, key old 4 of 11
        5 11 FINISH 3 5 7 9 1
        6 11 CANCEL 3 5 7 9 1 ADMIN, key new 6 of 99
        7 11 EXPIRE 3 5 7 9 1"#]]
    .assert_eq(&works.join("\n"));
}

#[test]
fn what_was_left_before_there_was_work_is_recovered() {
    let (old, new) = order::store::MIGRATIONS.split_at(5);
    let db = database::fresh(old).unwrap();
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
    assert_eq!(new.len(), 11);
    let db = db.migrated(order::store::MIGRATIONS).unwrap();
    let statement = "select string_agg(order_id || ' ' || kind || ' ' || lease_until, ', ' order by order_id) as work from order_work";
    let work: String = db
        .read_one(statement, store::params![])
        .unwrap()
        .unwrap()
        .get("work")
        .unwrap();
    assert_eq!(work, "1 UNDO 7, 2 FINISH 7");
    let statement = "select count(*) as n from command_key where status is null and command = 'c'";
    let keys: u32 = db
        .read_one(statement, store::params![])
        .unwrap()
        .unwrap()
        .get("n")
        .unwrap();
    assert_eq!(keys, 2);
}

#[test]
fn a_slow_gateway_keeps_no_job_from_its_turn() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.seam.crash(8, When::After);
        shop.buy(2, 1);
        shop.seam.heal();
    }
    let paid = id(&shop.buy(1, 1));
    let waiting: Vec<u64> = (0..3).map(|_| id(&shop.reserve_as(None, 1, 1))).collect();
    shop.wait(Millis(600_000));
    shop.slow_down(Millis(2_000));
    assert_eq!(
        recover(&shop, 50),
        tally(2, 0, 0),
        "one paid order, one checkout: then its time is over"
    );
    assert_eq!(shop.work(paid), "nothing");
    assert_eq!(shop.with(|app| app.expire(50)).unwrap(), tally(2, 0, 0));
    shop.slow_down(Millis(0));
    shop.recover("in the end");
    assert!(waiting.iter().all(|order| shop.status(*order) == "CANCELLED"));
    shop.assert_sound("in the end");
}

/// Orders that are PAID, and have nothing but their work.
fn many_paid(shop: &Shop, count: u32) {
    let first = id(&shop.buy(1, 1)) as i64;
    for table in ["customer_order", "order_work"] {
        let mut columns = store_suite::columns_of(&shop.orders, table);
        columns.retain(|column| column != "order_id");
        let columns = columns.join(", ");
        let copy = format!(
            "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?2)
             insert into {table} (order_id, {columns}) select n, {columns} from {table}, numbers where order_id = ?1"
        );
        let row = store::params![first, count];
        shop.orders.transaction(|tx| tx.execute(&copy, row)).unwrap();
    }
    let held = "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?2)
                insert into reservation select n, r.state, r.until, r.ended_at, r.created_at
                  from reservation r, numbers where r.order_id = ?1";
    let row = store::params![first, count];
    shop.stock_tables.transaction(|tx| tx.execute(held, row)).unwrap();
}

#[test]
fn paid_orders_are_finished_batch_by_batch_as_long_as_there_is_time() {
    let shop = Shop::open("");
    many_paid(&shop, 1_200);
    shop.wait(Millis(21_000));
    shop.seam.heal();
    assert_eq!(recover(&shop, 50), tally(1_201, 0, 0));
    let points = shop.seam.points();
    let count = |name: &str| points.iter().filter(|point| point.starts_with(name)).count();
    assert_eq!(
        (count("update"), count("delete"), count("stock.commit")),
        (3, 3, 3)
    );
    assert_eq!(count("select o.order_id"), 0, "none of them is read");

    let shop = Shop::open("");
    many_paid(&shop, 1_200);
    shop.wait(Millis(21_000));
    shop.slow_down(Millis(2_000));
    assert_eq!(
        recover(&shop, 50),
        tally(1_000, 0, 0),
        "two batches: then its time is over"
    );
    shop.slow_down(Millis(0));
    assert_eq!(recover(&shop, 50), tally(201, 0, 0));
}

#[test]
fn carts_that_are_slow_to_empty_keep_no_job_from_its_turn() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.put_in_cart(1, 1);
        shop.buy_cart(None);
    }
    shop.wait(Millis(21_000));
    shop.slow_down(Millis(1_000));
    assert_eq!(recover(&shop, 50), tally(1, 2, 0));
    assert_eq!(shop.on_hand(1), 97, "the goods of all were let go together");
    shop.slow_down(Millis(0));
    shop.recover("later");
    shop.assert_sound("later");
}

#[test]
fn work_that_cannot_be_read_keeps_no_other_from_being_finished() {
    let shop = Shop::open("");
    let orders: Vec<u64> = (0..3).map(|_| id(&shop.buy(1, 1))).collect();
    let broken = "update order_work set from_cart = 7 where order_id = ?1";
    shop.orders
        .transaction(|tx| tx.execute(broken, store::params![orders[1] as i64]))
        .unwrap();
    shop.wait(Millis(21_000));
    assert_eq!(recover(&shop, 10), tally(2, 1, 0));
    assert_eq!(
        orders.iter().map(|order| shop.work(*order)).collect::<Vec<_>>(),
        ["nothing", "FINISH", "nothing"]
    );
}

#[test]
fn the_cancellation_of_a_cancelled_order_only_ends() {
    let shop = Shop::open("");
    let order = id(&shop.buy(1, 2));
    shop.cancel_as(None, order);
    let again = "insert into order_work (order_id, user_id, kind, attempt, lease_owner, lease_until, from_cart, reason)
                 values (?1, 1, 'CANCEL', 1, 7, 7, 0, 'ADMIN')";
    shop.orders
        .transaction(|tx| tx.execute(again, store::params![order as i64]))
        .unwrap();
    assert_eq!(recover(&shop, 10), tally(1, 0, 0));
    assert_eq!(shop.work(order), "nothing");
    shop.assert_sound("cancelled once");
}
