//! Publishes, and tries every command.

use crate::Query;
use spin_sdk::redis::{Connection, Error, RedisParameter};

/// Sends `text` as often as asked for, or one message of `size` bytes.
pub(crate) fn publish(query: &Query) -> String {
    let word = |name: &str| query.get(name).cloned().unwrap_or_default();
    let sent = || -> Result<(), Error> {
        let connection = Connection::open(&word("address"))?;
        if let Ok(size) = word("size").parse() {
            return connection.publish(&word("channel"), &vec![b'x'; size]);
        }
        for count in 0..word("times").parse().unwrap_or(1) {
            let text = word("text").replace("{}", &format!("{count}"));
            connection.publish(&word("channel"), text.as_bytes())?;
        }
        Ok(())
    };
    format!("{:?}", sent())
}

/// What every command answers, one to a line.
pub(crate) fn commands(address: &str) -> String {
    let connection = match Connection::open(address) {
        Ok(connection) => connection,
        Err(error) => return format!("{error:?}"),
    };
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|&word| word.to_owned()).collect() };
    let binary = |text: &str| RedisParameter::Binary(text.as_bytes().to_vec());
    [
        format!("{:?}", connection.get("none")),
        format!("{:?}", connection.set("key", b"\x00v")),
        format!("{:?}", connection.get("key")),
        format!("{:?}", connection.incr("count")),
        format!("{:?}", connection.incr("key").is_err()),
        format!("{:?}", connection.sadd("set", &words(&["a", "b", "a"]))),
        format!("{:?}", connection.smembers("set").map(|members| members.len())),
        format!("{:?}", connection.srem("set", &words(&["a", "c"]))),
        format!("{:?}", connection.smembers("set")),
        format!("{:?}", connection.del(&words(&["key", "count", "none"]))),
        format!("{:?}", connection.sadd("none", &[]).is_err()),
        format!(
            "{:?}",
            connection.execute("SET", &[binary("number"), RedisParameter::Int64(-5)])
        ),
        format!(
            "{:?}",
            connection.execute("MGET", &[binary("number"), binary("none")])
        ),
        format!(
            "{:?}",
            connection.execute("INCRBY", &[binary("number"), RedisParameter::Int64(7)])
        ),
        format!("{:?}", connection.execute("SUBSCRIBE", &[binary("x")]).is_err()),
    ]
    .join("\n")
}
