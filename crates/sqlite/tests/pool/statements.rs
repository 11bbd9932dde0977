//! Single statements: values, errors, and where they run.

use sqlite::{Database, Error, Options, Rows, Value};

use crate::support::{Scratch, integer, refused, run, text};

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create table kept (a, b, c, d, e)").await;
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.1),
        Value::Text("재고\0 뒤".to_owned()),
        Value::Blob(vec![0, 255, 0]),
        Value::Null,
    ];
    guest
        .execute("insert into kept values (?, ?, ?, ?, ?)", values.clone())
        .await
        .unwrap();
    let rows = run(&mut guest, "select a, b, c, d, e as last from kept").await;
    assert_eq!(
        rows,
        Rows {
            columns: ["a", "b", "c", "d", "last"].map(str::to_owned).to_vec(),
            rows: vec![values]
        }
    );
}

#[tokio::test]
async fn a_big_blob_survives() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create table kept (b blob)").await;
    let blob: Vec<u8> = (0..20_u32 << 20).map(|n| (n % 251) as u8).collect();
    guest
        .execute("insert into kept values (?)", vec![Value::Blob(blob.clone())])
        .await
        .unwrap();
    let rows = run(&mut guest, "select b from kept").await.rows;
    assert!(rows == [[Value::Blob(blob)]], "20 MiB came back changed");
}

#[tokio::test]
async fn constraints_are_named_as_sqlite_names_them() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create table parent (id integer primary key)").await;
    run(
        &mut guest,
        "create table child (id integer primary key, code text unique, n integer not null,
           parent references parent, constraint positive check (n > 0))",
    )
    .await;
    run(&mut guest, "insert into child values (1, 'a', 1, null)").await;
    for (sql, why) in [
        (
            "insert into child values (2, 'a', 1, null)",
            "UNIQUE constraint failed: child.code",
        ),
        (
            "insert into child values (1, 'b', 1, null)",
            "UNIQUE constraint failed: child.id",
        ),
        (
            "insert into child values (3, 'c', 0, null)",
            "CHECK constraint failed: positive",
        ),
        (
            "insert into child values (3, 'c', null, null)",
            "NOT NULL constraint failed: child.n",
        ),
        (
            "insert into child values (3, 'c', 1, 42)",
            "FOREIGN KEY constraint failed",
        ),
    ] {
        assert_eq!(
            guest.execute(sql, vec![]).await,
            Err(Error::Io(why.to_owned())),
            "{sql}"
        );
    }
    assert_eq!(integer(&mut guest, "select count(*) from child").await, 1);
}

#[tokio::test]
async fn invalid_statements_say_what_is_wrong_and_change_nothing() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    assert!(
        refused(&mut guest, "selec 1")
            .await
            .starts_with("near \"selec\": syntax error")
    );
    assert!(
        refused(&mut guest, "select * from missing")
            .await
            .starts_with("no such table: missing")
    );
    assert_eq!(
        refused(
            &mut guest,
            "insert into entry values (1, 'a'); insert into entry values (2, 'b')"
        )
        .await,
        "Multiple statements provided"
    );
    let one = vec![Value::Integer(1)];
    for sql in ["select ?, ?", "insert into entry values (?, ?)"] {
        let why = guest.execute(sql, one.clone()).await.unwrap_err().to_string();
        assert_eq!(
            why, "Wrong number of parameters passed to query. Got 1, needed 2",
            "{sql}"
        );
    }
    let why = guest.execute("select 1", one).await.unwrap_err().to_string();
    assert_eq!(why, "Wrong number of parameters passed to query. Got 1, needed 0");
    assert!(guest.execute("select 'a\0b", vec![]).await.is_err());
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 0);
    assert_eq!(scratch.database.stats().rollbacks, 0);
}

