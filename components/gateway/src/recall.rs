//! Who has the marks of dead tokens written again, and who waits for it.

use breaker::cells::{Cells, update};
use kernel::Instant;
use token::mark::{self, Standing};

/// What a request with a token does before anybody looks at the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Goes on: every mark is there, or was a while ago and another request sees to it.
    GoOn,
    /// Has the marks written again; if that fails it goes on all the same.
    Refresh,
    /// Has the marks written again; if that fails nobody knows who is locked out.
    Fill,
    /// Waits for the one that has them written.
    Wait,
}

/// What is to be done with what the store says. Looking costs one call as long as all is well.
pub fn next<C: Cells>(cells: &C, now: Instant) -> Result<Next, String> {
    let complete = cells.get(mark::COMPLETE)?;
    let standing = mark::standing(complete.as_deref(), now);
    if standing == Standing::Complete {
        return Ok(Next::GoOn);
    }
    let leased = update(cells, mark::LEASE, |kept| match mark::lease(kept, now) {
        Some(lease) => (Some(lease.into_bytes()), true),
        None => (None, false),
    });
    match (standing, leased) {
        // What the store has is as good as it was; only what is missing altogether is worth a refusal.
        (Standing::Complete | Standing::Stale, Ok(false) | Err(_)) => Ok(Next::GoOn),
        (Standing::Complete | Standing::Stale, Ok(true)) => Ok(Next::Refresh),
        (Standing::Missing, Ok(true)) => Ok(Next::Fill),
        (Standing::Missing, Ok(false)) => Ok(Next::Wait),
        (Standing::Missing, Err(story)) => Err(story),
    }
}

/// Gives the lease back, so that who comes next tries at once.
pub fn give_up<C: Cells>(cells: &C) -> Result<(), String> {
    update(cells, mark::LEASE, |_| (Some(mark::released().into_bytes()), ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use breaker::cells::memory::{Gone, Memory};
    use kernel::Millis;

    const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);

    /// What fifty requests do that come at once.
    fn fifty(cells: &Memory, now: Instant) -> Vec<Next> {
        let barrier = std::sync::Barrier::new(50);
        std::thread::scope(|scope| {
            let one = || {
                barrier.wait();
                next(cells, now).unwrap()
            };
            let all: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn count(all: &[Next], wanted: Next) -> usize {
        all.iter().filter(|&&next| next == wanted).count()
    }

    #[test]
    fn of_a_store_that_lost_everything_one_fills_it_and_the_others_wait() {
        let cells = Memory::default();
        let all = fifty(&cells, NOW);
        assert_eq!((count(&all, Next::Fill), count(&all, Next::Wait)), (1, 49));
        give_up(&cells).unwrap();
        assert_eq!(
            next(&cells, NOW),
            Ok(Next::Fill),
            "after a failure the next one tries"
        );
        assert_eq!(next(&cells, NOW), Ok(Next::Wait));
        let later = NOW.after(Millis(10_000));
        assert_eq!(
            next(&cells, later),
            Ok(Next::Fill),
            "who was ended holds it for 10 s"
        );
        cells.put(mark::COMPLETE, mark::text(later).as_bytes());
        assert_eq!(next(&cells, later), Ok(Next::GoOn));
    }

    #[test]
    fn a_store_that_may_have_lost_something_is_seen_to_by_one_and_the_others_go_on() {
        for old in [mark::text(NOW.before(Millis(61_000))), "1".to_owned()] {
            let cells = Memory::default();
            cells.put(mark::COMPLETE, old.as_bytes());
            let all = fifty(&cells, NOW);
            assert_eq!((count(&all, Next::Refresh), count(&all, Next::GoOn)), (1, 49));
        }
    }

    #[test]
    fn a_store_that_has_every_mark_is_looked_at_and_not_written() {
        let cells = Memory::default();
        cells.put(mark::COMPLETE, mark::text(NOW).as_bytes());
        assert_eq!(next(&cells, NOW.after(Millis(60_000))), Ok(Next::GoOn));
        assert_eq!(cells.count(), 1);
    }

    #[test]
    fn a_store_that_gives_no_answer_lets_nobody_on() {
        assert!(next(&Gone, NOW).is_err());
    }
}
