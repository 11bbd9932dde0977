//! Guests that compute for long take turns, so that all of them together leave room for the others.
//!
//! A tick makes a guest give way, but where fifty compute (logins, whose passwords are slow to hash on purpose), each of
//! the others waits for fifty ticks whenever it has to wait at all. So a guest that has computed for longer than
//! [`LONG`] rests after each tick, the longer the more of its kind there are: together they take what one of them would.

use crate::engine::TICK;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A request that sells something computes for a few milliseconds.
const LONG: Duration = Duration::from_millis(20);

/// Nobody rests for longer than this at once.
const MOST: Duration = Duration::from_millis(500);

/// How many guests compute for long just now.
#[derive(Debug, Default)]
pub(crate) struct Track(AtomicU32);

/// How long one guest has computed.
#[derive(Debug)]
pub(crate) struct Pace {
    track: Arc<Track>,
    spent: Arc<AtomicU64>,
    long: bool,
}

impl Pace {
    pub(crate) fn new(track: Arc<Track>) -> Self {
        Self {
            track,
            spent: Arc::default(),
            long: false,
        }
    }

    /// What measures this guest's work.
    pub(crate) fn meter(&self) -> Meter {
        Meter(self.spent.clone())
    }

    /// How long the guest rests after the tick it has just used up.
    pub(crate) fn rest(&mut self) -> Duration {
        if !self.long {
            let spent = Duration::from_micros(self.spent.load(Ordering::Relaxed));
            if spent < LONG {
                return Duration::ZERO;
            }
            self.long = true;
            self.track.0.fetch_add(1, Ordering::Relaxed);
        }
        let others = self.track.0.load(Ordering::Relaxed).saturating_sub(1);
        (TICK * others).min(MOST)
    }
}

impl Pace {
    /// The guest computes no more, so nobody rests because of it.
    pub(crate) fn stop(&mut self) {
        if std::mem::take(&mut self.long) {
            self.track.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Measures the work of one guest.
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// The same work, measured.
    pub(crate) fn measure<F>(self, work: F) -> Metered<F> {
        Metered {
            work: Box::pin(work),
            spent: self.0,
        }
    }
}

/// Work whose time on a thread is counted.
pub(crate) struct Metered<F> {
    work: Pin<Box<F>>,
    spent: Arc<AtomicU64>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = Instant::now();
        let polled = self.work.as_mut().poll(context);
        let spent = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.spent.fetch_add(spent, Ordering::Relaxed);
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(track: &Arc<Track>) -> Pace {
        let pace = Pace::new(track.clone());
        pace.spent.store(20_000, Ordering::Relaxed);
        pace
    }

    #[test]
    fn only_those_that_compute_for_long_rest_and_only_for_each_other() {
        let track = Arc::new(Track::default());
        let mut short = Pace::new(track.clone());
        let mut first = long(&track);
        assert_eq!((first.rest(), short.rest()), (Duration::ZERO, Duration::ZERO));
        let mut second = long(&track);
        assert_eq!(second.rest(), TICK);
        assert_eq!((first.rest(), short.rest()), (TICK, Duration::ZERO));
        second.stop();
        assert_eq!(
            first.rest(),
            Duration::ZERO,
            "an instance that waits for its next request"
        );
        drop(second);
        assert_eq!(first.rest(), Duration::ZERO);
        let mut many: Vec<Pace> = (0..200).map(|_| long(&track)).collect();
        assert_eq!(many.iter_mut().map(Pace::rest).max(), Some(MOST));
        drop(many);
        assert_eq!(first.rest(), Duration::ZERO);
        drop(first);
        assert_eq!(track.0.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn time_on_a_thread_counts_and_waiting_does_not() {
        let pace = Pace::new(Arc::default());
        pace.meter()
            .measure(tokio::time::sleep(Duration::from_millis(30)))
            .await;
        assert!(pace.spent.load(Ordering::Relaxed) < 20_000, "{pace:?}");
        pace.meter()
            .measure(async { std::thread::sleep(Duration::from_millis(25)) })
            .await;
        assert!(pace.spent.load(Ordering::Relaxed) >= 25_000, "{pace:?}");
    }
}
