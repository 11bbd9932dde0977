//! What a component should not do, and must be able to do without harm to others.

use crate::Query;
use spin_sdk::sqlite3::{Connection, Value};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Does the deed and, when that is possible, says so.
pub(crate) fn run(action: &str, query: &Query) -> Option<String> {
    match action {
        "trap" => panic!("as asked"),
        "loop" => endless(),
        "memory" => bomb(),
        "sleep" => Some(sleep(millis(query))),
        "burn" => Some(burn(millis(query))),
        "print" => Some(print()),
        "tx-trap" => {
            begin_and_insert();
            panic!("inside a transaction")
        }
        "tx-loop" => {
            begin_and_insert();
            endless()
        }
        "tx-leave-open" => {
            // Forgetting it leaves closing it to the host.
            std::mem::forget(begin_and_insert());
            Some("left open".to_owned())
        }
        "tx-commit" => {
            let connection = begin_and_insert();
            Some(format!("{:?}", connection.execute("commit", &[]).map(|_| ())))
        }
        "tx-count" => Some(count()),
        "remember" => Some(remember()),
        _ => None,
    }
}

/// How often this very instance was asked.
fn remember() -> String {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    (TIMES.fetch_add(1, Relaxed) + 1).to_string()
}

fn millis(query: &Query) -> Duration {
    let ms = query.get("ms").and_then(|ms| ms.parse().ok());
    Duration::from_millis(ms.unwrap_or(0))
}

fn endless() -> ! {
    let mut round = 0_u64;
    loop {
        round = std::hint::black_box(round.wrapping_add(1));
    }
}

fn bomb() -> Option<String> {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

fn sleep(time: Duration) -> String {
    std::thread::sleep(time);
    format!("slept {} ms", time.as_millis())
}

fn burn(time: Duration) -> String {
    let started = Instant::now();
    let mut rounds = 0_u64;
    while started.elapsed() < time {
        for _ in 0..100_000 {
            rounds = std::hint::black_box(rounds.wrapping_add(1));
        }
    }
    format!("burnt {} ms", time.as_millis())
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "it is what is tested")]
fn print() -> String {
    println!("said aloud");
    eprintln!("muttered");
    "printed".to_owned()
}

fn open() -> Connection {
    let connection = Connection::open_default().expect("the default database");
    let create = "create table if not exists note (text text not null)";
    connection.execute(create, &[]).expect("a table");
    connection
}

fn begin_and_insert() -> Connection {
    let connection = open();
    connection.execute("begin immediate", &[]).expect("a transaction");
    let insert = "insert into note (text) values (?1)";
    let text = Value::Text("hello".to_owned());
    connection.execute(insert, &[text]).expect("a row");
    connection
}

fn count() -> String {
    let rows = open()
        .execute("select count(*) from note", &[])
        .expect("a count")
        .rows;
    match rows.first().and_then(|row| row.values.first()) {
        Some(Value::Integer(count)) => count.to_string(),
        other => format!("{other:?}"),
    }
}
