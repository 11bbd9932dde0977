//! One at a time asks the gateway about a refund, and what follows when that was not so.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use kernel::{Millis, Money, OrderId};
use payment::app::{
    App, Approval, ApproveError, CancelError, Claim, Entry, Failed, Gateway, Payments, Tally, Trouble,
};
use payment::domain::{Method, NewRefund, Refund, RefundRefused, RefundState, VoidRefused};
use shop::{NOW, Shop, charge, order, refund, void, won};
use store::{Db, params};

store_suite::also_on_postgres!();

/// What a gateway does when it is to give money back.
type Cancel<'a> = Box<dyn Fn(&Shop, &dyn Fn() -> Result<(), CancelError>) -> Result<(), CancelError> + 'a>;

/// A gateway that does something else when it is to give money back, or dies when it is asked for an order.
struct Odd<'a> {
    shop: &'a Shop,
    cancel: Cancel<'a>,
    dies_at_find: bool,
}

impl<'a> Odd<'a> {
    fn new(
        shop: &'a Shop,
        cancel: impl Fn(&Shop, &dyn Fn() -> Result<(), CancelError>) -> Result<(), CancelError> + 'a,
    ) -> Self {
        Self {
            shop,
            cancel: Box::new(cancel),
            dies_at_find: false,
        }
    }

    fn app(&self) -> App<'_, Db, Self> {
        App {
            payments: &self.shop.payments,
            gateway: self,
        }
    }
}

/// The host ends a run that takes too long.
fn deadline() -> ! {
    resume_unwind(Box::new("deadline"))
}

/// Whether the run came to its end.
fn survives<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

impl Gateway for Odd<'_> {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        self.shop.pg.approve(order, amount)
    }

    fn confirm(&self, order: OrderId, key: &str, amount: Money) -> Result<Approval, ApproveError> {
        self.shop.pg.confirm(order, key, amount)
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        (self.cancel)(self.shop, &|| {
            self.shop.pg.cancel(key, cancel_key, amount, reason)
        })
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, String> {
        if self.dies_at_find {
            deadline();
        }
        self.shop.pg.find(order)
    }
}

fn tally(done: u32, left: u32, stuck: u32) -> Tally {
    Tally { done, left, stuck }
}

fn requested(number: u64, key: &str, amount: i64) -> Refund {
    let NewRefund {
        order,
        key,
        amount,
        reason,
    } = refund(number, key, amount);
    Refund {
        order,
        key,
        amount,
        reason,
        state: RefundState::Requested,
        requested_at: NOW,
    }
}

/// Orders 1 to `count` are paid by card.
fn paid(rules: &str, count: u64) -> Shop {
    let shop = Shop::new(rules);
    for number in 1..=count {
        shop.charge(&charge(number, 100, Method::Card)).unwrap();
    }
    shop
}

/// The same, each with a refund whose caller died.
fn abandoned(rules: &str, count: u64) -> Shop {
    let shop = paid(rules, count);
    for number in 1..=count {
        assert!(shop.payments.promise(&requested(number, "return", 40)).unwrap());
    }
    shop.wait(20_000);
    shop
}

fn assert_agreed(shop: &Shop, number: u64, kept: i64) {
    assert_eq!((shop.kept(number), shop.refunding(number)), ([kept; 3], 0));
}

#[test]
fn a_refund_is_claimed_by_one_until_it_lapses_is_let_go_or_decided() {
    let shop = paid("", 1);
    let refund = requested(1, "a", 40);
    let at = |ms| NOW.after(Millis(ms));
    let claim = |ms| shop.payments.claim(&refund, at(ms), at(ms)).unwrap();
    assert_eq!(claim(0), Claim::Decided, "it was never requested");
    assert!(shop.payments.promise(&refund).unwrap());
    assert_eq!((claim(0), claim(15_999)), (Claim::Theirs, Claim::Theirs));
    assert_eq!(shop.claims(), 0, "the promise itself is the claim");
    assert_eq!((claim(16_000), claim(16_000)), (Claim::Ours, Claim::Theirs));
    assert_eq!((claim(31_999), claim(32_000)), (Claim::Theirs, Claim::Ours));
    shop.payments.let_go(&refund, at(32_000)).unwrap();
    assert_eq!(claim(32_001), Claim::Theirs, "it was somebody else's who let go");
    shop.payments.let_go(&refund, at(48_000)).unwrap();
    assert_eq!((claim(32_001), shop.claims()), (Claim::Ours, 1));
    assert!(shop.payments.finish(&refund, at(40_002)).unwrap().is_some());
    assert_eq!((claim(100_000), shop.claims()), (Claim::Decided, 0));
}

