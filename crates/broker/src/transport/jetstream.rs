//! JetStream: a durable consumer, asked for one message at a time.

use super::nats::{Connection, NatsLink};
use crate::address::JetStream;
use crate::backoff::{Backoff, redelivery};
use crate::health::Health;
use crate::{BrokerError, Message, RESPONSE_TIMEOUT, Subscription, Verdict, work};
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Batch;
use async_nats::jetstream::{self, AckKind};
use futures_util::{FutureExt, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long the server keeps a request for a message. One that a restarted server forgot is made
/// again after at most this time and a little more.
const REQUEST: Duration = Duration::from_secs(5);

/// Runs one subscriber of a stream.
pub(crate) async fn serve<H, F, S>(
    link: &NatsLink,
    options: &JetStream,
    subscription: &Subscription,
    mut handle: H,
    mut stop: Pin<&mut S>,
) where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
    S: Future<Output = ()> + Send,
{
    let mut health = Health::new(subscription);
    let mut backoff = Backoff::new();
    let subscriber = Subscriber {
        link,
        options,
        subscription,
        durable: durable(options, subscription),
    };
    loop {
        let began = Instant::now();
        let Err(reason) = subscriber.session(&mut health, &mut handle, stop.as_mut()).await else {
            return;
        };
        health.broken(&reason);
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = backoff.pause(began) => {}
        }
    }
}

/// The durable consumer's name. It belongs to one subject, so the channel is part of what we make up.
fn durable(options: &JetStream, subscription: &Subscription) -> String {
    let made_up = || format!("{}-{}", subscription.name, subscription.channel);
    options
        .durable
        .clone()
        .unwrap_or_else(|| super::nats::as_name(&made_up()))
}

struct Subscriber<'a> {
    link: &'a NatsLink,
    options: &'a JetStream,
    subscription: &'a Subscription,
    durable: String,
}

