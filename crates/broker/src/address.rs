//! Where messages go.

mod nats;
mod redis;

use std::fmt;
use std::str::FromStr;

pub(crate) use nats::Server;
pub use nats::{JetStream, NatsAddress, Sharing};
pub use redis::RedisAddress;

/// Where messages go, parsed from an address. `Debug` and `Display` show no password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// `local://NAME[:0]`: a bus inside this process. Spin wants a port in every address that a manifest
    /// has, so there is one that says nothing.
    Local(String),
    /// `redis://[[USER]:PASSWORD@]HOST[:6379][/DATABASE]`.
    Redis(RedisAddress),
    /// `nats://[USER:PASSWORD@]HOST[:4222][?queue=GROUP]`, or with a stream
    /// `?stream=NAME[&durable=NAME][&max_deliver=10][&ack_wait_ms=30000]`.
    Nats(NatsAddress),
}

/// Why an address can't be used. Never repeats the address, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with nothing that is known.
    #[error("an address of a broker begins with local://, redis:// or nats://")]
    Scheme,
    /// It asks for an encrypted connection, which this program can't make.
    #[error("{0}:// is not built in: use a plain address inside a network that you trust")]
    NoTls(&'static str),
    /// It can't be read as what it says it is.
    #[error("the address is not {expected}")]
    Malformed {
        /// What it should look like.
        expected: &'static str,
    },
    /// A parameter that isn't known, or not in this combination.
    #[error("the parameter {name:?} of the address {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        match scheme {
            "local" => local(rest).map(Self::Local),
            "redis" => RedisAddress::parse(text).map(Self::Redis),
            "nats" => NatsAddress::parse(text).map(Self::Nats),
            "rediss" => Err(AddressError::NoTls("rediss")),
            "tls" => Err(AddressError::NoTls("tls")),
            _ => Err(AddressError::Scheme),
        }
    }
}

fn local(place: &str) -> Result<String, AddressError> {
    let name = place.strip_suffix(":0").unwrap_or(place);
    if is_name(name) {
        Ok(name.to_owned())
    } else {
        Err(AddressError::Malformed {
            expected: "local:// and a name of letters, digits, - and _",
        })
    }
}

/// Names of buses, streams, groups and durable consumers: what NATS takes everywhere.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What `%41` and the like stand for; nothing when that is not text.
fn decoded(part: &str) -> Option<String> {
    percent_encoding::percent_decode_str(part)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(name) => write!(f, "local://{name}"),
            Self::Redis(address) => address.fmt(f),
            Self::Nats(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
