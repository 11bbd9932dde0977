//! Tries capabilities and says in words how that went.

use crate::Query;
use spin_sdk::http::{self, Request, Response};
use spin_sdk::key_value::Store;
use spin_sdk::sqlite3::Connection;
use spin_sdk::variables;
use spin_sdk::wit::wasi::config::store as config;
use spin_sdk::wit::wasi::keyvalue::{atomics, batch, store};
use std::fmt::Debug;

/// Tries one, or answers `None` when there is none of that name.
pub(crate) async fn run(action: &str, query: &Query) -> Option<String> {
    let word = |name: &str| query.get(name).cloned().unwrap_or_default();
    let answer = match action {
        "sqlite-open" => said(Connection::open(&word("label")).map(|_| ())),
        "sqlite-old" => said(spin_sdk::sqlite::Connection::open(&word("label")).map(|_| ())),
        "sqlite-row" => rows(),
        "kv-open" => said(Store::open(&word("label")).map(|_| ())),
        "kv-set" => said(default_store().set(&word("key"), word("value").as_bytes())),
        "kv-get" => said(default_store().get(&word("key")).map(text)),
        "kv-atomics" => atomically(),
        "variable" => said(variables::get(&word("name"))),
        "config" => said(config::get(&word("name"))),
        "config-all" => said(config::get_all()),
        "fetch" => fetch(&word("url")).await,
        "env" => said::<_, ()>(Ok(std::env::vars().collect::<Vec<_>>())),
        "read" => said(std::fs::read_to_string(word("path")).map_err(|error| error.kind())),
        "write" => said(std::fs::write(word("path"), "x").map_err(|error| error.kind())),
        _ => return None,
    };
    Some(answer)
}

fn said<T: Debug, E: Debug>(result: Result<T, E>) -> String {
    format!("{result:?}")
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn default_store() -> Store {
    Store::open_default().expect("the default store")
}

/// One row with every kind of value, and what the connection remembers of an insert.
fn rows() -> String {
    let connection = Connection::open_default().expect("the default database");
    let run = |sql: &str| connection.execute(sql, &[]).expect("a statement");
    run("create table if not exists kind (id integer primary key, text text)");
    run("insert into kind (text) values ('one'), ('two')");
    let changes = connection.changes();
    let read = run("select 1 as i, 1.5 as r, 'text' as t, x'00ff' as b, null as n");
    format!("{changes} {:?} {:?}", read.columns, read.rows[0].values)
}

fn atomically() -> String {
    let bucket = store::open("default").expect("the default store");
    let first = atomics::increment(&bucket, "counter", 2);
    let second = atomics::increment(&bucket, "counter", 3);
    bucket.set("text", b"no counter").expect("a value");
    let spoilt = atomics::increment(&bucket, "text", 1).is_err();
    let after = atomics::increment(&bucket, "counter", 1);
    let seen = atomics::Cas::new(&bucket, "text").expect("a value");
    let current = seen.current().map(text);
    bucket.set("text", b"changed").expect("a value");
    let late = match atomics::swap(seen, b"late") {
        Err(atomics::CasError::CasFailed(again)) => format!("{:?}", atomics::swap(again, b"won").is_ok()),
        other => format!("{:?}", other.is_ok()),
    };
    let many = batch::get_many(&bucket, &["text".to_owned(), "none".to_owned()]).map(|pairs| {
        pairs
            .into_iter()
            .map(|(_, value)| text(value))
            .collect::<Vec<_>>()
    });
    format!("{first:?} {second:?} spoilt={spoilt} {after:?} {current:?} retried={late} {many:?}")
}

/// Sends a GET; the header goes along so that the other side can show what arrives.
async fn fetch(url: &str) -> String {
    let request = Request::get(url)
        .header("spin-client-addr", "6.6.6.6:6")
        .header("x-probe", "1")
        .build();
    let sent: Result<Response, _> = http::send(request).await;
    match sent {
        Ok(response) => format!(
            "{}\n{}",
            response.status(),
            String::from_utf8_lossy(response.body())
        ),
        Err(error) => format!("{error:?}"),
    }
}
