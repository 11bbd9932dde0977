//! The one worker that writes: who is next, whose turn it is, and how a turn ends.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::Error;
use crate::durability::Durability;
use crate::engine::Engine;
use crate::job::{Answer, Job, Message, Opened, Reply, SessionId, Standing};
use crate::stats::count;
use crate::turn::{Done, carry_out, refuse_lost, standing_after};
use crate::watch::{Cause, Current};

/// The guest that holds the writer, from the beginning of its transaction to its end.
struct Turn {
    session: SessionId,
    opened: Opened,
    until: Instant,
}

/// What the writer does next.
enum Next {
    Serve(Box<Job>),
    TimeOut,
    Stop,
}

/// The writing worker: an explicit loop over jobs, first come, first served, except that the guest
/// whose turn it is goes before everyone.
pub(crate) struct Writer {
    engine: Engine,
    messages: Receiver<Message>,
    line: VecDeque<Job>,
    turn: Option<Turn>,
    durability: Durability,
    closing: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(engine: Engine, messages: Receiver<Message>) -> Self {
        let durability = Durability::default();
        Self {
            engine,
            messages,
            line: VecDeque::new(),
            turn: None,
            durability,
            closing: None,
        }
    }

    /// Works until the database is closed or no guest is left, and hands the connection back with
    /// no transaction open.
    pub(crate) fn run(mut self) -> Engine {
        loop {
            match self.next() {
                Next::Serve(job) => self.serve(*job),
                Next::TimeOut => {
                    count(&self.engine.shared.meter.timeouts);
                    self.end_turn();
                }
                Next::Stop => break,
            }
        }
        self.end_turn();
        self.engine
    }

