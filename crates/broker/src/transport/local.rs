//! The bus inside this process.

use crate::queue::{Queue, queue};
use crate::{Message, Subscription, Verdict, work};
use bytes::Bytes;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bus and channel.
type Place = (String, String);

/// Every local bus, and who listens on which channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buses(Arc<Mutex<HashMap<Place, Vec<Arc<Queue>>>>>);

impl Buses {
    /// Gives `payload` to every subscriber and says how many took it. Never waits.
    pub(crate) fn publish(&self, bus: &str, channel: &str, payload: Bytes) -> u64 {
        let place = (bus.to_owned(), channel.to_owned());
        let queues = self.lock().get(&place).cloned().unwrap_or_default();
        let taken = queues
            .iter()
            .map(|queue| u64::from(queue.push(channel, payload.clone())));
        taken.sum()
    }

    fn join(&self, place: Place, queue: Queue) -> Seat<'_> {
        let queue = Arc::new(queue);
        self.lock().entry(place.clone()).or_default().push(queue.clone());
        Seat {
            buses: self,
            place,
            queue,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Vec<Arc<Queue>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscriber's place, given back when it goes.
struct Seat<'a> {
    buses: &'a Buses,
    place: Place,
    queue: Arc<Queue>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut places = self.buses.lock();
        if let Some(queues) = places.get_mut(&self.place) {
            queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
            if queues.is_empty() {
                places.remove(&self.place);
            }
        }
    }
}

pub(crate) async fn serve<H, F, S>(
    buses: &Buses,
    bus: &str,
    subscription: &Subscription,
    handle: H,
    stop: Pin<&mut S>,
) where
    H: FnMut(Message) -> F + Send,
    F: Future<Output = Verdict> + Send,
    S: Future<Output = ()> + Send,
{
    let (queue, messages) = queue(subscription);
    let seat = buses.join((bus.to_owned(), subscription.channel.clone()), queue);
    work::at_most_once(subscription, messages, handle, stop).await;
    drop(seat);
}
