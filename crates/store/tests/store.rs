//! What every driver promises, run on SQLite natively.

use std::sync::Barrier;

use kernel::{Instant, OrderId, Quantity};
use store::{Db, DbError, Migration, RowError, native, params};

const FIRST: Migration = Migration {
    number: 1,
    name: "0001_create_purse",
    sql: "-- who has how much\n\
          create table purse (\n  owner text primary key,\n  won integer not null,\n  \
          constraint won_not_negative check (won >= 0)\n);\n\
          create table coin (purse text not null references purse (owner));\n",
};
const SECOND: Migration = Migration {
    number: 2,
    name: "0002_seed_purse",
    sql: "insert into purse (owner, won) values ('a', 10);\n",
};
const BROKEN: Migration = Migration {
    number: 3,
    name: "0003_break",
    sql: "create table x (y);\nnonsense;\n",
};

fn db() -> Db {
    native::in_memory(&[FIRST, SECOND]).unwrap()
}

fn won(db: &Db, owner: &str) -> Option<i64> {
    db.read_one("select won from purse where owner = ?1", params![owner])
        .unwrap()
        .map(|row| row.get("won").unwrap())
}

#[test]
fn what_a_transaction_answers_ok_stays() {
    let db = db();
    let changed = db
        .transaction(|tx| tx.execute("update purse set won = won + ?1", params![5i64]))
        .unwrap();
    assert_eq!((changed, won(&db, "a")), (1, Some(15)));
}

#[test]
fn what_a_transaction_refuses_never_happened() {
    #[derive(Debug)]
    enum Refused {
        No,
        #[allow(dead_code, reason = "shown by Debug when the test fails")]
        Db(DbError),
    }
    impl From<DbError> for Refused {
        fn from(error: DbError) -> Self {
            Self::Db(error)
        }
    }
    let db = db();
    let answer: Result<(), Refused> = db.transaction(|tx| {
        tx.execute("update purse set won = 0", params![])?;
        Err(Refused::No)
    });
    assert!(matches!(answer, Err(Refused::No)));
    assert_eq!(won(&db, "a"), Some(10));
    db.transaction(|tx| tx.execute("update purse set won = 1", params![]))
        .unwrap();
}

#[test]
fn a_failing_statement_undoes_the_whole_transaction() {
    let db = db();
    let answer = db.transaction(|tx| {
        tx.execute("insert into purse (owner, won) values ('b', 1)", params![])?;
        tx.execute("update purse set won = won - 11 where owner = 'a'", params![])
    });
    assert!(matches!(answer, Err(DbError::Check(name)) if name == "won_not_negative"));
    assert_eq!((won(&db, "a"), won(&db, "b")), (Some(10), None));
}

#[test]
fn violated_constraints_are_told_apart() {
    let db = db();
    let run = |statement: &str| db.transaction(|tx| tx.execute(statement, params![])).unwrap_err();
    let conflict = run("insert into purse (owner, won) values ('a', 1)");
    assert!(matches!(conflict, DbError::Conflict(columns) if columns == "purse.owner"));
    assert!(matches!(
        run("insert into purse (owner) values ('c')"),
        DbError::Check(_)
    ));
    assert!(matches!(
        run("insert into coin (purse) values ('nobody')"),
        DbError::ForeignKey
    ));
    assert!(matches!(run("select nonsense"), DbError::Other(_)));
}

#[test]
fn rows_are_read_by_name_and_type() {
    let db = db();
    let statement = "select ?1 as id, ?2 as quantity, ?3 as at, null as absence, 'x' as word, -1 as small";
    let id = OrderId::try_new(7).unwrap();
    let row = db
        .read_one(statement, params![id, Quantity::ONE, Instant::from_micros(5)])
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<OrderId>("id"), Ok(id));
    assert_eq!(row.get::<Quantity>("quantity"), Ok(Quantity::ONE));
    assert_eq!(row.get::<Instant>("at"), Ok(Instant::from_micros(5)));
    assert_eq!(row.get::<Option<i64>>("absence"), Ok(None));
    assert_eq!(row.parse("word", |word| (word == "x").then_some(1)), Ok(1));
    for (column, error) in [
        ("word", "column word: expected an integer, found Text(\"x\")"),
        ("small", "column small: -1 is out of range"),
        ("absent", "column absent: missing"),
    ] {
        assert_eq!(
            row.get::<u32>(column)
                .map_err(|error: RowError| error.to_string()),
            Err(error.to_owned())
        );
    }
}

#[test]
fn two_rows_where_one_was_expected_are_a_defect() {
    let error = db()
        .read_one("select 1 as a union select 2", params![])
        .unwrap_err();
    assert!(matches!(error, DbError::Other(_)) && !error.retryable());
}

#[test]
fn a_database_migrated_in_steps_equals_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stepwise.db");
    drop(native::open(&path, &[FIRST]).unwrap());
    let stepwise = native::open(&path, &[FIRST, SECOND]).unwrap();
    let schema = "select name, sql from sqlite_schema order by name";
    let shape = |db: &Db| -> Vec<(String, Option<String>)> {
        let rows = db.read(schema, params![]).unwrap();
        rows.iter()
            .map(|row| (row.get("name").unwrap(), row.get("sql").unwrap()))
            .collect()
    };
    assert_eq!(shape(&stepwise), shape(&db()));
    drop(native::open(&path, &[FIRST, SECOND]).unwrap());
    assert_eq!(won(&stepwise, "a"), Some(10));
}

#[test]
fn a_migration_that_fails_leaves_the_schema_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.db");
    drop(native::open(&path, &[FIRST, SECOND]).unwrap());
    let error = native::open(&path, &[FIRST, SECOND, BROKEN]).err().unwrap();
    assert!(error.to_string().starts_with("migration 0003_break: "), "{error}");
    let db = native::open(&path, &[FIRST, SECOND]).unwrap();
    assert!(db.read("select * from x", params![]).is_err());
}

#[test]
fn an_older_program_does_not_touch_a_newer_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    drop(native::open(&path, &[FIRST, SECOND]).unwrap());
    assert!(matches!(
        native::open(&path, &[FIRST]),
        Err(DbError::TooNew { found: 2, known: 1 })
    ));
}

#[test]
fn replicas_that_start_together_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.db");
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                native::open(&path, &[FIRST, SECOND]).unwrap();
            });
        }
    });
    assert_eq!(
        won(&native::open(&path, &[FIRST, SECOND]).unwrap(), "a"),
        Some(10)
    );
}

#[test]
fn writers_take_turns_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("busy.db");
    drop(native::open(&path, &[FIRST, SECOND]).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let db = native::open(&path, &[FIRST, SECOND]).unwrap();
                for _ in 0..25 {
                    let add = |tx: &store::Tx<'_>| -> Result<u64, DbError> {
                        let row = tx.query_one("select won from purse where owner = 'a'", params![])?;
                        let won: i64 = row.expect("the purse was seeded").get("won")?;
                        tx.execute("update purse set won = ?1 where owner = 'a'", params![won + 1])
                    };
                    db.transaction(add).unwrap();
                }
            });
        }
    });
    assert_eq!(
        won(&native::open(&path, &[FIRST, SECOND]).unwrap(), "a"),
        Some(210)
    );
}
