//! The checkout against the real stock, payment and gateway, each on its own database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::{ProductId, Quantity};
use order::app::{Orders, Placed, Placement};
use order::domain::{Cart, Failure, Item, Method, State};
use shop::{Fault, Shop, When, user};

fn placement(product: u64, quantity: i64) -> Placement {
    let item = Item::Product(ProductId::try_new(product).unwrap());
    let cart = Cart::try_new(vec![(item, Quantity::try_new(quantity).unwrap())]).unwrap();
    Placement {
        user: user(1),
        cart,
        method: Method::Card,
        key: None,
    }
}

#[test]
fn what_is_paid_for_leaves_the_stock_and_stays_on_the_account() {
    let shop = Shop::open("");
    let Placed::Paid(order) = shop.place(&placement(1, 2)).unwrap() else {
        panic!("not paid")
    };
    assert_eq!(order.totals.due.minor(), 20_000);
    assert_eq!((shop.on_hand(1), shop.held(1), shop.kept()), (98, 0, 20_000));
    assert_eq!(
        shop.orders.load(user(1), order.id).unwrap().as_ref(),
        Some(&order)
    );
    assert_eq!(
        shop.orders.load(user(2), order.id).unwrap(),
        None,
        "not somebody else's"
    );
    assert_eq!(shop.topics(), ["order.created", "order.paid"]);
}

#[test]
fn too_few_pieces_are_a_refusal_that_holds_and_charges_nothing() {
    let shop = Shop::open("");
    let refused = shop.place(&placement(3, 6)).unwrap();
    assert_eq!(refused, Placed::Failed(Failure::OutOfStock { free: 5 }));
    assert_eq!((shop.on_hand(3), shop.held(3), shop.kept()), (5, 0, 0));
    assert_eq!(shop.topics(), ["order.created", "order.failed"]);
}

#[test]
fn a_refused_card_gives_the_goods_back() {
    let shop = Shop::open("refuse amount=20000 REJECT_CARD_PAYMENT");
    let refused = shop.place(&placement(1, 2)).unwrap();
    assert_eq!(
        refused,
        Placed::Failed(Failure::PaymentRefused {
            code: "REJECT_CARD_PAYMENT".to_owned()
        })
    );
    assert_eq!((shop.on_hand(1), shop.held(1), shop.kept()), (100, 0, 0));
}

#[test]
fn a_method_that_is_not_offered_is_refused_and_cash_is_taken_without_the_gateway() {
    let shop = Shop::open("");
    let by = |method| {
        shop.place(&Placement {
            method,
            ..placement(1, 1)
        })
        .unwrap()
    };
    assert_eq!(by(Method::Point), Placed::Failed(Failure::MethodNotOffered));
    assert_eq!(by(Method::Pg), Placed::Failed(Failure::MethodNotOffered));
    assert!(matches!(by(Method::Cash), Placed::Paid(_)));
    assert_eq!(
        (shop.on_hand(1), shop.held(1), shop.kept(), shop.approved()),
        (99, 0, 10_000, 0)
    );
}

#[test]
fn a_repeated_key_answers_the_first_order_and_does_nothing() {
    let shop = Shop::open("");
    let keyed = Placement {
        key: Some("k".to_owned()),
        ..placement(1, 2)
    };
    let first = shop.place(&keyed).unwrap();
    assert_eq!(shop.place(&keyed).unwrap(), first);
    assert_eq!((shop.on_hand(1), shop.kept()), (98, 20_000));
    let other = Placement {
        key: Some("k".to_owned()),
        ..placement(1, 3)
    };
    assert!(matches!(
        shop.place(&other),
        Err(order::app::PlaceError::KeyReused)
    ));
    let somebody_else = Placement {
        user: user(2),
        ..keyed
    };
    assert_ne!(
        shop.place(&somebody_else).unwrap(),
        first,
        "keys are each user's own"
    );
}

