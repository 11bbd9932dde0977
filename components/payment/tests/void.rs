//! Confirming what was begun in the window, and ending a payment whatever became of it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use std::cell::RefCell;

use kernel::{Money, OrderId, Outcome};
use payment::app::{
    App, Approval, ApproveError, CancelError, Entry, Failed, Gateway, Payments, Tally, Trouble,
};
use payment::domain::{
    ChargeRefused, Method, Refund, RefundKey, RefundRefused, RefundState, State, Till, VoidRefused,
};
use shop::{NOW, Shop, charge, confirmation, order, refund, void, won};
use store::params;

store_suite::also_on_postgres!();

fn charge_refused<T: std::fmt::Debug>(answer: Result<T, Failed<ChargeRefused>>) -> ChargeRefused {
    match answer {
        Err(Failed::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn promised(number: u64, key: &str, amount: i64) -> Refund {
    let command = refund(number, key, amount);
    Refund {
        order: command.order,
        key: command.key,
        amount: command.amount,
        reason: command.reason,
        state: RefundState::Requested,
        requested_at: NOW,
    }
}

#[test]
fn a_confirmation_takes_the_money_once_under_its_key() {
    let shop = Shop::new("");
    let first = shop.confirm(&confirmation(1, 100, "k1")).unwrap();
    assert!(first.is_new());
    let again = shop.confirm(&confirmation(1, 100, "k1")).unwrap();
    assert_eq!(again, Outcome::AlreadyDone(first.into_inner()));
    let kept = again.into_inner();
    assert_eq!((kept.method, shop.pg.approved(1)), (Method::Pg, 100));
    for other in [confirmation(1, 100, "k2"), confirmation(1, 101, "k1")] {
        assert_eq!(
            charge_refused(shop.confirm(&other)),
            ChargeRefused::DiffersFromExisting
        );
    }
    assert_eq!(
        charge_refused(shop.charge(&charge(1, 100, Method::Pg))),
        ChargeRefused::MethodNotOffered
    );
    let back = shop.refund(&refund(1, "a", 40)).unwrap().into_inner();
    assert_eq!(back.window_key, kept.window_key);
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (40, 40));
    assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
}

#[test]
fn a_key_of_another_order_and_a_key_the_gateway_refuses_fail_for_good() {
    let shop = Shop::new("refuse key=stolen LOST_CARD");
    shop.confirm(&confirmation(1, 100, "k1")).unwrap();
    let refused = |code: &str| ChargeRefused::Refused(code.to_owned());
    for _ in 0..2 {
        assert_eq!(
            charge_refused(shop.confirm(&confirmation(2, 100, "k1"))),
            refused("ALREADY_PROCESSED_PAYMENT")
        );
        assert_eq!(
            charge_refused(shop.confirm(&confirmation(3, 100, "stolen"))),
            refused("LOST_CARD")
        );
    }
    // Another key is another payment, also where the first one failed.
    for number in [2, 3] {
        assert_eq!(
            charge_refused(shop.confirm(&confirmation(number, 100, "k9"))),
            ChargeRefused::DiffersFromExisting
        );
    }
}

#[test]
fn a_confirmation_whose_answer_was_lost_is_finished_by_the_repetition() {
    let shop = Shop::new("lose-answer amount=778");
    let silent = shop.confirm(&confirmation(1, 778, "k1"));
    assert!(
        matches!(silent, Err(Failed::Unanswered(Trouble::Gateway(_)))),
        "{silent:?}"
    );
    // Meanwhile the order is paid by nothing else.
    assert_eq!(
        charge_refused(shop.confirm(&confirmation(1, 778, "k2"))),
        ChargeRefused::DiffersFromExisting
    );
    for method in [Method::Card, Method::Cash] {
        assert_eq!(
            charge_refused(shop.charge(&charge(1, 778, method))),
            ChargeRefused::DiffersFromExisting
        );
    }
    assert!(shop.confirm(&confirmation(1, 778, "k1")).unwrap().is_new());
    assert_eq!(shop.topics(), ["payment.completed"]);
}

#[test]
fn cash_is_not_taken_for_what_a_card_paid_already() {
    let shop = Shop::new("lose-answer amount=778; timeout amount=777");
    let _ = shop.charge(&charge(1, 778, Method::Card));
    assert_eq!(
        charge_refused(shop.charge(&charge(1, 778, Method::Cash))),
        ChargeRefused::DiffersFromExisting
    );
    assert!(shop.charge(&charge(1, 778, Method::Card)).unwrap().is_new());
    // Where the card's money did not move, cash is welcome.
    let _ = shop.charge(&charge(2, 777, Method::Card));
    assert!(shop.charge(&charge(2, 777, Method::Cash)).unwrap().is_new());
}

#[test]
fn what_was_captured_goes_back_whole() {
    for (number, method) in [(1, Method::Card), (2, Method::Cash), (3, Method::Pg)] {
        let shop = Shop::new("");
        match method {
            Method::Pg => shop.confirm(&confirmation(number, 100, "k1")),
            _ => shop.charge(&charge(number, 100, method)),
        }
        .unwrap();
        let first = shop.void(&void(number, 100, method, "undo")).unwrap();
        assert!(first.is_new());
        let again = shop.void(&void(number, 100, method, "undo")).unwrap();
        assert_eq!(again, Outcome::AlreadyDone(first.into_inner()));
        assert_eq!(again.into_inner().status(), "REFUNDED");
        assert_eq!(shop.pg.cancelled(number), shop.pg.approved(number));
        // Another key finds nothing left to give back.
        assert!(!shop.void(&void(number, 100, method, "other")).unwrap().is_new());
        assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
    }
}

#[test]
fn after_a_partial_refund_only_the_rest_goes_back() {
    let shop = Shop::new("");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    shop.refund(&refund(1, "return", 30)).unwrap();
    let back = shop
        .void(&void(1, 100, Method::Card, "cancel"))
        .unwrap()
        .into_inner();
    assert_eq!((back.refunded(), shop.pg.cancelled(1)), (won(100), 100));
    let (_, rest) = shop
        .payments
        .find_refund(order(1), &RefundKey::try_new("cancel").unwrap())
        .unwrap();
    assert_eq!(rest.unwrap().amount.money(), won(70));
}

#[test]
fn an_order_that_was_never_charged_is_remembered_as_voided() {
    let shop = Shop::new("");
    for (number, method) in [(1, Method::Card), (2, Method::Cash), (3, Method::Pg)] {
        let first = shop.void(&void(number, 100, method, "undo")).unwrap();
        assert!(first.is_new());
        let again = shop.void(&void(number, 100, method, "undo")).unwrap();
        assert_eq!(again, Outcome::AlreadyDone(first.into_inner()));
        assert!(again.into_inner().is_voided());
        let late = match method {
            Method::Pg => shop.confirm(&confirmation(number, 100, "k1")),
            _ => shop.charge(&charge(number, 100, method)),
        };
        assert_eq!(charge_refused(late), ChargeRefused::Refused("VOIDED".to_owned()));
        assert_eq!(shop.pg.approved(number), 0);
        assert!(matches!(
            shop.refund(&refund(number, "a", 1)),
            Err(Failed::Refused(RefundRefused::NotCaptured))
        ));
    }
    assert_eq!(shop.topics(), ["payment.failed"; 3]);
}

#[test]
fn a_refused_charge_needs_no_undoing() {
    let shop = Shop::new("refuse REJECT_CARD_PAYMENT");
    charge_refused(shop.charge(&charge(1, 100, Method::Card)));
    let ended = shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    assert_eq!((ended.is_new(), ended.into_inner().is_voided()), (false, false));
}

#[test]
fn money_whose_answer_was_lost_is_found_written_down_and_given_back() {
    for (charged, voided) in [
        (Method::Card, Method::Card),
        (Method::Pg, Method::Pg),
        (Method::Card, Method::Cash),
    ] {
        let shop = Shop::new("lose-answer");
        match charged {
            Method::Pg => drop(shop.confirm(&confirmation(1, 100, "k1"))),
            _ => drop(shop.charge(&charge(1, 100, charged))),
        }
        let back = shop.void(&void(1, 90, voided, "undo")).unwrap().into_inner();
        // What the gateway took, not what the caller believes.
        assert_eq!(
            (back.amount, back.refunded(), back.method),
            (won(100), won(100), charged)
        );
        assert_eq!((shop.pg.approved(1), shop.pg.cancelled(1)), (100, 100));
        assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
    }
}

#[test]
fn money_that_somebody_gave_back_at_the_gateway_is_not_given_back_again() {
    for (cancelled, left) in [(100, 0), (30, 70)] {
        let shop = Shop::new("lose-answer");
        let _ = shop.charge(&charge(1, 100, Method::Card));
        shop.pg
            .cancel("fake-pg-1", "by hand", won(cancelled), "")
            .unwrap();
        let ended = shop
            .void(&void(1, 100, Method::Card, "undo"))
            .unwrap()
            .into_inner();
        assert_eq!(ended.is_voided(), left == 0);
        assert_eq!((ended.refunded().minor(), shop.pg.cancelled(1)), (left, 100));
    }
}

#[test]
fn refunds_under_way_are_carried_on_first() {
    let shop = Shop::new("refuse-cancel amount=13 first=1");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for (key, amount) in [("a", 20), ("b", 13)] {
        assert!(shop.payments.promise(&promised(1, key, amount)).unwrap());
    }
    let early = shop.void(&void(1, 100, Method::Card, "undo"));
    assert!(
        matches!(early, Err(Failed::Unanswered(Trouble::UnderWay))),
        "{early:?}"
    );
    assert_eq!(shop.pg.cancelled(1), 0);
    shop.wait(20_000);
    let back = shop
        .void(&void(1, 100, Method::Card, "undo"))
        .unwrap()
        .into_inner();
    assert_eq!((back.refunded(), shop.pg.cancelled(1)), (won(100), 100));
    let states = [("a", "DONE"), ("b", "REFUSED"), ("undo", "DONE")];
    assert_eq!(
        shop.refund_states(1),
        states.map(|(key, state)| (key.to_owned(), state.to_owned()))
    );
}

#[test]
fn money_that_is_left_again_goes_back_under_the_next_key() {
    let shop = Shop::new("refuse-cancel amount=13 first=1");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    assert!(shop.payments.promise(&promised(1, "undo", 87)).unwrap());
    assert!(
        shop.payments
            .finish(&promised(1, "undo", 87), NOW)
            .unwrap()
            .is_some()
    );
    shop.pg.cancel("fake-pg-1", "1:undo", won(87), "").unwrap();
    assert!(shop.payments.promise(&promised(1, "return", 13)).unwrap());
    shop.wait(20_000);
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    let keys: Vec<String> = shop.refund_states(1).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["return", "undo", "undo~2"]);
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (100, 100));
}

