//! Whose a session is between two statements.

use crate::support::{State, backend, one, scene, state, wire};
use pg::{Connection, Error, Options};
use std::time::Duration;
use tokio::time::sleep;

/// A pool of one connection for which nobody waits long.
fn scarce() -> Options {
    Options {
        wait: Duration::from_millis(200),
        ..one()
    }
}

async fn is_refused(connection: &mut Connection) -> bool {
    matches!(
        connection.execute("select 1", &[]).await,
        Err(Error::Exhausted(_))
    )
}

#[tokio::test]
async fn who_waits_for_something_else_keeps_nobody_waiting() {
    let Some(scene) = scene(scarce()) else { return };
    let (mut one, mut other) = (scene.open().await, scene.open().await);
    let first = backend(&mut one).await;
    one.execute("create table t (n int8)", &[]).await.unwrap();
    for _ in 0..3 {
        for connection in [&mut one, &mut other] {
            connection.execute("insert into t values (1)", &[]).await.unwrap();
            assert!(connection.execute("select nonsense", &[]).await.is_err());
            assert_eq!(backend(connection).await, first);
        }
    }
    assert_eq!(scene.numbers("select count(*) from t").await, [6]);
}

#[tokio::test]
async fn a_session_stays_until_its_transaction_has_ended() {
    let Some(scene) = scene(scarce()) else { return };
    let (mut one, mut other) = (scene.open().await, scene.open().await);
    one.execute("create table t (n int8)", &[]).await.unwrap();
    for ending in ["commit", "rollback"] {
        for statement in [
            "begin",
            "insert into t values (1)",
            "savepoint s",
            "rollback to s",
        ] {
            one.execute(statement, &[]).await.unwrap();
            assert!(is_refused(&mut other).await, "after {statement}");
        }
        assert_eq!(state(&mut one).await, State::Inside);
        one.execute(ending, &[]).await.unwrap();
        assert!(!is_refused(&mut other).await, "after {ending}");
    }
    one.execute("begin", &[]).await.unwrap();
    assert!(one.execute("select nonsense", &[]).await.is_err());
    assert!(
        is_refused(&mut other).await,
        "a transaction that failed is still open"
    );
    one.execute("rollback", &[]).await.unwrap();
    assert_eq!(scene.numbers_of(&mut other, "select n from t").await, [1]);
}

#[tokio::test]
async fn a_session_in_which_something_was_left_stays() {
    let Some(scene) = scene(scarce()) else { return };
    let mut other = scene.open().await;
    for statement in [
        "set statement_timeout = 12345",
        "listen news",
        "create temp table mine (n int8)",
        "prepare mine as select 1",
        "select pg_advisory_lock(7)",
        "vacuum",
    ] {
        let mut one = scene.open().await;
        one.execute(statement, &[]).await.unwrap();
        one.execute("select 1", &[]).await.unwrap();
        assert!(is_refused(&mut other).await, "after {statement}");
        drop(one);
        // Its cleaning is a task of its own.
        while is_refused(&mut other).await {}
    }
    let mut one = scene.open().await;
    one.execute("set statement_timeout = 12345", &[]).await.unwrap();
    let setting = "select setting::int8 from pg_settings where name = 'statement_timeout'";
    assert_eq!(scene.numbers_of(&mut one, setting).await, [12345]);
    drop(one);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(scene.numbers_of(&mut other, setting).await, [0]);
}

/// Each statement is one journey, as it was when the session stayed: giving it back and getting it again is done in memory.
#[tokio::test]
async fn a_clean_session_that_changes_hands_costs_no_journey() {
    let Some(scene) = scene(scarce()) else { return };
    let (wire, port) = wire(scene.server.port());
    let address = format!("postgres://postgres:postgres@127.0.0.1:{port}/ours");
    let mut connections = Vec::new();
    for _ in 0..3 {
        connections.push(scene.pools.open(&address).await.unwrap());
    }
    let statements = ["select 1", "select 2"];
    let mut rounds = Vec::new();
    for _ in 0..3 {
        let (_, before) = wire.seen();
        for connection in &mut connections {
            for statement in statements {
                connection.execute("rollback", &[]).await.unwrap();
                connection.execute(statement, &[]).await.unwrap();
            }
        }
        let (_, answered) = wire.seen();
        sleep(Duration::from_millis(50)).await;
        assert_eq!(
            wire.seen(),
            (1, answered),
            "nothing is sent once a statement was answered"
        );
        rounds.push(answered - before);
    }
    // All statements are prepared after the first round; then each is one bind, one execute, one sync.
    let mut pinned = connections.remove(0);
    pinned
        .execute("set application_name = 'pinned'", &[])
        .await
        .unwrap();
    let (_, before) = wire.seen();
    for statement in statements {
        pinned.execute(statement, &[]).await.unwrap();
    }
    let (_, after) = wire.seen();
    assert_eq!(rounds[1], rounds[2]);
    assert_eq!(
        rounds[2],
        3 * (after - before),
        "as much as by one who kept its session"
    );
}
