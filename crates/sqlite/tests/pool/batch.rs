//! Commits that share one sync: who is in a batch, and what becomes of it.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlite::{Connection, Error, Fault, Options, Point, Rows};
use tokio::task::JoinHandle;

use crate::support::{AtEveryPoint, Scratch, failing, integer, integers, refused, run, until};

/// A transaction that waits in line: it writes `id` when it is let in, and then commits or goes back.
fn queue(scratch: &Scratch, id: i64, end: &'static str) -> JoinHandle<Result<Rows, Error>> {
    let mut guest = scratch.connect();
    tokio::spawn(async move {
        run(&mut guest, "begin").await;
        run(&mut guest, &format!("insert into entry values ({id}, 'queued')")).await;
        guest.execute(end, vec![]).await
    })
}

/// A guest that has begun and written `id`, with so many others in line behind it.
async fn first_of(scratch: &Scratch, id: i64) -> Connection {
    let mut first = scratch.connect();
    run(&mut first, "begin").await;
    run(&mut first, &format!("insert into entry values ({id}, 'first')")).await;
    first
}

async fn waiting(scratch: &Scratch, count: u64) {
    until(&scratch.database, |stats| stats.queued == count).await;
}

#[tokio::test]
async fn guests_that_wait_commit_with_the_one_before_them_and_one_sync() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = first_of(&scratch, 1).await;
    let before = scratch.database.stats();
    let mut others = Vec::new();
    for id in 2..=20 {
        others.push(queue(&scratch, id, "commit"));
        waiting(&scratch, others.len() as u64).await;
    }
    run(&mut first, "commit").await;
    for other in others {
        other.await.unwrap().unwrap();
    }
    let after = scratch.database.stats();
    assert_eq!(
        (after.commits - before.commits, after.syncs - before.syncs),
        (20, 1)
    );
    assert_eq!(integer(&mut first, "select count(*) from entry").await, 20);
}

#[tokio::test]
async fn a_guest_that_is_alone_is_synced_at_once() {
    let (scratch, mut guest) = Scratch::with_entries(Options::default()).await;
    let before = scratch.database.stats();
    for id in 0..50 {
        run(&mut guest, &format!("insert into entry values ({id}, 'x')")).await;
    }
    let after = scratch.database.stats();
    assert_eq!(
        (after.commits - before.commits, after.syncs - before.syncs),
        (50, 50)
    );
}

#[tokio::test]
async fn without_group_commit_every_commit_is_a_sync() {
    let options = Options {
        group_commit: false,
        ..Options::default()
    };
    let (scratch, _guest) = Scratch::with_entries(options).await;
    let mut first = first_of(&scratch, 1).await;
    let others = [queue(&scratch, 2, "commit"), queue(&scratch, 3, "commit")];
    waiting(&scratch, 2).await;
    let before = scratch.database.stats().syncs;
    run(&mut first, "commit").await;
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(scratch.database.stats().syncs - before, 3);
}

#[tokio::test]
async fn who_goes_back_takes_back_only_what_is_his() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = first_of(&scratch, 1).await;
    let others = [
        queue(&scratch, 2, "rollback"),
        queue(&scratch, 3, "commit"),
        queue(&scratch, 4, "rollback"),
    ];
    waiting(&scratch, 3).await;
    run(&mut first, "commit").await;
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3]
    );
}

#[tokio::test]
async fn a_guest_that_vanishes_in_a_batch_leaves_the_others_alone() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = first_of(&scratch, 1).await;
    let mut vanishing = scratch.connect();
    let vanishes = tokio::spawn(async move {
        run(&mut vanishing, "begin").await;
        run(&mut vanishing, "insert into entry values (2, 'trap')").await;
    });
    waiting(&scratch, 1).await;
    let last = queue(&scratch, 3, "commit");
    waiting(&scratch, 2).await;
    run(&mut first, "commit").await;
    vanishes.await.unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3]
    );
    assert_eq!(scratch.database.stats().timeouts, 0);
}