#[test]
fn a_refusal_is_final_for_its_key_and_another_key_may_succeed() {
    let shop = Shop::new("refuse-cancel first=1");
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    for _ in 0..2 {
        let refused = shop.void(&void(1, 100, Method::Card, "undo"));
        assert!(
            matches!(&refused, Err(Failed::Refused(VoidRefused::Refused(code))) if code == "NOT_CANCELABLE_PAYMENT"),
            "{refused:?}"
        );
    }
    assert_eq!(shop.refunded(1), 0);
    assert!(shop.void(&void(1, 100, Method::Card, "undo 2")).unwrap().is_new());
    // Nothing is kept any more, so the first key has nothing to refuse.
    assert!(!shop.void(&void(1, 100, Method::Card, "undo")).unwrap().is_new());
}

#[test]
fn the_longest_key_still_has_a_next_one() {
    let shop = Shop::new("");
    let longest = "환".repeat(100);
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
    shop.refund(&refund(1, &longest, 40)).unwrap();
    shop.void(&void(1, 100, Method::Card, &longest)).unwrap();
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (100, 100));
    assert!(!shop.void(&void(1, 100, Method::Card, &longest)).unwrap().is_new());
}

/// What happens to a shop in between.
type Event<'a> = Box<dyn FnOnce(&Shop) + 'a>;

