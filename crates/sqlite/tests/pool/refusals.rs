//! What guests may not do, because they share connections, and what only looks like it.

use sqlite::{Options, Synchronous, Value};

use crate::support::{Scratch, integer, refused, run, text};

#[tokio::test]
async fn what_would_stay_on_a_shared_connection_is_refused_in_clear_words() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let temporary = "temporary tables, views and triggers are not allowed: connections are shared";
    let attach = "ATTACH is not allowed, nor is VACUUM, which needs it";
    for (sql, why) in [
        ("attach ':memory:' as other", attach),
        ("attach '' as other", attach),
        ("vacuum", attach),
        ("vacuum into 'copy.db'", attach),
        ("detach main", "DETACH is not allowed"),
        (
            "select load_extension('evil')",
            "loading extensions is not allowed",
        ),
        ("create temp table t (x)", temporary),
        ("create table temp.t (x)", temporary),
        ("create temp table t as select 1", temporary),
        ("create view temp.v as select 1", temporary),
        ("create virtual table temp.w using fts5 (body)", temporary),
        ("create temp view v as select 1", temporary),
        (
            "create temp trigger r after insert on entry begin select 1; end",
            temporary,
        ),
        (
            "pragma writable_schema = on",
            "PRAGMA writable_schema is not allowed",
        ),
        (
            "pragma main.writable_schema(1)",
            "PRAGMA writable_schema is not allowed",
        ),
        (
            "pragma wal_checkpoint(truncate)",
            "PRAGMA wal_checkpoint is left to the host",
        ),
        (
            "pragma journal_mode = delete",
            "PRAGMA journal_mode is WAL here and cannot be changed",
        ),
        (
            "pragma synchronous = off",
            "PRAGMA synchronous is FULL here and cannot be changed",
        ),
        (
            "pragma foreign_keys = off",
            "PRAGMA foreign_keys is ON here and cannot be changed",
        ),
        (
            "pragma case_sensitive_like = on",
            "PRAGMA case_sensitive_like is set by the host and cannot be changed",
        ),
        (
            "pragma schema_version = 1",
            "PRAGMA schema_version is set by the host and cannot be changed",
        ),
        (
            "pragma defer_foreign_keys = on",
            "PRAGMA defer_foreign_keys is allowed inside a transaction only",
        ),
    ] {
        for _ in 0..2 {
            assert_eq!(refused(&mut guest, sql).await, why, "{sql}");
        }
        run(&mut guest, "begin").await;
        if !sql.contains("defer") {
            refused(&mut guest, sql).await;
        }
        run(&mut guest, "rollback").await;
    }
    assert!(
        refused(&mut guest, "update sqlite_schema set sql = ''")
            .await
            .contains("sqlite_master")
    );
    assert_eq!(
        integer(
            &mut scratch.connect(),
            "select foreign_keys from pragma_foreign_keys"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn settings_that_hold_already_are_accepted() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    for _ in 0..2 {
        assert_eq!(text(&mut guest, "PRAGMA journal_mode=WAL").await, "wal");
        assert_eq!(integer(&mut guest, "PRAGMA busy_timeout = 1234").await, 1234);
        for sql in [
            "PRAGMA synchronous=FULL",
            "PRAGMA synchronous=2",
            "PRAGMA foreign_keys=ON",
            "PRAGMA foreign_keys = 1",
            "PRAGMA cache_size = -2000",
        ] {
            assert!(run(&mut guest, sql).await.rows.is_empty(), "{sql}");
        }
    }
    assert_eq!(
        scratch.database.stats().writes,
        1,
        "nothing but the table's creation stood in line"
    );
    assert_eq!(
        integer(&mut guest, "pragma busy_timeout").await,
        5000,
        "accepted without effect"
    );
}

#[tokio::test]
async fn every_connection_has_the_settings_it_should() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let settings = "select j.journal_mode || ' ' || s.synchronous || ' ' || f.foreign_keys
                    from pragma_journal_mode j, pragma_synchronous s, pragma_foreign_keys f";
    for _ in 0..8 {
        assert_eq!(text(&mut guest, settings).await, "wal 2 1");
    }
    run(&mut guest, "begin").await;
    assert_eq!(text(&mut guest, settings).await, "wal 2 1");
    run(&mut guest, "commit").await;
    let stats = scratch.database.stats();
    assert_eq!(
        (stats.reads, stats.writes),
        (8, 4),
        "both kinds of connection were asked"
    );

    let relaxed = Scratch::with(Options {
        synchronous: Synchronous::Normal,
        ..Options::default()
    });
    assert_eq!(text(&mut relaxed.connect(), settings).await, "wal 1 1");
    assert!(
        refused(&mut relaxed.connect(), "pragma synchronous = full")
            .await
            .contains("is NORMAL here")
    );
}

#[tokio::test]
async fn reading_pragmas_work_in_both_forms() {
    let (_scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    assert_eq!(text(&mut guest, "pragma journal_mode").await, "wal");
    assert_eq!(integer(&mut guest, "pragma synchronous").await, 2);
    assert_eq!(run(&mut guest, "pragma table_info(entry)").await.rows.len(), 2);
    assert_eq!(
        integer(&mut guest, "select count(*) from pragma_table_info('entry')").await,
        2
    );
    assert_eq!(text(&mut guest, "pragma integrity_check").await, "ok");
    assert!(run(&mut guest, "pragma foreign_key_check").await.rows.is_empty());
}

#[tokio::test]
async fn the_user_version_belongs_to_the_transaction() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let mut other = scratch.connect();
    run(&mut guest, "begin immediate").await;
    run(&mut guest, "pragma user_version = 7").await;
    assert_eq!(
        integer(&mut guest, "select user_version from pragma_user_version").await,
        7
    );
    assert_eq!(
        integer(&mut other, "select user_version from pragma_user_version").await,
        0
    );
    run(&mut guest, "rollback").await;
    for version in [3, 3, 4] {
        run(&mut guest, &format!("pragma user_version = {version}")).await;
        assert_eq!(integer(&mut other, "pragma user_version").await, version);
    }
}

#[tokio::test]
async fn deferred_foreign_keys_last_as_long_as_the_transaction() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create table parent (id integer primary key)").await;
    run(&mut guest, "create table child (parent references parent)").await;
    for _ in 0..2 {
        run(&mut guest, "begin").await;
        run(&mut guest, "pragma defer_foreign_keys = on").await;
        run(&mut guest, "insert into child values (1)").await;
        assert_eq!(
            refused(&mut guest, "commit").await,
            "FOREIGN KEY constraint failed"
        );
        assert!(
            guest.in_transaction(),
            "a refused commit leaves the transaction open"
        );
        run(&mut guest, "rollback").await;
        assert_eq!(
            refused(&mut guest, "insert into child values (1)").await,
            "FOREIGN KEY constraint failed"
        );
    }
}

#[tokio::test]
async fn full_text_search_and_json_work() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create virtual table words using fts5 (body)").await;
    let body = vec![Value::Text("빨간 장미".to_owned())];
    guest.execute("insert into words values (?)", body).await.unwrap();
    assert_eq!(
        integer(&mut guest, "select count(*) from words where words match '장미'").await,
        1
    );
    assert_eq!(
        integer(&mut guest, "select value from json_each('[41]')").await,
        41
    );
}
