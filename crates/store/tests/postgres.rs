//! What only a real Postgres can show: transactions side by side, a server that dies, sessions that are refused.

use std::cell::Cell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use store::{Db, DbError, Tx, params, postgres};
use store_suite::{FIRST, SECOND, WIDER, won};
use testkit::at_once;
use testkit::servers::{Postgres, Sync};

/// A cluster with the databases of a shop, of which these tests take one each.
fn shop() -> Option<Postgres> {
    let cluster = Postgres::start()?;
    cluster.provision();
    Some(cluster)
}

fn open(cluster: &Postgres, label: &str) -> Db {
    postgres::native::open(&cluster.shop_address(label), &[FIRST, SECOND]).expect("the database opens")
}

fn total(tx: &Tx<'_>) -> Result<i64, DbError> {
    let row = tx.query_one("select sum(won) as total from purse", params![])?;
    Ok(row.expect("a sum is one row").get("total")?)
}

/// Each looks at both purses and writes one: under anything weaker than one after the other both would.
#[test]
fn two_that_decide_by_what_the_other_changes_come_one_after_the_other() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    db.execute("insert into purse (owner, won) values ('b', 10)", params![])
        .expect("a second purse");
    let runs = AtomicU32::new(0);
    let spent = at_once(
        2,
        |_| open(&cluster, "stock"),
        |db, thread| {
            db.transaction(|tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                let total = total(tx)?;
                // Long enough for the other one to look too, if it could.
                sleep(Duration::from_millis(200));
                if total < 20 {
                    return Ok::<_, DbError>(false);
                }
                let owner = ["a", "b"][thread];
                tx.execute("update purse set won = won - 10 where owner = ?1", params![owner])?;
                Ok(true)
            })
            .expect("each has its turn")
        },
    );
    assert_eq!(spent.iter().filter(|spent| **spent).count(), 1);
    assert_eq!(runs.into_inner(), 2, "nobody begins in vain");
}

/// A single statement waits for no transaction, so it can come between what one reads and what it writes.
#[test]
fn who_was_overtaken_by_a_single_statement_begins_again() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    let other = open(&cluster, "stock");
    let mut runs = 0;
    db.transaction(|tx| {
        runs += 1;
        let total = total(tx)?;
        if runs == 1 {
            other.execute("update purse set won = won + 1", params![])?;
        }
        tx.execute("update purse set won = ?1", params![total * 2])
    })
    .expect("the second time nobody comes between");
    assert_eq!((runs, won(&db, "a")), (2, Some(22)));
}

#[test]
fn of_two_that_wait_for_each_other_one_begins_again() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    db.execute("insert into purse (owner, won) values ('b', 10)", params![])
        .expect("a second purse");
    // Its new version lies behind the other row, so a statement about both comes to it last.
    db.execute("update purse set won = won where owner = 'a'", params![])
        .expect("a place behind the other");
    let taken = Barrier::new(2);
    let done = at_once(
        2,
        |_| open(&cluster, "stock"),
        |db, thread| {
            if thread == 0 {
                taken.wait();
                return db.execute("update purse set won = won - 1", params![]);
            }
            let met = Cell::new(false);
            db.transaction(|tx| {
                let take = "update purse set won = won - 1 where owner = ?1";
                tx.execute(take, params!["a"])?;
                if !met.replace(true) {
                    taken.wait();
                    // Until the other one has the second purse and waits for the first.
                    sleep(Duration::from_millis(300));
                }
                tx.execute(take, params!["b"])
            })
        },
    );
    for one in done {
        one.expect("a deadlock is no answer");
    }
    assert_eq!((won(&db, "a"), won(&db, "b")), (Some(8), Some(8)));
}

#[test]
fn a_hundred_that_want_one_row_all_get_their_turn() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    at_once(
        20,
        |_| open(&cluster, "stock"),
        |db, _| {
            for _ in 0..5 {
                db.execute("update purse set won = won + 1", params![])
                    .expect("one statement begins again too");
            }
        },
    );
    assert_eq!(won(&db, "a"), Some(110));
}

#[test]
fn what_fails_is_not_committed_whatever_the_work_says() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    let answer = db.transaction(|tx| {
        tx.execute("update purse set won = 99", params![])?;
        let swallowed = tx.execute("insert into purse (owner, won) values ('a', 1)", params![]);
        assert!(matches!(swallowed, Err(DbError::Conflict(columns)) if columns == "purse.owner"));
        Ok::<_, DbError>(())
    });
    assert!(matches!(answer, Err(DbError::Conflict(_))));
    assert_eq!(won(&db, "a"), Some(10));
}

