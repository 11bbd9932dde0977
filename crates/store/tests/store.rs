//! The suite on SQLite natively, and what only threads can show.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Barrier;

use store::{Db, DbError, params};
use store_suite::{CASES, FIRST, SECOND, database, gated, won};

store_suite::also_on_postgres!();

fn open(path: &Path) -> Db {
    database::open(path, &[FIRST, SECOND]).expect("the database opens")
}

#[test]
fn the_native_driver_keeps_every_promise() {
    for case in CASES {
        eprintln!("{}", case.name);
        let folder = tempfile::tempdir().expect("a folder");
        (case.run)(&|migrations| database::open(&folder.path().join("suite.db"), migrations));
    }
}

#[test]
fn a_database_in_memory_is_a_database() {
    let db = database::fresh(&[FIRST, SECOND]).expect("the database opens");
    assert_eq!(won(&db, "a"), Some(10));
}

#[test]
fn a_transaction_that_began_unheard_is_not_in_the_way_of_the_next() {
    let deaf = Rc::new(Cell::new(false));
    let lost = deaf.clone();
    let driver = gated(
        database::fresh_driver().expect("a database"),
        move |statement, run| {
            let answer = run();
            match statement {
                begin if begin.starts_with("begin") && lost.get() => {
                    Err(DbError::Unavailable("lost".to_owned()))
                }
                _ => answer,
            }
        },
    );
    let db = Db::open(driver, &[FIRST, SECOND]).expect("the database opens");
    let spend = |tx: &store::Tx<'_>| tx.execute("update purse set won = won - 1", params![]);
    deaf.set(true);
    assert!(matches!(db.transaction(spend), Err(DbError::Unavailable(_))));
    deaf.set(false);
    assert_eq!(won(&db, "a"), Some(10));
    db.transaction(spend).expect("nothing is left of the first");
    assert_eq!(won(&db, "a"), Some(9));
}

#[test]
fn nobody_waits_twice_for_a_busy_database() {
    let said: Rc<RefCell<Vec<String>>> = Rc::default();
    let heard = said.clone();
    let driver = gated(
        database::fresh_driver().expect("a database"),
        move |statement, run| {
            heard.borrow_mut().push(statement.to_owned());
            match statement {
                begin if begin.starts_with("begin") => Err(DbError::Busy),
                _ => run(),
            }
        },
    );
    let db = Db::open(driver, &[]).expect("the database opens");
    let answer = db.transaction(|tx| tx.execute("select 1", params![]));
    assert!(matches!(answer, Err(DbError::Busy)));
    assert_eq!(said.borrow().len(), 1, "{said:?}");
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
