//! The limit on all connections together.

use crate::support::{Scene, one, scene};
use pg::{Error, Options};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

fn limited(total: usize) -> Options {
    Options {
        total: Some(total),
        wait: Duration::from_secs(10),
        ..Options::default()
    }
}

/// The same database by another address, which has a pool of its own.
fn other(scene: &Scene, name: &str) -> String {
    format!("{}?application_name={name}", scene.address)
}

async fn until_the_server_has(scene: &Scene, count: usize) {
    let since = Instant::now();
    while scene.backends() != count {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "{} and not {count}",
            scene.backends()
        );
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn all_databases_together_have_only_so_many() {
    let options = Options {
        wait: Duration::from_millis(300),
        ..limited(1)
    };
    let Some(scene) = scene(options) else { return };
    let mut held = scene.hold().await;
    let refused = scene.pools.open(&other(&scene, "other")).await;
    assert!(matches!(refused, Err(Error::Exhausted(_))));
    held.execute("rollback", &[]).await.unwrap();
    // However long the server takes to let go of the one that gives way.
    while scene.pools.open(&other(&scene, "other")).await.is_err() {}
    until_the_server_has(&scene, 1).await;
}

#[tokio::test]
async fn the_one_that_has_rested_longest_gives_way() {
    let Some(scene) = scene(limited(2)) else { return };
    for name in ["a", "b", "c"] {
        drop(scene.pools.open(&other(&scene, name)).await.unwrap());
    }
    until_the_server_has(&scene, 2).await;
    let names = "select string_agg(application_name, ' ' order by application_name) from pg_stat_activity where datname = 'ours'";
    assert_eq!(scene.server.run_sql("postgres", &[names]).trim(), "b c");
}

#[tokio::test]
async fn who_waits_gets_the_next_session_that_comes_to_rest() {
    let Some(scene) = scene(limited(1)) else { return };
    for waits in [scene.address.clone(), other(&scene, "other")] {
        let mut held = scene.hold().await;
        let (opened, ()) = tokio::join!(scene.pools.open(&waits), async {
            sleep(Duration::from_millis(100)).await;
            held.execute("rollback", &[]).await.unwrap();
        });
        opened.unwrap().execute("select 1", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn what_rests_for_too_long_is_closed_though_nobody_comes() {
    let options = Options {
        idle: Duration::from_millis(200),
        ..one()
    };
    let Some(scene) = scene(options) else { return };
    let connection = scene.open().await;
    until_the_server_has(&scene, 1).await;
    until_the_server_has(&scene, 0).await;
    drop(connection);
}

/// Each has a connection to two databases, as a checkout has, and there are fewer places than pools.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_want_each_other_s_places_all_go_on() {
    let options = Options {
        connections: 2,
        ..limited(2)
    };
    let Some(scene) = scene(options) else { return };
    let scene = std::sync::Arc::new(scene);
    let mut guests = JoinSet::new();
    for guest in 0..9 {
        let scene = scene.clone();
        guests.spawn(async move {
            let name = |place: usize| ["a", "b", "c"][(guest + place) % 3];
            let mut one = scene.pools.open(&other(&scene, name(0))).await?;
            let mut two = scene.pools.open(&other(&scene, name(1))).await?;
            for _ in 0..10 {
                for statement in ["begin", "select 1", "commit"] {
                    one.execute(statement, &[]).await?;
                }
                two.execute("select 1", &[]).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = guests.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(scene.backends() <= 2);
}
