//! What the tests of every domain need: time and randomness that they own, and many callers at once.

pub mod servers;
pub mod uniform;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;

use kernel::{Instant, Millis};

/// 2026-01-01T00:00:00Z: when tests happen unless they say otherwise.
pub const NEW_YEAR: Instant = Instant::from_micros(1_767_225_600_000_000);

/// A clock that stands still until it is told to go on.
#[derive(Debug)]
pub struct Clock(Cell<Instant>);

impl Clock {
    /// A clock that shows `at`.
    pub const fn at(at: Instant) -> Self {
        Self(Cell::new(at))
    }

    /// What it shows.
    pub fn now(&self) -> Instant {
        self.0.get()
    }

    /// Goes on by `wait`.
    pub fn advance(&self, wait: Millis) {
        self.0.set(self.0.get().after(wait));
    }
}

/// Numbers that look random and are the same in every run: SplitMix64
/// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub fn seeded(seed: u64) -> impl Fn() -> u64 {
    let state = Cell::new(seed);
    move || {
        state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = state.get();
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// What so many threads, numbered from 0, answer when all of them begin to `work` at the same moment, each
/// with what it has prepared for itself, such as a connection. A thread that panics is the caller's panic.
pub fn at_once<S, T: Send>(
    threads: usize,
    prepare: impl Fn(usize) -> S + Sync,
    work: impl Fn(&S, usize) -> T + Sync,
) -> Vec<T> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |number| {
            let (barrier, prepare, work) = (&barrier, &prepare, &work);
            scope.spawn(move || {
                // Who fails before the others begin must not leave them waiting for it.
                let own = catch_unwind(AssertUnwindSafe(|| prepare(number)));
                barrier.wait();
                match own {
                    Ok(own) => work(&own, number),
                    Err(panic) => resume_unwind(panic),
                }
            })
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        let answers = running.into_iter().map(|thread| thread.join());
        answers
            .map(|answer| answer.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        let next = seeded(1_234_567);
        assert_eq!(
            [next(), next(), next()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn who_can_not_prepare_keeps_nobody_waiting() {
        let prepare = |number| assert!(number != 1, "no connection is left");
        let run = || at_once(3, prepare, |(), number| number);
        let panic = catch_unwind(run).unwrap_err();
        let text = panic.downcast_ref::<&str>();
        assert_eq!(text, Some(&"no connection is left"));
    }

    #[test]
    fn a_clock_moves_only_when_told() {
        let clock = Clock::at(NEW_YEAR);
        assert_eq!(clock.now(), clock.now());
        clock.advance(Millis(5));
        assert_eq!(clock.now().micros() - NEW_YEAR.micros(), 5_000);
    }
}
