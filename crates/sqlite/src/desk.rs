//! The writing connection: whose turn it is on it, and which commits wait for the disk.
//!
//! Guests share one transaction of SQLite, the *batch*: a guest that begins while others have committed
//! into it works inside a savepoint of it, and its COMMIT releases the savepoint. When the batch is
//! committed, once for all of them and with one sync, each of them is answered. If that fails, or if SQLite
//! gives the batch up because of one statement, none of them was answered, and each is told so.

mod inside;
mod outside;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::class::Known;
use crate::counters::Counters;
use crate::engine::{Engine, TURN};
use crate::fault::Point;
use crate::session::{Opened, SessionId, Standing};
use crate::stats::count;
use crate::watch::{Cause, Current};
use crate::{Error, Rows, Value};

/// The writer's connection and what is open on it.
pub(crate) struct Desk {
    engine: Engine,
    turn: Option<Turn>,
    batch: Vec<Member>,
}

/// The guest that is in a transaction.
struct Turn {
    session: SessionId,
    opened: Opened,
    /// Its own savepoints, outermost first.
    savepoints: Vec<String>,
    /// It works in a savepoint of the batch; otherwise it is the first and the batch is all its own.
    shares: bool,
    wrote: bool,
    defers_keys: bool,
    until: Instant,
}

/// Somebody who is answered when the batch is on disk.
struct Member {
    commits: bool,
    answer: oneshot::Sender<Result<(), Error>>,
}

/// A statement on its way.
pub(crate) struct Job<'a> {
    pub(crate) session: SessionId,
    pub(crate) sql: &'a str,
    pub(crate) params: &'a [Value],
    pub(crate) counters: Counters,
    pub(crate) until: Instant,
}

/// What a statement did.
pub(crate) struct Served {
    pub(crate) result: Result<Rows, Error>,
    pub(crate) standing: Standing,
    pub(crate) counters: Counters,
    pub(crate) end: End,
}

/// Whether the guest still needs the desk.
pub(crate) enum End {
    /// It is in its transaction.
    Open,
    /// It is done.
    Done,
    /// It is done, and answered when the batch is on disk.
    Held(oneshot::Receiver<Result<(), Error>>),
}

/// The answers of a batch, to be given once others may go on.
pub(crate) struct Settled {
    members: Vec<Member>,
    result: Result<(), Error>,
}

impl Settled {
    /// Gives the answers. What is committed stands, even if nobody waits for it any more.
    pub(crate) fn announce(self) {
        for member in self.members {
            let _ = member.answer.send(self.result.clone());
        }
    }
}

impl Desk {
    pub(crate) const fn new(engine: Engine) -> Self {
        Self {
            engine,
            turn: None,
            batch: Vec::new(),
        }
    }

    /// Hands the connection back, when everything has ended.
    pub(crate) fn into_engine(self) -> Engine {
        self.engine
    }

