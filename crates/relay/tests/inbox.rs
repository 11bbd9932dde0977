//! The consumer's side: once each, in any order; what can't be applied is put aside.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;

use std::cell::Cell;
use std::rc::Rc;

use bench::{CONSUMING, Death, Line, PRODUCER, apply, effect, effects, event, number};
use expect_test::expect;
use kernel::{Millis, UserId};
use relay::Message;
use relay::inbox::{
    Admission, DeadLetter, Dismissal, Dismissed, MAX_JUNK_BYTES, Replay, bury, bury_junk, dead_letters,
    dismiss, mark, replay, waiting_dead_letters,
};
use store::{Db, DbError, Value};
use store_suite::{database, gated};
use testkit::NEW_YEAR;

store_suite::also_on_postgres!();

fn consumer() -> Db {
    database::fresh(CONSUMING).unwrap()
}

fn broken() -> DbError {
    DbError::Other("can't".to_owned())
}

#[test]
fn an_event_is_applied_once_however_often_it_comes() {
    let db = consumer();
    assert_eq!(apply(&db, &event(1), NEW_YEAR).unwrap(), Admission::Admitted);
    for _ in 0..3 {
        assert_eq!(apply(&db, &event(1), NEW_YEAR).unwrap(), Admission::Duplicate);
    }
    assert_eq!(effects(&db), ["payment.completed:1 1"]);
}

#[test]
fn the_mark_waits_at_a_gap_and_then_catches_up() {
    let db = consumer();
    let mut marks = vec![mark(&db, PRODUCER).unwrap()];
    for position in [2, 1, 3, 7, 5, 4, 4, 6, 9] {
        apply(&db, &event(position), NEW_YEAR).unwrap();
        marks.push(mark(&db, PRODUCER).unwrap());
    }
    assert_eq!(marks, [0, 0, 2, 3, 3, 3, 5, 5, 7, 7]);
    assert_eq!(
        mark(&db, "order").unwrap(),
        0,
        "every producer has a mark of its own"
    );
}

#[test]
fn a_long_gap_that_closes_moves_the_mark_at_once() {
    let db = consumer();
    for position in (2..=2_000).rev() {
        apply(&db, &event(position), NEW_YEAR).unwrap();
    }
    assert_eq!(mark(&db, PRODUCER).unwrap(), 0);
    apply(&db, &event(1), NEW_YEAR).unwrap();
    assert_eq!(mark(&db, PRODUCER).unwrap(), 2_000);
}

#[test]
fn a_change_that_fails_leaves_the_event_to_come_again() {
    let db = consumer();
    let failed = relay::inbox::apply(&db, PRODUCER, &event(1), NEW_YEAR, |tx| {
        effect(tx, &event(1))?;
        Err(broken())
    });
    assert!(matches!(failed, Err(DbError::Other(_))));
    assert_eq!((effects(&db).len(), mark(&db, PRODUCER).unwrap()), (0, 0));
    assert_eq!(apply(&db, &event(1), NEW_YEAR).unwrap(), Admission::Admitted);
}

#[test]
fn another_event_in_the_same_place_is_told_and_can_be_put_aside() {
    let db = consumer();
    apply(&db, &event(1), NEW_YEAR).unwrap();
    let mut other = event(1);
    other.id = "payment.completed:other".to_owned();
    assert_eq!(apply(&db, &other, NEW_YEAR).unwrap(), Admission::Misplaced);
    assert!(bury(&db, PRODUCER, &other, "its place is taken", NEW_YEAR).unwrap());
    assert!(!bury(&db, PRODUCER, &other, "its place is taken", NEW_YEAR).unwrap());
    assert_eq!(apply(&db, &other, NEW_YEAR).unwrap(), Admission::Duplicate);
    assert_eq!((effects(&db).len(), mark(&db, PRODUCER).unwrap()), (1, 1));
    assert_eq!(replay(&db, 1, NEW_YEAR, effect).unwrap(), Replay::Applied);
    assert_eq!(
        effects(&db),
        ["payment.completed:1 1", "payment.completed:other 1"]
    );
}

