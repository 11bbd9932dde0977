//! What the guests do until the power goes: the recorded run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use fastrand::Rng;
use sqlite::{Connection, Database, Error, Options, Rows, Synchronous, Value};
use tempfile::TempDir;

use crate::log::{Event, Log};
use crate::vfs::register;

pub(crate) const DATABASE: &str = "shop.db";
const ACCOUNTS: i64 = 64;
const BALANCE: i64 = 1_000;

/// A committing turn of guest g writes either one row of `single` or one row of `opening` and all
/// that belongs to it, so that each of the two tells if the others are missing.
const TABLES: [&str; 6] = [
    "create table single (guest integer not null, turn integer not null, unique (guest, turn))",
    "create table opening (guest integer not null, turn integer not null, source integer not null, \
     target integer not null, amount integer not null, parcel integer not null, unique (guest, turn))",
    "create table part (guest integer not null, turn integer not null, n integer not null, \
     label text not null, primary key (guest, turn, n)) without rowid",
    "create index part_by_label on part (label)",
    "create table parcel (guest integer primary key, turn integer not null, body blob not null)",
    "create table closing (guest integer not null, turn integer not null, parts integer not null, \
     unique (guest, turn))",
];

/// A run of the shop: how it is made durable and how much is done.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) synchronous: Synchronous,
    pub(crate) guests: u32,
    /// Commits of each guest.
    pub(crate) turns: u32,
    pub(crate) seed: u64,
}

/// A folder in memory where there is one: what it holds needs to survive nothing.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
    .unwrap()
}

/// Lets the guests work, with a restart after a quarter of it, and answers what happened.
pub(crate) fn record(plan: Plan) -> Vec<Event> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let vfs = format!("power-{}", RUNS.fetch_add(1, Relaxed));
    let log = Arc::new(Log::default());
    register(&vfs, log.clone());
    let folder = folder();
    let options = Options {
        synchronous: plan.synchronous,
        queue_timeout: Duration::from_secs(300),
        transaction_deadline: Duration::from_secs(300),
        vfs: Some(vfs),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    let first = plan.turns / 4;
    for turns in [1..first + 1, first + 1..plan.turns + 1] {
        let database = Database::open(&folder.path().join(DATABASE), options.clone()).unwrap();
        runtime.block_on(async {
            if turns.start == 1 {
                furnish(&mut database.connect(), &log).await;
            }
            let guests: Vec<_> = (1..=plan.guests)
                .map(|number| {
                    let rng = Rng::with_seed(plan.seed ^ (u64::from(number) << 32) ^ u64::from(turns.start));
                    let guest = Guest {
                        database: database.clone(),
                        log: log.clone(),
                        number,
                        rng,
                    };
                    tokio::spawn(guest.work(turns.clone()))
                })
                .collect();
            for guest in guests {
                guest.await.unwrap();
            }
            database.close().await;
        });
    }
    log.take()
}

/// Makes the tables in one transaction, which stands in the log as the first turn of guest 0.
async fn furnish(connection: &mut Connection, log: &Log) {
    run(connection, "begin", []).await;
    for table in TABLES {
        run(connection, table, []).await;
    }
    run(
        connection,
        "create table account (id integer primary key, start integer not null, balance integer not null, note text not null)",
        [],
    )
    .await;
    for id in 0..ACCOUNTS {
        let note = Value::Text("account ".repeat(25));
        let row = [number(id), number(BALANCE), number(BALANCE), note];
        run(connection, "insert into account values (?, ?, ?, ?)", row).await;
    }
    run(connection, "insert into single values (0, 1)", []).await;
    run(connection, "commit", []).await;
    log.acknowledge(0, 1);
}

/// One more commit, after a cut: whoever finds the database can go on with it.
pub(crate) async fn go_on(connection: &mut Connection) -> Result<(), Error> {
    for sql in [
        "begin",
        "delete from parcel",
        "rollback",
        "insert into single values (0, 2)",
    ] {
        connection.execute(sql, Vec::new()).await?;
    }
    Ok(())
}

/// The bytes of a big row: the same everywhere, so that a page of another one is noticed.
pub(crate) fn body(guest: i64, turn: i64) -> u8 {
    u8::try_from((guest * 31 + turn) % 251).unwrap()
}

struct Guest {
    database: Database,
    log: Arc<Log>,
    number: u32,
    rng: Rng,
}

impl Guest {
    async fn work(mut self, turns: std::ops::Range<u32>) {
        let mut connection = self.database.connect();
        for turn in turns {
            match self.rng.u8(..8) {
                0 => {
                    self.transfer(&mut connection, -i64::from(turn)).await;
                    run(&mut connection, "rollback", []).await;
                }
                1 => {
                    self.transfer(&mut connection, -i64::from(turn)).await;
                    connection = self.database.connect();
                }
                2 => balanced(&mut connection).await,
                _ => {}
            }
            if self.rng.u8(..4) == 0 {
                let row = [number(self.number.into()), number(turn.into())];
                run(&mut connection, "insert into single values (?, ?)", row).await;
            } else {
                self.transfer(&mut connection, turn.into()).await;
                run(&mut connection, "commit", []).await;
            }
            self.log.acknowledge(self.number, turn);
        }
    }

    /// A transaction up to its end, which is the caller's. Turns that are not to stay are negative.
    async fn transfer(&mut self, connection: &mut Connection, turn: i64) {
        let key = || [number(self.number.into()), number(turn)];
        let (source, target) = (self.rng.i64(..ACCOUNTS), self.rng.i64(..ACCOUNTS));
        let (amount, parts) = (self.rng.i64(1..50), self.rng.i64(1..4));
        let parcel = if self.rng.bool() {
            self.rng.i64(5_000..60_000)
        } else {
            0
        };
        run(connection, "begin", []).await;
        let row = key()
            .into_iter()
            .chain([source, target, amount, parcel].map(number));
        run(connection, "insert into opening values (?, ?, ?, ?, ?, ?)", row).await;
        for (account, change) in [(source, -amount), (target, amount)] {
            let update = "update account set balance = balance + ? where id = ?";
            run(connection, update, [number(change), number(account)]).await;
        }
        for n in 0..parts {
            let label = Value::Text(format!("{:016x}", self.rng.u64(..)).repeat(4));
            let row = key().into_iter().chain([number(n), label]);
            run(connection, "insert into part values (?, ?, ?, ?)", row).await;
        }
        if parcel > 0 {
            let bytes = vec![body(self.number.into(), turn.abs()); usize::try_from(parcel).unwrap()];
            let row = key().into_iter().chain([Value::Blob(bytes)]);
            run(connection, "insert or replace into parcel values (?, ?, ?)", row).await;
        }
        let row = key().into_iter().chain([number(parts)]);
        run(connection, "insert into closing values (?, ?, ?)", row).await;
    }
}

/// Whatever the others do meanwhile, a reader sees no half of a transfer.
async fn balanced(connection: &mut Connection) {
    let sum = run(connection, "select sum(balance) from account", []).await;
    assert_eq!(sum.rows, [[number(ACCOUNTS * BALANCE)]]);
}

fn number(value: i64) -> Value {
    Value::Integer(value)
}

async fn run(connection: &mut Connection, sql: &str, params: impl IntoIterator<Item = Value>) -> Rows {
    let params = params.into_iter().collect();
    connection
        .execute(sql, params)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}
