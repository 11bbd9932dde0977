//! What becomes of messages: taken in once, put aside, acknowledged afterwards.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod books;

use std::cell::Cell;
use std::rc::Rc;

use books::{Books, NOW, completed, event, hours, message, paid, refunded};
use expect_test::expect;
use relay::{Delivery, Event};
use settlement::app::{Replayed, Settlements, replay};
use settlement::domain::{Month, Sum};
use settlement::store::MIGRATIONS;
use store::{DbError, Driver, RowError};
use store_suite::{counted, database, gated};

store_suite::also_on_postgres!();

/// The largest amount that can move.
const MOST: i64 = 1_000_000_000_000;

const LINES: &[(&str, &str, i64)] = &[
    ("전자", "bodega", 60),
    ("생활", "bodega", 60),
    ("전자", "kim", 20),
];

fn day_of_three_orders() -> (Vec<Event>, Vec<Event>) {
    let payments = vec![
        completed(1, 140, 1, NOW),
        completed(2, 25_000, 2, NOW),
        event("payment.failed:3", 3, NOW, r#"{"orderId":3}"#),
        refunded(1, "a", 100, 4, hours(1)),
        refunded(1, "b", 40, 5, hours(30)),
    ];
    let orders = vec![
        event("order.created:1", 1, NOW, "{}"),
        paid(1, LINES, 2, NOW),
        paid(2, &[("식품", "lee", 25_000)], 3, NOW),
    ];
    (payments, orders)
}

#[test]
fn payments_become_a_ledger_and_its_sums() {
    let books = Books::new();
    let (payments, orders) = day_of_three_orders();
    books.take("payment", &payments);
    books.take("order", &orders);
    expect![[r#"
        order order.created:1 1 1795217020000000
        order order.paid:1 2 1795217020000000
        order order.paid:2 3 1795217020000000
        payment payment.completed:1 1 1795217020000000
        payment payment.completed:2 2 1795217020000000
        payment payment.failed:3 3 1795217020000000
        payment payment.refunded:1:a 4 1795217020000000
        payment payment.refunded:1:b 5 1795217020000000
        order up to 3
        payment up to 5
        payment.completed:1 2026-11-21 CLEARING 140/0
        payment.completed:1 2026-11-21 SALES 0/140
        payment.completed:2 2026-11-21 CLEARING 25000/0
        payment.completed:2 2026-11-21 SALES 0/25000
        payment.refunded:1:a 2026-11-21 CLEARING 0/100
        payment.refunded:1:a 2026-11-21 REFUND 100/0
        payment.refunded:1:b 2026-11-22 CLEARING 0/40
        payment.refunded:1:b 2026-11-22 REFUND 40/0
        2026-11-21: 25140 in 2, 100 back in 1
        2026-11-22: 0 in 0, 40 back in 1
        2026-11-21 CATEGORY 생활: 60 in 1, 43 back in 1
        2026-11-21 CATEGORY 식품: 25000 in 1, 0 back in 0
        2026-11-21 CATEGORY 전자: 80 in 1, 57 back in 1
        2026-11-21 SELLER bodega: 120 in 1, 86 back in 1
        2026-11-21 SELLER kim: 20 in 1, 14 back in 1
        2026-11-21 SELLER lee: 25000 in 1, 0 back in 0
        2026-11-22 CATEGORY 생활: 0 in 0, 17 back in 1
        2026-11-22 CATEGORY 전자: 0 in 0, 23 back in 1
        2026-11-22 SELLER bodega: 0 in 0, 34 back in 1
        2026-11-22 SELLER kim: 0 in 0, 6 back in 1
    "#]]
    .assert_eq(&books.everything());
    books.audit();
    assert_eq!(
        books.acknowledged.take(),
        [("payment".to_owned(), 5), ("order".to_owned(), 3)]
    );
}

#[test]
fn what_came_before_changes_nothing_and_is_acknowledged_again() {
    let books = Books::new();
    let (payments, orders) = day_of_three_orders();
    books.take("payment", &payments);
    books.take("order", &orders);
    let before = books.everything();
    books.acknowledged.take();
    for _ in 0..2 {
        books.take("payment", &payments[1..3]);
        books.take("order", &orders);
    }
    assert_eq!(books.everything(), before);
    assert_eq!(books.acknowledged.take().len(), 4);
}

#[test]
fn only_what_is_there_without_a_gap_is_acknowledged() {
    let books = Books::new();
    let (payments, _) = day_of_three_orders();
    let mut marks = Vec::new();
    for place in [1, 4, 0, 2, 3] {
        books.take("payment", &payments[place..=place]);
        marks.push(books.acknowledged.take().pop().unwrap().1);
    }
    assert_eq!(marks, [0, 0, 2, 3, 5]);
}

#[test]
fn a_bad_event_is_put_aside_and_its_neighbours_go_on() {
    let books = Books::new();
    let (mut payments, _) = day_of_three_orders();
    payments[1].data = r#"{"orderId":2,"currency":"KRW","amount":-1}"#.to_owned();
    let buried = books.consume(&message("payment", &payments)).unwrap();
    assert_eq!(buried.len(), 1);
    expect![[r#"
        payment payment.completed:1 1 1795217020000000
        payment payment.completed:2 2 aside
        payment payment.failed:3 3 1795217020000000
        payment payment.refunded:1:a 4 1795217020000000
        payment payment.refunded:1:b 5 1795217020000000
        payment up to 5
        payment.completed:2: -1 is no amount that can move
        payment.completed:1 2026-11-21 CLEARING 140/0
        payment.completed:1 2026-11-21 SALES 0/140
        payment.refunded:1:a 2026-11-21 CLEARING 0/100
        payment.refunded:1:a 2026-11-21 REFUND 100/0
        payment.refunded:1:b 2026-11-22 CLEARING 0/40
        payment.refunded:1:b 2026-11-22 REFUND 40/0
        2026-11-21: 140 in 1, 100 back in 1
        2026-11-22: 0 in 0, 40 back in 1
    "#]]
    .assert_eq(&books.everything());
    // It counts as handled: what can't be taken in does not come for ever.
    assert_eq!(books.acknowledged.take(), [("payment".to_owned(), 5)]);
    assert_eq!(books.consume(&message("payment", &payments)).unwrap(), []);
    assert_eq!(books.errors().len(), 1);
    books.audit();
}

#[test]
fn an_event_in_anothers_place_is_put_aside() {
    let books = Books::new();
    books.take("payment", &[completed(1, 100, 1, NOW)]);
    let intruder = [completed(2, 100, 1, NOW), completed(3, 100, 2, NOW)];
    books.consume(&message("payment", &intruder)).unwrap();
    expect!["position 1 belongs to another event"].assert_eq(&books.errors().join("\n"));
    assert_eq!(books.mark("payment"), 2);
}

#[test]
fn junk_is_put_aside_once_and_acknowledges_nothing() {
    let books = Books::new();
    let huge = vec![b' '; relay::message::MAX_TAKEN_BYTES + 1];
    let stranger = message("stranger", &[completed(1, 100, 1, NOW)]);
    let junk: [&[u8]; 8] = [
        b"",
        b"hello",
        b"[]",
        b"\xff\xfe",
        br#"{"producer":"payment","events":[]}"#,
        br#"{"producer":"payment","events":[{"id":"x"}]}"#,
        &stranger,
        &huge,
    ];
    for new in [1, 0] {
        for payload in junk {
            assert_eq!(books.consume(payload).unwrap().len(), new);
        }
    }
    let mut errors = books.errors();
    errors.sort();
    expect![[r#"
        0 events; a message has 1 to 100
        events[0]: missing field `topic` at line 1 column 10
        more than the 1048576 bytes that are read
        nobody here listens to the producer "stranger"
        not a message: expected a JSON object
        not a message: expected a JSON object
        not a message: expected a JSON object
        not a text"#]]
    .assert_eq(&errors.join("\n"));
    assert_eq!(books.acknowledged.take(), []);
    books.audit();
}

/// The largest payments there are, so many that a day has no room for another.
fn full_day(books: &Books) -> u64 {
    let last = u64::try_from(Sum::MOST_A_DAY / MOST).unwrap();
    let numbers: Vec<u64> = (1..=last).collect();
    for numbers in numbers.chunks(100) {
        let events = numbers.iter().map(|&number| completed(number, MOST, number, NOW));
        books.take("payment", &events.collect::<Vec<_>>());
    }
    last
}

#[test]
fn an_absurd_amount_is_put_aside_and_a_full_day_takes_no_more() {
    let books = Books::new();
    let last = full_day(&books);
    let events = [
        completed(last + 1, kernel::Money::MAX_MINOR, last + 1, NOW),
        completed(last + 2, MOST, last + 2, NOW),
        refunded(1, "a", MOST, last + 3, NOW),
        completed(last + 4, 1, last + 4, hours(48)),
    ];
    let buried = books.consume(&message("payment", &events)).unwrap();
    let told = buried.iter().map(|one| format!("{}: {}\n", one.what, one.why));
    expect![[r#"
        payment.completed:291: 9007199254740991 is no amount that can move
        payment.completed:292: a day has at most 290554814669064 won
    "#]]
    .assert_eq(&told.collect::<String>());
    assert_eq!(books.mark("payment"), last + 4);
    books.audit();
    let november = Month::parse("2026-11").unwrap();
    assert!(books.store().month(november).unwrap().is_some());
}

#[test]
fn what_was_put_aside_can_be_taken_in_once_the_reason_is_gone() {
    let books = Books::new();
    let last = full_day(&books);
    let one_more = [completed(last + 1, MOST, last + 1, NOW)];
    assert_eq!(books.consume(&message("payment", &one_more)).unwrap().len(), 1);
    books.consume(b"junk").unwrap();
    let replay = |letter| replay(&books.store(), letter, NOW).unwrap();
    assert!(matches!(replay(1), Replayed::Refused(_)));
    assert!(matches!(replay(2), Replayed::Refused(_)));
    assert_eq!(replay(3), Replayed::Unknown);
    books.take("payment", &[refunded(1, "a", MOST, last + 2, NOW)]);
    assert!(
        matches!(replay(1), Replayed::Refused(_)),
        "what was taken stays what was taken"
    );
    books.run("delete from ledger_posting");
    books.run("delete from ledger_entry");
    books.run("delete from daily_settlement");
    assert_eq!(replay(1), Replayed::Done);
    assert_eq!(replay(1), Replayed::Before);
    books.take("payment", &one_more);
    assert_eq!(books.sums(), format!("2026-11-21: {MOST} in 1, 0 back in 0\n"));
    books.audit();
}

#[test]
fn what_could_not_travel_is_put_aside_and_those_behind_it_go_on() {
    let books = Books::new();
    let mut events = [1, 2, 3].map(|number| completed(number, 100, number, NOW));
    events[1].data = "{".to_owned();
    let deliveries = events.map(|event| Delivery { event, published: 0 });
    let packed = relay::message::pack("payment", &deliveries);
    books.consume(packed.parcels[0].text.as_bytes()).unwrap();
    expect!["it could not travel: data must be a JSON object"].assert_eq(&books.errors().join("\n"));
    assert_eq!(books.mark("payment"), 3);
    assert!(matches!(
        replay(&books.store(), 1, NOW).unwrap(),
        Replayed::Refused(_)
    ));
}

/// Books that fail like this at the statement that holds `place`.
fn failing(place: &'static str, error: fn() -> DbError, inner: &Rc<dyn Driver>) -> Books {
    let driver = gated(inner.clone(), move |statement, run| {
        if statement.contains(place) {
            Err(error())
        } else {
            run()
        }
    });
    Books::over(Rc::from(driver))
}

#[test]
fn only_what_an_event_can_cause_buries_it() {
    let errors: [(fn() -> DbError, bool); 8] = [
        (
            || DbError::Check("daily_settlement_total_in_range".to_owned()),
            true,
        ),
        (|| DbError::Conflict("daily_settlement.day".to_owned()), false),
        (|| DbError::ForeignKey, false),
        (|| DbError::Busy, false),
        (|| DbError::Unavailable("away".to_owned()), false),
        (|| DbError::TooNew { found: 9, known: 1 }, false),
        (|| RowError::new("day", "no date").into(), false),
        (|| DbError::Other("no such table: ledger_entry".to_owned()), false),
    ];
    let (payments, _) = day_of_three_orders();
    let payments = message("payment", &payments);
    for (error, buries) in errors {
        for place in ["into inbox ", "into ledger_entry", "update daily_settlement"] {
            let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
            let broken = failing(place, error, &inner);
            let answer = broken.consume(&payments);
            // Where nothing can be written into the inbox, nothing can be put aside either.
            let handled = buries && place != "into inbox ";
            assert_eq!(answer.is_ok(), handled, "{:?} at {place}: {answer:?}", error());
            let books = Books::over(inner);
            assert_eq!(books.errors().is_empty(), !handled, "{:?} at {place}", error());
            assert_eq!(broken.acknowledged.take().is_empty(), !handled);
            books.consume(&payments).unwrap();
            assert_eq!(books.mark("payment"), 5, "it came again");
        }
    }
}

/// Where a statement that should have run goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It does not run, those behind it do.
    Before,
    /// It runs, but its answer gets lost.
    After,
    /// It does not run, nor does anything behind it: the program is gone.
    Crash,
}

/// Books whose wire is cut at the statement of this number.
fn cut_at(place: i64, fault: Fault, inner: &Rc<dyn Driver>) -> Books {
    let left = Cell::new(place);
    let driver = gated(inner.clone(), move |_, run| {
        left.set(left.get() - 1);
        let lost = || Err(DbError::Unavailable("the wire was cut".to_owned()));
        match (left.get(), fault) {
            (0, Fault::Before) | (..=0, Fault::Crash) => lost(),
            (0, Fault::After) => run().and_then(|_| lost()),
            _ => run(),
        }
    });
    Books::over(Rc::from(driver))
}

/// Cuts the wire at one statement after the other, each time in fresh books that got `before`, and lets
/// the message come again. Answers how many statements there were.
fn cut_everywhere(fault: Fault, before: &[Vec<u8>], payload: &[u8]) -> i64 {
    let undisturbed = Books::new();
    for payload in before.iter().map(Vec::as_slice).chain([payload]) {
        undisturbed.consume(payload).unwrap();
    }
    for place in 1.. {
        let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
        let books = Books::over(inner.clone());
        before
            .iter()
            .for_each(|payload| drop(books.consume(payload).unwrap()));
        let books = cut_at(place, fault, &inner);
        let first = books.consume(payload);
        if first.is_err() {
            let early = books.acknowledged.take();
            assert_eq!(
                early,
                [],
                "{fault:?} at {place}: acknowledged before it was on disk"
            );
        }
        // A database does this when its program is gone.
        let _ = inner.execute("rollback", &[]);
        let books = Books::over(inner);
        books.consume(payload).unwrap();
        assert_eq!(
            books.everything(),
            undisturbed.everything(),
            "{fault:?} at {place}"
        );
        let last = books.acknowledged.take().pop();
        assert_eq!(last, undisturbed.acknowledged.borrow().last().cloned());
        books.audit();
        if first.is_ok() {
            return place - 1;
        }
    }
    unreachable!("a message is dealt with in the end")
}

#[test]
fn wherever_the_store_fails_the_message_that_comes_again_is_taken_in_once() {
    let (payments, orders) = day_of_three_orders();
    let orders = message("order", &orders);
    let good = message("payment", &payments);
    let mut bad = payments.clone();
    bad[1].data = "{}".to_owned();
    let bad = message("payment", &bad);
    for fault in [Fault::Before, Fault::After, Fault::Crash] {
        // The first message of all, one that meets lines, one with a bad event, and no message at all.
        let counts = [
            cut_everywhere(fault, &[], &good),
            cut_everywhere(fault, std::slice::from_ref(&orders), &good),
            cut_everywhere(fault, std::slice::from_ref(&orders), &bad),
            cut_everywhere(fault, &[], b"junk"),
        ];
        eprintln!("{fault:?}: cut at {counts:?} statements");
        assert!(
            counts.iter().all(|&count| count > 3) && counts[1] > 40,
            "{fault:?} {counts:?}"
        );
    }
}

#[test]
fn calls_cost_what_the_readme_says() {
    let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
    let cost = |events: &[Event]| {
        let (driver, count) = counted(inner.clone());
        let books = Books::over(Rc::from(driver));
        let producer = events[0].topic.split('.').next().unwrap();
        books.take(producer, events);
        // Opening looks at the schema's number.
        count.get() + 1
    };
    cost(&[paid(1, &LINES[..1], 1, NOW), paid(2, &LINES[..1], 2, NOW)]);
    cost(&[completed(1, 140, 1, NOW)]);
    let event = completed(2, 100, 2, NOW);
    let [new, again] = [0, 1].map(|_| cost(std::slice::from_ref(&event)));
    expect!["new 14, again 7"].assert_eq(&format!("new {new}, again {again}"));
}

#[test]
fn the_migrations_may_be_trusted() {
    store_suite::assert_migrations(MIGRATIONS);
}
