//! Whatever the bus does, the books say the same in the end.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod books;

use books::{Books, completed, event, hours, message, paid, refunded};
use proptest::prelude::*;
use proptest::sample::Index;
use relay::Event;

store_suite::also_on_postgres!();

/// What happened to one order.
#[derive(Debug, Clone)]
struct Story {
    amount: i64,
    hour: i64,
    lines: Vec<(usize, usize, i64)>,
    /// Portions of what is left, in percent, and hours after the one before.
    refunds: Vec<(i64, i64)>,
}

/// Names that orders share, so that sums are sums.
const CATEGORIES: [&str; 3] = ["전자", "생활", "식품"];
const SELLERS: [&str; 2] = ["bodega", "kim"];

fn story() -> impl Strategy<Value = Story> {
    let line = (
        0..CATEGORIES.len(),
        0..SELLERS.len(),
        prop_oneof![0..4i64, 1..100_000i64],
    );
    (
        prop_oneof![1..20i64, 1..1_000_000i64],
        0..60i64,
        prop::collection::vec(line, 1..5),
        prop::collection::vec((1..=100i64, 0..20i64), 0..4),
    )
        .prop_map(|(amount, hour, lines, refunds)| Story {
            amount,
            hour,
            lines,
            refunds,
        })
}

/// What the producers write down, each in the order of the moments.
fn told(stories: &[Story]) -> [(&'static str, Vec<Event>); 2] {
    let (mut payments, mut orders) = (Vec::new(), Vec::new());
    for (number, story) in (1..).zip(stories) {
        let names = |&(category, seller, amount): &(usize, usize, i64)| {
            (CATEGORIES[category], SELLERS[seller], amount)
        };
        let lines: Vec<_> = story.lines.iter().map(names).collect();
        orders.push(event(
            &format!("order.created:{number}"),
            1,
            hours(story.hour),
            "{}",
        ));
        orders.push(paid(number, &lines, 1, hours(story.hour)));
        payments.push(completed(number, story.amount, 1, hours(story.hour)));
        let (mut left, mut hour) = (story.amount, story.hour);
        for (place, (percent, wait)) in story.refunds.iter().enumerate() {
            let portion = (left * percent).div_euclid(100);
            hour += wait;
            left -= portion;
            if portion > 0 {
                payments.push(refunded(number, &format!("r{place}"), portion, 1, hours(hour)));
            }
        }
    }
    payments.push(event("payment.failed:77", 1, hours(3), r#"{"orderId":77}"#));
    for events in [&mut payments, &mut orders] {
        events.sort_by_key(|event| event.occurred_at);
        for (position, event) in (1..).zip(events) {
            event.position = position;
        }
    }
    [("payment", payments), ("order", orders)]
}

fn undisturbed(told: &[(&str, Vec<Event>)]) -> Books {
    let books = Books::new();
    for (producer, events) in told {
        for events in events.chunks(100) {
            books.take(producer, events);
        }
    }
    books.audit();
    books
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sums_do_not_depend_on_how_events_arrive(
        stories in prop::collection::vec(story(), 1..5),
        // Messages in any order, each with any events of one producer, some of them twice.
        noise in prop::collection::vec((0..2usize, prop::collection::vec(any::<Index>(), 1..6)), 0..8),
        // In the end everything has come, in messages of any size, in any order.
        order in any::<u64>(),
        size in 1..6usize,
        junk: bool,
    ) {
        let told = told(&stories);
        let expected = undisturbed(&told);
        let books = Books::new();
        for (producer, picks) in &noise {
            let (producer, events) = &told[*producer];
            let picked: Vec<Event> = picks.iter().map(|pick| pick.get(events).clone()).collect();
            books.take(producer, &picked);
            books.audit();
            if junk {
                books.consume(b"junk").unwrap();
            }
        }
        let mut messages: Vec<(&str, Vec<Event>)> = Vec::new();
        for (producer, events) in &told {
            for events in shuffled(events.clone(), order).chunks(size) {
                messages.push((producer, events.to_vec()));
            }
        }
        for (producer, events) in shuffled(messages, order.rotate_left(17)) {
            books.take(producer, &events);
        }
        books.audit();
        prop_assert_eq!(books.sums(), expected.sums());
        for (producer, events) in &told {
            prop_assert_eq!(books.mark(producer), events.len() as u64);
        }
    }
}

/// The same things in another order, by a small generator: the seed is what a failure prints.
fn shuffled<T>(mut things: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed;
    for last in (1..things.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        things.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
    }
    things
}

#[test]
fn a_week_late_is_not_too_late() {
    let stories = [Story {
        amount: 140,
        hour: 0,
        lines: vec![(0, 0, 60), (1, 0, 60), (0, 1, 20)],
        refunds: vec![(70, 2), (100, 40)],
    }];
    let told = told(&stories);
    let expected = undisturbed(&told);
    let books = Books::new();
    let [(_, payments), (_, orders)] = &told;
    // The refunds first, then what was bought, the payment last of all.
    for event in payments.iter().rev() {
        assert_eq!(
            books
                .consume(&message("payment", std::slice::from_ref(event)))
                .unwrap(),
            []
        );
    }
    books.take("order", orders);
    assert_eq!(books.sums(), expected.sums());
    books.audit();
}
