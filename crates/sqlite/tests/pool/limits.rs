//! Sizes that end in an error instead of in trouble.

use sqlite::{Error, Options};

use crate::support::{Scratch, integer, run};

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
async fn a_database_that_may_not_grow_says_so() {
    let scratch = Scratch::new();
    let mut guest = scratch.connect();
    run(&mut guest, "create table t (b)").await;
    // 2 GB is more than SQLite stores in one value, so it is refused before the disk is.
    assert_eq!(
        guest
            .execute("insert into t values (zeroblob(2000000000))", vec![])
            .await,
        Err(Error::Io("string or blob too big".to_owned()))
    );
    assert_eq!(integer(&mut guest, "select count(*) from t").await, 0);
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