#[tokio::test]
async fn a_slow_guest_in_a_batch_costs_itself_and_a_wait_no_longer_than_its_deadline() {
    let deadline = Duration::from_millis(200);
    let options = Options {
        transaction_deadline: deadline,
        ..Options::default()
    };
    let (scratch, _guest) = Scratch::with_entries(options).await;
    let mut first = first_of(&scratch, 1).await;
    let mut slow = scratch.connect();
    let (wake, woken) = tokio::sync::oneshot::channel::<()>();
    let slow = tokio::spawn(async move {
        run(&mut slow, "begin").await;
        run(&mut slow, "insert into entry values (2, 'slow')").await;
        woken.await.unwrap();
        (
            slow.execute("insert into entry values (5, 'late')", vec![]).await,
            slow.execute("commit", vec![]).await,
        )
    });
    waiting(&scratch, 1).await;
    let behind = [queue(&scratch, 3, "commit"), queue(&scratch, 4, "commit")];
    waiting(&scratch, 3).await;
    let began = Instant::now();
    run(&mut first, "commit").await;
    for other in behind {
        other.await.unwrap().unwrap();
    }
    assert!(began.elapsed() >= deadline / 2, "they waited for the slow one");
    wake.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), (Err(Error::Timeout), Err(Error::Timeout)));
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3, 4]
    );
    assert_eq!(scratch.database.stats().timeouts, 1);
}

#[tokio::test]
async fn a_sync_that_fails_fails_everybody_in_the_batch_and_keeps_nothing() {
    let (armed, options) = failing(|point| point == Point::BeforeSync);
    let (scratch, _guest) = Scratch::with_entries(options).await;
    let mut first = first_of(&scratch, 1).await;
    let others = [
        queue(&scratch, 2, "commit"),
        queue(&scratch, 3, "rollback"),
        queue(&scratch, 4, "commit"),
    ];
    waiting(&scratch, 3).await;
    armed.store(true, SeqCst);
    assert_eq!(refused(&mut first, "commit").await, "made up");
    assert!(!first.in_transaction());
    for other in others {
        // Also who took back its own: what it had read before was never true.
        assert_eq!(other.await.unwrap(), Err(Error::Io("made up".to_owned())));
    }
    armed.store(false, SeqCst);
    assert_eq!(integer(&mut first, "select count(*) from entry").await, 0);
    run(&mut first, "insert into entry values (5, 'again')").await;
    assert_eq!(integers(&mut first, "select id from entry").await, [5]);
}

#[tokio::test]
async fn what_others_have_not_on_disk_yet_is_seen_by_no_reader_and_told_by_no_rollback() {
    let (told, log) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let seen = log.clone();
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(move |point: Point<'_>| {
        if point == Point::BeforeSync {
            seen.lock().unwrap().push("sync");
        }
        Ok(())
    }));
    let (scratch, _guest) = Scratch::with_entries(Options {
        fault: Some(fault),
        ..Options::default()
    })
    .await;
    let mut first = first_of(&scratch, 1).await;
    let (mut looks, answers, mut reader) = (scratch.connect(), told.clone(), scratch.connect());
    let order = log.clone();
    let looks = tokio::spawn(async move {
        run(&mut looks, "begin").await;
        let own = integer(&mut looks, "select count(*) from entry").await;
        // A reader on another connection sees what is on disk, and that is nothing yet.
        let read = integer(&mut reader, "select count(*) from entry").await;
        answers.lock().unwrap().extend([own, read]);
        run(&mut looks, "rollback").await;
        order.lock().unwrap().push("told");
    });
    waiting(&scratch, 1).await;
    log.lock().unwrap().clear();
    run(&mut first, "commit").await;
    looks.await.unwrap();
    assert_eq!(*told.lock().unwrap(), [1, 0]);
    assert_eq!(*log.lock().unwrap(), ["sync", "told"]);
}

