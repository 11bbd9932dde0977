use kernel::{Currency, Millis, Money, OrderId, UserId};

use super::*;
use crate::domain::{Failure, Method, Totals};

const NOW: Instant = Instant::from_micros(1_000);

fn entry(state: State, task: Option<Task>) -> Entry {
    let money = |minor| Money::try_new(minor, Currency::Krw).unwrap();
    let totals = Totals {
        total: money(700),
        discount: money(0),
        due: money(700),
    };
    let order = Order {
        id: OrderId::try_new(1).unwrap(),
        user: UserId::try_new(1).unwrap(),
        lines: Vec::new(),
        totals,
        method: Method::Pg,
        state,
        created_at: NOW,
    };
    Entry {
        order,
        work: task.map(work),
    }
}

fn work(task: Task) -> Work {
    Work {
        task,
        attempt: 1,
        lease: Lease {
            owner: Owner::draw(7),
            until: NOW,
        },
        from_cart: false,
        key: None,
        stuck: None,
    }
}

fn tasks() -> [Option<Task>; 10] {
    let payment_key = PaymentKey::try_new("k").unwrap();
    let why = Cancellation::SoldOut;
    [
        None,
        Some(Task::Place { pay_until: None }),
        Some(Task::Place { pay_until: Some(NOW) }),
        Some(Task::Await {
            pay_until: Instant::from_micros(1_001),
        }),
        Some(Task::Await { pay_until: NOW }),
        Some(Task::Confirm { payment_key }),
        Some(Task::Undo {
            failure: Failure::Abandoned,
        }),
        Some(Task::Finish),
        Some(Task::Cancel { why }),
        Some(Task::Expire),
    ]
}

#[test]
fn a_payment_is_confirmed_only_while_it_is_waited_for() {
    let pending = || State::Pending { pay_until: None };
    let answers = tasks().map(|task| match entry(pending(), task).confirm(700, NOW) {
        Ok(()) => "yes".to_owned(),
        Err(refused) => refused.to_string(),
    });
    let not_awaited = "it does not wait for a payment";
    let too_late = "its time to pay has run out";
    assert_eq!(
        answers,
        [
            not_awaited,
            not_awaited,
            "the order is still being placed",
            "yes",
            too_late,
            "its payment is being confirmed",
            not_awaited,
            not_awaited,
            not_awaited,
            too_late,
        ]
    );
    for task in tasks() {
        let refused = entry(pending(), task).confirm(701, NOW);
        assert_eq!(refused, Err(ConfirmRefused::WrongAmount { due: 700 }));
    }
}

#[test]
fn only_a_paid_order_is_cancelled_and_only_once() {
    let states = [
        State::Pending { pay_until: None },
        State::Paid { at: NOW },
        State::Failed {
            at: NOW,
            failure: Failure::Abandoned,
        },
        State::Cancelled {
            at: NOW,
            why: Cancellation::Expired,
        },
    ];
    for state in states {
        for task in tasks() {
            let expected = match (&state, &task) {
                (State::Paid { .. }, Some(Task::Cancel { .. })) => Err(CancelRefused::UnderWay),
                (State::Paid { .. }, _) => Ok(()),
                (other, _) => Err(CancelRefused::NotPaid { state: other.text() }),
            };
            assert_eq!(entry(state.clone(), task).cancel(), expected);
        }
    }
}

#[test]
fn work_is_free_once_its_lease_lies_in_the_past() {
    let later = NOW.after(Millis(1));
    for task in tasks().into_iter().flatten() {
        let waits = matches!(task, Task::Await { .. });
        let work = work(task);
        assert!(!work.lapsed(NOW), "{work:?}");
        assert_eq!(work.lapsed(later), !waits, "{work:?}");
        let stuck = Stuck {
            step: "void".to_owned(),
            reason: "no".to_owned(),
        };
        let held_up = Work {
            stuck: Some(stuck),
            ..work
        };
        assert!(!held_up.lapsed(later), "a person has to look first");
    }
}

#[test]
fn nobody_is_drawn_as_an_owner() {
    for random in [0, 1, 2, u64::MAX, 1 << 63] {
        let owner = Owner::draw(random);
        assert!(owner.as_i64() > 0, "{random}");
        assert_eq!(Owner::stored(owner.as_i64()), owner);
    }
}

#[test]
fn a_payment_key_is_short_and_visible() {
    for text in ["", " ", "a b", "a\n", "é", "\u{7f}", &"x".repeat(201)] {
        assert_eq!(PaymentKey::try_new(text), Err(PaymentKeyError), "{text:?}");
    }
    for text in ["x", "tgen_20261121~!", &"x".repeat(200)] {
        assert_eq!(PaymentKey::try_new(text).unwrap().as_str(), text);
    }
}
