//! What the tables promise by themselves: constraints, migrations, and that the index is used.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use ::store::{DbError, Migration, params};
use kernel::{Instant, OrderId, SkuId};
use stock::app::{self, CommitError, Reservations};
use stock::domain::Level;
use stock::store::{MIGRATIONS, Store};
use store_suite::{database, shape};

store_suite::also_on_postgres!();

fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

const fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

#[test]
fn the_tables_themselves_refuse_what_cannot_be() {
    let refused = |statement: &str| {
        let db = database::fresh(MIGRATIONS).unwrap();
        let run = |statement: &str| db.transaction(|tx| tx.execute(statement, params![]));
        run("insert into reservation values (1, 'RESERVED', 9, null, 1)").unwrap();
        match run(statement).unwrap_err() {
            DbError::Check(name) | DbError::Conflict(name) => name,
            other => format!("{other:?}"),
        }
    };
    let change = |values: &str| refused(&format!("insert into stock_history values ({values})"));
    let seen = [
        refused("update stock_level set on_hand = -1 where sku_id = 1"),
        refused("update reservation set state = 'SOLD', ended_at = 1"),
        refused("update reservation set until = null"),
        refused("update reservation set state = 'COMMITTED'"),
        refused("insert into reservation values (1, 'RESERVED', 9, null, 1)"),
        refused("insert into reservation_line values (1, 1, 0, 9)"),
        refused("insert into reservation_line values (1, 1, 1000001, 9)"),
        refused("insert into reservation_line values (1, 9, 1, 9)"),
        refused("insert into reservation_line values (2, 1, 1, 9)"),
        refused("insert into taken_back values (1, 1), (1, 2)"),
        refused("insert into taken_back values (2, 1)"),
        change("1, 1, 'MANUAL', null, 1, 1, 0, 1"),
        change("1, 2, 'LOST', 1, 1, 1, 0, 1"),
        change("1, 2, 'COMMIT', null, 1, 1, 0, 1"),
        change("1, 2, 'COMMIT', 1, 0, 1, 0, 1"),
        change("1, 2, 'RELEASE', 1, 1, 1, -1, 1"),
        change("1, 2, 'RESERVE', 1, 1, 1, 2, 1"),
    ];
    expect_test::expect![[r#"
        stock_level_on_hand
        reservation_state
        reservation_until
        reservation_ended_at
        reservation.order_id
        reservation_line_quantity
        reservation_line_quantity
        ForeignKey
        ForeignKey
        taken_back.order_id
        ForeignKey
        stock_history.sku_id, stock_history.number
        stock_history_kind
        stock_history_order
        stock_history_quantity
        stock_history_not_negative
        stock_history_not_oversold"#]]
    .assert_eq(&seen.join("\n"));
}

#[test]
fn a_row_that_cannot_be_is_a_defect_and_no_default() {
    // Postgres keeps texts out of columns of numbers.
    if database::is_postgres() {
        return;
    }
    let db = database::fresh(MIGRATIONS).unwrap();
    db.transaction(|tx| {
        tx.execute(
            "insert into reservation values (7, 'RESERVED', 9, null, 1)",
            params![],
        )?;
        tx.execute("insert into reservation_line values (7, 1, 1, 9)", params![])?;
        tx.execute("update reservation set until = 'soon'", params![])
    })
    .unwrap();
    let error = app::commit(&Store::new(db), OrderId::try_new(7).unwrap(), at(1)).unwrap_err();
    assert!(matches!(error, CommitError::Store(DbError::Row(row)) if row.column == "until"));
}

#[test]
fn a_database_migrated_step_by_step_equals_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    for count in 1..=MIGRATIONS.len() {
        drop(database::open(&path, &MIGRATIONS[..count]).unwrap());
    }
    let stepwise = database::open(&path, MIGRATIONS).unwrap();
    assert_eq!(shape(&stepwise), shape(&database::fresh(MIGRATIONS).unwrap()));
    let levels = app::level(&Store::new(stepwise), &[sku(3)], at(0)).unwrap();
    assert_eq!((levels[0].on_hand, levels[0].reserved), (5, 0));
}

#[test]
fn the_last_migration_can_run_twice() {
    let last = MIGRATIONS.last().unwrap();
    let twice = Migration {
        number: last.number + 1,
        ..*last
    };
    let list: Vec<_> = MIGRATIONS.iter().copied().chain([twice]).collect();
    let stock = Store::new(database::fresh(&list).unwrap());
    let expected = Level {
        sku: sku(3),
        on_hand: 5,
        reserved: 0,
    };
    assert_eq!(app::level(&stock, &[sku(3)], at(0)).unwrap(), [expected]);
    assert_eq!(stock.history(sku(3), None, 10).unwrap().len(), 1);
}

/// How SQLite goes about a statement, one step a line.
fn plan(statement: &str) -> String {
    let db = database::fresh(MIGRATIONS).unwrap();
    let statement = format!("explain query plan {statement}");
    let rows = db
        .read(&statement, params![1i64, 1i64, 1i64, 1i64, 1i64])
        .unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
    steps.join("\n")
}

#[test]
fn holds_are_summed_in_the_index_alone() {
    // The words are SQLite's.
    if database::is_postgres() {
        return;
    }
    let row = "(cast(?4 as bigint), cast(?5 as bigint))";
    let add = include_str!("../src/sql/add_lines.sql").replace("{rows}", row);
    expect_test::expect![[r#"
        CO-ROUTINE wanted
        SCAN CONSTANT ROW
        SCAN wanted
        SEARCH level USING INDEX sqlite_autoindex_stock_level_1 (sku_id=?)
        CORRELATED SCALAR SUBQUERY 2
        SEARCH held USING COVERING INDEX reservation_line_held (sku_id=? AND held_until>?)"#]]
    .assert_eq(&plan(&add));
    let levels = include_str!("../src/sql/levels.sql").replace("{skus}", "?3, ?4, ?5");
    expect_test::expect![[r#"
        SEARCH level USING INDEX sqlite_autoindex_stock_level_1 (sku_id=?)
        CORRELATED SCALAR SUBQUERY 1
        SEARCH held USING COVERING INDEX reservation_line_held (sku_id=? AND held_until>?)"#]]
    .assert_eq(&plan(&levels));
}
