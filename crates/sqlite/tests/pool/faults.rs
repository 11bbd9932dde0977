//! The fault seam, and that a panic costs one statement.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use sqlite::{Error, Fault, Options, Point};

use crate::support::{AtEveryPoint, Scratch, failing, integer, integers, refused, run};

#[tokio::test]
async fn a_fault_before_the_commit_leaves_the_transaction_open() {
    let (armed, options) = failing(|point| point == Point::BeforeCommit);
    let (_scratch, mut guest) = Scratch::with_entries(options).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    armed.store(true, SeqCst);
    assert_eq!(refused(&mut guest, "commit").await, "made up");
    assert!(guest.in_transaction());
    run(&mut guest, "rollback").await;
    assert_eq!(
        refused(&mut guest, "insert into entry values (2, 'b')").await,
        "made up"
    );
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 0);
}

#[tokio::test]
async fn a_fault_after_the_commit_is_a_lost_answer() {
    let (armed, options) = failing(|point| point == Point::AfterCommit);
    let (scratch, mut guest) = Scratch::with_entries(options).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    armed.store(true, SeqCst);
    assert_eq!(refused(&mut guest, "commit").await, "made up");
    assert!(!guest.in_transaction());
    assert_eq!(
        integers(&mut scratch.connect(), "select id from entry").await,
        [1]
    );
}

#[tokio::test]
async fn statements_can_fail_before_and_after_they_take_effect() {
    let (armed, options) =
        failing(|point| matches!(point, Point::BeforeStatement(sql) if sql.contains("'a'")));
    let (_scratch, mut guest) = Scratch::with_entries(options).await;
    armed.store(true, SeqCst);
    assert_eq!(
        refused(&mut guest, "insert into entry values (1, 'a')").await,
        "made up"
    );
    assert_eq!(refused(&mut guest, "select 'a'").await, "made up");
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 0);

    let (armed, options) =
        failing(|point| matches!(point, Point::AfterStatement(sql) if sql.contains("'a'")));
    let (_scratch, mut guest) = Scratch::with_entries(options).await;
    armed.store(true, SeqCst);
    assert_eq!(
        refused(&mut guest, "insert into entry values (1, 'a')").await,
        "made up"
    );
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 1);
}

#[tokio::test]
async fn the_points_come_in_order() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(move |point: Point<'_>| {
        log.lock().unwrap().push(format!("{point:?}"));
        Ok(())
    }));
    let scratch = Scratch::with(Options {
        fault: Some(fault),
        ..Options::default()
    });
    let mut guest = scratch.connect();
    for sql in [
        "begin",
        "create table t (x)",
        "commit",
        "insert into t values (1)",
        "select x from t",
    ] {
        run(&mut guest, sql).await;
    }
    let expected = r#"
BeforeStatement("begin") AfterStatement("begin")
BeforeStatement("create table t (x)") AfterStatement("create table t (x)")
BeforeStatement("commit") BeforeCommit BeforeSync AfterCommit AfterStatement("commit")
BeforeStatement("insert into t values (1)") BeforeCommit BeforeSync AfterCommit AfterStatement("insert into t values (1)")
BeforeStatement("select x from t") AfterStatement("select x from t")"#;
    assert_eq!(seen.lock().unwrap().join(" "), expected.trim().replace('\n', " "));
}

#[tokio::test]
async fn a_panic_costs_one_statement_and_its_transaction() {
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(|point: Point<'_>| match point {
        Point::AfterStatement(sql) if sql.contains("'panic'") => panic!("made up"),
        _ => Ok(()),
    }));
    let options = Options {
        fault: Some(fault),
        readers: 1,
        ..Options::default()
    };
    let (scratch, mut guest) = Scratch::with_entries(options).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(
        refused(&mut guest, "insert into entry values (2, 'panic')").await,
        "the database failed unexpectedly"
    );
    let mut other = scratch.connect();
    run(&mut other, "insert into entry values (3, 'c')").await;
    assert_eq!(
        guest.execute("insert into entry values (4, 'd')", vec![]).await,
        Err(Error::RolledBack)
    );
    run(&mut guest, "rollback").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [3]);
    assert_eq!(
        refused(&mut guest, "select 'panic'").await,
        "the database failed unexpectedly"
    );
    assert_eq!(
        integer(&mut guest, "select 1").await,
        1,
        "the only reader lives on"
    );
    assert_eq!(scratch.database.stats().panics, 2);
}

#[tokio::test]
async fn a_panic_after_the_commit_loses_only_the_answer() {
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(|point: Point<'_>| match point {
        Point::AfterStatement("commit") => panic!("made up"),
        _ => Ok(()),
    }));
    let (_scratch, mut guest) = Scratch::with_entries(Options {
        fault: Some(fault),
        ..Options::default()
    })
    .await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(
        refused(&mut guest, "commit").await,
        "the database failed unexpectedly"
    );
    assert!(!guest.in_transaction());
    assert_eq!(integers(&mut guest, "select id from entry").await, [1]);
}

#[tokio::test]
async fn a_panic_of_the_sync_fails_its_batch_and_the_database_goes_on() {
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint({
        let syncs = Mutex::new(0);
        move |point: Point<'_>| {
            if point == Point::BeforeSync {
                let mut syncs = syncs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                *syncs += 1;
                assert!(*syncs != 1, "made up");
            }
            Ok(())
        }
    }));
    let (scratch, mut guest) = Scratch::with_entries(Options {
        fault: Some(fault),
        ..Options::default()
    })
    .await;
    assert_eq!(
        refused(&mut guest, "insert into entry values (1, 'a')").await,
        "the database failed unexpectedly"
    );
    run(&mut guest, "insert into entry values (2, 'b')").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [2]);
    assert_eq!(scratch.database.stats().panics, 1);
}
