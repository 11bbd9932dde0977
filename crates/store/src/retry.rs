//! Waiting between two tries.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

/// How often work is begun, the first time included.
const MOST: u32 = 20;

/// The first pause at most; each further one may be twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(150);

/// The tries of one piece of work: about a second in all when every one of them fails.
#[derive(Debug)]
pub(crate) struct Tries {
    begun: u32,
}

impl Tries {
    /// The first one is under way.
    pub(crate) const fn new() -> Self {
        Self { begun: 1 }
    }

    /// Waits for a random while, so that those who met do not meet again; false when it was tried often enough.
    pub(crate) fn again(&mut self) -> bool {
        if self.begun >= MOST {
            return false;
        }
        thread::sleep(pause(self.begun, RandomState::new().hash_one(())));
        self.begun += 1;
        true
    }
}

/// Any length up to the longest of this try.
fn pause(tries: u32, random: u64) -> Duration {
    let longest = FIRST.saturating_mul(1 << (tries - 1).min(10)).min(LONGEST);
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (micros + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(1, 0), Duration::ZERO);
        assert_eq!(pause(1, 2_000), FIRST);
        assert_eq!(pause(2, 4_000), FIRST * 2);
        assert_eq!(pause(MOST, 150_000), LONGEST);
        assert!((1..MOST).all(|tries| pause(tries, u64::MAX) <= LONGEST));
    }

    #[test]
    fn work_is_not_begun_for_ever() {
        let mut tries = Tries { begun: MOST - 1 };
        assert!(tries.again());
        assert!(!tries.again());
    }
}
