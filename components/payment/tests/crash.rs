//! Every statement and every call of the gateway goes wrong once, in four ways: whoever repeats the command
//! then gets the answer of an undisturbed one, whoever voids it keeps nothing, and whoever does nothing
//! leaves it to the job.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]
#![allow(
    clippy::print_stdout,
    reason = "how many points were covered belongs into the test's output"
)]

mod shop;

use std::fmt::Debug;

use kernel::{Money, OrderId, Outcome};
use payment::app::{App, Approval, ApproveError, CancelError, Entry, Failed, Gateway, Payments};
use payment::domain::{Method, Payment};
use shop::seam::{MODES, Mode};
use shop::{NOW, Shop, charge, confirmation, order, refund, void};
use store_suite::database;

store_suite::also_on_postgres!();

/// Of how many points one is tried: each needs two databases, which take as long to make on Postgres as a hundred points
/// on SQLite. It has no divisor in common with the modes, so all of these come at all kinds of points.
fn stride() -> usize {
    if database::is_postgres() { 7 } else { 1 }
}

/// One command in one situation.
struct Story {
    name: &'static str,
    rules: &'static str,
    before: fn(&Shop),
    command: fn(&Shop) -> Option<String>,
    /// With which method the order is voided.
    method: Method,
}

/// How a story goes when nothing goes wrong.
struct Undisturbed {
    answer: String,
    kept: [i64; 3],
}

fn told<R: Debug>(answer: Result<Outcome<Payment>, Failed<R>>) -> Option<String> {
    match answer {
        Ok(done) => {
            let payment = done.into_inner();
            let (amount, refunded) = (payment.amount.minor(), payment.refunded().minor());
            Some(format!("{} {amount} {refunded}", payment.status()))
        }
        Err(Failed::Refused(refused)) => Some(format!("{refused:?}")),
        Err(Failed::Unanswered(_)) => None,
    }
}

fn by_card(shop: &Shop) {
    shop.charge(&charge(1, 100, Method::Card)).unwrap();
}

fn by_lost_card(shop: &Shop) {
    shop.charge(&charge(1, 100, Method::Card)).unwrap_err();
}

fn by_lost_window(shop: &Shop) {
    shop.confirm(&confirmation(1, 100, "k1")).unwrap_err();
}

fn with_a_refund_under_way(shop: &Shop) {
    by_card(shop);
    shop.refund(&refund(1, "earlier", 13)).unwrap_err();
}

fn with_a_part_given_back_elsewhere(shop: &Shop) {
    by_card(shop);
    shop.pg.cancel("fake-pg-1", "by hand", shop::won(30), "").unwrap();
}

fn charge_card(shop: &Shop) -> Option<String> {
    told(shop.charge(&charge(1, 100, Method::Card)))
}

fn charge_cash(shop: &Shop) -> Option<String> {
    told(shop.charge(&charge(1, 100, Method::Cash)))
}

fn confirm(shop: &Shop) -> Option<String> {
    told(shop.confirm(&confirmation(1, 100, "k1")))
}

fn refund_some(shop: &Shop) -> Option<String> {
    told(shop.refund(&refund(1, "return", 40)))
}

fn void_card(shop: &Shop) -> Option<String> {
    told(shop.void(&void(1, 100, Method::Card, "undo")))
}

fn void_cash(shop: &Shop) -> Option<String> {
    told(shop.void(&void(1, 100, Method::Cash, "undo")))
}

fn void_window(shop: &Shop) -> Option<String> {
    told(shop.void(&void(1, 100, Method::Pg, "undo")))
}

fn nothing(_: &Shop) {}