#[test]
fn a_key_whose_order_met_an_outage_may_try_again() {
    let shop = Shop::open("");
    let keyed = Placement {
        key: Some("k".to_owned()),
        ..placement(1, 2)
    };
    shop.disturb(Fault {
        first: 0,
        last: 1,
        when: When::Before,
    });
    assert_eq!(shop.place(&keyed).unwrap(), Placed::Failed(Failure::Unavailable));
    assert!(matches!(shop.place(&keyed).unwrap(), Placed::Paid(_)));
    let refused = Placement {
        key: Some("r".to_owned()),
        ..placement(3, 6)
    };
    let answer = shop.place(&refused).unwrap();
    assert_eq!(shop.place(&refused).unwrap(), answer, "a refusal is an answer");
    assert_eq!((shop.on_hand(1), shop.kept()), (98, 20_000));
}

/// One call is disturbed: the order is paid once, or failed and everything is back.
#[test]
fn one_lost_call_anywhere_costs_neither_money_nor_goods() {
    let calls = Shop::open("").calls_of(&placement(1, 2));
    assert!(
        calls >= 3,
        "reserve, charge and commit at least, {calls} were counted"
    );
    for place in 0..calls {
        for when in [When::Before, When::After] {
            let shop = Shop::open("");
            shop.disturb(Fault {
                first: place,
                last: place,
                when,
            });
            let context = format!("call {place} lost {when:?}");
            let placed = shop.place(&placement(1, 2)).unwrap();
            assert!(matches!(placed, Placed::Paid(_)), "{context}: {placed:?}");
            assert_eq!(
                (shop.on_hand(1), shop.held(1), shop.kept(), shop.approved()),
                (98, 0, 20_000, 20_000),
                "{context}"
            );
        }
    }
}

/// From one call on nothing answers any more: no order is FAILED while something of it is kept.
#[test]
fn an_outage_from_any_call_on_never_pretends() {
    let calls = Shop::open("").calls_of(&placement(1, 2));
    for first in 0..calls {
        for when in [When::Before, When::After] {
            let shop = Shop::open("");
            shop.disturb(Fault {
                first,
                last: u32::MAX,
                when,
            });
            let context = format!("outage from call {first} on, lost {when:?}");
            match shop.place(&placement(1, 2)).unwrap() {
                Placed::Paid(order) => {
                    assert_eq!(shop.kept(), order.totals.due.minor(), "{context}");
                    assert!(
                        shop.held(1) == 2 || shop.on_hand(1) == 98,
                        "{context}: the goods are safe"
                    );
                }
                Placed::Failed(_) => assert_eq!(
                    (shop.kept(), shop.held(1), shop.on_hand(1)),
                    (0, 0, 100),
                    "{context}"
                ),
                Placed::Pending(id) => {
                    let order = shop.orders.load(user(1), id).unwrap().expect("it is on disk");
                    assert_eq!(order.state, State::Pending, "{context}: recovery finds it");
                }
            }
        }
    }
}

#[test]
fn an_outage_while_giving_back_leaves_the_order_to_recovery() {
    let shop = Shop::open("refuse amount=20000 REJECT_CARD_PAYMENT");
    shop.disturb(Fault {
        first: 2,
        last: u32::MAX,
        when: When::Before,
    });
    let Placed::Pending(id) = shop.place(&placement(1, 2)).unwrap() else {
        panic!("it can't be decided")
    };
    assert_eq!(
        shop.orders.load(user(1), id).unwrap().map(|order| order.state),
        Some(State::Pending)
    );
    assert_eq!(
        (shop.held(1), shop.kept()),
        (2, 0),
        "held until the reservation expires"
    );
}

#[test]
fn a_users_orders_come_newest_first() {
    let shop = Shop::open("");
    for _ in 0..3 {
        shop.place(&placement(1, 1)).unwrap();
    }
    shop.place(&Placement {
        user: user(2),
        ..placement(1, 1)
    })
    .unwrap();
    let all = shop.orders.list(user(1), None, 10).unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted_by(|a, b| a.id > b.id));
    assert!(all.iter().all(|order| order.lines.len() == 1));
    let rest = shop.orders.list(user(1), Some(all[0].id), 10).unwrap();
    assert_eq!(rest, all[1..]);
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(order::store::MIGRATIONS);
}
