//! Who may write now, who waits, and when the waiting commits go to the disk.
//!
//! A guest that asks while the writer is free is let in at once, on its own thread. Others stand in line, and
//! whoever leaves wakes the first of them. Until that one has come, which takes as long as its thread is busy
//! with others, a newcomer may go first; but nobody twice in a row, and nobody once the first in line has
//! waited for [`PATIENCE`].
//!
//! Commits wait for the disk together: as soon as nobody stands in line, or when there are enough of them or
//! they have waited long enough, the writer goes to the keeper (`keeper.rs`), who syncs them. A guest that is alone
//! never waits for others.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::Error;
use crate::core::Core;
use crate::session::SessionId;
use crate::stats::count;

/// From here on the first in line is the next, whoever else asks.
const PATIENCE: Duration = Duration::from_millis(50);
/// The most commits that wait for one sync.
const LARGEST_BATCH: usize = 256;
/// The longest that a commit waits for those in line.
const LONGEST_BATCH: Duration = Duration::from_millis(10);
/// How long until a guest whose time is up, but whose statement runs, is looked at again.
const MORE_TIME: Duration = Duration::from_millis(5);

/// The right to write, and the line before it.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    bell: Condvar,
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Holder {
    #[default]
    Nobody,
    /// A guest, until its time is up.
    Guest(SessionId, Instant),
    /// The database's own thread.
    Keeper,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) holder: Holder,
    line: VecDeque<Waiting>,
    tickets: u64,
    /// Who wrote last.
    last: SessionId,
    /// Commits that wait for the disk, and since when.
    pending: usize,
    oldest: Option<Instant>,
    /// When the database closes at the latest, if it is to.
    pub(crate) closing: Option<Instant>,
    pub(crate) closed: bool,
    keeper_sleeps: bool,
}

struct Waiting {
    ticket: u64,
    since: Instant,
    late: bool,
    waker: Waker,
}

/// What the keeper has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    Sync,
    Evict(SessionId),
    Close,
}

impl Gate {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a guest's time at the writer; `pending` says that it waits for the disk now.
    pub(crate) fn leave(&self, session: SessionId, pending: bool, group: bool) {
        let mut state = self.state();
        if pending {
            state.pending += 1;
            state.oldest.get_or_insert_with(Instant::now);
        }
        if matches!(state.holder, Holder::Guest(holder, _) if holder == session) {
            state.holder = Holder::Nobody;
            self.hand_on(state, group);
        }
    }

    /// Ends the keeper's time at the writer, all commits being on disk.
    pub(crate) fn synced(&self) {
        let mut state = self.state();
        state.pending = 0;
        state.oldest = None;
        state.holder = Holder::Nobody;
        self.hand_on(state, true);
    }

    /// Gives the free writer to the keeper if it is time, or wakes the first in line.
    fn hand_on(&self, mut state: MutexGuard<'_, State>, group: bool) {
        if state.is_time_to_sync(group) {
            state.holder = Holder::Keeper;
            state.keeper_sleeps = false;
            drop(state);
            self.bell.notify_one();
        } else if let Some(first) = state.line.front() {
            let waker = first.waker.clone();
            drop(state);
            waker.wake();
        } else if state.closing.is_some() {
            drop(state);
            self.bell.notify_one();
        }
    }

    /// Gives a guest a little more time, in which its statement comes to its end.
    pub(crate) fn extend(&self, session: SessionId) {
        let mut state = self.state();
        if let Holder::Guest(holder, until) = &mut state.holder
            && *holder == session
        {
            *until = Instant::now() + MORE_TIME;
        }
    }

    /// Tells the keeper to close by then.
    pub(crate) fn close(&self, by: Instant) {
        let mut state = self.state();
        state.closing = Some(state.closing.map_or(by, |earlier| earlier.min(by)));
        state.keeper_sleeps = false;
        drop(state);
        self.bell.notify_one();
    }

    /// Waits for something to do; looks up every `tick` while somebody writes or waits.
    pub(crate) fn duty(&self, tick: Duration, queue_timeout: Duration) -> Duty {
        let mut state = self.state();
        let mut quiet = false;
        loop {
            let now = Instant::now();
            let late = state.expire(now, queue_timeout);
            if !late.is_empty() {
                drop(state);
                late.into_iter().for_each(Waker::wake);
                state = self.state();
                continue;
            }
            match state.holder {
                Holder::Keeper => return Duty::Sync,
                Holder::Guest(session, until) if until <= now => return Duty::Evict(session),
                Holder::Nobody if state.closing.is_some() && state.line.is_empty() => return Duty::Close,
                _ if state.closing.is_some_and(|until| until <= now) => return Duty::Close,
                Holder::Guest(..) | Holder::Nobody => {}
            }
            let busy = state.holder != Holder::Nobody || !state.line.is_empty() || state.closing.is_some();
            if busy || !quiet {
                quiet = !busy;
                let next = state.closing.map_or(tick, |until| tick.min(until - now));
                state = self
                    .bell
                    .wait_timeout(state, next)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            } else {
                state.keeper_sleeps = true;
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                quiet = false;
            }
        }
    }

