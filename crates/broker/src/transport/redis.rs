//! Redis: `PUBLISH` and commands on one shared connection, `SUBSCRIBE` on one for each subscriber.

use super::redis_command::{self, RedisArgument, RedisValue};
use crate::address::RedisAddress;
use crate::backoff::Backoff;
use crate::health::Health;
use crate::queue::{Queue, queue};
use crate::{BrokerError, CONNECT_TIMEOUT, Message, RESPONSE_TIMEOUT, Subscription, Verdict, message, work};
use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    ServerErrorKind, Value,
};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// A subscriber that hears nothing for so long asks whether the server is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// The shared connection to one Redis.
#[derive(Debug)]
pub(crate) struct RedisLink {
    address: RedisAddress,
    connection: Mutex<Option<Numbered>>,
}

/// A connection with a number, so that who failed on an old one does not throw a new one away.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

impl std::fmt::Debug for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection {}", self.number)
    }
}

impl RedisLink {
    pub(crate) fn new(address: &RedisAddress) -> Self {
        Self {
            address: address.clone(),
            connection: Mutex::new(None),
        }
    }

    /// Publishes. When the connection turns out to be gone, once more on a new one: a server that
    /// was restarted since is no trouble, and a message that comes twice does no harm. A server
    /// that was silent is not asked again.
    pub(crate) async fn publish(&self, channel: &str, payload: &Bytes) -> Result<u64, BrokerError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(&payload[..]);
        let began = Instant::now();
        let kept = self.connection.lock().await.is_some();
        match self.try_publish(&publish).await {
            Err(BrokerError::Unavailable { .. }) if kept && began.elapsed() < CONNECT_TIMEOUT => {
                self.try_publish(&publish).await
            }
            answer => answer,
        }
    }

    /// Publishes once. A server that has become a replica takes a message without a word and hands it to its own
    /// subscribers, so one that finds nobody asks what it is talking to.
    async fn try_publish(&self, publish: &Cmd) -> Result<u64, BrokerError> {
        let (number, answer) = self.call_on(publish).await?;
        match answer {
            Value::Int(receivers) if receivers > 0 => Ok(receivers.unsigned_abs()),
            _ if self.is_replica().await => {
                self.forget(number).await;
                Err(unavailable(&self.address, "it has become a replica"))
            }
            _ => Ok(0),
        }
    }

    /// Whether the server follows another one. Who may not ask does not know, and takes it for the right one.
    async fn is_replica(&self) -> bool {
        let role = self.call(&redis::cmd("ROLE")).await;
        let words = role.ok().and_then(|role| redis_command::flatten(role).ok());
        let first = words.and_then(|words| words.into_iter().next());
        matches!(first, Some(RedisValue::Binary(word)) if word == b"slave")
    }

    pub(crate) async fn command(
        &self,
        name: &str,
        arguments: &[RedisArgument],
    ) -> Result<Vec<RedisValue>, BrokerError> {
        let command = redis_command::build(name, arguments)?;
        redis_command::flatten(self.call(&command).await?).map_err(|reason| BrokerError::Refused {
            address: self.address.to_string(),
            reason,
        })
    }

    async fn call(&self, command: &Cmd) -> Result<Value, BrokerError> {
        let (_, value) = self.call_on(command).await?;
        Ok(value)
    }

    /// The answer, and the number of the connection that gave it.
    async fn call_on(&self, command: &Cmd) -> Result<(u64, Value), BrokerError> {
        let Numbered {
            number,
            mut connection,
        } = self.connect().await?;
        let answer = connection.send_packed_command(command).await;
        match answer.and_then(Value::extract_error) {
            Ok(value) => Ok((number, value)),
            Err(error) => {
                let error = describe(&self.address, &error);
                if matches!(error, BrokerError::Unavailable { .. }) {
                    self.forget(number).await;
                }
                Err(error)
            }
        }
    }

    /// The connection, made when there is none. Whoever comes meanwhile waits for the same one.
    async fn connect(&self) -> Result<Numbered, BrokerError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let mut slot = self.connection.lock().await;
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = client(&self.address)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let connection = in_time(&self.address, CONNECT_TIMEOUT, connecting).await?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Ok(slot.insert(Numbered { number, connection }).clone())
    }

    async fn forget(&self, number: u64) {
        let mut slot = self.connection.lock().await;
        if slot.as_ref().is_some_and(|known| known.number == number) {
            *slot = None;
        }
    }
}