#[tokio::test]
async fn a_broken_reference_is_refused_to_whom_it_belongs() {
    let (scratch, mut setup) = Scratch::with_entries(Options::default()).await;
    run(
        &mut setup,
        "create table part (entry_id integer references entry (id) deferrable initially deferred)",
    )
    .await;
    let mut first = first_of(&scratch, 1).await;
    let mut breaks = scratch.connect();
    let breaks = tokio::spawn(async move {
        run(&mut breaks, "begin").await;
        run(&mut breaks, "insert into part values (77)").await;
        let refused = refused(&mut breaks, "commit").await;
        assert!(breaks.in_transaction(), "as SQLite has it");
        run(&mut breaks, "insert into entry values (77, 'mends it')").await;
        run(&mut breaks, "commit").await;
        refused
    });
    waiting(&scratch, 1).await;
    let mut alone = scratch.connect();
    let alone = tokio::spawn(async move { refused(&mut alone, "insert into part values (88)").await });
    waiting(&scratch, 2).await;
    let last = queue(&scratch, 3, "commit");
    waiting(&scratch, 3).await;
    run(&mut first, "commit").await;
    assert_eq!(breaks.await.unwrap(), "FOREIGN KEY constraint failed");
    assert_eq!(alone.await.unwrap(), "FOREIGN KEY constraint failed");
    last.await.unwrap().unwrap();
    assert_eq!(
        integers(&mut setup, "select id from entry order by id").await,
        [1, 3, 77]
    );
    assert_eq!(
        refused(&mut setup, "insert into part values (99)").await,
        "FOREIGN KEY constraint failed",
        "a statement by itself is not put off either"
    );
}

#[tokio::test]
async fn a_setting_of_one_guest_ends_with_its_transaction() {
    let (scratch, mut setup) = Scratch::with_entries(Options::default()).await;
    run(
        &mut setup,
        "create table part (entry_id integer references entry (id))",
    )
    .await;
    let mut first = first_of(&scratch, 1).await;
    let mut defers = scratch.connect();
    let defers = tokio::spawn(async move {
        run(&mut defers, "begin").await;
        run(&mut defers, "pragma defer_foreign_keys = on").await;
        run(&mut defers, "insert into part values (2)").await;
        run(&mut defers, "insert into entry values (2, 'x')").await;
        run(&mut defers, "commit").await;
    });
    waiting(&scratch, 1).await;
    let mut strict = scratch.connect();
    let strict = tokio::spawn(async move {
        run(&mut strict, "begin").await;
        let answer = refused(&mut strict, "insert into part values (3)").await;
        run(&mut strict, "rollback").await;
        answer
    });
    waiting(&scratch, 2).await;
    run(&mut first, "commit").await;
    defers.await.unwrap();
    assert_eq!(strict.await.unwrap(), "FOREIGN KEY constraint failed");
}

#[tokio::test]
async fn savepoints_of_guests_do_not_meet() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = scratch.connect();
    run(&mut first, "savepoint own").await;
    run(&mut first, "insert into entry values (1, 'a')").await;
    let mut second = scratch.connect();
    let second = tokio::spawn(async move {
        run(&mut second, "begin").await;
        assert_eq!(
            refused(&mut second, "rollback to own").await,
            "no such savepoint: own"
        );
        assert_eq!(
            refused(&mut second, "rollback to bodega_turn").await,
            "savepoints of this name are the host's"
        );
        run(&mut second, "savepoint own").await;
        run(&mut second, "insert into entry values (2, 'b')").await;
        run(&mut second, "rollback to own").await;
        run(&mut second, "insert into entry values (3, 'c')").await;
        run(&mut second, "release own").await;
        assert!(second.in_transaction());
        run(&mut second, "commit").await;
    });
    waiting(&scratch, 1).await;
    run(&mut first, "release own").await;
    assert!(!first.in_transaction());
    second.await.unwrap();
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3]
    );
}

