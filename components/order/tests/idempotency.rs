//! The same key is the same answer, byte for byte, for ever; and never two effects.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use std::cell::RefCell;
use std::rc::Rc;

use kernel::Millis;
use order::app::Reply;
use serde_json::json;
use shop::{Fault, Shop, When, header, id};

store_suite::also_on_postgres!();

/// A command under the key `k`, after what leads to it.
struct Story {
    name: &'static str,
    prepare: fn(&Shop),
    ask: fn(&Shop) -> Reply,
}

fn first(shop: &Shop) -> u64 {
    shop.all()[0]
}

const STORIES: [Story; 7] = [
    Story {
        name: "buy",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 1, 2),
    },
    Story {
        name: "buy too many",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 3, 6),
    },
    Story {
        name: "buy by a card that is refused",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 2, 1),
    },
    Story {
        name: "buy the cart",
        prepare: |shop| shop.put_in_cart(1, 2),
        ask: |shop| shop.buy_cart(Some("k")),
    },
    Story {
        name: "reserve",
        prepare: |_| {},
        ask: |shop| shop.reserve_as(Some("k"), 1, 2),
    },
    Story {
        name: "confirm",
        prepare: |shop| drop(shop.reserve_as(None, 1, 2)),
        ask: |shop| shop.confirm_as(Some("k"), first(shop), "window", 20_000),
    },
    Story {
        name: "cancel",
        prepare: |shop| drop(shop.buy(1, 2)),
        ask: |shop| shop.cancel_as(Some("k"), first(shop)),
    },
];

fn open() -> Shop {
    Shop::open("refuse amount=25000 REJECT_CARD_PAYMENT")
}

/// What the shop has that nobody bought, and did, to see that nothing happens twice.
fn traces(shop: &Shop) -> (Vec<u64>, i64, i64, Vec<String>) {
    (
        shop.all(),
        shop.on_hand(1) - i64::from(shop.held(1)),
        shop.kept(),
        shop.topics(),
    )
}

#[test]
fn a_repetition_gets_the_first_answer_byte_for_byte() {
    for story in STORIES {
        let shop = open();
        (story.prepare)(&shop);
        let told = (story.ask)(&shop);
        let after = traces(&shop);
        for later in [0, 1, 30_000] {
            shop.wait(Millis(later));
            shop.with(|app| app.recover(100)).unwrap();
            assert_eq!((story.ask)(&shop), told, "{}", story.name);
            assert_eq!(traces(&shop), after, "{}", story.name);
        }
    }
}

#[test]
fn the_answer_stays_though_the_order_goes_on() {
    let shop = Shop::open("");
    let placed = shop.reserve_as(Some("place"), 1, 2);
    let order = id(&placed);
    let confirmed = shop.confirm_as(Some("confirm"), order, "window", 20_000);
    let cancelled = shop.cancel_as(Some("cancel"), order);
    assert_eq!(
        [placed.status, confirmed.status, cancelled.status],
        [201, 200, 200]
    );
    assert_eq!(shop.reserve_as(Some("place"), 1, 2), placed);
    assert_eq!(
        shop.confirm_as(Some("confirm"), order, "window", 20_000),
        confirmed
    );
    assert_eq!(shop.cancel_as(Some("cancel"), order), cancelled);
}

#[test]
fn another_command_under_the_same_key_is_refused() {
    for story in STORIES {
        let shop = open();
        (story.prepare)(&shop);
        (story.ask)(&shop);
        let after = traces(&shop);
        let others = [
            shop.buy_as(Some("k"), 1, 7),
            shop.confirm_as(Some("k"), 4_711, "window", 1),
            shop.cancel_as(Some("k"), 4_711),
            shop.post(
                1,
                "/orders/from-cart",
                Some("k"),
                &json!({"paymentMethod": "CASH"}),
            ),
        ];
        assert_eq!(others.map(|reply| reply.status), [422; 4], "{}", story.name);
        assert_eq!(traces(&shop), after, "{}", story.name);
    }
    let shop = Shop::open("");
    let mine = shop.buy_as(Some("k"), 1, 1);
    let body = json!({"productId": 1, "quantity": 5, "paymentMethod": "CARD"});
    let theirs = shop.post(2, "/orders", Some("k"), &body);
    assert_eq!(
        (mine.status, theirs.status),
        (201, 201),
        "keys are each user's own"
    );
}

#[test]
fn a_repetition_beside_the_first_is_told_to_come_again() {
    for story in STORIES {
        let shop = open();
        (story.prepare)(&shop);
        let second = Rc::new(RefCell::new(None));
        let told = second.clone();
        // The cart's lines are read before there is anything to repeat.
        let number = u32::from(story.name == "buy the cart");
        shop.before_call(number, move |shop| *told.borrow_mut() = Some((story.ask)(shop)));
        let first = (story.ask)(&shop);
        let second = second.borrow_mut().take().unwrap();
        assert_eq!(
            (second.status, header(&second, "retry-after")),
            (409, Some("1")),
            "{}",
            story.name
        );
        assert_eq!((story.ask)(&shop), first, "{}", story.name);
        shop.with(|app| app.expire(100)).unwrap();
        shop.recover(story.name);
        shop.assert_sound(story.name);
    }
}