#[tokio::test]
async fn a_trailing_semicolon_or_comment_is_no_second_statement() {
    let (_scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    assert_eq!(integer(&mut guest, "  -- how many\n select 3; -- three").await, 3);
    run(&mut guest, "/* now */ begin;").await;
    assert!(guest.in_transaction(), "a comment does not hide a BEGIN");
    run(&mut guest, ";commit;").await;
    assert!(!guest.in_transaction());
}

#[tokio::test]
async fn reads_go_to_readers_and_everything_else_to_the_writer() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let moved = async |guest: &mut sqlite::Connection, sql: &str| {
        let before = scratch.database.stats();
        run(guest, sql).await;
        let after = scratch.database.stats();
        assert_eq!(after.statements, before.statements + 1, "{sql}");
        (
            after.reads - before.reads,
            after.writes - before.writes,
            after.commits - before.commits,
        )
    };
    for _ in 0..2 {
        assert_eq!(moved(&mut guest, "select * from entry").await, (1, 0, 0));
        assert_eq!(moved(&mut guest, "explain begin").await, (1, 0, 0));
        assert_eq!(
            moved(&mut guest, "with x as (select 1) select * from x").await,
            (1, 0, 0)
        );
        assert_eq!(
            moved(&mut guest, "insert into entry (note) values ('a') returning id").await,
            (0, 1, 1)
        );
        assert_eq!(moved(&mut guest, "begin").await, (0, 1, 0));
        assert_eq!(moved(&mut guest, "select * from entry").await, (0, 1, 0));
        assert_eq!(moved(&mut guest, "commit").await, (0, 1, 1));
        assert_eq!(moved(&mut guest, "drop table if exists later").await, (0, 1, 1));
        run(&mut guest, "create table later (x)").await;
        assert_eq!(moved(&mut guest, "drop table if exists later").await, (0, 1, 1));
    }
}

#[tokio::test]
async fn what_if_exists_means_is_decided_anew_each_time() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    for kind in ["table t", "index i", "view v", "trigger r"] {
        let drop = format!(
            "drop {} if exists {}",
            kind.split_once(' ').unwrap().0,
            kind.split_once(' ').unwrap().1
        );
        run(&mut guest, &drop).await;
        run(&mut guest, "create table base (x)").await;
        let create = match kind {
            "table t" => "create table t (x)",
            "index i" => "create index i on base (x)",
            "view v" => "create view v as select * from base",
            _ => "create trigger r after insert on base begin select 1; end",
        };
        run(&mut guest, create).await;
        run(&mut guest, &drop).await;
        run(&mut guest, "drop table base").await;
        assert_eq!(
            integer(&mut guest, "select count(*) from sqlite_schema").await,
            0,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_schema_change_reaches_statements_that_are_cached() {
    let (scratch, mut guest) = Scratch::with_entries(Options {
        readers: 1,
        ..Options::default()
    })
    .await;
    run(&mut guest, "insert into entry values (1, 'a')").await;
    assert_eq!(run(&mut guest, "select * from entry").await.columns.len(), 2);
    run(
        &mut scratch.connect(),
        "alter table entry add column more integer default 5",
    )
    .await;
    assert_eq!(
        run(&mut guest, "select * from entry").await.rows[0].last(),
        Some(&Value::Integer(5))
    );
}

#[tokio::test]
async fn a_database_in_memory_answers_the_same() {
    let database = Database::open_in_memory(Options::default()).unwrap();
    let (mut one, mut two) = (database.connect(), database.connect());
    assert_eq!(text(&mut one, "pragma journal_mode = wal").await, "memory");
    run(&mut one, "create table t (x)").await;
    run(&mut one, "begin").await;
    run(&mut one, "insert into t values (1)").await;
    drop(one);
    assert_eq!(integer(&mut two, "select count(*) from t").await, 0);
    run(&mut two, "insert into t values (1)").await;
    assert_eq!(integer(&mut two, "select changes()").await, 1);
    assert_eq!(database.stats().reads, 0);
}