#[test]
fn sums_and_truths_are_integers_or_refused() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    let one = |statement: &str| {
        let row = db.read_one(statement, params![])?;
        Ok::<i64, DbError>(row.expect("one row").get("n")?)
    };
    assert_eq!(one("select sum(won) as n from purse").ok(), Some(10));
    assert_eq!(one("select count(*) as n from purse").ok(), Some(1));
    assert_eq!(one("select won > 5 as n from purse").ok(), Some(1));
    assert_eq!(one("select 7::smallint as n").ok(), Some(7));
    assert_eq!(
        one("select -9223372036854775808::numeric as n").ok(),
        Some(i64::MIN)
    );
    for wrong in [
        "9223372036854775808::numeric",
        "1.5::numeric",
        "now()",
        "'NaN'::numeric",
    ] {
        let error = one(&format!("select {wrong} as n")).expect_err("it is no integer");
        assert!(
            matches!(&error, DbError::Row(row) if row.column == "n"),
            "{error}"
        );
    }
}

#[test]
fn a_server_that_dies_is_an_outage_and_what_was_answered_stays() {
    let Some(mut cluster) = Postgres::start_with(Sync::On) else {
        return;
    };
    cluster.provision();
    let address = cluster.shop_address("stock");
    let db = open(&cluster, "stock");
    db.execute("update purse set won = 11", params![])
        .expect("it lives");
    cluster.kill();
    for _ in 0..2 {
        let told = db.execute("update purse set won = 12", params![]);
        assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    }
    let told = db.transaction(|tx| tx.execute("update purse set won = 12", params![]));
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    let Err(told) = postgres::native::open(&address, &[]) else {
        panic!("nobody is there");
    };
    assert!(
        matches!(&told, DbError::Unavailable(text) if !text.contains("bodega_stock")),
        "{told}"
    );
    cluster.restart();
    assert_eq!(won(&open(&cluster, "stock"), "a"), Some(11));
}

#[test]
fn who_waits_too_long_is_told_that_the_database_is_busy() {
    let Some(cluster) = shop() else { return };
    let db = open(&cluster, "stock");
    cluster.run_sql("stock", &["alter role bodega_stock set lock_timeout = '100ms'"]);
    let other = open(&cluster, "stock");
    let answer = db.transaction(|tx| {
        tx.execute("update purse set won = 1", params![])?;
        let told = other.execute("update purse set won = 2", params![]);
        assert!(matches!(told, Err(DbError::Busy)), "{told:?}");
        let told = other.transaction(|_| -> Result<(), DbError> { panic!("it has not begun") });
        assert!(matches!(told, Err(DbError::Busy)), "{told:?}");
        Ok::<_, DbError>(())
    });
    answer.expect("the first goes on");
    let again = other.transaction(|tx| tx.execute("update purse set won = 3", params![]));
    again.expect("the way is free");
    cluster.run_sql(
        "stock",
        &["alter role bodega_stock set statement_timeout = '100ms'"],
    );
    let told = open(&cluster, "stock").read("select pg_sleep(5)::text as slept", params![]);
    assert!(matches!(told, Err(DbError::Busy)), "{told:?}");
}

#[test]
fn a_session_that_idles_in_its_transaction_is_ended_and_nothing_stays() {
    let Some(cluster) = shop() else { return };
    drop(open(&cluster, "stock"));
    cluster.run_sql(
        "stock",
        &["alter role bodega_stock set idle_in_transaction_session_timeout = '100ms'"],
    );
    let db = open(&cluster, "stock");
    let told = db.transaction(|tx| {
        tx.execute("update purse set won = 1", params![])?;
        sleep(Duration::from_millis(500));
        tx.execute("update purse set won = 2", params![])
    });
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    assert_eq!(won(&open(&cluster, "stock"), "a"), Some(10));
}

#[test]
fn who_waits_for_one_that_fell_silent_goes_on_when_it_is_ended() {
    let Some(cluster) = shop() else { return };
    let silent = postgres::native::driver(&cluster.shop_address("stock")).expect("a connection");
    let db = open(&cluster, "stock");
    silent
        .execute(silent.begin(), params![])
        .expect("it has its turn");
    silent
        .execute("update purse set won = 99", params![])
        .expect("and writes");
    db.transaction(|tx| tx.execute("update purse set won = won + 1", params![]))
        .expect("the silent one is ended first");
    assert_eq!(won(&db, "a"), Some(11));
    let told = silent.execute("commit", params![]);
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
}

