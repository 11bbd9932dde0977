//! An acknowledged commit survives the death of the process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, abort};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sqlite::{Database, Options};

use crate::support::{integer, integers, run};

const DATABASE: &str = "SQLITE_TEST_CRASH_DATABASE";
const ACKNOWLEDGED: &str = "acknowledged ";

/// Not a test of its own: it is started by the one below, writes from eight guests at once, tells
/// of every commit that was answered, and dies in the middle of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the helper process of an_acknowledged_commit_survives_a_crash"]
async fn dies_while_writing() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    let database = Database::open(Path::new(&path), Options::default()).unwrap();
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
                if ANSWERED.fetch_add(1, SeqCst) == 60 {
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
        .output()
        .unwrap();
    assert!(!child.status.success(), "it was to die");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    // The harness writes the test's name in front of the first line.
    let acknowledged: Vec<i64> = said
        .lines()
        .filter_map(|line| line.split_once(ACKNOWLEDGED)?.1.parse().ok())
        .collect();
    assert!(acknowledged.len() >= 60, "{said}");

    let database = Database::open(&path, Options::default()).unwrap();
    let mut guest = database.connect();
    let kept = integers(&mut guest, "select id from half group by id having count(*) = 2").await;
    let missing: Vec<&i64> = acknowledged.iter().filter(|id| !kept.contains(id)).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    assert_eq!(
        integer(&mut guest, "select count(*) from half").await,
        2 * i64::try_from(kept.len()).unwrap()
    );
}
