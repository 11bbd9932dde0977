//! `changes()` and `last_insert_rowid()` answer for the guest, though guests share connections.

use sqlite::{Options, Value};

use crate::support::{Scratch, integer, refused, run};

#[tokio::test]
async fn each_guest_has_its_own_figures() {
    let (scratch, mut one) = Scratch::with_entries(Options::default()).await;
    let mut two = scratch.connect();
    assert_eq!((two.changes(), two.last_insert_rowid()), (0, 0));
    run(&mut one, "insert into entry values (10, 'a')").await;
    run(&mut two, "insert into entry values (20, 'b'), (21, 'c')").await;
    assert_eq!((one.changes(), one.last_insert_rowid()), (1, 10));
    assert_eq!((two.changes(), two.last_insert_rowid()), (2, 21));
    run(&mut one, "update entry set note = 'z'").await;
    assert_eq!(
        (one.changes(), one.last_insert_rowid()),
        (3, 10),
        "an update inserts nothing"
    );
    run(&mut one, "update entry set note = 'y' where id = 99").await;
    assert_eq!(one.changes(), 0);
    run(&mut two, "select * from entry").await;
    run(&mut two, "create table side (x)").await;
    assert_eq!(
        (two.changes(), two.last_insert_rowid()),
        (2, 21),
        "only rows count"
    );
}

#[tokio::test]
async fn the_functions_in_sql_agree() {
    let (scratch, mut one) = Scratch::with_entries(Options::default()).await;
    let mut two = scratch.connect();
    run(&mut one, "insert into entry values (10, 'a')").await;
    run(&mut two, "insert into entry values (20, 'b'), (21, 'c')").await;
    assert_eq!(integer(&mut one, "select last_insert_rowid()").await, 10);
    assert_eq!(
        integer(&mut two, "select changes() * 100 + total_changes()").await,
        202
    );
    run(&mut one, "begin").await;
    assert_eq!(integer(&mut one, "select last_insert_rowid()").await, 10);
    run(
        &mut one,
        "insert into entry values (last_insert_rowid() + 1, 'next')",
    )
    .await;
    assert_eq!(
        integer(&mut one, "select max(id) from entry where note = 'next'").await,
        11
    );
    run(&mut one, "commit").await;
    assert_eq!(integer(&mut one, "select total_changes()").await, 2);
}

#[tokio::test]
async fn the_same_rowid_in_another_table_is_noticed() {
    let (scratch, mut one) = Scratch::with_entries(Options::default()).await;
    run(&mut one, "create table side (id integer primary key)").await;
    let mut two = scratch.connect();
    run(&mut one, "insert into entry values (5, 'a')").await;
    run(&mut two, "insert into side values (5)").await;
    assert_eq!(two.last_insert_rowid(), 5);
}

#[tokio::test]
async fn a_trigger_sees_its_own_rowid_and_does_not_leak_it() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    run(&mut guest, "create table head (id integer primary key)").await;
    run(&mut guest, "create table log (entry, head)").await;
    run(
        &mut guest,
        "create trigger follow after insert on entry begin
           insert into head values (new.id + 1000);
           insert into log values (new.id, last_insert_rowid());
         end",
    )
    .await;
    run(&mut guest, "insert into entry values (7, 'a')").await;
    assert_eq!(guest.last_insert_rowid(), 7);
    assert_eq!(guest.changes(), 1, "what triggers change is not counted");
    assert_eq!(
        integer(&mut scratch.connect(), "select head from log").await,
        1007
    );
}

#[tokio::test]
async fn a_failed_or_refused_insert_moves_nothing_of_others() {
    let (scratch, mut one) = Scratch::with_entries(Options::default()).await;
    let mut two = scratch.connect();
    run(&mut one, "insert into entry values (1, 'a')").await;
    run(&mut two, "insert into entry values (2, 'b'), (3, 'c')").await;
    refused(&mut one, "insert into entry values (1, 'again')").await;
    assert_eq!((one.changes(), one.last_insert_rowid()), (0, 1));
    run(&mut one, "insert or ignore into entry values (1, 'again')").await;
    assert_eq!((one.changes(), one.last_insert_rowid()), (0, 1));
    let too_many = vec![Value::Null, Value::Null];
    assert!(
        two.execute("insert into entry values (?1, 'x')", too_many)
            .await
            .is_err()
    );
    assert_eq!((two.changes(), two.last_insert_rowid()), (2, 3));
}
