//! NATS: one shared connection, plain subjects with queue groups.

use super::jetstream_setup::Setup;
use crate::address::{NatsAddress, Server, Sharing};
use crate::backoff::Backoff;
use crate::health::Health;
use crate::queue::{self, Queue};
use crate::{BrokerError, CONNECT_TIMEOUT, Message, RESPONSE_TIMEOUT, Subscription, Verdict, work};
use async_nats::{Client, ConnectOptions, Event};
use bytes::Bytes;
use futures_util::StreamExt;
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

/// How often a silent server is asked whether it is there; it is gone after three silent times.
const PING: Duration = Duration::from_secs(5);

/// The shared connection to one NATS server.
#[derive(Debug)]
pub(crate) struct NatsLink {
    pub(super) server: Server,
    connection: Mutex<Option<Arc<Connection>>>,
}

/// A connection that is thrown away when it breaks: its subscribers come back on a new one, so that
/// they know when it happened and can say so.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) setup: Setup,
    lost: watch::Receiver<bool>,
}

impl Connection {
    pub(super) fn is_lost(&self) -> bool {
        *self.lost.borrow() || self.lost.has_changed().is_err()
    }

    /// Waits until the connection breaks.
    pub(super) async fn lost(&self) {
        let mut lost = self.lost.clone();
        // The sender goes with the connection, so an error says the same.
        lost.wait_for(|lost| *lost).await.map(drop).unwrap_or(());
    }
}

impl NatsLink {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            server: server.clone(),
            connection: Mutex::new(None),
        }
    }

    /// Publishes; once more on a new connection when the old one turns out to be gone.
    pub(crate) async fn publish(
        &self,
        to: &NatsAddress,
        subject: &str,
        payload: Bytes,
    ) -> Result<u64, BrokerError> {
        let first = self.connect().await?;
        let answer = self.publish_on(&first, to, subject, payload.clone()).await;
        match answer {
            Err(_) if first.is_lost() => {
                let second = self.connect().await?;
                self.publish_on(&second, to, subject, payload).await?;
            }
            answer => answer?,
        }
        Ok(0)
    }

    async fn publish_on(
        &self,
        connection: &Connection,
        to: &NatsAddress,
        subject: &str,
        payload: Bytes,
    ) -> Result<(), BrokerError> {
        match &to.sharing {
            Sharing::Group(_) => self.publish_plain(connection, subject, payload).await,
            Sharing::Stream(options) => {
                let publishing = connection.setup.publish(&options.stream, subject, payload);
                publishing.await.map_err(|reason| self.unavailable(&reason))
            }
        }
    }

    async fn publish_plain(
        &self,
        connection: &Connection,
        subject: &str,
        payload: Bytes,
    ) -> Result<(), BrokerError> {
        let sending = async {
            let client = &connection.client;
            client
                .publish(subject.to_owned(), payload)
                .await
                .map_err(|error| self.unavailable(&error))?;
            client.flush().await.map_err(|error| self.unavailable(&error))
        };
        tokio::select! {
            biased;
            () = connection.lost() => Err(self.unavailable(&"the connection was lost")),
            sent = timeout(RESPONSE_TIMEOUT, sending) => {
                sent.unwrap_or_else(|_| Err(self.unavailable(&"no answer in time")))
            }
        }
    }

    /// The connection, made when there is none or it broke. Whoever comes meanwhile waits for it.
    pub(super) async fn connect(&self) -> Result<Arc<Connection>, BrokerError> {
        let mut slot = self.connection.lock().await;
        if let Some(known) = slot.as_ref().filter(|known| !known.is_lost()) {
            return Ok(known.clone());
        }
        *slot = None;
        let connection = Arc::new(self.open().await?);
        Ok(slot.insert(connection).clone())
    }

    async fn open(&self) -> Result<Connection, BrokerError> {
        let (lose, lost) = watch::channel(false);
        let lose = Arc::new(lose);
        let dropped = Arc::new(AtomicU64::new(0));
        let server = self.server.clone();
        let options = options(&self.server).event_callback(move |event| {
            observe(&server, &event, &lose, &dropped);
            std::future::ready(())
        });
        // The login is given apart, so that no log of the client can show it.
        let address = format!("nats://{}:{}", self.server.host, self.server.port);
        let connecting = options.connect(address);
        match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(client)) => Ok(Connection {
                setup: Setup::new(client.clone()),
                client,
                lost,
            }),
            Ok(Err(error)) => Err(self.unavailable(&error)),
            Err(_) => Err(self.unavailable(&"no connection in time")),
        }
    }

    pub(super) fn unavailable(&self, reason: &dyn Display) -> BrokerError {
        BrokerError::Unavailable {
            address: self.server.to_string(),
            reason: reason.to_string(),
        }
    }
}