#[test]
fn while_somebody_asks_the_gateway_nobody_else_does() {
    for in_time in [true, false] {
        let shop = paid("", 1);
        let asked = Cell::new(0);
        let odd = Odd::new(&shop, |shop, cancel| {
            asked.set(asked.get() + 1);
            let same = shop.app().refund(&refund(1, "a", 40), shop.now());
            assert!(
                matches!(same, Err(Failed::Unanswered(Trouble::UnderWay))),
                "{same:?}"
            );
            let undo = shop.void(&void(1, 100, Method::Card, "undo"));
            assert!(
                matches!(undo, Err(Failed::Unanswered(Trouble::UnderWay))),
                "{undo:?}"
            );
            assert_eq!(shop.recover(), tally(0, 0, 0));
            cancel()
        });
        if !in_time {
            assert!(shop.payments.promise(&requested(1, "a", 40)).unwrap());
            shop.wait(50_000);
        }
        assert!(
            odd.app()
                .refund(&refund(1, "a", 40), shop.now())
                .unwrap()
                .is_new()
        );
        assert_eq!((asked.get(), shop.claims()), (1, 0));
        assert_agreed(&shop, 1, 60);
    }
}

#[test]
fn who_voids_has_the_refund_too() {
    let shop = paid("", 1);
    let odd = Odd::new(&shop, |shop, cancel| {
        let again = shop.void(&void(1, 100, Method::Card, "undo"));
        assert!(
            matches!(again, Err(Failed::Unanswered(Trouble::UnderWay))),
            "{again:?}"
        );
        cancel()
    });
    odd.app()
        .void(&void(1, 100, Method::Card, "undo"), shop.now(), 7)
        .unwrap();
    assert_agreed(&shop, 1, 0);
}

#[test]
fn a_gateway_that_says_it_has_no_answer_lets_the_next_one_ask_at_once() {
    let shop = abandoned("timeout-cancel first=2", 1);
    for _ in 0..2 {
        let silent = shop.app().refund(&refund(1, "return", 40), shop.now());
        assert!(
            matches!(silent, Err(Failed::Unanswered(Trouble::Gateway(_)))),
            "{silent:?}"
        );
    }
    shop.app().refund(&refund(1, "return", 40), shop.now()).unwrap();
    assert_eq!(shop.claims(), 0);
    assert_agreed(&shop, 1, 60);
}

#[test]
fn the_gateways_yes_counts_where_another_one_heard_a_no() {
    let shop = paid("", 1);
    let odd = Odd::new(&shop, |shop, cancel| {
        cancel()?;
        assert!(shop.payments.refuse(&requested(1, "a", 40), "BUSY", NOW).unwrap());
        assert_eq!(shop.stuck(), ["1 REFUND a 40 BUSY"]);
        Ok(())
    });
    let given = odd.app().refund(&refund(1, "a", 40), NOW).unwrap();
    assert_eq!(given.into_inner().refunded(), won(40));
    assert_agreed(&shop, 1, 60);
    assert_eq!(shop.topics(), ["payment.completed", "payment.refunded"]);
    assert_eq!(shop.stuck(), [""; 0]);
    assert!(!shop.refund(&refund(1, "a", 40)).unwrap().is_new());
}

#[test]
fn a_yes_for_which_there_is_no_room_is_stuck_until_a_void_compares_the_books() {
    let shop = paid("", 1);
    let odd = Odd::new(&shop, |shop, cancel| {
        cancel()?;
        assert!(shop.payments.refuse(&requested(1, "a", 40), "BUSY", NOW).unwrap());
        assert!(shop.payments.promise(&requested(1, "b", 80)).unwrap());
        Ok(())
    });
    for _ in 0..2 {
        let unbooked = odd.app().refund(&refund(1, "a", 40), NOW);
        assert!(
            matches!(&unbooked, Err(Failed::Refused(RefundRefused::Refused(code))) if code == "UNBOOKED"),
            "{unbooked:?}"
        );
    }
    assert_eq!(shop.stuck(), ["1 REFUND a 40 UNBOOKED"]);
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(0, 0, 1), "the gateway has no 80 any more");
    assert_eq!(
        shop.stuck(),
        ["1 REFUND a 40 UNBOOKED", "1 REFUND b 80 EXCEEDS_REMAINING"]
    );
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    assert_agreed(&shop, 1, 0);
    assert_eq!(shop.stuck(), [""; 0]);
}

