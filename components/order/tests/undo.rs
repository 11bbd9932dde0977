//! An undo that has begun ends as one, whoever carries it on: recovery, or a client that repeats its command.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::{Millis, OrderId, Quantity, SkuId};
use order::app::{Goods, Reply};
use shop::{Fault, Shop, When};

store_suite::also_on_postgres!();

/// A checkout under the key `k` that fails at its charge.
struct Story {
    name: &'static str,
    prepare: fn(&Shop),
    ask: fn(&Shop) -> Reply,
    /// The calls whose answers are lost, and when.
    lost: Option<(u32, u32, When)>,
    /// What the client is told, at last.
    told: u16,
}

const DUE: i64 = 20_000;

/// The point at which one product that is bought under a key is charged.
const CHARGE: usize = 9;

fn confirm(shop: &Shop) -> Reply {
    shop.confirm_as(Some("k"), shop.all()[0], "window", DUE)
}

const STORIES: [Story; 5] = [
    Story {
        name: "the card is refused",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 2, 1),
        lost: None,
        told: 402,
    },
    Story {
        name: "the charge was made, and its answers are lost",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 1, 2),
        lost: Some((1, 2, When::After)),
        told: 503,
    },
    Story {
        name: "the reservation was made, and its answers are lost",
        prepare: |_| {},
        ask: |shop| shop.buy_as(Some("k"), 1, 2),
        lost: Some((0, 1, When::After)),
        told: 503,
    },
    Story {
        name: "the same for the cart, and one answer of the void is lost too",
        prepare: |shop| shop.put_in_cart(1, 2),
        ask: |shop| shop.buy_cart(Some("k")),
        lost: Some((2, 4, When::After)),
        told: 503,
    },
    Story {
        name: "the payment was confirmed, and its answers are lost",
        prepare: |shop| drop(shop.reserve_as(None, 1, 2)),
        ask: confirm,
        lost: Some((0, 1, When::After)),
        told: 503,
    },
];

/// Orders that recovery has given up.
const ABANDONED: &str = "select 1 as one from customer_order where failure = 'ABANDONED'";

impl Story {
    fn open(&self) -> Shop {
        let shop = Shop::open("refuse amount=25000 REJECT_CARD_PAYMENT");
        (self.prepare)(&shop);
        shop
    }

    /// Asks for it, and dies at this point.
    fn dies(&self, shop: &Shop, point: usize, when: When) -> Reply {
        match self.lost {
            Some((first, last, lost)) => {
                let fault = Fault {
                    first,
                    last,
                    when: lost,
                };
                shop.seam.lose_and_crash(fault, point, when);
            }
            None => shop.seam.crash(point, when),
        }
        (self.ask)(shop)
    }

    /// Whether anything had been given back, or was about to be.
    fn has_begun(shop: &Shop) -> bool {
        let begun = "select 1 as one from order_work where kind = 'UNDO'";
        !shop.look(begun, store::params![]).is_empty()
    }
}

/// All that must hold when a client repeats a command once its lease has lapsed.
#[track_caller]
fn repeat(story: &Story, shop: &Shop, context: &str) {
    shop.seam.heal();
    shop.wait(Millis(21_000));
    let begun = Story::has_begun(shop);
    let told = (story.ask)(shop);
    let context = format!("{context}, undo begun: {begun}, then {told:?}");
    if begun {
        let abandoned = shop.look(ABANDONED, store::params![]).len() == 1;
        assert_eq!(told.status, if abandoned { 503 } else { story.told }, "{context}");
        assert_ne!(shop.status(shop.all()[0]), "PAID", "{context}");
    }
    shop.with(|app| app.expire(100)).unwrap();
    shop.recover(&context);
    shop.recover_payments();
    shop.assert_sound(&context);
}

#[test]
fn a_repetition_after_a_crash_anywhere_never_pays_for_what_is_given_back() {
    for story in &STORIES {
        let mut begun = 0;
        for when in When::BOTH {
            for point in 0.. {
                let shop = story.open();
                let lost = story.dies(&shop, point, when);
                if !shop.seam.has_crashed() {
                    assert_eq!(lost.status, story.told, "{}: {lost:?}", story.name);
                    break;
                }
                let context = format!(
                    "{}, died at {point} of {:?}, {when:?}",
                    story.name,
                    shop.seam.points()
                );
                begun += usize::from(Story::has_begun(&shop));
                repeat(story, &shop, &context);
            }
        }
        assert!(begun > 4, "{}: only {begun} points within the undo", story.name);
    }
}

#[test]
fn a_repetition_after_recovery_died_anywhere_never_pays_for_what_is_given_back() {
    for story in &STORIES {
        let shop = story.open();
        story.dies(&shop, usize::MAX, When::After);
        let points = shop.seam.points();
        let charged = points.iter().rposition(|name| name.starts_with("payment."));
        for point in 0.. {
            let shop = story.open();
            story.dies(&shop, charged.unwrap_or(9), When::After);
            shop.seam.heal();
            shop.wait(Millis(21_000));
            shop.seam.crash(point, When::After);
            let _ = shop.with(|app| app.recover(100));
            let crashed = shop.seam.has_crashed();
            repeat(story, &shop, &format!("{}, recovery died at {point}", story.name));
            if !crashed {
                break;
            }
        }
    }
}

