//! The pool against a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod hosts;
mod sharing;
mod support;
mod total;

use pg::{Error, Options};
use std::time::{Duration, Instant};
use support::{State, one, scene, state};
use tokio::time::sleep;

#[tokio::test]
async fn what_a_lease_left_open_is_gone_before_the_next_has_the_connection() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    connection.execute("create table t (n int8)", &[]).await.unwrap();
    connection.execute("begin", &[]).await.unwrap();
    connection.execute("insert into t values (1)", &[]).await.unwrap();
    let first = support::backend(&mut connection).await;
    drop(connection);
    let mut connection = scene.open().await;
    assert_eq!(
        support::backend(&mut connection).await,
        first,
        "the same connection"
    );
    connection.execute("insert into t values (2)", &[]).await.unwrap();
    drop(connection);
    assert_eq!(scene.numbers("select n from t").await, [2]);
}

#[tokio::test]
async fn a_statement_whose_caller_went_away_is_cancelled() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    let abandoned = support::backend(&mut connection).await;
    let sleeping = connection.query("select pg_sleep(60)", &[], 1000);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), sleeping)
            .await
            .is_err()
    );
    let since = Instant::now();
    drop(connection);
    let mut connection = scene.open().await;
    connection.execute("select 1", &[]).await.unwrap();
    assert_ne!(
        support::backend(&mut connection).await,
        abandoned,
        "its cancellation may come late"
    );
    let running =
        format!("select count(*) from pg_stat_activity where pid = {abandoned} and state = 'active'");
    while scene.numbers_of(&mut connection, &running).await != [0] {
        sleep(Duration::from_millis(50)).await;
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn settings_locks_and_tables_of_a_session_end_with_its_lease() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    for statement in [
        "set statement_timeout = 12345",
        "select pg_advisory_lock(7)",
        "create temp table mine (n int8)",
        "listen news",
    ] {
        connection.execute(statement, &[]).await.unwrap();
    }
    drop(connection);
    let mut connection = scene.open().await;
    let count = "select (select count(*) from pg_locks where locktype = 'advisory') \
                 + (select count(*) from pg_class where relname = 'mine') \
                 + (select count(*) from pg_settings where name = 'statement_timeout' and setting = '12345') \
                 + (select count(*) from pg_listening_channels()) as n";
    let rows = connection.query(count, &[], 1000).await.unwrap();
    assert_eq!(rows[0].get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_begin_goes_with_its_first_statement_and_counts_from_there() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    connection.execute("create table t (n int8)", &[]).await.unwrap();
    for (ending, expected) in [("rollback", vec![]), ("commit", vec![1])] {
        connection
            .execute("begin isolation level serializable", &[])
            .await
            .unwrap();
        let level = connection
            .query("show transaction_isolation", &[], 1000)
            .await
            .unwrap();
        assert_eq!(level[0].get::<_, &str>(0), "serializable");
        connection.execute("insert into t values (1)", &[]).await.unwrap();
        connection.execute(ending, &[]).await.unwrap();
        assert_eq!(state(&mut connection).await, State::Outside);
        assert_eq!(
            scene.numbers_of(&mut connection, "select n from t").await,
            expected
        );
    }
    for statement in ["begin -- ours", "lock table t in exclusive mode"] {
        connection.execute(statement, &[]).await.unwrap();
    }
    let locks = "select count(*) from pg_locks where mode = 'ExclusiveLock' and relation = 't'::regclass";
    assert_eq!(
        scene.numbers_of(&mut connection, locks).await,
        [1],
        "locks go with it"
    );
    connection.execute("rollback", &[]).await.unwrap();
    assert_eq!(scene.numbers_of(&mut connection, locks).await, [0]);
    for nothing in [
        ["begin", "commit"],
        ["begin", "rollback"],
        ["rollback", "rollback"],
    ] {
        for statement in nothing {
            connection.execute(statement, &[]).await.unwrap();
        }
        assert_eq!(state(&mut connection).await, State::Outside);
    }
    connection.execute("begin", &[]).await.unwrap();
    assert_eq!(state(&mut connection).await, State::Inside);
    connection.execute("begin", &[]).await.unwrap();
    connection.execute("insert into t values (5)", &[]).await.unwrap();
    drop(connection);
    assert_eq!(
        scene.numbers("select n from t").await,
        [1],
        "a second begin is only a warning"
    );
}

#[tokio::test]
async fn a_statement_that_fails_in_a_transaction_leaves_it_to_be_rolled_back() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    connection.execute("begin", &[]).await.unwrap();
    assert!(connection.execute("select nonsense", &[]).await.is_err());
    let error = connection.execute("select 1", &[]).await.unwrap_err();
    assert!(
        error.to_string().contains("current transaction is aborted"),
        "{error}"
    );
    connection.execute("rollback", &[]).await.unwrap();
    connection.execute("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn who_finds_no_connection_waits_and_is_told() {
    let options = Options {
        connections: 2,
        wait: Duration::from_millis(100),
        ..Options::default()
    };
    let Some(scene) = scene(options) else { return };
    let (one, two) = (scene.hold().await, scene.hold().await);
    let third = scene.pools.open(&scene.address).await;
    let Err(error @ Error::Exhausted(_)) = third else {
        panic!("a third connection of two")
    };
    assert_eq!(
        error.to_string(),
        "no connection to the database became free within 100ms"
    );
    let stats = &scene.pools.stats()[0];
    assert_eq!((stats.busy, stats.idle, stats.exhausted), (2, 0, 1));
    drop((one, two));
    scene.open().await.execute("select 1", &[]).await.unwrap();
}

#[tokio::test]
async fn made_up_addresses_don_t_pile_up() {
    let Some(scene) = scene(Options::default()) else {
        return;
    };
    let held = scene.hold().await;
    let address = format!("{}?application_name=resting", scene.address);
    let mut resting = scene.pools.open(&address).await.unwrap();
    for number in 0..200 {
        let address = format!("{}?application_name=n{number}", scene.address);
        drop(scene.pools.open(&address).await.unwrap());
    }
    let stats = scene.pools.stats();
    assert!(stats.len() < 100, "{}", stats.len());
    assert!(
        stats.iter().any(|pool| pool.busy == 1 && pool.idle == 0),
        "{stats:?}"
    );
    resting.execute("select 1", &[]).await.unwrap();
    drop(held);
}

#[tokio::test]
async fn a_server_that_died_is_found_again_when_it_is_back() {
    let Some(mut scene) = scene(Options::default()) else {
        return;
    };
    let mut resting = scene.open().await;
    let mut held = scene.hold().await;
    scene.server.kill();
    let error = held.execute("select 1", &[]).await.unwrap_err();
    assert!(matches!(error, Error::Closed | Error::Statement(_)), "{error}");
    drop(resting.execute("select 1", &[]).await.unwrap_err());
    let refused = scene.pools.open(&scene.address).await.err();
    assert!(matches!(refused, Some(Error::Connect(_))), "{refused:?}");
    scene.server.restart();
    scene.open().await.execute("select 1", &[]).await.unwrap();
    resting.execute("select 1", &[]).await.unwrap();
    for statement in ["insert into t values (1)", "rollback", "select 1"] {
        let gone = held.execute(statement, &[]).await;
        assert!(
            matches!(gone, Err(Error::Closed)),
            "no other session goes on with its transaction"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_holds_nobody_for_long() {
    let Some(mut scene) = scene(Options::default()) else {
        return;
    };
    scene.server.freeze();
    let address = format!("{}?connect_timeout=1", scene.address);
    let error = scene.pools.open(&address).await.err().unwrap();
    assert!(
        error.to_string().contains("no answer within 1s") || error.to_string().contains("timed out"),
        "{error}"
    );
    scene.server.thaw();
}

#[tokio::test]
async fn a_table_that_changed_under_a_prepared_statement_fails_it_once() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    connection.execute("create table t (n int8)", &[]).await.unwrap();
    connection.query("select * from t", &[], 1000).await.unwrap();
    connection
        .execute("alter table t add column m text", &[])
        .await
        .unwrap();
    assert!(connection.query("select * from t", &[], 1000).await.is_err());
    assert!(connection.query("select * from t", &[], 1000).await.is_ok());
}

#[tokio::test]
async fn an_answer_has_its_limit() {
    let Some(scene) = scene(one()) else { return };
    let mut connection = scene.open().await;
    let many = "select repeat('x', 1000) from generate_series(1, 1000)";
    assert!(matches!(
        connection.query(many, &[], 10_000).await,
        Err(Error::TooLarge(10_000))
    ));
    assert_eq!(connection.query(many, &[], 10_000_000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    let pools = pg::Pools::new(Options::default());
    for address in [
        "",
        "nonsense",
        "postgres://me:secret@",
        "postgres://me:secret@%2Ftmp/db",
        "postgres://me:secret@allowed/db?hostaddr=127.0.0.1",
        "postgres://me:secret@h:x/d",
    ] {
        let error = pools.open(address).await.err().unwrap();
        assert!(matches!(error, Error::Address(_)), "{address}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
