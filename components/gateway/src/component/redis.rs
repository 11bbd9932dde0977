//! Limits in a Redis, for replicas that share them.

use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

use crate::limit::gcra::{Quota, Taken};
use crate::limit::{Class, Fingerprint, Table, script};

/// The Redis at an address; connected at its first use.
pub(super) struct Redis<'a>(pub(super) &'a str);

impl Redis<'_> {
    fn run(&self, command: &str, arguments: Vec<String>) -> Result<Vec<RedisResult>, String> {
        let connection = Connection::open(self.0).map_err(text)?;
        let arguments = arguments
            .into_iter()
            .map(|text| RedisParameter::Binary(text.into_bytes()));
        let arguments: Vec<_> = arguments.collect();
        connection.execute(command, &arguments).map_err(text)
    }
}

/// The address is not repeated: there may be a password in it.
fn text(error: Error) -> String {
    match error {
        Error::InvalidAddress => "the address of Redis is not one, or was not granted".to_owned(),
        Error::TooManyConnections => "too many connections to Redis".to_owned(),
        Error::TypeError => "Redis keeps something else there".to_owned(),
        Error::Other(story) => story,
    }
}

impl Table for Redis<'_> {
    fn take(&self, client: Fingerprint, class: Class, quota: Quota) -> Result<Taken, String> {
        let keys = script::keys(client, class);
        let head = [script::SCRIPT.to_owned(), keys.len().to_string()];
        let arguments = head.into_iter().chain(keys).chain(script::arguments(quota));
        let reply = self.run("EVAL", arguments.collect())?;
        let number = |value: &RedisResult| match value {
            RedisResult::Int64(number) => Some(*number),
            RedisResult::Nil | RedisResult::Status(_) | RedisResult::Binary(_) => None,
        };
        let numbers: Option<Vec<i64>> = reply.iter().map(number).collect();
        numbers
            .and_then(|numbers| script::taken(&numbers, quota))
            .ok_or_else(|| "Redis gave a strange answer".to_owned())
    }

    fn refused(&self, class: Class) -> Result<i64, String> {
        match self.run("GET", vec![script::counter(class)])?.as_slice() {
            [RedisResult::Nil] => Ok(0),
            [RedisResult::Binary(bytes)] => {
                let number = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                number.ok_or_else(|| "Redis keeps something else there".to_owned())
            }
            _ => Err("Redis gave a strange answer".to_owned()),
        }
    }
}