/// Runs one subscriber.
pub(crate) async fn serve<H, F, S>(
    address: &RedisAddress,
    subscription: &Subscription,
    handle: H,
    stop: Pin<&mut S>,
) where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
    S: Future<Output = ()> + Send,
{
    let (queue, messages) = queue(subscription);
    tokio::select! {
        biased;
        () = work::at_most_once(subscription, messages, handle, stop) => {}
        () = listen(address, subscription, &queue) => {}
    }
}

/// Fills the queue for ever. It goes on while a message is handled, so the server never sees a slow
/// reader, and what is lost is lost here, where it is counted.
async fn listen(address: &RedisAddress, subscription: &Subscription, queue: &Queue) {
    let mut health = Health::new(subscription);
    let mut backoff = Backoff::new();
    loop {
        let began = Instant::now();
        let Err(reason) = session(address, subscription, queue, &mut health).await;
        health.broken(&reason);
        backoff.pause(began).await;
    }
}

/// One connection, from the first to the last message.
async fn session(
    address: &RedisAddress,
    subscription: &Subscription,
    queue: &Queue,
    health: &mut Health<'_>,
) -> Result<Infallible, BrokerError> {
    let client = client(address)?;
    let connection = in_time(address, CONNECT_TIMEOUT, client.get_async_pubsub()).await?;
    let (mut requests, mut messages) = connection.split();
    in_time(
        address,
        RESPONSE_TIMEOUT,
        requests.subscribe(&subscription.channel),
    )
    .await?;
    health.works();
    loop {
        match timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => {
                let payload = message::beginning(message.get_payload_bytes());
                queue.push(message.get_channel_name(), payload);
            }
            Ok(None) => return Err(unavailable(address, "the connection was closed")),
            Err(_) => in_time(address, RESPONSE_TIMEOUT, requests.ping::<Value>())
                .await
                .map(drop)?,
        }
    }
}

fn client(address: &RedisAddress) -> Result<Client, BrokerError> {
    let mut settings = RedisConnectionInfo::default()
        .set_db(address.database.into())
        .set_skip_set_lib_name();
    if let Some(user) = &address.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &address.password {
        settings = settings.set_password(password);
    }
    (address.host.as_str(), address.port)
        .into_connection_info()
        .and_then(|info| Client::open(info.set_redis_settings(settings)))
        .map_err(|error| describe(address, &error))
}

async fn in_time<T>(
    address: &RedisAddress,
    limit: Duration,
    call: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, BrokerError> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| describe(address, &error)),
        Err(_) => Err(unavailable(address, "no answer in time")),
    }
}

fn unavailable(address: &RedisAddress, reason: &str) -> BrokerError {
    BrokerError::Unavailable {
        address: address.to_string(),
        reason: reason.to_owned(),
    }
}

/// What the server itself said is a refusal; everything else leaves open what happened.
fn describe(address: &RedisAddress, error: &RedisError) -> BrokerError {
    let (address, reason) = (address.to_string(), error.to_string());
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension if !is_the_wrong_server(error) => {
            BrokerError::Refused { address, reason }
        }
        _ => BrokerError::Unavailable { address, reason },
    }
}

/// Whether it is not the command that the server minds, but what it is itself just now: a replica since a failover, a
/// master that has lost its replicas, or one that reads its data. Behind the same address there may be a better one.
fn is_the_wrong_server(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading,
        ) => true,
        // Older servers wrap in an error of the script what a script's command was answered.
        ErrorKind::Server(_) => error.detail().is_some_and(|text| text.contains("-READONLY ")),
        _ => error.code() == Some("NOREPLICAS"),
    }
}