#[test]
fn a_gateway_that_never_answers_keeps_no_refund_from_its_turn() {
    let shop = abandoned("", 2);
    let odd = Odd::new(&shop, |_, _| deadline());
    assert!(!survives(|| odd.app().recover(1, shop.now())));
    assert_eq!(shop.app().recover(1, shop.now()).unwrap(), tally(1, 0, 0));
    assert_eq!((shop.refunded(1), shop.refunded(2)), (0, 40));
    // Whoever repeats the command need not wait as long as the job does.
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(0, 0, 0), "it rests");
    assert!(
        shop.app()
            .refund(&refund(1, "return", 40), shop.now())
            .unwrap()
            .is_new()
    );
    assert_agreed(&shop, 1, 60);
}

#[test]
fn a_refund_at_which_the_job_died_gets_its_turn_again() {
    let shop = abandoned("", 1);
    let odd = Odd::new(&shop, |_, _| deadline());
    assert!(!survives(|| odd.app().recover(1, shop.now())));
    shop.wait(60_000);
    assert_eq!(shop.recover(), tally(1, 0, 0));
    assert_agreed(&shop, 1, 60);
}

#[test]
fn a_gateway_that_never_answers_keeps_no_look_from_its_turn() {
    for dies_at_find in [true, false] {
        let shop = Shop::new("");
        for number in [1, 2] {
            shop.void(&void(number, 100, Method::Card, "undo")).unwrap();
            shop.pg.approve(order(number), won(100)).unwrap();
        }
        shop.wait(20_000);
        let mut odd = Odd::new(&shop, |_, _| deadline());
        odd.dies_at_find = dies_at_find;
        assert!(!survives(|| odd.app().recover(1, shop.now())));
        assert_eq!(shop.app().recover(1, shop.now()).unwrap(), tally(1, 0, 0));
        assert_eq!((shop.pg.kept(1), shop.pg.kept(2)), (100, 0));
        shop.wait(20_000);
        assert_eq!(shop.recover(), tally(1, 0, 0));
        assert_eq!(shop.pg.kept(1), 0);
    }
}

#[test]
fn a_look_that_somebody_else_took_is_left_to_them() {
    let shop = Shop::new("");
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    shop.wait(20_000);
    let look = shop
        .payments
        .looks(shop.now(), 1)
        .unwrap()
        .pop()
        .unwrap()
        .unwrap();
    let later = look.again(shop.now());
    let put_off = || {
        shop.payments
            .put_off(look.order.as_i64(), look.due, later.due)
            .unwrap()
    };
    assert!(put_off() && !put_off());
    // A charge that arrived meanwhile has set a first look; whoever took the old one leaves it.
    shop.payments
        .set_look(payment::domain::Look::first(
            order(1),
            shop.now().after(Millis(1)),
        ))
        .unwrap();
    shop.payments.end_look(later, later.next(shop.now())).unwrap();
    shop.wait(20_001);
    let next = shop
        .payments
        .looks(shop.now(), 1)
        .unwrap()
        .pop()
        .unwrap()
        .unwrap();
    assert_eq!(next.number, 0);
}

#[test]
fn what_can_not_be_read_or_written_keeps_nothing_from_its_turn() {
    let shop = abandoned("", 3);
    for number in [4, 5] {
        shop.void(&void(number, 100, Method::Card, "undo")).unwrap();
    }
    for broken in [
        "update payment set method = 'BITCOIN' where order_id = 1",
        "update gateway_look set look = -1 where order_id = 4",
        // The event of this refund can't be written.
        "insert into outbox values ('payment.refunded:2:return', 't', 'k', 0, '{}', null, null)",
    ] {
        shop.payments
            .transaction(|tx| tx.execute(broken, params![]))
            .unwrap();
    }
    shop.wait(20_000);
    assert_eq!(shop.recover(), tally(2, 3, 0));
    assert_eq!((shop.refunded(3), shop.claims()), (40, 2));
    assert_eq!(shop.recover(), tally(0, 0, 0), "they rest");
    shop.wait(60_000);
    assert_eq!(shop.recover(), tally(0, 3, 0));
}

#[test]
fn a_database_that_does_not_answer_ends_the_run() {
    use shop::seam::Mode;
    let shop = abandoned("", 2);
    let run = || shop.app().recover(10, shop.now());
    let answer = shop.seam.disturbed(Some((3, Mode::LostBefore)), run).unwrap();
    assert!(matches!(answer, Err(Trouble::Store(error)) if error.retryable()));
    assert_eq!(shop.recover(), tally(2, 0, 0));
}