fn stories() -> Vec<Story> {
    type Row = (
        &'static str,
        &'static str,
        fn(&Shop),
        fn(&Shop) -> Option<String>,
        Method,
    );
    let rows: [Row; 19] = [
        ("charge", "", nothing, charge_card, Method::Card),
        (
            "a refused charge",
            "refuse NO",
            nothing,
            charge_card,
            Method::Card,
        ),
        (
            "a charge whose answer was lost",
            "lose-answer",
            by_lost_card,
            charge_card,
            Method::Card,
        ),
        ("cash", "", nothing, charge_cash, Method::Cash),
        (
            "cash for a lost charge",
            "lose-answer",
            by_lost_card,
            charge_cash,
            Method::Cash,
        ),
        ("confirm", "", nothing, confirm, Method::Pg),
        (
            "a refused confirmation",
            "refuse key=k1 NO",
            nothing,
            confirm,
            Method::Pg,
        ),
        ("refund", "", by_card, refund_some, Method::Card),
        (
            "a refund of cash",
            "",
            |shop| drop(charge_cash(shop)),
            refund_some,
            Method::Cash,
        ),
        (
            "a refused refund",
            "refuse-cancel amount=40",
            by_card,
            refund_some,
            Method::Card,
        ),
        ("void of nothing", "", nothing, void_card, Method::Card),
        ("void of a capture", "", by_card, void_card, Method::Card),
        (
            "void of what was given back in part at the gateway",
            "",
            with_a_part_given_back_elsewhere,
            void_card,
            Method::Card,
        ),
        (
            "void of cash",
            "",
            |shop| drop(charge_cash(shop)),
            void_cash,
            Method::Cash,
        ),
        (
            "void of a confirmation",
            "",
            |shop| drop(confirm(shop)),
            void_window,
            Method::Pg,
        ),
        (
            "void of a lost charge",
            "lose-answer",
            by_lost_card,
            void_card,
            Method::Card,
        ),
        (
            "void of a lost confirmation",
            "lose-answer",
            by_lost_window,
            void_window,
            Method::Pg,
        ),
        (
            "void with a refund under way",
            "timeout-cancel amount=13 first=1",
            with_a_refund_under_way,
            void_card,
            Method::Card,
        ),
        (
            "void with a refund that will be refused",
            "timeout-cancel amount=13 first=1; refuse-cancel amount=13 first=1",
            with_a_refund_under_way,
            void_card,
            Method::Card,
        ),
    ];
    let story = |(name, rules, before, command, method)| Story {
        name,
        rules,
        before,
        command,
        method,
    };
    rows.map(story).into()
}

impl Story {
    fn begin(&self) -> Shop {
        let shop = Shop::new(self.rules);
        (self.before)(&shop);
        shop.wait(1);
        shop
    }

    /// How it goes when nothing goes wrong, and how often the outside is touched for it.
    fn undisturbed(&self) -> (Undisturbed, u32) {
        let shop = self.begin();
        let answer = shop.seam.disturbed(None, || (self.command)(&shop)).flatten();
        let touched = shop.seam.touched();
        let answer = answer.expect(self.name);
        let kept = shop.kept(1);
        (Undisturbed { answer, kept }, touched)
    }

    /// The shop after the command went wrong at its `point`th touch.
    fn disturbed(&self, point: u32, mode: Mode) -> Shop {
        let shop = self.begin();
        shop.seam.disturbed(Some((point, mode)), || (self.command)(&shop));
        shop.wait(1);
        shop
    }
}

/// Every point of a command that touches the outside so often, in every mode; or those of them that are tried here.
fn points(touched: u32) -> impl Iterator<Item = (u32, Mode)> {
    let all = (1..=touched).flat_map(|point| MODES.map(|mode| (point, mode)));
    all.step_by(stride())
}

/// Checks every point of every story, and says how many there were.
fn at_every_point(check: impl Fn(&Story, &Undisturbed, &Shop, &str)) {
    let mut tried = 0;
    for story in stories() {
        let (undisturbed, touched) = story.undisturbed();
        for (point, mode) in points(touched) {
            let place = format!("{}, {mode:?} at {point} of {touched}", story.name);
            check(&story, &undisturbed, &story.disturbed(point, mode), &place);
            tried += 1;
        }
    }
    assert!(tried > 700 / stride(), "only {tried} points");
    println!("{tried} points");
}

/// Asks again after a while where there is no answer: who died at a refund has it until then.
fn patiently(shop: &Shop, command: impl Fn(&Shop) -> Option<String>) -> Option<String> {
    command(shop).or_else(|| {
        shop.wait(21_000);
        command(shop)
    })
}

fn agree(shop: &Shop, place: &str) -> i64 {
    let [ours, gateways, told] = shop.kept(1);
    assert_eq!(
        (ours, ours),
        (gateways, told),
        "{place}: ours, the gateway's, the events"
    );
    ours
}

#[test]
fn the_repetition_answers_as_if_nothing_had_gone_wrong() {
    at_every_point(|story, undisturbed, shop, place| {
        assert_eq!(
            patiently(shop, story.command).as_ref(),
            Some(&undisturbed.answer),
            "{place}"
        );
        assert_eq!(shop.kept(1), undisturbed.kept, "{place}");
        if story.name != "cash for a lost charge" {
            agree(shop, place);
        }
        assert_eq!(shop.refunding(1), 0, "{place}");
    });
}

