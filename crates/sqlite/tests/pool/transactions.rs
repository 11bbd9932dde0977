//! Transactions that guests begin and end themselves.

use std::time::Duration;

use sqlite::{Database, Error, Options, Synchronous};

use crate::support::{Scratch, integer, integers, refused, run};

#[tokio::test]
async fn another_guest_sees_a_transaction_only_once_it_is_committed() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let mut other = scratch.connect();
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(
        integer(&mut guest, "select count(*) from entry").await,
        1,
        "its own write"
    );
    assert_eq!(
        integer(&mut other, "select count(*) from entry").await,
        0,
        "not committed yet"
    );
    run(&mut guest, "commit").await;
    assert_eq!(integer(&mut other, "select count(*) from entry").await, 1);
    assert!(!guest.in_transaction());
}

#[tokio::test]
async fn a_guest_reads_its_own_writes_at_once() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    for id in 1..=200 {
        run(&mut guest, &format!("insert into entry values ({id}, 'x')")).await;
        assert_eq!(integer(&mut guest, "select max(id) from entry").await, id);
    }
    assert_eq!(
        scratch.database.stats().reads,
        200,
        "the reads ran beside the writer"
    );
}

/// Read, add one, write back: any lost update or failed BEGIN shows in the sum.
async fn count_together(guests: i64, rounds: i64, begin: &'static str, synchronous: Synchronous) {
    let scratch = Scratch::with(Options {
        synchronous,
        ..Options::default()
    });
    let mut setup = scratch.connect();
    run(&mut setup, "create table total (n integer not null)").await;
    run(&mut setup, "insert into total values (0)").await;
    let tasks = (0..guests).map(|_| {
        let mut guest = scratch.connect();
        tokio::spawn(async move {
            for _ in 0..rounds {
                run(&mut guest, begin).await;
                let n = integer(&mut guest, "select n from total").await;
                run(&mut guest, &format!("update total set n = {}", n + 1)).await;
                run(&mut guest, "commit").await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(integer(&mut setup, "select n from total").await, guests * rounds);
    let stats = scratch.database.stats();
    assert_eq!(stats.commits, u64::try_from(guests * rounds + 2).unwrap());
    assert_eq!(
        (stats.rollbacks, stats.busy, stats.timeouts, stats.queued),
        (0, 0, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_guests_with_a_deferred_begin_lose_nothing() {
    count_together(16, 10, "BEGIN", Synchronous::Full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_guests_lose_nothing() {
    count_together(64, 20, "begin immediate transaction", Synchronous::Normal).await;
}

#[tokio::test]
async fn savepoints_nest_inside_a_transaction() {
    let (_scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    for sql in [
        "begin",
        "insert into entry values (1, 'a')",
        "savepoint inner_one",
        "insert into entry values (2, 'b')",
        "rollback to inner_one",
        "insert into entry values (3, 'c')",
        "release inner_one",
    ] {
        run(&mut guest, sql).await;
        assert!(guest.in_transaction(), "{sql}");
    }
    run(&mut guest, "commit").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [1, 3]);
}

#[tokio::test]
async fn a_savepoint_outside_a_transaction_opens_one() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let mut other = scratch.connect();
    run(&mut guest, "savepoint Outer_One").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(integer(&mut other, "select count(*) from entry").await, 0);
    let before = scratch.database.stats().commits;
    run(&mut guest, "release outer_one").await;
    assert_eq!(scratch.database.stats().commits, before + 1);
    assert_eq!(integer(&mut other, "select count(*) from entry").await, 1);
}

#[tokio::test]
async fn a_transaction_that_sqlite_ends_itself_frees_the_writer() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    let why = refused(&mut guest, "insert or rollback into entry values (1, 'b')").await;
    assert_eq!(why, "UNIQUE constraint failed: entry.id");
    assert!(!guest.in_transaction());
    assert_eq!(scratch.database.stats().rollbacks, 1);
    run(&mut scratch.connect(), "insert into entry values (2, 'c')").await;
    assert_eq!(
        refused(&mut guest, "rollback").await,
        "cannot rollback - no transaction is active"
    );
}

#[tokio::test]
async fn a_failed_statement_leaves_the_transaction_open() {
    let (_scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    refused(&mut guest, "insert into entry values (1, 'b')").await;
    assert_eq!(
        refused(&mut guest, "begin").await,
        "cannot start a transaction within a transaction"
    );
    refused(&mut guest, "no such statement").await;
    run(&mut guest, "end transaction").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [1]);
    assert_eq!(
        refused(&mut guest, "commit").await,
        "cannot commit - no transaction is active"
    );
}

#[tokio::test]
async fn a_deferred_begin_takes_the_write_lock_at_once() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    // Another process on the same file, which can be told apart only by its own connections.
    let options = Options {
        busy_timeout: Duration::from_millis(10),
        ..Options::default()
    };
    let elsewhere = Database::open(&scratch.path(), options).unwrap();
    let mut stranger = elsewhere.connect();
    run(&mut guest, "begin deferred").await;
    let answer = stranger
        .execute("insert into entry values (1, 'x')", vec![])
        .await;
    assert_eq!(
        answer,
        Err(Error::Busy),
        "or the guest's own first write would have to fail"
    );
    run(&mut guest, "insert into entry values (2, 'y')").await;
    run(&mut guest, "commit").await;
    run(&mut stranger, "insert into entry values (1, 'x')").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [1, 2]);
}
