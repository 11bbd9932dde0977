//! Redis commands as a guest names them.

use crate::BrokerError;
use redis::{Cmd, Value};

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisArgument {
    /// A number, sent as its decimal digits.
    Int(i64),
    /// Bytes, sent as they are.
    Binary(Vec<u8>),
}

/// One value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisValue {
    /// Nothing: the key is absent.
    Nil,
    /// A word of the server, such as `OK`.
    Status(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Binary(Vec<u8>),
}

/// What would change the shared connection, or make everybody on it wait.
#[rustfmt::skip]
const NOT_SHARED: [&str; 40] = [
    "AUTH", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "CLIENT",
    "DEBUG", "DISCARD", "EXEC", "FAILOVER", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE",
    "QUIT", "READONLY", "READWRITE", "REPLCONF", "REPLICAOF", "RESET", "ASKING", "SELECT", "SHUTDOWN", "SLAVEOF",
    "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WAITAOF", "WATCH",
    "SWAPDB",
];

/// Those that wait only when they are told to.
const BLOCK: [&str; 2] = ["XREAD", "XREADGROUP"];

/// A command that may go over the shared connection.
pub(super) fn build(name: &str, arguments: &[RedisArgument]) -> Result<Cmd, BrokerError> {
    let upper = name.to_ascii_uppercase();
    let waits = BLOCK.contains(&upper.as_str())
        && arguments.iter().any(
            |argument| matches!(argument, RedisArgument::Binary(word) if word.eq_ignore_ascii_case(b"BLOCK")),
        );
    if waits || NOT_SHARED.contains(&upper.as_str()) {
        return Err(BrokerError::NotShared { command: upper });
    }
    let mut command = redis::cmd(name);
    for argument in arguments {
        match argument {
            RedisArgument::Int(number) => command.arg(*number),
            RedisArgument::Binary(bytes) => command.arg(&bytes[..]),
        };
    }
    Ok(command)
}

/// The values of an answer, nested lists laid flat.
pub(super) fn flatten(value: Value) -> Result<Vec<RedisValue>, String> {
    let mut values = Vec::new();
    append(&mut values, value)?;
    Ok(values)
}

fn append(values: &mut Vec<RedisValue>, value: Value) -> Result<(), String> {
    values.push(match value {
        Value::Nil => RedisValue::Nil,
        Value::Int(number) => RedisValue::Int(number),
        Value::BulkString(bytes) => RedisValue::Binary(bytes),
        Value::SimpleString(word) => RedisValue::Status(word),
        Value::Okay => RedisValue::Status("OK".to_owned()),
        Value::Array(list) => return list.into_iter().try_for_each(|value| append(values, value)),
        Value::ServerError(error) => return Err(error.to_string()),
        // The other kinds belong to a newer protocol that is not asked for.
        _ => return Err("the answer has a value of an unknown kind".to_owned()),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> RedisArgument {
        RedisArgument::Binary(text.into())
    }

    #[test]
    fn commands_that_would_disturb_others_are_refused() {
        for name in NOT_SHARED {
            assert!(build(name, &[]).is_err(), "{name}");
            assert!(build(&name.to_lowercase(), &[]).is_err(), "{name}");
        }
        assert!(build("xread", &[word("block"), RedisArgument::Int(0)]).is_err());
        assert!(build("xread", &[word("COUNT"), RedisArgument::Int(1)]).is_ok());
        assert!(build("GET", &[word("BLOCK")]).is_ok());
    }

    #[test]
    fn lists_in_lists_are_laid_flat() {
        let value = Value::Array(vec![
            Value::Okay,
            Value::Array(vec![Value::Int(1), Value::Nil]),
            Value::BulkString(vec![0, 255]),
        ]);
        let expected = [
            RedisValue::Status("OK".to_owned()),
            RedisValue::Int(1),
            RedisValue::Nil,
            RedisValue::Binary(vec![0, 255]),
        ];
        assert_eq!(flatten(value).unwrap(), expected);
        assert!(flatten(Value::Boolean(true)).is_err());
    }
}
