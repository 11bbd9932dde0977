//! The brokers, one file each.

mod jetstream_setup;

pub(crate) mod jetstream;
pub(crate) mod local;
pub(crate) mod nats;
pub(crate) mod redis;
mod redis_command;

pub(crate) use local::Buses;
pub(crate) use nats::NatsLink;
pub(crate) use redis::RedisLink;
pub use redis_command::{RedisArgument, RedisValue};
