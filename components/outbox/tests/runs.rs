//! Whole runs: the real relay on databases in memory; jobs, bus and keys in the tests' hands.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use store_suite::database;

use expect_test::{Expect, expect};
use kernel::Millis;
use outbox::app::{self, Acknowledgements, Bus, Chore, Jobs, Producer, Report, Tally};
use relay::message::MAX_BYTES;
use relay::{Delivery, Message};
use store::{Db, Migration, params};
use testkit::{Clock, NEW_YEAR};

store_suite::also_on_postgres!();

const PRODUCING: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_create_outbox",
        sql: include_str!("../../payment/migrations/0003_create_outbox.sql"),
    },
    Migration {
        number: 2,
        name: "0002_create_relay",
        sql: relay::outbox::SCHEMA,
    },
    Migration {
        number: 3,
        name: "0003_add_outbox_traceparent",
        sql: relay::outbox::TRACEPARENT,
    },
];

struct Shop {
    clock: Clock,
    order: Db,
    payment: Db,
    /// What jobs answer, by producer and name; nothing to do otherwise.
    answers: RefCell<BTreeMap<String, Result<Tally, String>>>,
    /// An order's recovery refunds its payment: an event of the payments.
    recovery_refunds: Cell<bool>,
    /// What was published: channel and message.
    bus: RefCell<Vec<(String, String)>>,
    /// How many messages the bus refuses.
    refusals: Cell<u32>,
    /// How long the bus takes for one, whatever it answers.
    pause: Cell<Millis>,
    /// What was asked for, in this order: jobs, drains, messages.
    asked: RefCell<Vec<String>>,
    keys: RefCell<BTreeMap<String, Result<Vec<u8>, String>>>,
}

impl Shop {
    fn new() -> Self {
        Self {
            clock: Clock::at(NEW_YEAR),
            order: database::fresh(PRODUCING).unwrap(),
            payment: database::fresh(PRODUCING).unwrap(),
            answers: RefCell::default(),
            recovery_refunds: Cell::new(false),
            bus: RefCell::default(),
            refusals: Cell::new(0),
            pause: Cell::new(Millis(0)),
            asked: RefCell::default(),
            keys: RefCell::default(),
        }
    }

    fn run(&self) -> Report {
        app::run(self, self, self, &|| self.clock.now())
    }

    fn db(&self, producer: Producer) -> &Db {
        match producer {
            Producer::Order => &self.order,
            Producer::Payment => &self.payment,
        }
    }

    fn happens(&self, producer: Producer, id: &str, data: &str) {
        let statement = include_str!("../../payment/src/sql/insert_event.sql");
        let row = params![id, "some.topic", "17", self.clock.now(), data, store::Value::Null];
        self.db(producer)
            .transaction(|tx| tx.execute(statement, row))
            .unwrap();
    }

    fn answers(&self, chore: &str, answer: Result<Tally, &str>) {
        let answer = answer.map_err(str::to_owned);
        self.answers.borrow_mut().insert(chore.to_owned(), answer);
    }

    fn acknowledged(&self, producer: &str, value: Result<&[u8], &str>) {
        let key = format!("acknowledged/{producer}/settlement");
        let value = value.map(<[u8]>::to_vec).map_err(str::to_owned);
        self.keys.borrow_mut().insert(key, value);
    }

    /// Every message since the last time: `shop.order a1 b2`, with ids and positions.
    fn heard(&self) -> Vec<String> {
        let line = |(channel, text): (String, String)| {
            let message = Message::decode(text.as_bytes()).unwrap();
            assert_eq!(channel, format!("shop.{}", message.producer));
            let events = message
                .events
                .iter()
                .map(|event| format!(" {}{}", event.id, event.position));
            channel + &events.collect::<String>()
        };
        self.bus.take().into_iter().map(line).collect()
    }

    fn wait(&self, seconds: u32) {
        self.clock.advance(Millis(seconds * 1_000));
    }
}