#[test]
fn what_is_put_aside_lets_the_others_pass_and_is_replayed_once() {
    let db = consumer();
    let later = NEW_YEAR.after(Millis(1_000));
    apply(&db, &event(2), NEW_YEAR).unwrap();
    assert!(bury(&db, PRODUCER, &event(1), "amount is missing", NEW_YEAR).unwrap());
    assert_eq!(mark(&db, PRODUCER).unwrap(), 2);
    assert_eq!(
        apply(&db, &event(1), NEW_YEAR).unwrap(),
        Admission::Duplicate,
        "published again"
    );
    assert!(matches!(
        replay(&db, 1, later, |_, _| Err(broken())),
        Err(DbError::Other(_))
    ));
    assert_eq!(
        dead_letters(&db, 9, None).unwrap()[0].replayed_at,
        None,
        "it may be replayed again"
    );
    assert_eq!(replay(&db, 1, later, effect).unwrap(), Replay::Applied);
    assert_eq!(replay(&db, 1, later, effect).unwrap(), Replay::AlreadyApplied);
    assert_eq!(
        apply(&db, &event(1), later).unwrap(),
        Admission::Duplicate,
        "and once more"
    );
    assert_eq!(effects(&db), ["payment.completed:1 1", "payment.completed:2 1"]);
    let letters = dead_letters(&db, 9, None).unwrap();
    assert_eq!(letters[0].replayed_at, Some(later));
    assert_eq!(
        Message::decode(letters[0].payload.as_bytes()).unwrap().events,
        [event(1)]
    );
}

#[test]
fn what_was_applied_can_not_be_put_aside() {
    let db = consumer();
    apply(&db, &event(1), NEW_YEAR).unwrap();
    assert!(!bury(&db, PRODUCER, &event(1), "late", NEW_YEAR).unwrap());
    assert_eq!(dead_letters(&db, 9, None).unwrap(), []);
}

