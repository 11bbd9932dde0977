//! Publish and subscribe over one small port: inside this process, through Redis, or through NATS.
//!
//! A broker may lose, repeat and reorder anything; nobody above this crate relies on it for more
//! than speed. What this crate promises: one subscriber's messages are handled one at a time, a
//! lost broker never ends a subscription and never holds a publisher for long, and no password is
//! ever shown.

mod address;
mod backoff;
mod error;
mod health;
mod links;
mod message;
mod queue;
mod transport;
mod work;

pub use address::{Address, AddressError, JetStream, NatsAddress, RedisAddress, Sharing};
pub use error::BrokerError;
pub use message::{MAX_PAYLOAD, Message, Subscription, Verdict};
pub use transport::{RedisArgument, RedisValue};

use bytes::Bytes;
use links::Links;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use transport::{Buses, jetstream, local, nats, redis};

/// How long a connection may take to come about, greeting and password included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a broker may take to answer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a publisher waits at most, whatever goes wrong.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to every broker: the local buses, and one cached connection per remote address.
///
/// Cheap to clone; clones share everything. Needs a tokio runtime with I/O and time, the same one
/// for all its life. Two brokers made with [`Broker::new`] share nothing, so `local://bus` of one
/// is not that of the other.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    buses: Buses,
    links: Arc<Links>,
}

impl Broker {
    /// A broker without connections; they are made when they are needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends `payload` to everybody who is subscribed to `channel`.
    ///
    /// Answers how many receivers there were where the broker says so (local and Redis), and 0
    /// for NATS. Without an error the message is with the broker, not yet with its receivers; with
    /// `stream` it is in the stream. After an error it may have been sent all the same, and it may
    /// have been sent twice. Answers within ten seconds, whatever the broker does. Payloads above
    /// [`MAX_PAYLOAD`] are refused.
    pub async fn publish(
        &self,
        address: &Address,
        channel: &str,
        payload: Bytes,
    ) -> Result<u64, BrokerError> {
        message::check_publish(address, channel, &payload)?;
        match address {
            Address::Local(bus) => Ok(self.buses.publish(bus, channel, payload)),
            Address::Redis(to) => {
                let link = self.links.redis(to);
                in_time(address, link.publish(channel, &payload)).await
            }
            Address::Nats(to) => {
                let link = self.links.nats(to);
                in_time(address, link.publish(to, channel, payload)).await
            }
        }
    }

    /// Hands every message of the subscription to `handle`, one at a time, until `stop` resolves.
    ///
    /// A broker that is absent or lost is waited for, for ever, with growing pauses (100 ms to
    /// 10 s); the log says so once each time that changes. What happens to a message that was not
    /// handled stands at [`Verdict::Failed`]; a handler that panics has failed.
    ///
    /// When `stop` resolves, the message in hand is still finished and acknowledged, and no other
    /// is taken; drop the future to end at once (JetStream then delivers that message again). A
    /// local subscription begins when this future is first polled, a remote one when the broker
    /// has answered. A subscription that can never work (see [`Subscription::check`]) is logged
    /// as an error and does nothing until `stop`.
    pub async fn subscribe<H, F>(
        &self,
        subscription: Subscription,
        handle: H,
        stop: impl Future<Output = ()> + Send,
    ) where
        H: FnMut(Message) -> F + Send,
        F: Future<Output = Verdict> + Send,
    {
        let stop = pin!(stop);
        if let Err(error) = subscription.check() {
            tracing::error!(subscriber = subscription.name, %error, "this subscription can never work");
            return stop.await;
        }
        match &subscription.address {
            Address::Local(bus) => local::serve(&self.buses, bus, &subscription, handle, stop).await,
            Address::Redis(from) => redis::serve(from, &subscription, handle, stop).await,
            Address::Nats(from) => {
                let link = self.links.nats(from);
                match &from.sharing {
                    Sharing::Group(group) => {
                        nats::serve(&link, group.as_deref(), &subscription, handle, stop).await;
                    }
                    Sharing::Stream(options) => {
                        jetstream::serve(&link, options, &subscription, handle, stop).await;
                    }
                }
            }
        }
    }

    /// Runs one Redis command, such as `GET` with one binary argument.
    ///
    /// Answers the values of the reply in order, nested lists laid flat, as `execute` of
    /// `fermyon:spin/redis` does: `GET` answers one [`RedisValue::Binary`] or [`RedisValue::Nil`],
    /// `SET` one [`RedisValue::Status`], `INCR`, `DEL`, `SADD` and `SREM` one [`RedisValue::Int`],
    /// `SMEMBERS` as many [`RedisValue::Binary`] as there are members. The connection is shared,
    /// so commands that change it or wait on it (`SELECT`, `MULTI`, `SUBSCRIBE`, `BLPOP`, …) are
    /// refused. A command is never sent twice: after [`BrokerError::Unavailable`] nobody knows
    /// whether it was done. Other addresses than Redis answer [`BrokerError::NotRedis`]. Answers
    /// within ten seconds.
    pub async fn command(
        &self,
        address: &Address,
        name: &str,
        arguments: Vec<RedisArgument>,
    ) -> Result<Vec<RedisValue>, BrokerError> {
        match address {
            Address::Redis(to) => {
                let link = self.links.redis(to);
                in_time(address, link.command(name, &arguments)).await
            }
            Address::Local(_) | Address::Nats(_) => Err(BrokerError::NotRedis {
                address: address.to_string(),
            }),
        }
    }
}

/// Waits for `call`, but not for ever: it may stand behind others who wait for the same broker.
async fn in_time<T>(
    address: &Address,
    call: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .unwrap_or_else(|_| {
            Err(BrokerError::Unavailable {
                address: address.to_string(),
                reason: format!("no answer within {} s", CALL_TIMEOUT.as_secs()),
            })
        })
}