/// While the gateway takes the money, something else happens.
struct Meanwhile<'a> {
    shop: &'a Shop,
    happens: RefCell<Option<Event<'a>>>,
    keeps_money: bool,
}

impl<'a> Meanwhile<'a> {
    fn new(shop: &'a Shop, happens: impl FnOnce(&Shop) + 'a) -> Self {
        Self {
            shop,
            happens: RefCell::new(Some(Box::new(happens))),
            keeps_money: false,
        }
    }

    fn app(&self) -> App<'_, store::Db, Self> {
        App {
            payments: &self.shop.payments,
            gateway: self,
        }
    }

    fn happen(&self) {
        if let Some(happens) = self.happens.take() {
            happens(self.shop);
        }
    }
}

impl Gateway for Meanwhile<'_> {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        self.happen();
        self.shop.pg.approve(order, amount)
    }

    fn confirm(&self, order: OrderId, key: &str, amount: Money) -> Result<Approval, ApproveError> {
        self.happen();
        self.shop.pg.confirm(order, key, amount)
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        if self.keeps_money {
            return Err(CancelError::Unavailable("silence".to_owned()));
        }
        self.shop.pg.cancel(key, cancel_key, amount, reason)
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, String> {
        let found = self.shop.pg.find(order);
        self.happen();
        found
    }
}