impl Subscriber<'_> {
    /// One connection, from the first to the last message; ends without an error when it should stop.
    async fn session<H, F, S>(
        &self,
        health: &mut Health<'_>,
        handle: &mut H,
        mut stop: Pin<&mut S>,
    ) -> Result<(), BrokerError>
    where
        H: FnMut(Message) -> F + Send,
        F: Future<Output = Verdict> + Send,
        S: Future<Output = ()> + Send,
    {
        let (connection, consumer) = tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            prepared = self.prepare() => prepared?,
        };
        health.works();
        loop {
            let mut request = self.request(&consumer).await?;
            let message = tokio::select! {
                biased;
                () = &mut stop => {
                    give_back(&mut request).await;
                    return Ok(());
                }
                () = connection.lost() => return Err(self.link.unavailable(&"the connection was lost")),
                message = request.next() => message,
            };
            match message {
                Some(Ok(message)) => self.take(message, handle).await,
                Some(Err(error)) => return Err(self.link.unavailable(&error)),
                // Nothing came while the server kept the request: ask again.
                None => {}
            }
        }
    }

    async fn prepare(&self) -> Result<(Arc<Connection>, PullConsumer), BrokerError> {
        let connection = self.link.connect().await?;
        let setup = &connection.setup;
        let consumer = setup.consumer(self.options, &self.durable, &self.subscription.channel);
        let consumer = consumer.await.map_err(|reason| self.link.unavailable(&reason))?;
        Ok((connection, consumer))
    }

    /// Asks for one message and no more: one that waits behind another would become overdue there.
    async fn request(&self, consumer: &PullConsumer) -> Result<Batch, BrokerError> {
        let request = consumer.batch().max_messages(1).expires(REQUEST).messages();
        match timeout(RESPONSE_TIMEOUT, request).await {
            Ok(request) => request.map_err(|error| self.link.unavailable(&error)),
            Err(_) => Err(self.link.unavailable(&"no answer in time")),
        }
    }

    /// Handles one message and tells the server how that went.
    async fn take<H, F>(&self, message: jetstream::Message, handle: &mut H)
    where
        H: FnMut(Message) -> F + Send,
        F: Future<Output = Verdict> + Send,
    {
        let delivery = message.info().map_or(1, |info| info.delivered);
        let delivery = u32::try_from(delivery).unwrap_or(u32::MAX);
        let most = self.options.max_deliver;
        let verdict = if delivery > most {
            // The subscriber died over it each time, or was too slow for it.
            self.give_up(&message, delivery, "it was never finished");
            AckKind::Term
        } else {
            match self.handle(&message, delivery, handle).await {
                Verdict::Done => AckKind::Ack,
                Verdict::Failed if delivery == most => {
                    self.give_up(&message, delivery, "it failed each time");
                    AckKind::Term
                }
                Verdict::Failed => AckKind::Nak(Some(self.later(&message, delivery))),
            }
        };
        let settled = message.double_ack_with(verdict);
        if !matches!(timeout(RESPONSE_TIMEOUT, settled).await, Ok(Ok(()))) {
            tracing::warn!(
                subscriber = self.subscription.name, channel = %message.subject,
                "the server did not hear how a message went: it may come again"
            );
        }
    }

    /// Lets the handler work, and tells the server meanwhile that somebody is at it.
    async fn handle<H, F>(&self, message: &jetstream::Message, delivery: u32, handle: &mut H) -> Verdict
    where
        H: FnMut(Message) -> F + Send,
        F: Future<Output = Verdict> + Send,
    {
        let handed = Message::received(&message.subject, message.payload.clone(), delivery);
        let mut working = std::pin::pin!(work::attempt(handle, handed));
        loop {
            tokio::select! {
                biased;
                verdict = &mut working => return verdict,
                () = tokio::time::sleep(self.options.ack_wait / 3) => {
                    // A lost sign of life costs one more delivery at worst.
                    let sign = message.ack_with(AckKind::Progress).now_or_never();
                    tracing::trace!(sent = sign.is_some_and(|sent| sent.is_ok()), "still at it");
                }
            }
        }
    }

    fn give_up(&self, message: &jetstream::Message, delivery: u32, reason: &str) {
        tracing::error!(
            subscriber = self.subscription.name, channel = %message.subject,
            stream = self.options.stream, delivery, size = message.payload.len(), reason,
            "a message is given up and does not come again"
        );
    }

    fn later(&self, message: &jetstream::Message, delivery: u32) -> Duration {
        let pause = redelivery(delivery);
        tracing::warn!(
            subscriber = self.subscription.name, channel = %message.subject, delivery, ?pause,
            "a message was not handled and comes again"
        );
        pause
    }
}

/// A message that came in the very moment of stopping need not wait for its time to run out.
async fn give_back(request: &mut Batch) {
    if let Some(Some(Ok(message))) = request.next().now_or_never() {
        let given = message.double_ack_with(AckKind::Nak(None));
        if timeout(RESPONSE_TIMEOUT, given).await.is_err() {
            tracing::debug!("a message was not given back: it comes again later");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Sharing};

    #[test]
    fn a_durable_consumer_is_named_after_the_subscriber_and_the_channel() {
        let name_of = |address: &str, channel: &str| {
            let address = Address::parse(address).unwrap();
            let Address::Nats(nats) = &address else {
                panic!("{address}")
            };
            let Sharing::Stream(options) = nats.sharing().clone() else {
                panic!("{address}")
            };
            let subscription = Subscription {
                address,
                channel: channel.to_owned(),
                name: "settlement".to_owned(),
            };
            durable(&options, &subscription)
        };
        assert_eq!(
            name_of("nats://h?stream=S", "shop.order"),
            "settlement-shop_order"
        );
        assert_eq!(name_of("nats://h?stream=S", "shop.>"), "settlement-shop__");
        assert_eq!(name_of("nats://h?stream=S&durable=mine", "shop.order"), "mine");
    }
}