#[test]
fn what_was_given_back_at_the_gateway_is_written_down_by_the_void_that_finds_it() {
    for cancelled in [1, 30, 100] {
        let shop = paid("", 1);
        shop.pg
            .cancel("fake-pg-1", "by hand", won(cancelled), "")
            .unwrap();
        let ended = shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
        assert_eq!(ended.into_inner().status(), "REFUNDED");
        assert_agreed(&shop, 1, 0);
        let states = shop.refund_states(1);
        let keys: Vec<&str> = states.iter().map(|(key, _)| key.as_str()).collect();
        let elsewhere = format!("elsewhere/{cancelled}");
        let expected: &[&str] = if cancelled == 100 {
            &[&elsewhere, "undo"]
        } else {
            &[&elsewhere, "undo", "undo~2"]
        };
        assert_eq!(keys, expected);
        assert_eq!(shop.stuck(), [""; 0]);
        assert!(!shop.void(&void(1, 100, Method::Card, "undo")).unwrap().is_new());
    }
}

#[test]
fn money_given_back_at_the_gateway_between_our_refunds_is_found_each_time() {
    let shop = paid("", 1);
    shop.refund(&refund(1, "return", 20)).unwrap();
    for (key, amount) in [("one", 10), ("two", 5)] {
        shop.pg.cancel("fake-pg-1", key, won(amount), "").unwrap();
    }
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    assert_agreed(&shop, 1, 0);
    assert!(shop.refund_states(1).iter().any(|(key, _)| key == "elsewhere/35"));
}

#[test]
fn a_gateway_whose_book_is_ours_and_which_refuses_all_the_same_is_refused() {
    let shop = paid("", 1);
    let odd = Odd::new(&shop, |_, _| Err(CancelError::ExceedsRemaining));
    for _ in 0..2 {
        let answer = odd.app().void(&void(1, 100, Method::Card, "undo"), shop.now(), 7);
        assert!(
            matches!(&answer, Err(Failed::Refused(VoidRefused::Refused(code))) if code == "EXCEEDS_REMAINING"),
            "{answer:?}"
        );
    }
    assert_eq!(shop.stuck(), ["1 REFUND undo 100 EXCEEDS_REMAINING"]);
    assert_agreed(&shop, 1, 100);
}

#[test]
fn a_difference_is_not_written_down_while_refunds_come_and_go() {
    let shop = paid("", 1);
    let seen = shop.payments.find(order(1)).unwrap().unwrap();
    let command = void(1, 100, Method::Card, "undo");
    let difference = command.elsewhere(&seen, won(70), won(30), NOW).unwrap();
    let book = || shop.payments.book_elsewhere(&difference, &seen, NOW).unwrap();
    assert!(shop.payments.promise(&requested(1, "a", 30)).unwrap());
    assert!(!book(), "a refund is under way: the difference may be that one");
    assert!(
        shop.payments
            .finish(&requested(1, "a", 30), NOW)
            .unwrap()
            .is_some()
    );
    assert!(!book(), "it was that one");
    assert_eq!((shop.refunded(1), shop.refund_states(1).len()), (30, 1));
    assert_eq!(command.elsewhere(&seen, won(100), won(0), NOW), None);
    assert_eq!(command.elsewhere(&seen, won(101), won(0), NOW), None);
}

#[test]
fn a_refused_refund_is_stuck_until_as_much_or_everything_went_back() {
    let shop = paid("refuse-cancel amount=30", 2);
    let refused = |number| {
        shop.refund(&refund(number, "return", 30)).unwrap_err();
        shop.wait(1);
    };
    refused(1);
    refused(2);
    assert_eq!(shop.stuck().len(), 2);
    shop.refund(&refund(1, "less", 29)).unwrap();
    assert_eq!(shop.stuck().len(), 2);
    shop.refund(&refund(1, "the rest", 1)).unwrap();
    assert_eq!(shop.stuck(), ["2 REFUND return 30 NOT_CANCELABLE_PAYMENT"]);
    shop.void(&void(2, 100, Method::Card, "undo")).unwrap();
    assert_eq!(shop.stuck(), [""; 0]);
}

#[test]
fn stray_money_is_stuck_until_it_went_back() {
    let shop = Shop::new("refuse-cancel first=2");
    shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
    shop.pg.approve(order(1), won(100)).unwrap();
    shop.wait(20_000);
    let since = RefCell::new(Vec::new());
    for _ in 0..2 {
        assert_eq!(shop.recover(), tally(0, 0, 1));
        assert_eq!(shop.stuck(), ["1 STRAY fake-pg-1 100 NOT_CANCELABLE_PAYMENT"]);
        let list = payment::app::Ledger::stuck(&shop.payments, None, 10).unwrap();
        since.borrow_mut().push(list[0].since);
        shop.wait(300_000);
    }
    assert_eq!(since.borrow()[0], since.borrow()[1], "since the first time");
    assert_eq!(shop.recover(), tally(1, 0, 0));
    assert_eq!((shop.stuck(), shop.pg.kept(1)), (vec![], 0));
}