#[test]
fn a_repetition_of_what_was_left_behind_carries_it_on() {
    for story in STORIES {
        let mut carried = 0;
        for point in 0.. {
            let shop = open();
            (story.prepare)(&shop);
            shop.seam.crash(point, When::After);
            let lost = (story.ask)(&shop);
            if !shop.seam.has_crashed() {
                break;
            }
            shop.seam.heal();
            let orders = shop.all().len();
            shop.wait(Millis(21_000));
            let mut told = (story.ask)(&shop);
            let context = format!("{}, died at {point}: {lost:?}, then {told:?}", story.name);
            carried += usize::from(shop.all().len() == orders);
            if told.status == 503 {
                // Its goods had been given back already: it failed, and the key is free for a new try.
                assert_eq!(shop.status(first(&shop)), "FAILED", "{context}");
                told = (story.ask)(&shop);
            }
            assert!(told.status < 500, "{context}");
            assert_eq!((story.ask)(&shop), told, "{context}");
            let live = shop
                .all()
                .into_iter()
                .filter(|order| shop.status(*order) != "FAILED");
            assert!(live.count() <= 1, "{context}");
            shop.with(|app| app.expire(100)).unwrap();
            shop.recover(&context);
            shop.assert_sound(&context);
            assert_eq!((story.ask)(&shop), told, "{context}: after recovery too");
        }
        assert!(carried > 3, "{}: carried on from {carried} points", story.name);
    }
}

#[test]
fn a_repetition_after_recovery_has_undone_it_is_a_new_try() {
    let shop = Shop::open("");
    shop.seam.lose(Fault {
        first: 0,
        last: u32::MAX,
        when: When::After,
    });
    assert_eq!(shop.buy_as(Some("k"), 1, 2).status, 503);
    assert_eq!(shop.buy_as(Some("k"), 1, 2).status, 409, "it waits for recovery");
    shop.recover("undone");
    let again = shop.buy_as(Some("k"), 1, 2);
    assert_eq!((again.status, shop.all().len()), (201, 2), "{again:?}");
    assert_eq!(shop.kept(), 20_000);
}

#[test]
fn an_outage_gives_the_key_back_and_a_refusal_does_not() {
    let shop = Shop::open("");
    shop.seam.lose(Fault {
        first: 0,
        last: 1,
        when: When::Before,
    });
    assert_eq!(shop.buy_as(Some("k"), 1, 2).status, 503);
    shop.seam.heal();
    assert_eq!(shop.buy_as(Some("k"), 1, 2).status, 201);
    assert_eq!(shop.buy_as(Some("r"), 3, 6).status, 409);
    let statement = "select count(*) as n from command_key where status is not null";
    let kept = shop
        .orders
        .read_one(statement, store::params![])
        .unwrap()
        .unwrap();
    assert_eq!(kept.get::<u32>("n").unwrap(), 2);
}

#[test]
fn who_was_told_that_it_is_paid_is_told_so_for_ever() {
    let shop = Shop::open("");
    let order = id(&shop.reserve_as(None, 1, 2));
    shop.before_call(1, move |shop| shop.release(order));
    let told = shop.confirm_as(Some("k"), order, "window", 20_000);
    assert_eq!(
        (told.status, &shop::json(&told)["status"]),
        (200, &json!("PAID")),
        "{told:?}"
    );
    assert_eq!(shop.status(order), "CANCELLED", "its goods were gone");
    assert_eq!(shop.confirm_as(Some("k"), order, "window", 20_000), told);
    shop.recover("sold out");
    shop.assert_sound("sold out");
}

#[test]
fn an_answer_goes_to_the_key_that_asked() {
    let shop = Shop::open("");
    let placed = shop.buy_as(Some("place"), 1, 2);
    let forget = "update command_key set status = null, headers = null, body = null";
    shop.orders
        .transaction(|tx| tx.execute(forget, store::params![]))
        .unwrap();
    let order = id(&placed);
    shop.seam.lose(Fault {
        first: 0,
        last: u32::MAX,
        when: When::Before,
    });
    assert_eq!(shop.cancel_as(Some("cancel"), order).status, 503);
    shop.seam.heal();
    assert_eq!(shop.buy_as(Some("place"), 1, 2), placed, "beside a cancellation");
    shop.recover("cancelled");
    let place_again = shop.buy_as(Some("place"), 1, 2);
    assert_eq!(place_again.status, 201, "{place_again:?}");
    let cancelled = shop.cancel_as(Some("cancel"), order);
    assert_eq!(
        (cancelled.status, shop.status(order).as_str()),
        (200, "CANCELLED")
    );
    shop.assert_sound("cancelled");
}

#[test]
fn keys_of_before_answers_were_kept_still_name_their_order() {
    let shop = Shop::open("");
    let placed = shop.buy_as(Some("k"), 1, 2);
    let forget = "update command_key set status = null, headers = null, body = null";
    shop.orders
        .transaction(|tx| tx.execute(forget, store::params![]))
        .unwrap();
    assert_eq!(shop.buy_as(Some("k"), 1, 2), placed);
}

/// Two windows of one customer, with one key: what the first one has changed since the second looked the key up is no
/// refusal of the second.
#[test]
fn a_cart_that_the_same_command_has_just_emptied_is_the_first_answer() {
    let shop = Shop::open("");
    shop.put_in_cart(1, 2);
    shop.before_call(0, |shop| {
        assert_eq!(shop.buy_cart(Some("k")).status, 201);
        assert_eq!(shop.in_cart(), []);
    });
    let second = shop.buy_cart(Some("k"));
    assert_eq!((second.status, shop.all().len()), (201, 1), "{second:?}");
    assert_eq!(second, shop.buy_cart(Some("k")), "and it stays the answer");
    assert_eq!(shop.buy_cart(Some("other")).status, 400, "the cart is empty");
    shop.recover("bought once");
    shop.assert_sound("bought once");
}
