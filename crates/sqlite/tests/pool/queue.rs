//! The line before the writer.

use std::time::Duration;

use sqlite::{Error, Options};

use crate::support::{Scratch, integers, run, until};

#[tokio::test]
async fn guests_are_served_in_the_order_they_came() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    let mut tasks = Vec::new();
    for place in 1..=20_u64 {
        let mut guest = scratch.connect();
        tasks.push(tokio::spawn(async move {
            // A mix of whole transactions and single statements stands in one line.
            let sql = format!("insert into entry (note) values ({place})");
            if place % 2 == 0 {
                run(&mut guest, "begin").await;
                run(&mut guest, &sql).await;
                run(&mut guest, "commit").await;
            } else {
                run(&mut guest, &sql).await;
            }
        }));
        until(&scratch.database, |stats| stats.queued == place).await;
    }
    run(&mut holder, "commit").await;
    for task in tasks {
        task.await.unwrap();
    }
    let order = integers(&mut holder, "select cast(note as integer) from entry order by id").await;
    assert_eq!(order, (1..=20).collect::<Vec<i64>>());
    assert!(scratch.database.stats().queue_wait > Duration::ZERO);
}

#[tokio::test]
async fn a_guest_that_comes_back_stands_behind_those_who_wait() {
    let (scratch, mut greedy) = Scratch::with_entries(Options::default()).await;
    run(&mut greedy, "begin").await;
    let mut patient = scratch.connect();
    let waits = tokio::spawn(async move {
        run(&mut patient, "insert into entry values (1, 'patient')").await;
    });
    until(&scratch.database, |stats| stats.queued == 1).await;
    run(&mut greedy, "commit").await;
    run(&mut greedy, "begin").await;
    assert_eq!(
        integers(&mut greedy, "select id from entry").await,
        [1],
        "the patient guest came first"
    );
    run(&mut greedy, "commit").await;
    waits.await.unwrap();
}

#[tokio::test]
async fn a_guest_that_waits_too_long_is_told_that_the_database_is_locked() {
    let options = Options {
        queue_timeout: Duration::from_millis(30),
        ..Options::default()
    };
    let (scratch, mut holder) = Scratch::with_entries(options).await;
    run(&mut holder, "begin").await;
    let mut waiting = scratch.connect();
    let answer = waiting.execute("insert into entry values (1, 'x')", vec![]).await;
    assert_eq!(answer, Err(Error::Busy));
    assert_eq!(answer.unwrap_err().to_string(), "database is locked");
    run(&mut holder, "commit").await;
    assert_eq!(
        integers(&mut waiting, "select id from entry").await,
        [],
        "what was refused did not run"
    );
    let stats = scratch.database.stats();
    assert_eq!((stats.busy, stats.queued), (1, 0));
}

#[tokio::test]
async fn a_full_line_refuses_at_once_but_never_the_guest_whose_turn_it_is() {
    let options = Options {
        queue_limit: 1,
        ..Options::default()
    };
    let (scratch, mut holder) = Scratch::with_entries(options).await;
    run(&mut holder, "begin").await;
    let mut first = scratch.connect();
    let waits = tokio::spawn(async move { run(&mut first, "insert into entry values (1, 'x')").await });
    until(&scratch.database, |stats| stats.queued == 1).await;
    let mut second = scratch.connect();
    // Its text is known as a write by now, so it goes straight to the line.
    assert_eq!(
        second.execute("insert into entry values (1, 'x')", vec![]).await,
        Err(Error::Busy)
    );
    run(&mut holder, "insert into entry values (2, 'y')").await;
    run(&mut holder, "commit").await;
    waits.await.unwrap();
    assert_eq!(integers(&mut second, "select id from entry").await, [1, 2]);
}

#[tokio::test]
async fn readers_do_not_wait_for_the_writer() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin exclusive").await;
    run(&mut holder, "insert into entry values (1, 'x')").await;
    assert_eq!(integers(&mut scratch.connect(), "select id from entry").await, []);
    run(&mut holder, "commit").await;
}
