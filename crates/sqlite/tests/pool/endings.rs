//! Transactions that the host ends: the guest is gone, or too slow.

use std::time::Duration;

use sqlite::{Error, Options};

use crate::support::{Scratch, integer, integers, run, until};

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
    let stats = scratch.database.stats();
    assert_eq!(
        (stats.rollbacks, stats.timeouts),
        (1, 0),
        "at once, not when its time was up"
    );
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
    assert_eq!(scratch.database.stats().timeouts, 0);
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
    assert_eq!(scratch.database.stats().timeouts, 0);
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