impl Jobs for Shop {
    fn run(&self, chore: Chore, limit: u32) -> Result<Tally, String> {
        assert_eq!(limit, 50);
        if chore == Chore::RecoverOrders && self.recovery_refunds.take() {
            self.happens(Producer::Payment, "refunded", "{}");
        }
        let name = match chore {
            Chore::RecoverOrders => "order.recover",
            Chore::ExpireOrders => "order.expire",
            Chore::RecoverPayments => "payment.recover",
        };
        self.asked.borrow_mut().push(name.to_owned());
        self.answers
            .borrow()
            .get(name)
            .cloned()
            .unwrap_or_else(|| Ok(Tally::default()))
    }

    fn drain(&self, producer: Producer, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, String> {
        self.asked.borrow_mut().push(format!("{}.drain", producer.name()));
        if let Some(Err(why)) = self.answers.borrow().get(&format!("{}.drain", producer.name())) {
            return Err(why.clone());
        }
        relay::outbox::drain(self.db(producer), self.clock.now(), acknowledged, limit)
            .map_err(|error| error.to_string())
    }
}

impl Bus for Shop {
    fn publish(&self, channel: &str, text: &str) -> Result<(), String> {
        self.asked.borrow_mut().push(channel.to_owned());
        self.clock.advance(self.pause.get());
        let left = self.refusals.get();
        if left > 0 {
            self.refusals.set(left - 1);
            return Err("nobody there".to_owned());
        }
        self.bus.borrow_mut().push((channel.to_owned(), text.to_owned()));
        Ok(())
    }
}

impl Acknowledgements for Shop {
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.keys.borrow().get(key).cloned().transpose()
    }
}

fn tally(done: u32, left: u32, stuck: u32) -> Tally {
    Tally { done, left, stuck }
}

fn check(report: &Report, expected: Expect) {
    expected.assert_eq(&format!("{:?}: {}", report.level(), report.line()));
}

#[test]
fn a_quiet_run_says_nothing() {
    let shop = Shop::new();
    check(&shop.run(), expect!["Nothing: "]);
    shop.answers("order.recover", Ok(tally(0, 3, 0)));
    check(&shop.run(), expect!["Nothing: "]);
    assert_eq!(shop.heard(), [""; 0]);
}

#[test]
fn what_happened_is_published_once_on_the_channel_of_its_domain() {
    let shop = Shop::new();
    shop.happens(Producer::Order, "a", "{}");
    shop.happens(Producer::Order, "b", "{}");
    shop.happens(Producer::Payment, "c", "{}");
    check(
        &shop.run(),
        expect!["Info: order: published 2; payment: published 1"],
    );
    assert_eq!(shop.heard(), ["shop.order a1 b2", "shop.payment c1"]);
    check(&shop.run(), expect!["Nothing: "]);
}

#[test]
fn it_is_published_again_until_it_is_acknowledged_the_fourth_time_alone() {
    let shop = Shop::new();
    for id in ["a", "b", "c"] {
        shop.happens(Producer::Payment, id, "{}");
    }
    shop.run();
    shop.heard();
    shop.wait(5);
    shop.acknowledged("payment", Ok(b"1"));
    shop.acknowledged("order", Ok(b"3"));
    for seconds in [0, 10, 20] {
        shop.wait(seconds);
        check(&shop.run(), expect!["Info: payment: published 2"]);
        let together = vec!["shop.payment b2 c3"];
        let alone = vec!["shop.payment b2", "shop.payment c3"];
        assert_eq!(shop.heard(), if seconds < 20 { together } else { alone });
    }
    shop.acknowledged("payment", Ok(b"3"));
    shop.wait(3_600);
    check(&shop.run(), expect!["Nothing: "]);
}

