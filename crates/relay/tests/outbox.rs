//! The producer's side: positions, back-off, acknowledgements, and what a quiet second costs.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;

use std::collections::BTreeMap;
use store_suite::database;

use bench::{Death, Line, PRODUCING, number, write, write_data};
use expect_test::expect;
use kernel::Millis;
use relay::outbox::{MOST_BYTES, drain};
use relay::{Delivery, outbox};
use store::{Db, DbError, Value};
use testkit::{Clock, NEW_YEAR};

store_suite::also_on_postgres!();

/// Every event with its position and how often it was published before: `a 1 new`, `a 1 after 2`.
fn told(deliveries: &[Delivery]) -> Vec<String> {
    let line = |delivery: &Delivery| match delivery.published {
        0 => format!("{} {} new", delivery.event.id, delivery.event.position),
        times => format!("{} {} after {times}", delivery.event.id, delivery.event.position),
    };
    deliveries.iter().map(line).collect()
}

fn producer(ids: &[&str]) -> Db {
    let db = database::fresh(PRODUCING).unwrap();
    for id in ids {
        write(&db, id, NEW_YEAR);
    }
    db
}

#[test]
fn positions_follow_the_time_of_the_events_and_have_no_gap() {
    let db = database::fresh(PRODUCING).unwrap();
    write(&db, "b", NEW_YEAR.after(Millis(1)));
    write(&db, "c", NEW_YEAR);
    write(&db, "a", NEW_YEAR.after(Millis(1)));
    let first = drain(&db, NEW_YEAR, 0, 10).unwrap();
    assert_eq!(told(&first), ["c 1 new", "a 2 new", "b 3 new"]);
    assert_eq!(first[0].event.occurred_at, NEW_YEAR);
    assert_eq!(first[0].event.data, r#"{"amount":1}"#);
    assert_eq!(first[0].event.traceparent.as_deref(), Some(bench::TRACE));
    // One that happened earlier and was committed later comes later.
    write(&db, "early", NEW_YEAR);
    assert_eq!(told(&drain(&db, NEW_YEAR, 0, 10).unwrap()), ["early 4 new"]);
}

#[test]
fn what_is_on_its_way_is_counted_until_it_is_acknowledged() {
    let lag = |db: &Db| outbox::lag(db).unwrap();
    let db = database::fresh(PRODUCING).unwrap();
    assert_eq!(
        lag(&db),
        outbox::Lag {
            events: 0,
            oldest: None
        }
    );
    write(&db, "late", NEW_YEAR.after(Millis(5)));
    write(&db, "early", NEW_YEAR);
    let both = outbox::Lag {
        events: 2,
        oldest: Some(NEW_YEAR),
    };
    assert_eq!(lag(&db), both, "without positions");
    drain(&db, NEW_YEAR, 0, 10).unwrap();
    assert_eq!(lag(&db), both, "published");
    drain(&db, NEW_YEAR, 1, 10).unwrap();
    assert_eq!(
        lag(&db),
        outbox::Lag {
            events: 1,
            oldest: Some(NEW_YEAR.after(Millis(5)))
        }
    );
    drain(&db, NEW_YEAR, 2, 10).unwrap();
    assert_eq!(lag(&db).events, 0);
}

#[test]
fn an_event_is_due_again_after_5_s_doubled_each_time_up_to_5_min() {
    let db = producer(&["a"]);
    let clock = Clock::at(NEW_YEAR);
    assert_eq!(drain(&db, clock.now(), 0, 10).unwrap().len(), 1);
    let mut waits = Vec::new();
    for published in 1..=9 {
        let mut waited = 0;
        let again = loop {
            clock.advance(Millis(2_500));
            waited += 2_500;
            let due = drain(&db, clock.now(), 0, 10).unwrap();
            if !due.is_empty() {
                break due;
            }
        };
        assert_eq!(told(&again), [format!("a 1 after {published}")]);
        waits.push(waited / 1_000);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
}

#[test]
fn new_events_go_before_those_that_wait_for_an_answer() {
    let db = producer(&["a", "b"]);
    drain(&db, NEW_YEAR, 0, 10).unwrap();
    let later = NEW_YEAR.after(Millis(60_000));
    write(&db, "c", later);
    assert_eq!(
        told(&drain(&db, later, 0, 2).unwrap()),
        ["c 3 new", "a 1 after 1"]
    );
    assert_eq!(told(&drain(&db, later, 0, 2).unwrap()), ["b 2 after 1"]);
    assert_eq!(told(&drain(&db, later, 0, 2).unwrap()), [""; 0]);
}

#[test]
fn a_limit_is_kept_and_the_rest_comes_next_time() {
    let db = producer(&["a", "b", "c"]);
    assert_eq!(told(&drain(&db, NEW_YEAR, 0, 0).unwrap()), [""; 0]);
    assert_eq!(told(&drain(&db, NEW_YEAR, 0, 2).unwrap()), ["a 1 new", "b 2 new"]);
    assert_eq!(told(&drain(&db, NEW_YEAR, 0, 2).unwrap()), ["c 3 new"]);
}

#[test]
fn a_drain_weighs_4_mib_and_leaves_the_rest_as_it_was() {
    let (db, kib) = (database::fresh(PRODUCING).unwrap(), 1_024);
    let sizes = [900, 900, 900, 900, 900, 20_000, 4_096, 1, 900];
    for (number, size) in (1_u8..).zip(sizes) {
        write_data(&db, &number.to_string(), NEW_YEAR, &"x".repeat(size * kib));
    }
    let mut drains = Vec::new();
    loop {
        let due = drain(&db, NEW_YEAR, 0, 100).unwrap();
        let Some(last) = due.last() else { break };
        drains.push(format!("{} up to {}", due.len(), last.event.position));
        let most = due
            .iter()
            .map(|delivery| delivery.event.data.len())
            .sum::<usize>();
        assert!(most <= MOST_BYTES as usize, "{most}");
        assert!(due.iter().all(|delivery| delivery.published == 0), "{drains:?}");
    }
    expect!["4 up to 4, 1 up to 5, 1 up to 6, 1 up to 7, 2 up to 9"].assert_eq(&drains.join(", "));
    // What was published is due again in the same portions, nothing of it twice.
    let later = NEW_YEAR.after(Millis(5_000));
    let again = std::iter::repeat_with(|| drain(&db, later, 0, 100).unwrap().len());
    assert_eq!(again.take(drains.len()).sum::<usize>(), sizes.len());
    assert_eq!(told(&drain(&db, later, 0, 100).unwrap()), [""; 0]);
}

#[test]
fn what_is_acknowledged_is_never_published_again() {
    let db = producer(&["a", "b", "c"]);
    drain(&db, NEW_YEAR, 0, 10).unwrap();
    let later = NEW_YEAR.after(Millis(600_000));
    assert_eq!(told(&drain(&db, later, 2, 10).unwrap()), ["c 3 after 1"]);
    // The key was lost, or an old value came back: what is known stays known.
    for (acknowledged, minutes) in [(0, 20), (1, 30)] {
        let now = NEW_YEAR.after(Millis(minutes * 60_000));
        let due = drain(&db, now, acknowledged, 10).unwrap();
        assert_eq!(due.len(), 1, "{acknowledged}");
        assert_eq!(due[0].event.id, "c");
    }
    assert_eq!(
        told(&drain(&db, NEW_YEAR.after(Millis(3_600_000)), 3, 10).unwrap()),
        [""; 0]
    );
    assert_eq!(number(&db, "select count(*) as number from outbox_delivery"), 0);
    assert_eq!(number(&db, "select acknowledged as number from outbox_relay"), 3);
}

#[test]
fn an_acknowledgement_of_what_was_never_given_is_not_believed() {
    let db = producer(&["a", "b"]);
    for wrong in [1, 2, 3, u64::MAX] {
        let events = drain(&db, NEW_YEAR, wrong, 1).unwrap();
        assert_eq!(events.len(), usize::from(wrong <= 2), "{wrong}");
        assert!(events.iter().all(|delivery| delivery.published == 0), "{wrong}");
    }
    assert_eq!(number(&db, "select acknowledged as number from outbox_relay"), 0);
}

#[test]
fn a_quiet_second_is_one_read() {
    let line = Line::new();
    let db = line.open(PRODUCING);
    line.said();
    assert!(drain(&db, NEW_YEAR, 0, 500).unwrap().is_empty());
    assert_eq!(line.said().len(), 1);
    write(&db, "a", NEW_YEAR);
    drain(&db, NEW_YEAR, 0, 500).unwrap();
    line.said();
    for acknowledged in [0, 7] {
        assert!(drain(&db, NEW_YEAR, acknowledged, 500).unwrap().is_empty());
        assert_eq!(line.said().len(), 1, "published, and not due again yet");
    }
    assert!(drain(&db, NEW_YEAR, 1, 500).unwrap().is_empty());
    assert!(
        line.said().contains(&"commit".to_owned()),
        "an acknowledgement is written down"
    );
    assert!(
        drain(&db, NEW_YEAR.after(Millis(9_999_999)), 1, 500)
            .unwrap()
            .is_empty()
    );
    assert_eq!(line.said().len(), 1);
}

#[test]
fn a_busy_second_is_ten_statements() {
    let line = Line::new();
    let db = line.open(PRODUCING);
    write(&db, "a", NEW_YEAR);
    line.said();
    drain(&db, NEW_YEAR, 0, 500).unwrap();
    expect![[r#"
        select case when (?1 > acknowledged and ?1 <= last_position)
        begin
        update outbox_relay
        delete from outbox_delivery where position <= ?1
        update outbox
        insert into outbox_delivery (position)
        update outbox_relay set last_position = ?1 where relay_id = 1
        select outbox.event_id, outbox.topic, outbox.key, outbox.position, outbox.occurred_at,
        update outbox_delivery
        commit"#]]
    .assert_eq(&line.said().join("\n"));
}

#[test]
fn no_statement_looks_at_what_was_acknowledged_long_ago() {
    // The words are SQLite's.
    if database::is_postgres() {
        return;
    }
    let db = database::fresh(PRODUCING).unwrap();
    let plan = |statement: &str, params: &[Value]| {
        let rows = db
            .read(&format!("explain query plan {statement}"), params)
            .unwrap();
        rows.iter()
            .map(|row| row.get::<String>("detail").unwrap() + "\n")
            .collect::<String>()
    };
    let three = [1, 2, 3].map(Value::Integer);
    let two = &three[..2];
    let text = [
        plan(include_str!("../src/sql/work.sql"), two),
        plan(include_str!("../src/sql/forget_acknowledged.sql"), &two[..1]),
        plan(include_str!("../src/sql/give_positions.sql"), two),
        plan(include_str!("../src/sql/await_publishing.sql"), &two[..1]),
        plan(include_str!("../src/sql/due.sql"), &three),
        plan(include_str!("../src/sql/mark_published.sql"), &three),
    ];
    expect![[r#"
        SEARCH outbox_relay USING INTEGER PRIMARY KEY (rowid=?)
        SCALAR SUBQUERY 1
        SEARCH outbox USING COVERING INDEX sqlite_autoindex_outbox_2 (position=?)
        SCALAR SUBQUERY 2
        SEARCH outbox_delivery USING COVERING INDEX outbox_delivery_by_time (due_at<?)
        --
        SEARCH outbox_delivery USING INTEGER PRIMARY KEY (rowid<?)
        --
        MATERIALIZE waiting
        CO-ROUTINE (subquery-3)
        SEARCH outbox USING COVERING INDEX outbox_without_position (position=? AND occurred_at>?)
        SCAN (subquery-3)
        SCAN waiting
        SEARCH outbox USING COVERING INDEX sqlite_autoindex_outbox_1 (event_id=?)
        --
        SEARCH outbox USING COVERING INDEX sqlite_autoindex_outbox_2 (position>?)
        --
        CO-ROUTINE weighed
        CO-ROUTINE (subquery-4)
        CO-ROUTINE (subquery-5)
        CO-ROUTINE due
        SEARCH outbox_delivery USING INDEX outbox_delivery_by_time (due_at<?)
        SCAN due
        SEARCH outbox USING INDEX sqlite_autoindex_outbox_2 (position=?)
        SCAN (subquery-5)
        SCAN (subquery-4)
        SCAN weighed
        SEARCH outbox USING INDEX sqlite_autoindex_outbox_2 (position=?)
        USE TEMP B-TREE FOR ORDER BY
        --
        SEARCH outbox_delivery USING INDEX outbox_delivery_by_time (due_at<?)
    "#]]
    .assert_eq(&text.join("--\n"));
}

#[test]
fn wherever_a_relay_dies_no_position_is_missing_or_given_twice() {
    for death in [Death::Before, Death::After] {
        for statement in 0.. {
            let line = Line::new();
            let db = line.open(PRODUCING);
            write(&db, "a", NEW_YEAR);
            drain(&db, NEW_YEAR, 0, 10).unwrap();
            write(&db, "b", NEW_YEAR);
            write(&db, "c", NEW_YEAR);
            line.die_after(statement, death);
            let answer = drain(&db, NEW_YEAR, 1, 10);
            if !line.revive() {
                assert_eq!(told(&answer.unwrap()), ["b 2 new", "c 3 new"]);
                break;
            }
            assert!(matches!(answer, Err(DbError::Unavailable(_))), "{statement}");
            // If it died after its commit, its events count as published: they come after the back-off.
            let later = NEW_YEAR.after(Millis(5_000));
            let again = drain(&db, later, 0, 10).unwrap();
            let places: Vec<_> = again.iter().map(|delivery| delivery.event.position).collect();
            let acknowledged = number(&db, "select acknowledged as number from outbox_relay");
            assert!(
                places == [2, 3] || (places == [2, 3, 1] && acknowledged == 0),
                "{death:?} at {statement}: {:?}",
                told(&again)
            );
        }
    }
}

#[test]
fn relays_and_writers_that_run_at_once_lose_and_double_nothing() {
    const WRITERS: usize = 4;
    const EACH: usize = 50;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("producer.db");
    drop(database::open(&path, PRODUCING).unwrap());
    let relay = || {
        let db = database::open(&path, PRODUCING).unwrap();
        let mut seen = Vec::new();
        let mut quiet = 0;
        while quiet < 200 {
            let due = drain(&db, NEW_YEAR, 0, 7).unwrap();
            quiet = if due.is_empty() { quiet + 1 } else { 0 };
            seen.extend(due);
            std::thread::yield_now();
        }
        seen
    };
    let seen: Vec<Delivery> = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let path = &path;
            scope.spawn(move || {
                let db = database::open(path, PRODUCING).unwrap();
                for each in 0..EACH {
                    write(&db, &format!("{writer}/{each}"), NEW_YEAR);
                }
            });
        }
        let relays = [scope.spawn(relay), scope.spawn(relay)];
        relays
            .map(|relay| relay.join().unwrap())
            .into_iter()
            .flatten()
            .collect()
    });
    let db = database::open(&path, PRODUCING).unwrap();
    let rest = drain(&db, NEW_YEAR, 0, 1_000).unwrap();
    let mut places = BTreeMap::new();
    for delivery in seen.iter().chain(&rest) {
        assert_eq!(delivery.published, 0);
        assert_eq!(places.insert(delivery.event.position, &delivery.event.id), None);
    }
    let expected: Vec<u64> = (1..=(WRITERS * EACH) as u64).collect();
    assert_eq!(places.into_keys().collect::<Vec<_>>(), expected);
}

#[test]
fn without_its_row_a_relay_says_so() {
    let db = producer(&["a"]);
    db.transaction(|tx| tx.execute("delete from outbox_relay", &[]))
        .unwrap();
    let error = drain(&db, NEW_YEAR, 0, 1).unwrap_err();
    assert!(!error.retryable());
    assert_eq!(error.to_string(), "the row of outbox_relay is missing");
    assert!(outbox::SCHEMA.contains("outbox_relay"));
}
