//! Writers that keep their transactions open for long, and relays beside them: no event is overlooked.
//!
//! A sequence and a clock number events in the order in which transactions begin, and they end in another. Whoever
//! goes on behind the highest number seen so far leaves out what was still open then. Only where transactions
//! run side by side, so on Postgres, and past [`Db`], which lets one write after the other: what the relay promises does
//! not lean on that. `BODEGA_EVENTS` says how many events.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bench::PRODUCING;
use kernel::Instant;
use relay::outbox::drain;
use store::{Db, DbError, Driver, Value, params, postgres};
use testkit::servers::Postgres;
use testkit::{NEW_YEAR, seeded};

const WRITERS: usize = 48;

/// Events in one transaction.
const BATCH: usize = 40;

/// A transaction is open so long at most.
const LONGEST_MS: u64 = 500;

/// Writes `count` events, and calls `look` over and over beside it, until all are written and once more.
fn write_beside(address: &str, count: usize, look: impl Fn(&Db) + Sync, looking: usize) {
    let (clock, left) = (AtomicI64::new(0), AtomicUsize::new(count / BATCH));
    let writing = AtomicUsize::new(WRITERS);
    let connect = || postgres::native::open(address, PRODUCING).unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (clock, left, writing) = (&clock, &left, Ending(&writing));
            scope.spawn(move || {
                let _ending = writing;
                let driver = postgres::native::driver(address).unwrap();
                let random = seeded(writer as u64);
                let one_less = |left: usize| left.checked_sub(1);
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                    .is_ok()
                {
                    write(
                        driver.as_ref(),
                        clock,
                        Duration::from_millis(random() % (LONGEST_MS + 1)),
                    );
                }
            });
        }
        for _ in 0..looking {
            scope.spawn(|| {
                let db = connect();
                while writing.load(Ordering::SeqCst) > 0 {
                    look(&db);
                    thread::sleep(Duration::from_millis(5));
                }
                look(&db);
            });
        }
    });
}

/// One writer, counted until it ends, also by a panic.
struct Ending<'a>(&'a AtomicUsize);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One transaction: its events get their time and number when it begins, and are there when it ends.
fn write(driver: &dyn Driver, clock: &AtomicI64, open_for: Duration) {
    let first = clock.fetch_add(BATCH as i64, Ordering::Relaxed);
    let places: Vec<String> = (0..BATCH)
        .map(|event| {
            format!(
                "(?{}, 'payment.completed', '17', ?{}, '{{}}')",
                2 * event + 1,
                2 * event + 2
            )
        })
        .collect();
    let values: Vec<Value> = (first..first + BATCH as i64)
        .flat_map(|number| {
            [
                format!("e{number}").into(),
                Value::from(NEW_YEAR.micros() + number),
            ]
        })
        .collect();
    let statement = format!(
        "insert into outbox (event_id, topic, key, occurred_at, data) values {}",
        places.join(", ")
    );
    let attempt = || {
        // Another word than the driver's own, behind which it would wait for its turn.
        driver.execute("begin transaction isolation level serializable", params![])?;
        driver.execute(&statement, &values)?;
        thread::sleep(open_for);
        driver.execute("commit", params![])
    };
    while let Err(error) = attempt() {
        assert!(matches!(error, DbError::Serialization), "{error}");
        driver.execute("rollback", params![]).unwrap();
    }
}

/// What came of it, by position.
#[derive(Default)]
struct Taken(Mutex<BTreeMap<u64, String>>);

impl Taken {
    /// A relay as it runs: until nothing is due, and acknowledging what came without a gap.
    fn relay(&self, db: &Db) {
        loop {
            let acknowledged = self.contiguous();
            let due = match drain(db, NEW_YEAR, acknowledged, 1_000) {
                Ok(due) if due.is_empty() => return,
                // The other one is at it all the time; a relay is asked again anyhow.
                Err(DbError::Busy) => continue,
                due => due.unwrap(),
            };
            let mut taken = self.0.lock().unwrap();
            for delivery in due {
                let before = taken.insert(delivery.event.position, delivery.event.id);
                assert_eq!(
                    before, None,
                    "position {} was given twice",
                    delivery.event.position
                );
            }
        }
    }

    /// Up to here everything came.
    fn contiguous(&self) -> u64 {
        let taken = self.0.lock().unwrap();
        let last = taken.last_key_value().map_or(0, |(last, _)| *last);
        // Relays take turns, so hardly anything is missing below the last.
        if taken.len() as u64 == last { last } else { 0 }
    }

    fn judge(&self, count: usize) {
        let taken = self.0.lock().unwrap();
        let positions: Vec<u64> = taken.keys().copied().collect();
        assert_eq!(positions, (1..=count as u64).collect::<Vec<_>>(), "without a gap");
        let mut events: Vec<&String> = taken.values().collect();
        events.sort();
        events.dedup();
        assert_eq!(events.len(), count, "each event once");
    }
}

/// What a relay must not be: it remembers the time of the last event it saw, and goes on behind it.
#[derive(Default)]
struct Cursor(Mutex<(i64, usize)>);

impl Cursor {
    fn relay(&self, db: &Db) {
        let mut seen = self.0.lock().unwrap();
        let statement = "select occurred_at from outbox where occurred_at > ?1 order by occurred_at";
        let rows = db.read(statement, params![seen.0]).unwrap();
        if let Some(last) = rows.last() {
            *seen = (last.get("occurred_at").unwrap(), seen.1 + rows.len());
        }
    }
}

fn database() -> Option<(Postgres, String)> {
    let cluster = Postgres::start()?;
    cluster.provision();
    let address = cluster.shop_address("payment");
    drop(postgres::native::open(&address, PRODUCING).unwrap());
    Some((cluster, address))
}

fn count() -> usize {
    let asked = std::env::var("BODEGA_EVENTS").ok();
    let count = asked.map_or(100_000, |text| text.parse().expect("BODEGA_EVENTS is a number"));
    count / BATCH * BATCH
}

#[test]
fn every_event_gets_one_position_however_long_its_transaction_was_open() {
    let Some((_cluster, address)) = database() else {
        return;
    };
    let taken = Taken::default();
    write_beside(&address, count(), |db| taken.relay(db), 2);
    taken.judge(count());
    let db = postgres::native::open(&address, PRODUCING).unwrap();
    let row = db.read_one(
        "select last_position, (select count(*) from outbox where position is null) as waiting from outbox_relay",
        params![],
    );
    let row = row.unwrap().unwrap();
    let found: (i64, i64) = (row.get("last_position").unwrap(), row.get("waiting").unwrap());
    assert_eq!(found, (count() as i64, 0));
    let later = Instant::from_micros(NEW_YEAR.micros() + 1);
    assert!(drain(&db, later, count() as u64, 1_000).unwrap().is_empty());
}

/// The test above would see it: this one shows that the writers make it hard enough.
#[test]
fn who_goes_by_the_clock_overlooks_events() {
    let Some((_cluster, address)) = database() else {
        return;
    };
    let cursor = Cursor::default();
    let count = WRITERS * BATCH * 4;
    write_beside(&address, count, |db| cursor.relay(db), 1);
    let seen = cursor.0.lock().unwrap().1;
    assert!(
        seen < count,
        "all {count} events were seen in their order of beginning"
    );
}