fn options(server: &Server) -> ConnectOptions {
    let options = ConnectOptions::new()
        .name("bodega")
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(RESPONSE_TIMEOUT))
        .ping_interval(PING)
        .subscription_capacity(queue::CAPACITY)
        // One try, so that the client ends soon after its connection; the next client is ours to make.
        .max_reconnects(1)
        .reconnect_delay_callback(|_| Duration::ZERO);
    match &server.login {
        Some((user, password)) => options.user_and_password(user.clone(), password.clone()),
        None => options,
    }
}

/// Learns from the client what happens to its connection.
fn observe(server: &Server, event: &Event, lose: &watch::Sender<bool>, dropped: &AtomicU64) {
    match event {
        Event::Disconnected | Event::Closed => {
            lose.send_replace(true);
        }
        Event::SlowConsumer(_) => {
            let dropped = dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                tracing::warn!(%server, dropped, "messages come faster than they are read: dropped");
            }
        }
        Event::ServerError(error) => tracing::warn!(%server, %error, "the server complains"),
        Event::Connected | Event::LameDuckMode | Event::Draining | Event::ClientError(_) => {
            tracing::debug!(%server, %event, "the connection changed");
        }
    }
}

/// `text` as a name that NATS takes for groups and consumers.
pub(super) fn as_name(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let letters = text.chars().map(|letter| if fits(letter) { letter } else { '_' });
    letters.collect()
}

/// Runs one subscriber of a plain subject.
pub(crate) async fn serve<H, F, S>(
    link: &NatsLink,
    group: Option<&str>,
    subscription: &Subscription,
    handle: H,
    stop: Pin<&mut S>,
) where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
    S: Future<Output = ()> + Send,
{
    let (queue, messages) = queue::queue(subscription);
    tokio::select! {
        biased;
        () = work::at_most_once(subscription, messages, handle, stop) => {}
        () = listen(link, group, subscription, &queue) => {}
    }
}

async fn listen(link: &NatsLink, group: Option<&str>, subscription: &Subscription, queue: &Queue) {
    let mut health = Health::new(subscription);
    let mut backoff = Backoff::new();
    loop {
        let began = Instant::now();
        let Err(reason) = session(link, group, subscription, queue, &mut health).await;
        health.broken(&reason);
        backoff.pause(began).await;
    }
}

/// One connection, from the first to the last message.
async fn session(
    link: &NatsLink,
    group: Option<&str>,
    subscription: &Subscription,
    queue: &Queue,
    health: &mut Health<'_>,
) -> Result<Infallible, BrokerError> {
    let connection = link.connect().await?;
    let group = group.map_or_else(|| as_name(&subscription.name), str::to_owned);
    let subscribing = async {
        let client = &connection.client;
        let subject = subscription.channel.clone();
        let messages = client.queue_subscribe(subject, group).await;
        let messages = messages.map_err(|error| link.unavailable(&error))?;
        client.flush().await.map_err(|error| link.unavailable(&error))?;
        Ok(messages)
    };
    let mut messages = timeout(RESPONSE_TIMEOUT, subscribing)
        .await
        .unwrap_or_else(|_| Err(link.unavailable(&"no answer in time")))?;
    health.works();
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => {
                    queue.push(&message.subject, message.payload);
                }
                None => return Err(link.unavailable(&"the connection was closed")),
            },
            () = connection.lost() => return Err(link.unavailable(&"the connection was lost")),
        }
    }
}