#[test]
fn junk_is_kept_once_and_cut() {
    let db = consumer();
    let long = "전".repeat(MAX_JUNK_BYTES);
    for (payload, new) in [
        (&b"not json"[..], true),
        (b"not json", false),
        (b"\xff\0\xfe", true),
        (long.as_bytes(), true),
        (long.as_bytes(), false),
        (b"", true),
    ] {
        assert_eq!(bury_junk(&db, payload, "not a message", NEW_YEAR).unwrap(), new);
    }
    let letters = dead_letters(&db, 9, None).unwrap();
    let told = |letter: &DeadLetter| {
        let beginning: String = letter.payload.chars().take(4).collect();
        let (shown, kept) = (letter.payload.len(), letter.payload_bytes);
        format!("{} {shown} of {kept} {beginning:?}", letter.id)
    };
    expect![[r#"
        4 0 of 0 ""
        3 2046 of 65535 "전전전전"
        2 9 of 9 "���"
        1 8 of 8 "not ""#]]
    .assert_eq(&letters.iter().map(told).collect::<Vec<_>>().join("\n"));
    assert_eq!(replay(&db, 1, NEW_YEAR, effect).unwrap(), Replay::Junk);
    assert_eq!(mark(&db, PRODUCER).unwrap(), 0, "it has no position");
}

#[test]
fn dead_letters_come_in_pages_newest_first() {
    let db = consumer();
    for position in 1..=5 {
        bury(&db, PRODUCER, &event(position), "no", NEW_YEAR).unwrap();
    }
    let page = |limit, before| {
        let letters = dead_letters(&db, limit, before).unwrap();
        letters.iter().map(|letter| letter.id).collect::<Vec<_>>()
    };
    assert_eq!(page(2, None), [5, 4]);
    assert_eq!(page(2, Some(4)), [3, 2]);
    assert_eq!(page(9, Some(2)), [1]);
    assert_eq!(page(9, Some(1)), [0; 0]);
    assert_eq!(page(9, Some(u64::MAX)).len(), 5);
    for unknown in [0, 6, u64::MAX] {
        assert_eq!(replay(&db, unknown, NEW_YEAR, effect).unwrap(), Replay::Unknown);
    }
    let origin = dead_letters(&db, 1, None).unwrap().remove(0).event.unwrap();
    assert_eq!(
        (origin.producer.as_str(), origin.topic.as_str(), origin.position),
        (PRODUCER, "payment.completed", 5)
    );
}

#[test]
fn a_list_reads_beginnings_and_a_replay_reads_all() {
    let longest = Rc::new(Cell::new(0));
    let seen = longest.clone();
    let driver = gated(database::fresh_driver().unwrap(), move |_, run| {
        let answer = run()?;
        let length = |value: &Value| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let lengths = answer.rows.iter().flatten().map(length);
        seen.set(lengths.fold(seen.get(), usize::max));
        Ok(answer)
    });
    let db = Db::open(driver, CONSUMING).unwrap();
    let mut large = event(1);
    large.data = format!(r#"{{"x":"{}"}}"#, "전".repeat(300_000));
    bury(&db, PRODUCER, &large, "no", NEW_YEAR).unwrap();
    let letter = dead_letters(&db, 9, None).unwrap().remove(0);
    assert_eq!((letter.payload.len(), letter.payload_bytes), (2_047, 900_159));
    assert!(
        longest.get() < 4 * 2_048,
        "characters of up to four bytes, not {}",
        longest.get()
    );
    let whole = |tx: &store::Tx<'_>, event: &relay::Event| {
        assert_eq!(*event, large);
        effect(tx, event)
    };
    assert_eq!(replay(&db, 1, NEW_YEAR, whole).unwrap(), Replay::Applied);
    assert_eq!(longest.get(), 900_159);
}

#[test]
fn a_reason_of_any_length_is_kept_to_a_point() {
    let db = consumer();
    bury(&db, PRODUCER, &event(1), &"이유".repeat(2_000), NEW_YEAR).unwrap();
    let letter = dead_letters(&db, 1, None).unwrap().remove(0);
    assert_eq!(letter.error.len(), 1_998);
}

#[test]
fn wherever_a_consumer_dies_its_event_is_applied_once() {
    for death in [Death::Before, Death::After] {
        for statement in 0.. {
            let line = Line::new();
            let db = line.open(CONSUMING);
            line.die_after(statement, death);
            let answer = apply(&db, &event(1), NEW_YEAR);
            let died = line.revive();
            assert_eq!(answer.is_err(), died);
            apply(&db, &event(1), NEW_YEAR).unwrap();
            assert_eq!(
                effects(&db),
                ["payment.completed:1 1"],
                "{death:?} at {statement}"
            );
            assert_eq!(mark(&db, PRODUCER).unwrap(), 1);
            if !died {
                break;
            }
        }
    }
}

#[test]
fn wherever_a_replay_dies_its_event_is_applied_once() {
    for death in [Death::Before, Death::After] {
        for statement in 0.. {
            let line = Line::new();
            let db = line.open(CONSUMING);
            line.die_after(statement, death);
            let buried = bury(&db, PRODUCER, &event(1), "no", NEW_YEAR);
            let replayed = buried.and_then(|_| replay(&db, 1, NEW_YEAR, effect));
            let died = line.revive();
            assert_eq!(replayed.is_err(), died);
            bury(&db, PRODUCER, &event(1), "no", NEW_YEAR).unwrap();
            replay(&db, 1, NEW_YEAR, effect).unwrap();
            assert_eq!(
                effects(&db),
                ["payment.completed:1 1"],
                "{death:?} at {statement}"
            );
            assert_eq!(number(&db, "select count(*) as number from dead_letter"), 1);
            if !died {
                break;
            }
        }
    }
}

#[test]
fn what_was_dismissed_waits_for_nobody_and_may_be_replayed() {
    let db = consumer();
    bury(&db, PRODUCER, &event(1), "no", NEW_YEAR).unwrap();
    bury_junk(&db, b"junk", "not a message", NEW_YEAR).unwrap();
    let by = |user, reason: &str| Dismissal {
        at: NEW_YEAR.after(Millis(user)),
        by: UserId::try_new(user.into()).unwrap(),
        reason: reason.to_owned(),
    };
    let waiting = || waiting_dead_letters(&db).unwrap();
    assert_eq!(waiting(), 2);
    let first = by(7, "누군가의 장난");
    assert_eq!(dismiss(&db, 2, &first).unwrap(), Dismissed::Done(first.clone()));
    assert_eq!(
        dismiss(&db, 2, &by(8, "me too")).unwrap(),
        Dismissed::Done(first.clone()),
        "the first time counts"
    );
    assert_eq!(waiting(), 1);
    for unknown in [0, 3, u64::MAX] {
        assert_eq!(dismiss(&db, unknown, &first).unwrap(), Dismissed::Unknown);
    }
    assert_eq!(dismiss(&db, 1, &first).unwrap(), Dismissed::Done(first.clone()));
    assert_eq!(waiting(), 0);
    assert_eq!(replay(&db, 1, NEW_YEAR, effect).unwrap(), Replay::Applied);
    assert_eq!(dismiss(&db, 1, &first).unwrap(), Dismissed::Replayed);
    let letters = dead_letters(&db, 9, None).unwrap();
    let told = |letter: &DeadLetter| (letter.id, letter.replayed_at.is_some(), letter.dismissal.clone());
    assert_eq!(
        letters.iter().map(told).collect::<Vec<_>>(),
        [(2, false, Some(first.clone())), (1, true, Some(first))]
    );
}
