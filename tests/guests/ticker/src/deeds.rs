//! What it does when it is told to, and the notes it takes.

use spin_sdk::key_value::Store;
use spin_sdk::sqlite3::{Connection, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Does what the first word says; anything unknown is nothing.
pub(crate) fn behave(told: &str) -> Result<(), String> {
    let mut words = told.split(' ');
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok()).unwrap_or(0);
    match words.next() {
        Some("fail") => Err("as told".to_owned()),
        Some("trap") => panic!("as told"),
        Some("loop") => endless(),
        Some("sleep") => {
            std::thread::sleep(Duration::from_millis(number(words.next())));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn endless() -> ! {
    let mut round = 0_u64;
    loop {
        round = std::hint::black_box(round.wrapping_add(1));
    }
}

pub(crate) fn store() -> Store {
    Store::open_default().expect("the default store")
}

fn open() -> Connection {
    let connection = Connection::open_default().expect("the default database");
    let create = "create table if not exists note (note_id integer primary key, text text not null)";
    connection.execute(create, &[]).expect("a table");
    connection
}

pub(crate) fn note(text: &str) {
    let text = Value::Text(text.to_owned());
    let inserted = open().execute("insert into note (text) values (?1)", &[text]);
    inserted.expect("a row");
}

pub(crate) fn notes() -> Vec<String> {
    let rows = open().execute("select text from note order by note_id", &[]);
    let text = |row: &spin_sdk::sqlite3::RowResult| row.get::<&str>(0).unwrap_or_default().to_owned();
    rows.expect("rows").rows.iter().map(text).collect()
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "it is what is tested")]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}