    /// Whether this guest is in its transaction.
    pub(crate) fn serves(&self, session: SessionId) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.session == session)
    }

    /// Whether this guest has been in its transaction for too long.
    pub(crate) fn is_overdue(&self, session: SessionId, now: Instant) -> bool {
        let turn = self.turn.as_ref();
        turn.is_some_and(|turn| turn.session == session && turn.until <= now)
    }

    /// What a statement is.
    pub(crate) fn classify(&self, sql: &str, in_transaction: bool) -> Result<Arc<Known>, Error> {
        self.engine.classify(sql, in_transaction)
    }

    /// Runs a statement of the guest whose transaction is open here.
    pub(crate) fn in_turn(&mut self, job: &Job<'_>) -> Served {
        let opened = self.turn.as_ref().and_then(|turn| turn.opened.clone());
        let until = self.turn.as_ref().map_or(job.until, |turn| turn.until);
        let (done, cut) = self.guarded(job, until, |desk, counters| desk.run_in_turn(job, counters));
        self.after_turn(job, opened, done, cut)
    }

    /// Runs a statement of a guest that is in no transaction and has just been let in.
    pub(crate) fn outside(&mut self, job: &Job<'_>) -> Served {
        let (done, cut) = self.guarded(job, job.until, |desk, counters| desk.run_outside(job, counters));
        let Ran {
            mut result,
            counters,
            end,
            broken,
        } = done;
        let meter = &self.engine.shared.meter;
        if cut == Some(Cause::Deadline) && result.is_err() {
            count(&meter.timeouts);
            result = Err(Error::Timeout);
            self.end_turn();
        } else if broken && self.engine.in_transaction() {
            // How far it came is not known, so nothing of this batch may stay.
            self.turn = None;
            self.roll_back_all();
        }
        let lost = self.lose_batch_unless_open();
        let (end, standing) = match (&self.turn, end) {
            (Some(turn), _) => (End::Open, Standing::Open(turn.opened.clone())),
            (None, End::Held(_)) if lost => (End::Done, Standing::Idle),
            (None, end) => (end, Standing::Idle),
        };
        Served {
            result,
            standing,
            counters,
            end,
        }
    }

    /// Ends the transaction of a guest that is gone or too slow.
    pub(crate) fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else {
            return self.clear_if_alone();
        };
        count(&self.engine.shared.meter.rollbacks);
        self.undo(&turn);
        self.lose_batch_unless_open();
    }

    /// Commits the batch and says what became of it; who waited for it is to be told outside.
    pub(crate) fn flush(&mut self) -> Settled {
        let members = std::mem::take(&mut self.batch);
        let result = if self.engine.in_transaction() {
            self.commit_batch()
        } else if members.is_empty() {
            Ok(())
        } else {
            // Nothing of theirs can be there.
            Err(Error::Busy)
        };
        if result.is_ok() {
            let commits = members.iter().filter(|member| member.commits).count();
            let meter = &self.engine.shared.meter;
            meter
                .commits
                .fetch_add(commits as u64, std::sync::atomic::Ordering::Relaxed);
        }
        Settled { members, result }
    }

    /// A panic fails those who wait for this batch, and nobody else.
    fn commit_batch(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let commit = AssertUnwindSafe(|| {
            self.at(Point::BeforeSync)?;
            self.engine.command("COMMIT").map(drop)
        });
        let committed = catch_unwind(commit).unwrap_or_else(|_| {
            count(&self.engine.shared.meter.panics);
            Err(Error::broken())
        });
        if self.engine.in_transaction() {
            self.roll_back_all();
        }
        count(&self.engine.shared.meter.syncs);
        if let Some(least) = self.engine.shared.options.sync_takes {
            std::thread::sleep(least.saturating_sub(started.elapsed()));
        }
        committed
    }

    /// Runs `work` with the hooks told whose statement it is; a panic costs that statement.
    fn guarded(
        &mut self,
        job: &Job<'_>,
        until: Instant,
        work: impl FnOnce(&mut Self, &mut Counters) -> (Result<Rows, Error>, End),
    ) -> (Ran, Option<Cause>) {
        *self.engine.watch.current() = Current {
            counters: job.counters,
            abandoned: Arc::new(AtomicBool::new(false)),
            until: Some(until),
            ..Current::default()
        };
        let mut counters = job.counters;
        let worked = catch_unwind(AssertUnwindSafe(|| work(self, &mut counters)));
        let cut = self.engine.watch.current().interrupted.take();
        *self.engine.watch.current() = Current::default();
        let ran = match worked {
            Ok((result, end)) => Ran {
                result,
                counters,
                end,
                broken: false,
            },
            Err(_) => {
                count(&self.engine.shared.meter.panics);
                Ran {
                    result: Err(Error::broken()),
                    counters: job.counters,
                    end: End::Done,
                    broken: true,
                }
            }
        };
        (ran, cut)
    }

    /// Works out where a statement of a transaction leaves its guest.
    fn after_turn(&mut self, job: &Job<'_>, opened: Opened, done: Ran, cut: Option<Cause>) -> Served {
        let Ran {
            mut result,
            counters,
            mut end,
            broken,
        } = done;
        if self.turn.is_some() && !self.engine.in_transaction() {
            // SQLite has ended the transaction, and with it the batch.
            self.turn = None;
            count(&self.engine.shared.meter.rollbacks);
            end = End::Done;
        }
        self.lose_batch_unless_open();
        let late = cut == Some(Cause::Deadline) && result.is_err();
        let standing = if late {
            count(&self.engine.shared.meter.timeouts);
            result = Err(Error::Timeout);
            self.end_turn();
            Standing::Lost(opened, Error::Timeout)
        } else if broken && self.serves(job.session) {
            self.end_turn();
            Standing::Lost(opened, Error::RolledBack)
        } else if self.serves(job.session) {
            Standing::Open(opened)
        } else {
            Standing::Idle
        };
        if matches!(standing, Standing::Lost(..)) {
            end = End::Done;
        } else if matches!(standing, Standing::Open(_)) {
            end = End::Open;
        }
        Served {
            result,
            standing,
            counters,
            end,
        }
    }

    /// Sets the mark to which a guest goes back that shares the batch with others.
    fn enter(&self, shares: bool) -> Result<bool, Error> {
        if shares {
            self.engine.command(&format!("SAVEPOINT {TURN}"))?;
        }
        Ok(shares)
    }

    /// Takes the mark away: what was done since is a part of the batch.
    fn leave(&self, shares: bool) -> Result<(), Error> {
        if shares {
            self.engine.command(&format!("RELEASE {TURN}"))?;
        }
        Ok(())
    }

    /// Undoes what was done since the mark; all that is open, where there is none.
    fn go_back(&mut self, shares: bool) {
        let back = || {
            self.engine.command(&format!("ROLLBACK TO {TURN}"))?;
            self.leave(true)
        };
        if !shares || back().is_err() {
            self.roll_back_all();
        }
    }

    /// Adds a guest to those who are answered when the batch is on disk.
    fn join(&mut self, commits: bool) -> End {
        let (answer, held) = oneshot::channel();
        self.batch.push(Member { commits, answer });
        End::Held(held)
    }

    /// An open transaction of which nobody has a part is of no use.
    fn clear_if_alone(&mut self) {
        if self.batch.is_empty() && self.engine.in_transaction() {
            self.roll_back_all();
        }
    }

    /// SQLite gives a whole transaction up when it is interrupted, out of memory or out of room in the middle
    /// of a write. Nobody in it was answered, so each may do its work again. Returns whether that happened.
    fn lose_batch_unless_open(&mut self) -> bool {
        if self.engine.in_transaction() || self.batch.is_empty() {
            return false;
        }
        tracing::warn!(
            commits = self.batch.len(),
            "a failed statement took its batch along"
        );
        let members = std::mem::take(&mut self.batch);
        Settled {
            members,
            result: Err(Error::Busy),
        }
        .announce();
        true
    }

    /// A connection that cannot even roll back is replaced.
    fn roll_back_all(&mut self) {
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

    fn count_statement(&self) {
        count(&self.engine.shared.meter.statements);
        count(&self.engine.shared.meter.writes);
    }

    fn at(&self, point: Point<'_>) -> Result<(), Error> {
        match self.engine.shared.options.fault.as_deref() {
            Some(fault) => fault.at(point),
            None => Ok(()),
        }
    }

    fn after_statement(&self, sql: &str, result: Result<Rows, Error>) -> Result<Rows, Error> {
        result.and_then(|rows| self.at(Point::AfterStatement(sql)).map(|()| rows))
    }
}

/// What came of a statement, before it is known where it leaves its guest.
struct Ran {
    result: Result<Rows, Error>,
    counters: Counters,
    end: End,
    broken: bool,
}

/// SQLite's words for a COMMIT while rows wait for the rows that they refer to.
fn broken_reference() -> Error {
    Error::Io("FOREIGN KEY constraint failed".to_owned())
}

/// SQLite's words for a COMMIT or ROLLBACK outside a transaction.
fn nothing_to(verb: &str) -> Error {
    Error::Io(format!("cannot {verb} - no transaction is active"))
}

/// A name as SQL takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
