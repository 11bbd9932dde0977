//! An acknowledged commit survives the death of the process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, abort};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sqlite::{Database, Fault, Options, Point};

use crate::support::{AtEveryPoint, integer, integers, run};

const DATABASE: &str = "SQLITE_TEST_CRASH_DATABASE";
/// Says that it is to die between the guests' commits and the sync that makes them durable.
const BEFORE_SYNC: &str = "SQLITE_TEST_CRASH_BEFORE_SYNC";
const ACKNOWLEDGED: &str = "acknowledged ";

/// Not a test of its own: it is started by the one below, writes from eight guests at once, tells
/// of every commit that was answered, and dies in the middle of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the helper process of an_acknowledged_commit_survives_a_crash"]
async fn dies_while_writing() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    static SYNCS: AtomicU64 = AtomicU64::new(0);
    let before_sync = std::env::var(BEFORE_SYNC).is_ok();
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(move |point: Point<'_>| {
        if before_sync && point == Point::BeforeSync && SYNCS.fetch_add(1, SeqCst) == 40 {
            abort();
        }
        Ok(())
    }));
    let options = Options {
        fault: Some(fault),
        ..Options::default()
    };
    let database = Database::open(Path::new(&path), options).unwrap();
    static ANSWERED: AtomicU64 = AtomicU64::new(0);
    let guests = (0..8).map(|guest| {
        let mut connection = database.connect();
        tokio::spawn(async move {
            for round in 0.. {
                let id = guest * 1_000_000 + round;
                // Both halves or none, whatever happens.
                run(&mut connection, "begin").await;
                run(&mut connection, &format!("insert into half values ({id}, 1)")).await;
                run(&mut connection, &format!("insert into half values ({id}, 2)")).await;
                run(&mut connection, "commit").await;
                writeln!(std::io::stdout().lock(), "{ACKNOWLEDGED}{id}").unwrap();
                if ANSWERED.fetch_add(1, SeqCst) == 60 && !before_sync {
                    abort();
                }
            }
        })
    });
    for guest in guests.collect::<Vec<_>>() {
        guest.await.unwrap();
    }
}

#[tokio::test]
async fn an_acknowledged_commit_survives_a_crash() {
    let (acknowledged, kept) = crash(false).await;
    assert!(acknowledged.len() >= 60, "{acknowledged:?}");
    assert!(kept.len() >= acknowledged.len());
}

/// What was released into a batch and not synced is gone, and nobody was told of it.
#[tokio::test]
async fn a_crash_between_a_commit_and_its_sync_loses_nothing_that_was_acknowledged() {
    let (acknowledged, kept) = crash(true).await;
    assert!(acknowledged.len() >= 40, "{acknowledged:?}");
    assert!(kept.len() >= acknowledged.len());
}

/// Has a process die while it writes: what it acknowledged, and what is found whole afterwards.
async fn crash(before_sync: bool) -> (Vec<i64>, Vec<i64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let database = Database::open(&path, Options::default()).unwrap();
    run(
        &mut database.connect(),
        "create table half (id integer not null, side integer not null)",
    )
    .await;
    database.close().await;

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "crash::dies_while_writing"])
        .env(DATABASE, &path)
        .envs(before_sync.then_some((BEFORE_SYNC, "1")))
        .output()
        .unwrap();
    assert!(!child.status.success(), "it was to die");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    // The harness writes the test's name in front of the first line.
    let acknowledged: Vec<i64> = said
        .lines()
        .filter_map(|line| line.split_once(ACKNOWLEDGED)?.1.parse().ok())
        .collect();

    let database = Database::open(&path, Options::default()).unwrap();
    let mut guest = database.connect();
    let kept = integers(&mut guest, "select id from half group by id having count(*) = 2").await;
    let missing: Vec<&i64> = acknowledged.iter().filter(|id| !kept.contains(id)).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    assert_eq!(
        integer(&mut guest, "select count(*) from half").await,
        2 * i64::try_from(kept.len()).unwrap()
    );
    (acknowledged, kept)
}
