//! What waits for one subscriber: never more than it can hold, and nobody waits to put something in.

use crate::{MAX_PAYLOAD, Message, Subscription};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// How many messages wait for one subscriber at most.
pub(crate) const CAPACITY: usize = 1024;

/// The entrance of one subscriber's queue.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Message>,
    subscriber: String,
    dropped: AtomicU64,
}

/// A queue and its exit.
pub(crate) fn queue(subscription: &Subscription) -> (Queue, mpsc::Receiver<Message>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let queue = Queue {
        sender,
        subscriber: subscription.name.clone(),
        dropped: AtomicU64::new(0),
    };
    (queue, receiver)
}

impl Queue {
    /// Puts a message in and says whether it is there. A full queue drops the newest: a subscriber
    /// that is behind goes on in order, and what was dropped is published again until acknowledged.
    pub(crate) fn push(&self, channel: &str, payload: Bytes) -> bool {
        if payload.len() > MAX_PAYLOAD {
            tracing::error!(
                subscriber = self.subscriber,
                channel,
                size = payload.len(),
                "a message is bigger than allowed: dropped"
            );
            return false;
        }
        let message = Message {
            channel: channel.to_owned(),
            payload,
            delivery: 1,
        };
        let taken = self.sender.try_send(message);
        if let Err(mpsc::error::TrySendError::Full(_)) = &taken {
            self.count_dropped(channel);
        }
        taken.is_ok()
    }

    /// Says so for the 1st, 2nd, 4th, 8th … dropped message: a flood of messages is not to become
    /// a flood of lines.
    fn count_dropped(&self, channel: &str) {
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped.is_power_of_two() {
            tracing::warn!(
                subscriber = self.subscriber,
                channel,
                dropped,
                "the subscriber is too slow and its queue is full: new messages are dropped"
            );
        }
    }
}
