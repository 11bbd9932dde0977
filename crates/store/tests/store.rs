//! The suite on SQLite natively, and what only threads can show.

use std::path::Path;
use std::sync::Barrier;

use store::{Db, DbError, native, params};
use store_suite::{CASES, FIRST, SECOND, won};

fn open(path: &Path) -> Db {
    native::open(path, &[FIRST, SECOND]).expect("the database opens")
}

#[test]
fn the_native_driver_keeps_every_promise() {
    for case in CASES {
        eprintln!("{}", case.name);
        let folder = tempfile::tempdir().expect("a folder");
        (case.run)(&|migrations| native::open(&folder.path().join("suite.db"), migrations));
    }
}

#[test]
fn a_database_in_memory_is_a_database() {
    let db = native::in_memory(&[FIRST, SECOND]).expect("the database opens");
    assert_eq!(won(&db, "a"), Some(10));
}

#[test]
fn replicas_that_start_together_migrate_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shared.db");
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                open(&path);
            });
        }
    });
    assert_eq!(won(&open(&path), "a"), Some(10));
}

#[test]
fn writers_take_turns_and_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("busy.db");
    drop(open(&path));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let db = open(&path);
                for _ in 0..25 {
                    let add = |tx: &store::Tx<'_>| -> Result<u64, DbError> {
                        let row = tx.query_one("select won from purse where owner = 'a'", params![])?;
                        let won: i64 = row.expect("the purse was seeded").get("won")?;
                        tx.execute("update purse set won = ?1 where owner = 'a'", params![won + 1])
                    };
                    db.transaction(add).expect("writers wait for each other");
                }
            });
        }
    });
    assert_eq!(won(&open(&path), "a"), Some(210));
}