#[test]
fn an_acknowledgement_that_makes_no_sense_is_told_and_costs_nothing() {
    let shop = Shop::new();
    shop.happens(Producer::Payment, "a", "{}");
    shop.run();
    shop.acknowledged("payment", Ok(b"1"));
    shop.run();
    for junk in [&b"all"[..], b"-1", b"18446744073709551616", b"\xff", b""] {
        shop.acknowledged("payment", Ok(junk));
        shop.wait(3_600);
        let report = shop.run();
        check(
            &report,
            expect!["Warn: payment: acknowledged/payment/settlement: not a position, ignored"],
        );
    }
    shop.acknowledged("payment", Err("the store is away"));
    check(
        &shop.run(),
        expect!["Warn: payment: acknowledged/payment/settlement: the store is away"],
    );
    assert_eq!(
        shop.heard(),
        ["shop.payment a1"],
        "what was acknowledged stays acknowledged"
    );
}

#[test]
fn what_fails_does_not_stop_the_rest() {
    let shop = Shop::new();
    shop.happens(Producer::Order, "a", "{}");
    shop.happens(Producer::Payment, "b", "{}");
    shop.answers("order.drain", Err("the order store does not answer"));
    shop.answers("order.recover", Err("the order store does not answer"));
    shop.answers("order.expire", Ok(tally(2, 1, 0)));
    shop.answers("payment.recover", Ok(tally(1, 0, 0)));
    check(
        &shop.run(),
        expect![
            "Warn: order: expire done 2 left 1, drain failed: the order store does not answer, recover failed: the order store does not answer; payment: recover done 1, published 1"
        ],
    );
    assert_eq!(shop.heard(), ["shop.payment b1"]);
}

#[test]
fn somebody_must_look_at_what_is_stuck() {
    let shop = Shop::new();
    shop.answers("order.recover", Ok(tally(1, 0, 1)));
    check(&shop.run(), expect!["Error: order: recover done 1 stuck 1"]);
}

#[test]
fn events_that_the_jobs_make_go_out_in_the_same_run() {
    let shop = Shop::new();
    shop.recovery_refunds.set(true);
    shop.answers("order.recover", Ok(tally(1, 0, 0)));
    check(
        &shop.run(),
        expect!["Info: order: recover done 1; payment: published 1"],
    );
    assert_eq!(shop.heard(), ["shop.payment refunded1"]);
}

#[test]
fn what_the_bus_does_not_take_goes_out_after_its_back_off() {
    let shop = Shop::new();
    for id in ["a", "b"] {
        shop.happens(Producer::Order, id, "{}");
        shop.happens(Producer::Payment, id, "{}");
    }
    shop.refusals.set(1);
    check(
        &shop.run(),
        expect!["Warn: order: 2 events not published: nobody there; payment: published 2"],
    );
    assert_eq!(shop.heard(), ["shop.payment a1 b2"]);
    shop.acknowledged("payment", Ok(b"2"));
    check(&shop.run(), expect!["Nothing: "]);
    shop.wait(5);
    check(&shop.run(), expect!["Info: order: published 2"]);
    assert_eq!(shop.heard(), ["shop.order a1 b2"]);
}

#[test]
fn a_bus_that_refuses_everything_is_left_alone_until_the_next_run() {
    let shop = Shop::new();
    for number in 0..1_000 {
        shop.happens(Producer::Order, &format!("{number}/"), "{}");
    }
    shop.refusals.set(100);
    check(
        &shop.run(),
        expect!["Warn: order: 500 events not published: nobody there"],
    );
    assert_eq!(shop.refusals.get(), 97);
}

#[test]
fn a_backlog_goes_out_in_full_messages() {
    let shop = Shop::new();
    for number in 0..2_250 {
        shop.happens(Producer::Order, &format!("{number}/"), "{}");
    }
    check(&shop.run(), expect!["Info: order: published 2000"]);
    assert_eq!(shop.heard().len(), 20);
    check(&shop.run(), expect!["Info: order: published 250"]);
    assert_eq!(shop.heard().len(), 3);
}

