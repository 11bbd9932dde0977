//! Whether the component can work, as whoever runs it asks.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use stock::store::MIGRATIONS;
use store::{DbError, Migration};
use web::{Method, READY_PATH, Request};

/// What is answered when the database is looked at so.
fn status(check: impl FnOnce() -> Result<(), DbError>) -> u16 {
    let request = Request::new(Method::Get, READY_PATH);
    web::ready(&request, "stock.ready", check).unwrap().status()
}

/// The migrations of a release that has one more.
fn with(sql: &'static str) -> Vec<Migration> {
    let mut longer = MIGRATIONS.to_vec();
    let number = MIGRATIONS.last().unwrap().number + 1;
    longer.push(Migration {
        number,
        name: "of_a_later_release",
        sql,
    });
    longer
}

#[test]
fn it_is_what_the_database_says_each_time_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let missing = folder.path().join("no such folder").join("stock.db");
    assert_eq!(
        status(|| store::native::open(&missing, MIGRATIONS).map(drop)),
        503
    );

    let open = || store::native::open(&path, MIGRATIONS);
    assert_eq!(status(|| open().map(drop)), 200, "it makes what is not there yet");
    let later = "-- expand: nobody needs it yet\ncreate table later (number bigint not null);\n";
    drop(store::native::open(&path, &with(later)).unwrap());
    assert_eq!(status(|| open()?.migrated(MIGRATIONS).map(drop)), 200);
    assert_eq!(status(|| Err(DbError::Busy)), 503);
}

#[test]
fn a_schema_that_this_program_can_not_work_with_shows_also_where_it_worked_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.db");
    let known = store::native::open(&path, MIGRATIONS).unwrap();
    drop(store::native::open(&path, &with("create table later (number bigint not null);\n")).unwrap());
    assert_eq!(status(|| known.migrated(MIGRATIONS).map(drop)), 503);
}
