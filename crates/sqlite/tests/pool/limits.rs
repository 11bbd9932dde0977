//! Sizes that end in an error instead of in trouble.

use std::time::Duration;

use sqlite::{Error, Options};

use crate::support::{Scratch, integer, integers, run};

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_for_that_statement_only() {
    let scratch = Scratch::with(Options {
        max_result_bytes: 1 << 20,
        ..Options::default()
    });
    let mut guest = scratch.connect();
    let answer = guest.execute("select zeroblob(2000000)", vec![]).await;
    assert_eq!(
        answer,
        Err(Error::Io(
            "query result exceeds limit of 1048576 bytes".to_owned()
        ))
    );
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    assert!(guest.execute(many, vec![]).await.is_err());
    assert_eq!(integer(&mut guest, "select 1").await, 1);
}

#[tokio::test]
async fn a_database_that_may_not_grow_says_so_and_goes_on() {
    let options = Options {
        max_database_bytes: Some(1 << 20),
        ..Options::default()
    };
    let (_scratch, mut guest) = Scratch::with_entries(options).await;
    run(&mut guest, "begin").await;
    run(&mut guest, "insert into entry values (1, 'kept')").await;
    let answer = guest
        .execute("insert into entry values (2, zeroblob(2000000))", vec![])
        .await;
    assert_eq!(answer, Err(Error::DatabaseFull));
    assert!(
        !guest.in_transaction(),
        "SQLite ends a transaction that finds no room"
    );
    run(&mut guest, "insert into entry values (3, 'small')").await;
    assert_eq!(integers(&mut guest, "select id from entry").await, [3]);
    assert_eq!(
        guest
            .execute("insert into entry values (4, zeroblob(2000000000))", vec![])
            .await,
        Err(Error::Io("string or blob too big".to_owned()))
    );
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_stopped() {
    let options = Options {
        transaction_deadline: Duration::from_millis(30),
        readers: 1,
        ..Options::default()
    };
    let (scratch, mut guest) = Scratch::with_entries(options).await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select sum(i) from n";
    assert_eq!(guest.execute(endless, vec![]).await, Err(Error::Timeout));
    assert_eq!(integer(&mut guest, "select 1").await, 1);
    assert_eq!(scratch.database.stats().timeouts, 1);
}

#[tokio::test]
async fn texts_that_are_never_the_same_do_not_fill_the_memory_nor_confuse_the_classes() {
    let (scratch, mut guest) = Scratch::with_entries(Options {
        synchronous: sqlite::Synchronous::Off,
        ..Options::default()
    })
    .await;
    run(&mut guest, "begin").await;
    for id in 0..5000 {
        run(&mut guest, &format!("insert into entry values ({id}, 'x')")).await;
    }
    run(&mut guest, "commit").await;
    run(&mut guest, "begin").await;
    assert!(guest.in_transaction());
    run(&mut guest, "rollback").await;
    assert_eq!(integer(&mut guest, "select count(*) from entry").await, 5000);
    assert_eq!(scratch.database.stats().reads, 1);
}
