//! What waits for one subscriber: never more than it can hold, and nobody waits to put something in.

use crate::{Message, Subscription};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How many messages wait for one subscriber at most.
pub(crate) const CAPACITY: usize = 1024;
/// How many bytes the payloads have at most that wait for one subscriber: 16 MiB.
const CAPACITY_BYTES: usize = 16 * 1024 * 1024;

/// The entrance of one subscriber's queue.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Waiting>,
    /// One permit for each byte that may still come.
    room: Arc<Semaphore>,
    subscriber: String,
    dropped: AtomicU64,
}

/// There is no place or no room for a message, or nobody takes them any more.
#[derive(Debug, PartialEq, Eq)]
struct Full;

/// The exit of one subscriber's queue.
pub(crate) struct Exit(mpsc::Receiver<Waiting>);

/// A message in a queue. Its room is free again when it leaves.
#[derive(Debug)]
struct Waiting {
    message: Message,
    _room: OwnedSemaphorePermit,
}

/// A queue and its exit.
pub(crate) fn queue(subscription: &Subscription) -> (Queue, Exit) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let queue = Queue {
        sender,
        room: Arc::new(Semaphore::new(CAPACITY_BYTES)),
        subscriber: subscription.name.clone(),
        dropped: AtomicU64::new(0),
    };
    (queue, Exit(receiver))
}

impl Exit {
    /// The next message, waited for; none when the entrance is gone.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.0.recv().await.map(|waiting| waiting.message)
    }
}

impl Queue {
    /// Puts a message in and says whether it is there. A full queue drops the newest: a subscriber
    /// that is behind goes on in order, and what was dropped is published again until acknowledged.
    pub(crate) fn push(&self, channel: &str, payload: Bytes) -> bool {
        let message = Message::received(channel, payload, 1);
        let taken = self.take(message);
        if taken == Err(Full) && !self.sender.is_closed() {
            self.count_dropped(channel);
        }
        taken.is_ok()
    }

    fn take(&self, message: Message) -> Result<(), Full> {
        let bytes = u32::try_from(message.payload.len()).map_err(|_| Full)?;
        let room = self.room.clone().try_acquire_many_owned(bytes);
        let waiting = Waiting {
            message,
            _room: room.map_err(|_| Full)?,
        };
        self.sender.try_send(waiting).map_err(|_| Full)
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