#[test]
fn a_void_leaves_nothing_wherever_the_command_ended() {
    at_every_point(|story, _, shop, place| {
        let refuses_once = story.rules.contains("refuse-cancel");
        let void_it = |shop: &Shop| told(shop.void(&void(1, 100, story.method, "after")));
        let ended = patiently(shop, void_it).expect(place);
        assert!(
            refuses_once || ended.starts_with("REFUNDED") || ended.starts_with("FAILED"),
            "{place}: {ended}"
        );
        assert_eq!(agree(shop, place), 0, "{place}");
        // It may have been the command itself that promised something, and the void has carried it on.
        assert_eq!(shop.refunding(1), 0, "{place}");
        let again = told(shop.void(&void(1, 100, story.method, "after"))).unwrap();
        assert_eq!(again, ended, "{place}");
    });
}

#[test]
fn the_job_finishes_every_refund_that_was_begun() {
    at_every_point(|story, _, shop, place| {
        let unheard = shop.payments.find(order(1)).unwrap().is_none() && shop.pg.kept(1) > 0;
        shop.wait(21_000);
        shop.recover();
        assert_eq!(shop.refunding(1), 0, "{place}");
        // A charge that was never heard of is found by whoever repeats or voids it, and so is money that
        // somebody gave back at the gateway.
        let elsewhere = std::ptr::fn_addr_eq(story.before, with_a_part_given_back_elsewhere as fn(&Shop));
        if !unheard && !elsewhere {
            agree(shop, place);
        }
    });
}

#[test]
fn the_job_itself_may_die_anywhere() {
    let run = |fault| {
        let shop = Shop::new("timeout-cancel amount=40 first=1");
        by_card(&shop);
        assert_eq!(refund_some(&shop), None);
        shop.void(&void(2, 100, Method::Card, "undo")).unwrap();
        shop.pg.approve(order(2), shop::won(100)).unwrap();
        shop.wait(21_000);
        shop.seam
            .disturbed(fault, || drop(shop.app().recover(10, shop.now())));
        shop
    };
    let touched = run(None).seam.touched();
    for (point, mode) in points(touched) {
        let (shop, place) = (
            run(Some((point, mode))),
            format!("{mode:?} at {point} of {touched}"),
        );
        // A silent gateway is left alone for a minute.
        shop.wait(60_000);
        shop.recover();
        assert_eq!((agree(&shop, &place), shop.refunding(1)), (60, 0), "{place}");
        assert_eq!((shop.pg.approved(2), shop.pg.kept(2)), (100, 0), "{place}");
    }
}

/// A gateway on whose way the order is voided.
struct Voided<'a>(&'a Shop);

impl Gateway for Voided<'_> {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        let other = App {
            payments: &self.0.payments,
            gateway: &self.0.pg,
        };
        other.void(&void(1, 100, Method::Card, "undo"), NOW, 5).unwrap();
        self.0.pg.approve(order, amount)
    }

    fn confirm(&self, _: OrderId, _: &str, _: Money) -> Result<Approval, ApproveError> {
        panic!("nobody asks for that here")
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        self.0.pg.cancel(key, cancel_key, amount, reason)
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, String> {
        self.0.pg.find(order)
    }
}

#[test]
fn a_charge_that_was_overtaken_by_a_void_and_crashed_leaves_its_money_to_the_job() {
    let run = |fault| {
        let shop = Shop::new("");
        let charging = || {
            let app = App {
                payments: &shop.payments,
                gateway: &Voided(&shop),
            };
            drop(app.charge(&charge(1, 100, Method::Card), NOW, 7));
        };
        shop.seam.disturbed(fault, charging);
        shop
    };
    let undisturbed = run(None);
    assert_eq!((undisturbed.pg.approved(1), undisturbed.pg.kept(1)), (100, 0));
    let touched = undisturbed.seam.touched();
    for point in 1..=touched {
        for mode in [Mode::CrashBefore, Mode::CrashAfter] {
            let (shop, place) = (
                run(Some((point, mode))),
                format!("{mode:?} at {point} of {touched}"),
            );
            // The void itself may be what died; then it is repeated, as every void is.
            shop.void(&void(1, 100, Method::Card, "undo")).unwrap();
            shop.wait(20_000);
            shop.recover();
            assert_eq!(agree(&shop, &place), 0, "{place}");
        }
    }
}