/// The release before goes on writing while its schema is changed.
#[test]
fn a_migration_takes_its_turn_among_the_writers() {
    let Some(cluster) = shop() else { return };
    let address = cluster.shop_address("stock");
    let db = open(&cluster, "stock");
    let migrated = || {
        let newer = postgres::native::open(&address, &[FIRST, SECOND, WIDER])?;
        Ok::<_, DbError>(won(&newer, "a"))
    };
    let mut runs = 0;
    std::thread::scope(|scope| {
        let mut migrating = None;
        db.transaction(|tx| {
            runs += 1;
            if migrating.is_none() {
                migrating = Some(scope.spawn(migrated));
                // Longer than a server takes to look for a deadlock: later it would be this one that is given up.
                sleep(Duration::from_millis(1_500));
            }
            tx.execute("update purse set won = won + 1", params![])
        })
        .expect("who has the turn goes on");
        let seen = migrating.expect("it was begun").join().expect("no panic");
        assert_eq!(seen.expect("its turn comes"), Some(11));
    });
    assert_eq!(runs, 1, "they were in each other's way");
}

/// Whoever comes after a migration waits behind it, so it must not wait for long itself.
#[test]
fn a_migration_behind_a_long_look_gives_up_before_customers_do() {
    let Some(cluster) = shop() else { return };
    let address = cluster.shop_address("stock");
    let db = open(&cluster, "stock");
    let slowly = "select won, pg_sleep(9)::text as slept from purse";
    cluster.run_sql(
        "stock",
        &["alter role bodega_stock set statement_timeout = '20s'"],
    );
    std::thread::scope(|scope| {
        let look = scope.spawn(|| open(&cluster, "stock").read(slowly, params![]).map(drop));
        sleep(Duration::from_millis(500));
        let migrating = scope.spawn(|| postgres::native::open(&address, &[FIRST, SECOND, WIDER]).map(drop));
        sleep(Duration::from_millis(300));
        db.execute("update purse set won = won + 1", params![])
            .expect("a customer waits behind the migration, and not for the look");
        let told = migrating.join().expect("no panic").err();
        assert!(matches!(told, Some(DbError::Busy)), "{told:?}");
        assert!(!look.is_finished(), "it proves nothing");
        look.join().expect("no panic").expect("nobody ends the look");
    });
    let migrated = postgres::native::open(&address, &[FIRST, SECOND, WIDER]);
    assert_eq!(won(&migrated.expect("the way is free"), "a"), Some(11));
}

#[test]
fn a_role_that_would_break_a_promise_is_refused_with_the_cure() {
    let Some(cluster) = shop() else { return };
    let address = cluster.shop_address("stock");
    let refused = |setting: &str| {
        cluster.run_sql("stock", &[&format!("alter role bodega_stock set {setting}")]);
        let refused = postgres::native::open(&address, &[FIRST]).err();
        refused.expect("a promise would be broken").to_string()
    };
    let said = refused("synchronous_commit = off");
    assert!(
        said.contains("alter role \"bodega_stock\" set synchronous_commit"),
        "{said}"
    );
    let said = refused("default_transaction_isolation = 'read committed'");
    assert!(
        said.contains("alter role \"bodega_stock\" set default_transaction_isolation"),
        "{said}"
    );
    cluster.run_sql(
        "postgres",
        &[
            "alter role bodega_stock reset all",
            "alter role bodega_stock set default_transaction_isolation = 'serializable'",
        ],
    );
    drop(open(&cluster, "stock"));
    let Err(said) = postgres::native::open(&cluster.address("bodega_stock", "payment"), &[]) else {
        panic!("it is another's");
    };
    assert!(!said.to_string().contains("bodega_stock:"), "{said}");
    let wrong = format!(
        "postgres://bodega_stock:hunter2@127.0.0.1:{}/stock",
        cluster.port()
    );
    let Err(said) = postgres::native::open(&wrong, &[]) else {
        panic!("the password is wrong");
    };
    assert!(
        said.retryable() && !said.to_string().contains("hunter2"),
        "{said}"
    );
}