    /// Lets nobody in from now on, and tells those who wait.
    pub(crate) fn shut(&self) {
        let mut state = self.state();
        state.closed = true;
        state.holder = Holder::Keeper;
        let wakers: Vec<Waker> = state.line.iter().map(|waiting| waiting.waker.clone()).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn is_time_to_sync(&self, group: bool) -> bool {
        self.pending > 0
            && (!group
                || self.line.is_empty()
                || self.pending >= LARGEST_BATCH
                || self
                    .oldest
                    .is_some_and(|oldest| oldest.elapsed() >= LONGEST_BATCH))
    }

    /// Whether a guest may take the writer, which is free. `place` is where it stands in line, if it does.
    fn admits(&self, session: SessionId, place: Option<usize>) -> bool {
        match self.line.front() {
            None => true,
            Some(_) if place.is_some() => place == Some(0),
            Some(first) => self.last != session && first.since.elapsed() < PATIENCE,
        }
    }

    /// Marks those who have waited too long, who are to be woken.
    fn expire(&mut self, now: Instant, queue_timeout: Duration) -> Vec<Waker> {
        let late = |waiting: &&mut Waiting| !waiting.late && now - waiting.since >= queue_timeout;
        let mut wakers = Vec::new();
        for waiting in self.line.iter_mut().filter(late) {
            waiting.late = true;
            wakers.push(waiting.waker.clone());
        }
        wakers
    }

    fn place(&self, ticket: u64) -> Option<usize> {
        self.line.iter().position(|waiting| waiting.ticket == ticket)
    }

    fn take(&mut self, session: SessionId, until: Instant) -> bool {
        self.holder = Holder::Guest(session, until);
        self.last = session;
        std::mem::take(&mut self.keeper_sleeps)
    }
}

/// A guest that wants to write. Done when it may; dropped before, it leaves the line.
pub(crate) struct Entry {
    core: Arc<Core>,
    session: SessionId,
    ticket: Option<u64>,
}

impl Entry {
    pub(crate) const fn new(core: Arc<Core>, session: SessionId) -> Self {
        Self {
            core,
            session,
            ticket: None,
        }
    }

    fn answer(&mut self, context: &Context<'_>) -> Poll<Result<(), Error>> {
        let core = &*self.core;
        let mut state = core.gate.state();
        let place = self.ticket.and_then(|ticket| state.place(ticket));
        if state.closed {
            return self.out(state, place, Err(Error::Closed));
        }
        if place.is_some_and(|place| state.line[place].late) {
            count(&core.shared.meter.busy);
            return self.out(state, place, Err(Error::Busy));
        }
        if state.holder == Holder::Nobody && state.admits(self.session, place) {
            let until = Instant::now() + core.shared.options.transaction_deadline;
            if state.take(self.session, until) {
                core.gate.bell.notify_one();
            }
            return self.out(state, place, Ok(()));
        }
        match place {
            Some(place) => state.line[place].waker.clone_from(context.waker()),
            None if state.line.len() >= core.shared.options.queue_limit => {
                count(&core.shared.meter.busy);
                return Poll::Ready(Err(Error::Busy));
            }
            None => {
                state.tickets += 1;
                self.ticket = Some(state.tickets);
                let ticket = state.tickets;
                state.line.push_back(Waiting {
                    ticket,
                    since: Instant::now(),
                    late: false,
                    waker: context.waker().clone(),
                });
                core.shared.meter.queued.store(state.line.len() as u64, Relaxed);
                if std::mem::take(&mut state.keeper_sleeps) {
                    core.gate.bell.notify_one();
                }
            }
        }
        Poll::Pending
    }

    /// Leaves the line with an answer.
    fn out(
        &self,
        mut state: MutexGuard<'_, State>,
        place: Option<usize>,
        answer: Result<(), Error>,
    ) -> Poll<Result<(), Error>> {
        if let Some(waiting) = place.and_then(|place| state.line.remove(place)) {
            let meter = &self.core.shared.meter;
            let waited = u64::try_from(waiting.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            meter.queue_wait_ns.fetch_add(waited, Relaxed);
            meter.queued.store(state.line.len() as u64, Relaxed);
        }
        let may_go_on = answer.is_err() && state.holder == Holder::Nobody;
        if may_go_on {
            self.core
                .gate
                .hand_on(state, self.core.shared.options.group_commit);
        }
        Poll::Ready(answer)
    }
}

impl Future for Entry {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.answer(context);
        if answer.is_ready() {
            self.ticket = None;
        }
        answer
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let state = self.core.gate.state();
        let place = state.place(ticket);
        count(&self.core.shared.meter.abandoned);
        // The one that was woken for nothing passes it on.
        let _ = self.out(state, place, Err(Error::Closed));
    }
}