#[test]
fn a_charge_that_arrives_while_it_is_voided_returns_its_money() {
    let shop = Shop::new("");
    let late = Meanwhile::new(&shop, |shop| {
        drop(shop.void(&void(1, 100, Method::Card, "undo")).unwrap())
    });
    let answer = late.app().charge(&charge(1, 100, Method::Card), NOW, 7);
    assert_eq!(
        charge_refused(answer),
        ChargeRefused::Refused("VOIDED".to_owned())
    );
    let late = Meanwhile::new(&shop, |shop| {
        drop(shop.void(&void(2, 100, Method::Pg, "undo")).unwrap())
    });
    let answer = late.app().confirm(&confirmation(2, 100, "k1"), NOW, 7);
    assert_eq!(
        charge_refused(answer),
        ChargeRefused::Refused("VOIDED".to_owned())
    );
    for number in [1, 2] {
        assert_eq!((shop.pg.approved(number), shop.pg.cancelled(number)), (100, 100));
    }
}

#[test]
fn a_charge_that_is_written_while_it_is_voided_is_given_back() {
    let shop = Shop::new("");
    let early = Meanwhile::new(&shop, |shop| {
        drop(shop.charge(&charge(1, 100, Method::Card)).unwrap())
    });
    let ended = early
        .app()
        .void(&void(1, 100, Method::Card, "undo"), NOW, 7)
        .unwrap();
    assert_eq!(ended.into_inner().status(), "REFUNDED");
    assert_eq!(shop.pg.cancelled(1), 100);
}

#[test]
fn late_money_that_did_not_go_back_at_once_goes_back_with_the_job() {
    let shop = Shop::new("");
    let mut late = Meanwhile::new(&shop, |shop| {
        drop(shop.void(&void(1, 100, Method::Card, "undo")).unwrap())
    });
    late.keeps_money = true;
    let answer = late.app().charge(&charge(1, 100, Method::Card), NOW, 7);
    assert!(
        matches!(answer, Err(Failed::Unanswered(Trouble::Gateway(_)))),
        "{answer:?}"
    );
    shop.wait(20_000);
    assert_eq!(
        shop.recover(),
        Tally {
            done: 1,
            ..Tally::default()
        }
    );
    assert_eq!((shop.pg.approved(1), shop.pg.cancelled(1)), (100, 100));
}

#[test]
fn a_card_that_is_late_for_cash_is_found_by_the_job() {
    let shop = Shop::new("");
    let mut late = Meanwhile::new(&shop, |shop| {
        drop(shop.charge(&charge(1, 100, Method::Cash)).unwrap())
    });
    late.keeps_money = true;
    let _ = late.app().charge(&charge(1, 100, Method::Card), NOW, 7);
    shop.wait(20_000);
    assert_eq!(shop.recover().done, 1);
    assert_eq!((shop.pg.approved(1), shop.pg.cancelled(1)), (100, 100));
    let kept = shop.payments.find(order(1)).unwrap().unwrap();
    assert!(matches!(kept.state, State::Captured { till: Till::Cash, .. }));
}

#[test]
fn the_gateways_name_of_a_window_is_one_that_can_be_read_back() {
    let shop = Shop::new("");
    shop.confirm(&confirmation(1, 100, "k1")).unwrap();
    let broken = "update confirmation set payment_key = 'a b'";
    shop.payments
        .transaction(|tx| tx.execute(broken, params![]))
        .unwrap();
    assert!(matches!(
        shop.app().status(order(1)),
        Err(Trouble::Store(store::DbError::Row(_)))
    ));
}
