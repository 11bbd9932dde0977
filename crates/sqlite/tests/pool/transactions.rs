//! Transactions: isolation, pinning, and how they end.

use std::time::Duration;

use sqlite::{Error, Options, Synchronous};

use crate::support::{Gate, Scratch, integer, integers, refused, run, until};

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
async fn a_connection_dropped_inside_its_transaction_leaves_nothing_behind() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    drop(guest);
    let mut next = scratch.connect();
    run(&mut next, "begin").await;
    assert_eq!(integer(&mut next, "select count(*) from entry").await, 0);
    run(&mut next, "insert into entry values (2, 'b')").await;
    run(&mut next, "commit").await;
    assert_eq!(integers(&mut next, "select id from entry").await, [2]);
    assert_eq!(scratch.database.stats().rollbacks, 1);
}

#[tokio::test]
async fn a_statement_dropped_while_it_waits_is_never_run() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    let mut waiting = scratch.connect();
    let task =
        tokio::spawn(async move { waiting.execute("insert into entry values (1, 'x')", vec![]).await });
    until(&scratch.database, |stats| stats.queued == 1).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    run(&mut holder, "commit").await;
    run(&mut holder, "insert into entry values (2, 'y')").await;
    assert_eq!(integers(&mut holder, "select id from entry").await, [2]);
    assert_eq!(scratch.database.stats().abandoned, 1);
}

#[tokio::test]
async fn a_begin_dropped_while_it_waits_does_not_pin_the_writer() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    let mut waiting = scratch.connect();
    tokio::select! {
        biased;
        _ = waiting.execute("begin", vec![]) => panic!("the writer was not free"),
        () = until(&scratch.database, |stats| stats.queued == 1) => {}
    }
    run(&mut holder, "commit").await;
    run(&mut holder, "insert into entry values (1, 'x')").await;
    assert!(!waiting.in_transaction());
}

#[tokio::test]
async fn a_statement_dropped_while_it_runs_takes_its_transaction_along() {
    let (gate, keeper) = Gate::at("halt");
    let options = Options {
        fault: Some(gate),
        ..Options::default()
    };
    let (scratch, mut guest) = Scratch::with_entries(options).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    tokio::select! {
        biased;
        _ = guest.execute("insert into entry values (2, 'halt')", vec![]) => panic!("the gate was open"),
        () = keeper.has_arrived() => {}
    }
    keeper.let_go();
    let mut next = scratch.connect();
    run(&mut next, "insert into entry values (3, 'c')").await;
    assert_eq!(
        integers(&mut next, "select id from entry").await,
        [3],
        "rolled back before the next guest"
    );

    let lost = guest.execute("insert into entry values (4, 'd')", vec![]).await;
    assert_eq!(
        lost,
        Err(Error::RolledBack),
        "it must not run outside the transaction it was meant for"
    );
    assert_eq!(guest.execute("commit", vec![]).await, Err(Error::RolledBack));
    run(&mut guest, "insert into entry values (5, 'e')").await;
    assert_eq!(integers(&mut next, "select id from entry").await, [3, 5]);
}

#[tokio::test]
async fn a_long_statement_is_interrupted_when_its_guest_is_gone() {
    const ENDLESS: &str =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select sum(i) from n";
    let (scratch, mut guest) = Scratch::with_entries(Options {
        readers: 1,
        ..Options::default()
    })
    .await;
    tokio::select! {
        biased;
        _ = guest.execute(ENDLESS, vec![]) => panic!("it has no end"),
        () = until(&scratch.database, |stats| stats.reads == 1) => {}
    }
    assert_eq!(
        integer(&mut guest, "select 7").await,
        7,
        "the only reader is free again"
    );
    run(&mut guest, "begin").await;
    let seen = scratch.database.stats().writes;
    tokio::select! {
        biased;
        _ = guest.execute(ENDLESS, vec![]) => panic!("it has no end"),
        () = until(&scratch.database, |stats| stats.writes > seen) => {}
    }
    run(&mut scratch.connect(), "insert into entry values (1, 'x')").await;
}

#[tokio::test]
async fn a_transaction_held_too_long_is_rolled_back_and_stays_refused_until_it_is_ended() {
    let options = Options {
        transaction_deadline: Duration::from_millis(50),
        ..Options::default()
    };
    let (scratch, mut guest) = Scratch::with_entries(options).await;
    for (end, answer) in [
        ("rollback", Ok(Default::default())),
        ("commit", Err(Error::Timeout)),
    ] {
        run(&mut guest, "begin").await;
        run(&mut guest, "insert into entry values (1, 'a')").await;
        // Waits in line until the deadline frees the writer.
        run(&mut scratch.connect(), "insert into entry values (null, 'other')").await;
        assert_eq!(guest.execute("select 1", vec![]).await, Err(Error::Timeout));
        assert_eq!(
            guest.execute("insert into entry values (9, 'z')", vec![]).await,
            Err(Error::Timeout)
        );
        assert!(guest.in_transaction());
        assert_eq!(guest.execute(end, vec![]).await, answer);
        assert!(!guest.in_transaction());
        run(&mut guest, "delete from entry").await;
    }
    assert_eq!(scratch.database.stats().timeouts, 2);
}

#[tokio::test]
async fn a_statement_that_outlives_the_deadline_is_cut_short() {
    let options = Options {
        transaction_deadline: Duration::from_millis(50),
        ..Options::default()
    };
    let (_scratch, mut guest) = Scratch::with_entries(options).await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n)
                   insert into entry select i, 'x' from n where i < 0";
    assert_eq!(guest.execute(endless, vec![]).await, Err(Error::Timeout));
    assert!(!guest.in_transaction(), "it was a transaction of its own");
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(guest.execute(endless, vec![]).await, Err(Error::Timeout));
    assert_eq!(guest.execute("select 1", vec![]).await, Err(Error::Timeout));
    run(&mut guest, "rollback").await;
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 0);
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
