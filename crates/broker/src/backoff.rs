//! How long to wait before asking a broker again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A connection that held this long was a good one: the next trouble is a new one.
const STEADY: Duration = Duration::from_secs(5);

/// Pauses that double from 100 ms to 10 s, each shortened by up to a half at random, so that many
/// subscribers of one broker do not all come back in the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// Waits after an attempt that began at `began` and has just failed.
    pub(crate) async fn pause(&mut self, began: Instant) {
        if began.elapsed() >= STEADY {
            self.next = FIRST;
        }
        let pause = shortened(self.next, random());
        self.next = self.next.saturating_mul(2).min(LONGEST);
        tokio::time::sleep(pause).await;
    }
}

/// Between a half and the whole of `pause`.
fn shortened(pause: Duration, random: u64) -> Duration {
    let thousandths = u32::try_from(random % 501).unwrap_or(0);
    pause.saturating_sub(pause.saturating_mul(thousandths) / 1000)
}

/// A random number: the hasher of the standard library is seeded with one each time.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// How long a message that was not handled rests before it comes again: 1 s, 2 s, 4 s … 30 s.
pub(crate) fn redelivery(delivery: u32) -> Duration {
    let doublings = delivery.saturating_sub(1).min(5);
    Duration::from_secs((1_u64 << doublings).min(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_shortened_by_at_most_a_half() {
        assert_eq!(shortened(LONGEST, 0), LONGEST);
        assert_eq!(shortened(LONGEST, 500), LONGEST / 2);
        for random in 0..2_000 {
            let pause = shortened(FIRST, random);
            assert!((FIRST / 2..=FIRST).contains(&pause), "{random}: {pause:?}");
        }
    }

    #[test]
    fn redeliveries_are_rarer_and_rarer() {
        let seconds: Vec<u64> = [0, 1, 2, 3, 4, 5, 6, 7, 1_000_000]
            .map(|delivery| redelivery(delivery).as_secs())
            .to_vec();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest_and_begin_anew_after_a_steady_time() {
        let mut backoff = Backoff::new();
        let mut longest = FIRST;
        for _ in 0..12 {
            let began = Instant::now();
            backoff.pause(began).await;
            let slept = began.elapsed();
            assert!(
                slept >= longest / 2 && slept <= longest + Duration::from_millis(2),
                "{slept:?}"
            );
            longest = (longest * 2).min(LONGEST);
        }
        let steady = Instant::now();
        tokio::time::advance(STEADY).await;
        let began = Instant::now();
        backoff.pause(steady).await;
        assert!(began.elapsed() <= FIRST + Duration::from_millis(2));
    }
}