/// The story by which money was lost: the refund is promised, the gateway silent, and the client impatient.
#[test]
fn an_order_whose_refund_is_under_way_is_not_paid() {
    let silent = [
        Fault {
            first: 0,
            last: 1,
            when: When::After,
        },
        Fault {
            first: 1,
            last: 2,
            when: When::Before,
        },
    ];
    for rules in ["", "timeout-cancel first=2"] {
        for fault in silent {
            let shop = Shop::open(rules);
            shop.seam.crash(CHARGE, When::After);
            shop.buy_as(Some("k"), 1, 2);
            assert_eq!(shop.seam.points()[CHARGE], "payment.charge");
            let order = shop.all()[0];
            shop.seam.heal();
            shop.wait(Millis(21_000));
            if rules.is_empty() {
                shop.seam.lose(fault);
            }
            shop.jobs();
            shop.seam.heal();
            assert_eq!(
                (shop.status(order).as_str(), shop.work(order).as_str()),
                ("PENDING", "UNDO")
            );
            shop.wait(Millis(21_000));
            let context = format!("{rules:?}, {fault:?}");
            let told = shop.buy_as(Some("k"), 1, 2);
            assert_eq!(told.status, 503, "{context}: {told:?}");
            shop.recover(&context);
            shop.recover_payments();
            shop.assert_sound(&context);
            assert_eq!(
                (
                    shop.status(order).as_str(),
                    shop.kept(),
                    shop.held(1),
                    shop.on_hand(1)
                ),
                ("FAILED", 0, 0, 100),
                "{context}"
            );
        }
    }
}

#[test]
fn a_payment_of_which_some_went_back_pays_for_nothing() {
    for refunded in [DUE, 1] {
        let shop = Shop::open("");
        shop.seam.crash(CHARGE, When::After);
        shop.buy_as(Some("k"), 1, 2);
        let order = shop.all()[0];
        shop.seam.heal();
        shop.refund(order, refunded);
        shop.wait(Millis(21_000));
        assert_eq!(shop.buy_as(Some("k"), 1, 2).status, 503, "{refunded} went back");
        assert_eq!((shop.status(order).as_str(), shop.kept()), ("FAILED", 0));
        shop.recover("given back");
        shop.assert_sound("given back");
    }
}

#[test]
fn money_that_was_taken_otherwise_than_asked_goes_back() {
    let shop = Shop::open("");
    shop.before_call(1, |shop| shop.charge(shop.all()[0], 7));
    assert_eq!(shop.buy(1, 2).status, 503);
    let order = shop.all()[0];
    assert_eq!(
        (shop.status(order).as_str(), shop.kept(), shop.held(1)),
        ("FAILED", 0, 0)
    );
    shop.recover("another charge");
    shop.assert_sound("another charge");
}

#[test]
fn a_refused_card_keeps_its_answer_though_the_goods_came_back_late() {
    let shop = Shop::open("refuse amount=25000 REJECT_CARD_PAYMENT");
    shop.seam.lose(Fault {
        first: 2,
        last: 3,
        when: When::Before,
    });
    let told = shop.buy_as(Some("k"), 2, 1);
    assert_eq!(told.status, 503, "the goods are not back yet: {told:?}");
    let order = shop.all()[0];
    let shown = shop::json(&shop.admin_get(&format!("/admin/orders/{order}")));
    assert_eq!(
        (&shown["work"]["kind"], &shown["work"]["reason"]),
        (&serde_json::json!("UNDO"), &serde_json::json!("PAYMENT_REFUSED"))
    );
    shop.recover("late");
    let told = shop.buy_as(Some("k"), 2, 1);
    assert_eq!(told.status, 402, "and it stays the first answer: {told:?}");
    assert_eq!((shop.all().len(), shop.status(order).as_str()), (1, "FAILED"));
    shop.assert_sound("late");
}

/// Nobody remembers a refused reservation, so a first call that was slow may still be on its way.
#[test]
fn a_reservation_that_arrives_after_a_refusal_finds_its_order_given_up() {
    let shop = Shop::open("");
    let first = shop::id(&shop.buy(3, 5));
    shop.seam.lose(Fault {
        first: 0,
        last: 0,
        when: When::Before,
    });
    assert_eq!(shop.buy(3, 1).status, 409);
    let second = shop.all().into_iter().find(|order| *order != first).unwrap();
    shop.seam.heal();
    assert_eq!(shop.cancel_as(None, first).status, 200);
    let late = Goods::reserve(
        &shop,
        OrderId::try_new(second).unwrap(),
        &[(SkuId::try_new(3).unwrap(), Quantity::try_new(1).unwrap())],
        shop.now().after(Millis(60_000)),
    );
    assert!(late.is_err(), "it was released before it came");
    assert_eq!((shop.status(second).as_str(), shop.held(3)), ("FAILED", 0));
    shop.recover("late");
    shop.assert_sound("late");
}

#[test]
fn while_the_payments_are_silent_goods_go_back_to_who_can_buy_them() {
    let shop = Shop::open("");
    // Twice the charge, twice its void.
    shop.seam.lose(Fault {
        first: 1,
        last: 4,
        when: When::Before,
    });
    let told = shop.buy_as(Some("k"), 3, 5);
    assert_eq!(told.status, 503, "{told:?}");
    let order = shop.all()[0];
    assert_eq!((shop.work(order).as_str(), shop.held(3)), ("UNDO", 0));
    shop.seam.heal();
    assert_eq!(shop.buy(3, 5).status, 201, "somebody else has them");
    shop.recover("silent");
    assert_eq!(shop.status(order), "FAILED");
    shop.assert_sound("silent");
}
