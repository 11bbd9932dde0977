use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

use crate::pool::{PoolId, lock};
use crate::session::Session;

/// Who waits for a place goes after those of a session's own pool for this long: they take it as it is, where
/// anybody else has it closed and connects anew, which costs more than most statements.
const PATIENCE: Duration = Duration::from_millis(100);

/// The places for connections, of all pools together.
pub(crate) struct Places(Mutex<Line>);

struct Line {
    free: usize,
    /// Connections that were told to close and still have their places.
    closing: usize,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    pool: PoolId,
    since: Instant,
    turn: oneshot::Sender<Turn>,
}

/// What somebody who waited gets.
#[expect(
    clippy::large_enum_variant,
    reason = "it is made to be sent, and taken apart where it arrives"
)]
pub(crate) enum Turn {
    /// The right to connect.
    Place(Place),
    /// A session of the same pool.
    Session(Session),
}

/// One connection's place. Its connection keeps it until its socket is closed.
pub(crate) struct Place(Option<Arc<Places>>);

impl Places {
    pub(crate) fn new(free: usize) -> Self {
        Self(Mutex::new(Line {
            free,
            closing: 0,
            waiting: VecDeque::new(),
        }))
    }

    /// A place, if one is free; otherwise a turn in the line.
    pub(crate) fn take(self: &Arc<Self>, pool: PoolId) -> Result<Place, oneshot::Receiver<Turn>> {
        let mut line = lock(&self.0);
        if let Some(free) = line.free.checked_sub(1) {
            line.free = free;
            return Ok(Place(Some(self.clone())));
        }
        let (turn, receiver) = oneshot::channel();
        let since = Instant::now();
        line.waiting.push_back(Waiter { pool, since, turn });
        Err(receiver)
    }

    /// Whether a rested connection has to be closed for those who wait; it is counted as closing then.
    pub(crate) fn wants_one(&self) -> bool {
        let mut line = lock(&self.0);
        line.waiting.retain(|waiter| !waiter.turn.is_closed());
        let wants = line.closing < line.waiting.len();
        line.closing += usize::from(wants);
        wants
    }

    /// One that was to be closed is, or there was none.
    pub(crate) fn none_is_left(&self) {
        let mut line = lock(&self.0);
        line.closing = line.closing.saturating_sub(1);
    }

    /// Hands a clean session to who waits for one of its pool, closes it for who has waited longer, or puts it to rest.
    pub(crate) fn hand_on(&self, pool: PoolId, session: Session, rested: &Mutex<Vec<Session>>) {
        let mut line = lock(&self.0);
        line.waiting.retain(|waiter| !waiter.turn.is_closed());
        let Some(first) = line.waiting.front() else {
            // Under the lock: whoever joins the line after this looks for rested ones.
            lock(rested).push(session);
            return;
        };
        let is_own = |waiter: &Waiter| waiter.pool == pool;
        let own = if first.since.elapsed() < PATIENCE {
            line.waiting.iter().position(is_own)
        } else {
            is_own(first).then_some(0)
        };
        if let Some(waiter) = own.and_then(|place| line.waiting.remove(place)) {
            drop(line);
            // Who has just given up leaves it to be closed.
            drop(waiter.turn.send(Turn::Session(session)));
        } else if line.closing < line.waiting.len() {
            line.closing += 1;
            drop(line);
            drop(session);
        } else {
            lock(rested).push(session);
        }
    }
}

impl Drop for Place {
    /// It goes to the first in line.
    fn drop(&mut self) {
        let Some(mut places) = self.0.take() else { return };
        places.none_is_left();
        loop {
            let mut line = lock(&places.0);
            let Some(waiter) = line.waiting.pop_front() else {
                line.free += 1;
                return;
            };
            drop(line);
            match waiter.turn.send(Turn::Place(Self(Some(places)))) {
                Err(Turn::Place(mut place)) => match place.0.take() {
                    Some(back) => places = back,
                    None => return,
                },
                Ok(()) | Err(Turn::Session(_)) => return,
            }
        }
    }
}