/// A run with events of both domains, and how long it took; every job has done something.
fn check_slow_bus(pause: u32, refuses: bool, expected: Expect) {
    let shop = Shop::new();
    for number in 0..2_000 {
        shop.happens(Producer::Order, &format!("{number}/"), "{}");
        shop.happens(Producer::Payment, &format!("{number}/"), "{}");
    }
    for chore in ["order.recover", "order.expire", "payment.recover"] {
        shop.answers(chore, Ok(tally(1, 0, 0)));
    }
    shop.pause.set(Millis(pause));
    shop.refusals.set(if refuses { u32::MAX } else { 0 });
    let began = shop.clock.now();
    let report = shop.run();
    let took = (shop.clock.now().micros() - began.micros()) / 1_000;
    let asked = shop.asked.take().join(" ");
    expected.assert_eq(&format!(
        "{took} ms: {asked}\n{:?}: {}",
        report.level(),
        report.line()
    ));
}

#[test]
fn a_silent_bus_costs_one_message_and_every_job_is_done() {
    check_slow_bus(
        5_000,
        true,
        expect![[r#"
        5000 ms: order.expire order.drain shop.order order.recover payment.recover
        Warn: order: expire done 1, recover done 1, 500 events not published: nobody there; payment: recover done 1"#]],
    );
}

#[test]
fn a_slow_bus_gets_a_message_of_every_domain_and_every_job_is_done() {
    check_slow_bus(
        1_500,
        false,
        expect![[r#"
        3000 ms: order.expire order.drain shop.order payment.drain shop.payment order.recover payment.recover
        Warn: order: expire done 1, recover done 1, published 100, 400 events not published: the bus is too slow for them; payment: recover done 1, published 100, 400 events not published: the bus is too slow for them"#]],
    );
    check_slow_bus(
        600,
        false,
        expect![[r#"
        2400 ms: order.expire order.drain shop.order shop.order payment.drain shop.payment shop.payment order.recover payment.recover
        Warn: order: expire done 1, recover done 1, published 200, 300 events not published: the bus is too slow for them; payment: recover done 1, published 200, 300 events not published: the bus is too slow for them"#]],
    );
}

#[test]
fn a_bus_that_refuses_at_once_is_no_matter_of_time() {
    check_slow_bus(
        10,
        true,
        expect![[r#"
        60 ms: order.expire order.drain shop.order shop.order shop.order payment.drain shop.payment shop.payment shop.payment order.recover payment.recover
        Warn: order: expire done 1, recover done 1, 500 events not published: nobody there; payment: recover done 1, 500 events not published: nobody there"#]],
    );
}

#[test]
fn what_was_not_drained_for_a_silent_bus_goes_out_as_soon_as_it_answers() {
    let shop = Shop::new();
    shop.happens(Producer::Order, "a", "{}");
    shop.happens(Producer::Payment, "b", "{}");
    shop.refusals.set(1);
    shop.pause.set(Millis(5_000));
    check(
        &shop.run(),
        expect!["Warn: order: 1 events not published: nobody there"],
    );
    shop.pause.set(Millis(0));
    assert_eq!(shop.run().published(), 2);
}

#[test]
fn a_large_event_travels_alone_and_of_an_impossible_one_its_tombstone() {
    let shop = Shop::new();
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_BYTES));
    for (id, data) in [("a", "{}"), ("b", &large), ("c", "{}"), ("d", "[]"), ("e", "{}")] {
        shop.happens(Producer::Payment, id, data);
    }
    check(
        &shop.run(),
        expect!["Error: payment: published 5, event 4 can't be published: data must be a JSON object"],
    );
    assert_eq!(
        shop.heard(),
        ["shop.payment a1", "shop.payment b2", "shop.payment c3 d4 e5"]
    );
    shop.wait(5);
    check(&shop.run(), expect!["Info: payment: published 5"]);
    shop.acknowledged("payment", Ok(b"5"));
    shop.wait(3_600);
    check(&shop.run(), expect!["Nothing: "]);
}
