//! `fermyon:spin/redis@2.0.0`: publishing to a broker, and the commands of Redis.
//!
//! An address that means another broker, `local://NAME` or `nats://HOST`, publishes there, so that the
//! same component runs on each of them; it knows no commands. Opening a connection connects nothing yet:
//! connections are the broker's own and outlive the instance, and what is wrong with one shows at its
//! first use.

use super::MAX_HANDLES;
use crate::faults::Kind;
use crate::state::State;
use crate::trace::{self, Place, Published, Span};
use bindings::spin2::redis::{Connection, Error, Host, HostConnection, RedisParameter, RedisResult};
use broker::{Address, RedisArgument, RedisValue};
use bytes::Bytes;
use wasmtime::Result;
use wasmtime::component::Resource;

/// An open connection.
struct Handle(Address);

type Answer<T> = Result<std::result::Result<T, Error>>;

/// The spans of what a broker is asked for.
enum Asked {
    Command(Box<Span>),
    Published(Published),
}

impl Asked {
    fn fail(&mut self) {
        match self {
            Self::Command(span) => span.fail("the command failed"),
            Self::Published(published) => published.fail(),
        }
    }
}

fn asks(command: &str) -> impl FnOnce(&Place, &Address) -> Asked {
    move |place, _| Asked::Command(Box::new(place.begin(|| trace::redis(command))))
}

fn publishes(channel: &str, payload: &Bytes) -> impl FnOnce(&Place, &Address) -> Asked {
    let payload = payload.clone();
    move |place, address| Asked::Published(Published::begin(place, trace::system(address), channel, &payload))
}

impl State {
    /// Publishes or runs a command, with the faults asked before and after it.
    async fn on_broker<T>(
        &mut self,
        this: &Resource<Connection>,
        detail: &str,
        described: impl FnOnce(&Place, &Address) -> Asked,
        act: impl AsyncFnOnce(&broker::Broker, &Address) -> std::result::Result<T, broker::BrokerError>,
    ) -> Answer<T> {
        if let Some(text) = self.before(Kind::Publish, detail).await? {
            return Ok(Err(Error::Other(text)));
        }
        let Ok(handle) = self.table.get(&Resource::<Handle>::new_borrow(this.rep())) else {
            let text = "could not find connection for resource".to_owned();
            return Ok(Err(Error::Other(text)));
        };
        let address = handle.0.clone();
        let mut span = described(&self.place, &address);
        let done = act(&self.app.broker, &address).await;
        if done.is_err() {
            span.fail();
        }
        drop(span);
        if let Some(text) = self.after(Kind::Publish, detail).await? {
            return Ok(Err(Error::Other(text)));
        }
        Ok(done.map_err(|error| Error::Other(error.to_string())))
    }

    /// Runs a command and reads its reply.
    async fn command<T>(
        &mut self,
        this: &Resource<Connection>,
        name: &str,
        arguments: Vec<Vec<u8>>,
        read: impl FnOnce(Vec<RedisValue>) -> Option<T>,
    ) -> Answer<T> {
        let arguments = arguments.into_iter().map(RedisArgument::Binary).collect();
        let reply = self
            .on_broker(this, name, asks(name), async |broker, address| {
                broker.command(address, name, arguments).await
            })
            .await?;
        Ok(reply.and_then(|values| {
            let strange = || Error::Other(format!("{name} has an answer of another type than it should"));
            read(values).ok_or_else(strange)
        }))
    }
}

/// A reply of one value.
fn one(values: Vec<RedisValue>) -> Option<RedisValue> {
    let mut values = values.into_iter();
    values.next().filter(|_| values.len() == 0)
}

fn number<T: TryFrom<i64>>(values: Vec<RedisValue>) -> Option<T> {
    match one(values)? {
        RedisValue::Int(number) => number.try_into().ok(),
        RedisValue::Nil | RedisValue::Status(_) | RedisValue::Binary(_) => None,
    }
}

fn value(values: Vec<RedisValue>) -> Option<Option<Vec<u8>>> {
    match one(values)? {
        RedisValue::Nil => Some(None),
        RedisValue::Binary(bytes) => Some(Some(bytes)),
        RedisValue::Int(_) | RedisValue::Status(_) => None,
    }
}

