//! Opening, draining and closing.

use std::time::Duration;

use sqlite::{Database, Error, Options};

use crate::support::{Scratch, integer, integers, run, until};

/// Opening must fail, with the path and this reason.
fn cannot_open(path: &std::path::Path, reason: &str) {
    let why = Database::open(path, Options::default())
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        why.contains(&path.display().to_string()) && why.contains(reason),
        "{why}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_refused_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is a letter, not a database. ".repeat(100)).unwrap();
    cannot_open(&garbage, "file is not a database");
    assert!(
        std::fs::read_to_string(&garbage)
            .unwrap()
            .starts_with("this is a letter"),
        "left as it was"
    );
    cannot_open(folder.path(), "unable to open database file");
    cannot_open(&garbage.join("below.db"), "File exists");
}

#[tokio::test]
async fn a_damaged_database_is_refused_when_it_is_opened() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    scratch.database.close().await;
    let mut bytes = std::fs::read(scratch.path()).unwrap();
    bytes[100..200].fill(0xAA);
    std::fs::write(scratch.path(), bytes).unwrap();
    cannot_open(&scratch.path(), "database disk image is malformed");
}

#[tokio::test]
async fn missing_folders_are_made_and_data_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/shop.db");
    let database = Database::open(&path, Options::default()).unwrap();
    let mut guest = database.connect();
    run(&mut guest, "create table t (x)").await;
    run(&mut guest, "insert into t values (41)").await;
    database.close().await;
    assert!(
        !folder.path().join("a/b/shop.db-wal").exists(),
        "the log is folded in when the last handle closes"
    );
    let database = Database::open(&path, Options::default()).unwrap();
    assert_eq!(integer(&mut database.connect(), "select x from t").await, 41);
}

#[tokio::test]
async fn closing_rolls_back_and_answers_everyone() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    run(&mut holder, "insert into entry values (1, 'a')").await;
    let mut waiting = scratch.connect();
    let waits =
        tokio::spawn(async move { waiting.execute("insert into entry values (2, 'b')", vec![]).await });
    until(&scratch.database, |stats| stats.queued == 1).await;
    scratch.database.close().await;
    assert_eq!(waits.await.unwrap(), Err(Error::Closed));
    assert_eq!(holder.execute("commit", vec![]).await, Err(Error::Closed));
    assert_eq!(
        scratch.connect().execute("select 1", vec![]).await,
        Err(Error::Closed)
    );
    scratch.database.close().await;
    let again = Database::open(&scratch.path(), Options::default()).unwrap();
    assert_eq!(
        integer(&mut again.connect(), "select count(*) from entry").await,
        0
    );
}

#[tokio::test]
async fn draining_lets_open_transactions_and_the_line_finish() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    let mut waiting = scratch.connect();
    let waits =
        tokio::spawn(async move { waiting.execute("insert into entry values (2, 'b')", vec![]).await });
    until(&scratch.database, |stats| stats.queued == 1).await;
    let database = scratch.database.clone();
    let drained = tokio::spawn(async move { database.drain(Duration::from_secs(60)).await });
    run(&mut holder, "insert into entry values (1, 'a')").await;
    run(&mut holder, "commit").await;
    drained.await.unwrap();
    assert!(waits.await.unwrap().is_ok());
    let again = Database::open(&scratch.path(), Options::default()).unwrap();
    assert_eq!(
        integers(&mut again.connect(), "select id from entry").await,
        [1, 2]
    );
}

#[tokio::test]
async fn draining_does_not_wait_for_ever() {
    let (scratch, mut holder) = Scratch::with_entries(Options::default()).await;
    run(&mut holder, "begin").await;
    scratch.database.drain(Duration::from_millis(20)).await;
    assert_eq!(holder.execute("commit", vec![]).await, Err(Error::Closed));
}

#[tokio::test]
async fn the_last_handle_closes_the_file() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    let log = scratch.path().with_extension("db-wal");
    assert!(log.exists());
    let clone = scratch.database.clone();
    let path = scratch.path();
    let folder = scratch.into_folder();
    drop((clone, guest));
    while log.exists() {
        tokio::task::yield_now().await;
    }
    let again = Database::open(&path, Options::default()).unwrap();
    assert_eq!(
        integer(&mut again.connect(), "select count(*) from entry").await,
        0
    );
    drop(folder);
}