    /// Waits for something to do.
    fn next(&mut self) -> Next {
        loop {
            while let Ok(message) = self.messages.try_recv() {
                if let Some(job) = self.receive(message) {
                    return Next::Serve(Box::new(job));
                }
            }
            let now = Instant::now();
            self.expire_line(now);
            match &self.turn {
                Some(turn) if turn.until <= now => return Next::TimeOut,
                Some(_) => {}
                None => match self.line.pop_front() {
                    Some(job) => return Next::Serve(Box::new(job)),
                    None if self.closing.is_some() => return Next::Stop,
                    None => {}
                },
            }
            if self.closing.is_some_and(|until| until <= now) {
                return Next::Stop;
            }
            match self.wait(now) {
                Ok(message) => {
                    if let Some(job) = self.receive(message) {
                        return Next::Serve(Box::new(job));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Next::Stop,
            }
        }
    }

    /// Takes the next message, but waits no longer than until the next thing is due.
    fn wait(&self, now: Instant) -> Result<Message, RecvTimeoutError> {
        let turn_ends = self.turn.as_ref().map(|turn| turn.until);
        let wait_ends = self
            .line
            .front()
            .map(|job| job.sent_at + self.engine.shared.options.queue_timeout);
        match [turn_ends, wait_ends, self.closing].into_iter().flatten().min() {
            Some(due) => self.messages.recv_timeout(due.saturating_duration_since(now)),
            None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Takes a message in. A job comes back when its guest holds the writer; others stand in line.
    fn receive(&mut self, message: Message) -> Option<Job> {
        match message {
            Message::Run(job) if self.holds(job.session) => return Some(job),
            Message::Run(job) => self.line.push_back(job),
            Message::Release(session) if self.holds(session) => self.end_turn(),
            Message::Release(_) => {}
            Message::Drain(grace) => {
                let until = Instant::now() + grace;
                self.closing = Some(self.closing.map_or(until, |earlier| earlier.min(until)));
            }
        }
        None
    }

    /// Answers those that have waited too long; the line is in order of arrival.
    fn expire_line(&mut self, now: Instant) {
        let limit = self.engine.shared.options.queue_timeout;
        while self.line.front().is_some_and(|job| job.sent_at + limit <= now) {
            if let Some(job) = self.line.pop_front() {
                self.leave_line(&job);
                count(&self.engine.shared.meter.busy);
                let answer = Answer {
                    result: Err(Error::Busy),
                    standing: job.standing,
                    counters: job.counters,
                };
                self.answer(job.reply, answer, false);
            }
        }
    }

    fn serve(&mut self, job: Job) {
        self.leave_line(&job);
        if job.is_abandoned() {
            count(&self.engine.shared.meter.abandoned);
            if self.holds(job.session) {
                self.end_turn();
            }
            return;
        }
        match job.standing.clone() {
            Standing::Open(_) if self.holds(job.session) => self.serve_statement(job),
            Standing::Open(opened) => self.serve_lost(job, opened, Error::Timeout),
            Standing::Lost(opened, why) => self.serve_lost(job, opened, why),
            Standing::Idle => self.serve_statement(job),
        }
    }

    fn serve_lost(&mut self, job: Job, opened: Opened, why: Error) {
        let (result, standing) = refuse_lost(&self.engine, &job.sql, opened, why);
        self.answer(
            job.reply,
            Answer {
                result,
                standing,
                counters: job.counters,
            },
            false,
        );
    }

    /// Runs a statement that may run, and works out where that leaves its guest.
    fn serve_statement(&mut self, job: Job) {
        let deadline = Instant::now() + self.engine.shared.options.transaction_deadline;
        let until = self.turn.as_ref().map_or(deadline, |turn| turn.until);
        *self.engine.watch.current() = Current {
            counters: job.counters,
            abandoned: job.abandoned.clone(),
            until: Some(until),
            ..Current::default()
        };
        let opened = self.turn.as_ref().map(|turn| turn.opened.clone());
        let engine = &self.engine;
        let work =
            AssertUnwindSafe(|| carry_out(engine, &job.sql, &job.params, job.counters, opened.as_ref()));
        let done = catch_unwind(work).unwrap_or_else(|_| {
            count(&engine.shared.meter.panics);
            Done::broken(job.counters)
        });
        let interrupted = self.engine.watch.current().interrupted.take();
        *self.engine.watch.current() = Current::default();
        self.conclude(job, opened, done, interrupted, deadline);
    }

    fn conclude(
        &mut self,
        job: Job,
        was: Option<Opened>,
        mut done: Done,
        cut: Option<Cause>,
        until: Instant,
    ) {
        let timed_out = cut == Some(Cause::Deadline) && done.result.is_err();
        if timed_out {
            count(&self.engine.shared.meter.timeouts);
            done.result = Err(Error::Timeout);
        }
        let open = self.engine.in_transaction();
        let standing = standing_after(was, &done, timed_out, open);
        if let (None, Standing::Open(opened)) = (&self.turn, &standing) {
            self.turn = Some(Turn {
                session: job.session,
                opened: opened.clone(),
                until,
            });
        }
        let Done {
            result,
            counters,
            committed,
            broken,
            ..
        } = done;
        let meter = &self.engine.shared.meter;
        if committed {
            count(&meter.commits);
        } else if self.turn.is_some() && !open && !broken {
            count(&meter.rollbacks);
        }
        if !matches!(standing, Standing::Open(_)) {
            self.end_turn();
        }
        let session = job.session;
        let gone = self.answer(
            job.reply,
            Answer {
                result,
                standing,
                counters,
            },
            committed,
        );
        if gone && self.holds(session) {
            self.end_turn();
        }
    }

    /// Gives an answer; returns whether nobody was there to take it.
    fn answer(&mut self, reply: oneshot::Sender<Reply>, answer: Answer, committed: bool) -> bool {
        let gone = self.durability.answer(reply, answer, committed);
        self.engine.shared.meter.abandoned.fetch_add(gone, Relaxed);
        gone > 0
    }

    /// Ends the turn, rolling back what is still open. A connection that cannot even roll back is
    /// replaced.
    fn end_turn(&mut self) {
        self.turn = None;
        if !self.engine.in_transaction() {
            return;
        }
        count(&self.engine.shared.meter.rollbacks);
        let rolled_back = self.engine.command("ROLLBACK");
        if !self.engine.in_transaction() {
            return;
        }
        tracing::error!(?rolled_back, "could not roll back; opening the database anew");
        if self.engine.is_file()
            && let Err(error) = self.engine.reopen()
        {
            tracing::error!(%error, "could not open the database anew");
        }
    }

    fn holds(&self, session: SessionId) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.session == session)
    }

    /// Gives up the place that [`crate::link::Link::to_writer`] took.
    fn leave_line(&self, job: &Job) {
        let meter = &self.engine.shared.meter;
        let waited = u64::try_from(job.sent_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        meter.queue_wait_ns.fetch_add(waited, Relaxed);
        if !matches!(job.standing, Standing::Open(_)) {
            meter.queued.fetch_sub(1, Relaxed);
        }
    }
}