fn texts(values: Vec<RedisValue>) -> Option<Vec<String>> {
    let text = |value| match value {
        RedisValue::Binary(bytes) => String::from_utf8(bytes).ok(),
        RedisValue::Nil | RedisValue::Int(_) | RedisValue::Status(_) => None,
    };
    values.into_iter().map(text).collect()
}

/// A command's arguments: the key, then the values.
fn after_key(key: String, values: Vec<String>) -> Vec<Vec<u8>> {
    let all = std::iter::once(key).chain(values);
    all.map(String::into_bytes).collect()
}

impl Host for State {}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<Connection>> {
        if let Some(text) = self.before(Kind::Publish, &address).await? {
            return Ok(Err(Error::Other(text)));
        }
        if !self.guest.hosts.check_address(&address, "redis") {
            tracing::warn!(
                component = %self.guest.id,
                "a connection was refused: its address is not in allowed_outbound_hosts"
            );
            return Ok(Err(Error::InvalidAddress));
        }
        let Ok(address) = Address::parse(&address) else {
            return Ok(Err(Error::InvalidAddress));
        };
        if self.open_handles >= MAX_HANDLES {
            return Ok(Err(Error::TooManyConnections));
        }
        let handle = self.table.push(Handle(address))?;
        self.open_handles += 1;
        Ok(Ok(Resource::new_own(handle.rep())))
    }

    async fn publish(&mut self, this: Resource<Connection>, channel: String, payload: Vec<u8>) -> Answer<()> {
        let payload = Bytes::from(payload);
        let published = self
            .on_broker(
                &this,
                &channel,
                publishes(&channel, &payload),
                async |broker, address| broker.publish(address, &channel, payload.clone()).await,
            )
            .await?;
        Ok(published.map(|_receivers| ()))
    }

    async fn get(&mut self, this: Resource<Connection>, key: String) -> Answer<Option<Vec<u8>>> {
        self.command(&this, "GET", vec![key.into_bytes()], value).await
    }

    async fn set(&mut self, this: Resource<Connection>, key: String, value: Vec<u8>) -> Answer<()> {
        self.command(&this, "SET", vec![key.into_bytes(), value], |values| {
            one(values).map(drop)
        })
        .await
    }

    async fn incr(&mut self, this: Resource<Connection>, key: String) -> Answer<i64> {
        self.command(&this, "INCR", vec![key.into_bytes()], number).await
    }

    async fn del(&mut self, this: Resource<Connection>, keys: Vec<String>) -> Answer<u32> {
        let keys = keys.into_iter().map(String::into_bytes).collect();
        self.command(&this, "DEL", keys, number).await
    }

    async fn sadd(&mut self, this: Resource<Connection>, key: String, values: Vec<String>) -> Answer<u32> {
        self.command(&this, "SADD", after_key(key, values), number).await
    }

    async fn smembers(&mut self, this: Resource<Connection>, key: String) -> Answer<Vec<String>> {
        self.command(&this, "SMEMBERS", vec![key.into_bytes()], texts)
            .await
    }

    async fn srem(&mut self, this: Resource<Connection>, key: String, values: Vec<String>) -> Answer<u32> {
        self.command(&this, "SREM", after_key(key, values), number).await
    }

    async fn execute(
        &mut self,
        this: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        let argument = |argument| match argument {
            RedisParameter::Int64(number) => RedisArgument::Int(number),
            RedisParameter::Binary(bytes) => RedisArgument::Binary(bytes),
        };
        let arguments = arguments.into_iter().map(argument).collect();
        let reply = self
            .on_broker(&this, &command, asks(&command), async |broker, address| {
                broker.command(address, &command, arguments).await
            })
            .await?;
        let result = |value| match value {
            RedisValue::Nil => RedisResult::Nil,
            RedisValue::Status(text) => RedisResult::Status(text),
            RedisValue::Int(number) => RedisResult::Int64(number),
            RedisValue::Binary(bytes) => RedisResult::Binary(bytes),
        };
        Ok(reply.map(|values| values.into_iter().map(result).collect()))
    }

    async fn drop(&mut self, this: Resource<Connection>) -> Result<()> {
        self.table.delete(Resource::<Handle>::new_own(this.rep()))?;
        self.open_handles -= 1;
        Ok(())
    }
}