#[tokio::test]
async fn what_sqlite_gives_up_in_the_middle_of_a_write_fails_those_who_wait() {
    let options = Options {
        max_database_bytes: Some(1 << 20),
        ..Options::default()
    };
    let (scratch, _guest) = Scratch::with_entries(options).await;
    let mut first = first_of(&scratch, 1).await;
    let mut large = scratch.connect();
    let large = tokio::spawn(async move {
        run(&mut large, "begin").await;
        let answer = large
            .execute("insert into entry values (2, zeroblob(2000000))", vec![])
            .await;
        (answer, large.in_transaction())
    });
    waiting(&scratch, 1).await;
    let last = queue(&scratch, 3, "commit");
    waiting(&scratch, 2).await;
    assert_eq!(
        first.execute("commit", vec![]).await,
        Err(Error::Busy),
        "it may do it again"
    );
    assert_eq!(large.await.unwrap(), (Err(Error::DatabaseFull), false));
    last.await.unwrap().unwrap();
    assert_eq!(integers(&mut first, "select id from entry").await, [3]);
}

#[tokio::test]
async fn a_refused_statement_by_itself_costs_its_batch_nothing() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = first_of(&scratch, 1).await;
    let mut twice = scratch.connect();
    let twice =
        tokio::spawn(async move { refused(&mut twice, "insert into entry values (1, 'again')").await });
    waiting(&scratch, 1).await;
    let last = queue(&scratch, 3, "commit");
    waiting(&scratch, 2).await;
    run(&mut first, "commit").await;
    assert_eq!(twice.await.unwrap(), "UNIQUE constraint failed: entry.id");
    last.await.unwrap().unwrap();
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3]
    );
}

#[tokio::test]
async fn a_change_of_the_schema_waits_for_the_batch_before_it() {
    let (scratch, _guest) = Scratch::with_entries(Options::default()).await;
    let mut first = first_of(&scratch, 1).await;
    let mut alters = scratch.connect();
    let alters = tokio::spawn(async move { run(&mut alters, "create table later (x)").await });
    waiting(&scratch, 1).await;
    let last = queue(&scratch, 3, "commit");
    waiting(&scratch, 2).await;
    run(&mut first, "commit").await;
    alters.await.unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(integer(&mut first, "select count(*) from later").await, 0);
    assert_eq!(
        integers(&mut first, "select id from entry order by id").await,
        [1, 3]
    );
}

/// Sixteen guests, some of whom go back, on several threads: whoever was told of a commit finds it, whoever went back
/// does not, and there are fewer syncs than commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_finds_what_it_was_told() {
    let options = Options {
        sync_takes: Some(Duration::from_millis(2)),
        ..Options::default()
    };
    let (scratch, mut reader) = Scratch::with_entries(options).await;
    let guests = (0..16_i64).map(|number| {
        let mut guest = scratch.connect();
        tokio::spawn(async move {
            for round in 0..30 {
                let id = number * 1000 + round;
                run(&mut guest, "begin").await;
                run(&mut guest, &format!("insert into entry values ({id}, 'x')")).await;
                if round % 5 == 4 {
                    run(&mut guest, "rollback").await;
                    assert_eq!(
                        integer(&mut guest, &format!("select count(*) from entry where id = {id}")).await,
                        0
                    );
                } else {
                    run(&mut guest, "commit").await;
                    assert_eq!(
                        integer(&mut guest, &format!("select count(*) from entry where id = {id}")).await,
                        1
                    );
                }
            }
        })
    });
    for guest in guests.collect::<Vec<_>>() {
        guest.await.unwrap();
    }
    assert_eq!(integer(&mut reader, "select count(*) from entry").await, 16 * 24);
    let stats = scratch.database.stats();
    assert_eq!(stats.commits, 16 * 24 + 1);
    assert!(stats.syncs * 3 < stats.commits, "{stats:?}");
}
