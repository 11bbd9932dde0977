//! One guest's view of a database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use crate::class::Class;
use crate::counters::Counters;
use crate::desk::{End, Job, Served};
use crate::fault::Point;
use crate::gate::Entry;
use crate::link::Link;
use crate::reader::{Outcome, Query};
use crate::session::{Opened, SessionId, Standing};
use crate::stats::count;
use crate::{Error, Rows, Value};

/// What one guest's `open` gives: cheap, without a file handle, and as isolated from other guests
/// as a connection of its own would be.
///
/// Dropping it inside a transaction rolls the transaction back at once.
pub struct Connection {
    link: Arc<Link>,
    session: SessionId,
    standing: Standing,
    counters: Counters,
}

impl Connection {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let session = link.next_session();
        Self {
            link,
            session,
            standing: Standing::Idle,
            counters: Counters::default(),
        }
    }

    /// Runs one statement with its parameters bound by position, and answers its rows.
    ///
    /// A second statement in `sql` is refused, as Spin refuses it. A statement runs on the calling thread; the future
    /// waits where others write, and where a commit is not on disk yet. It may be dropped at any time: a
    /// statement that still waits is never run, a long read is interrupted, and what waits for the disk is
    /// committed or not without anybody being told.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        match self.standing.clone() {
            Standing::Idle => self.outside(sql, &params).await,
            Standing::Open(opened) => self.inside(sql, &params, opened).await,
            Standing::Lost(opened, why) => self.refuse_lost(sql, opened, why),
        }
    }

    /// The rows that this guest's latest INSERT, UPDATE or DELETE changed.
    pub fn changes(&self) -> u64 {
        self.counters.changes
    }

    /// The rowid of this guest's latest successful INSERT, or 0.
    pub fn last_insert_rowid(&self) -> i64 {
        self.counters.last_insert_rowid
    }

    /// Whether the guest has begun a transaction that it has not ended, even if the host has
    /// rolled it back meanwhile.
    pub fn in_transaction(&self) -> bool {
        self.standing != Standing::Idle
    }

    /// A statement outside a transaction: what only reads goes to a reader, all else to the writer.
    async fn outside(&mut self, sql: &str, params: &[Value]) -> Result<Rows, Error> {
        let core = self.link.core.clone();
        let known = core.shared.classes.get(sql);
        if let Some(Class::Accepted(rows)) = known.as_ref().map(|known| &known.class) {
            return Ok(rows.clone());
        }
        let may_read = known.as_ref().is_none_or(|known| known.class == Class::Read);
        if let (true, Some(readers)) = (may_read, &core.readers) {
            let abandoned = Abandoned::default();
            let query = Query {
                sql,
                params,
                counters: self.counters,
                abandoned: abandoned.0.clone(),
            };
            let outcome = readers.read(&core, &query).await;
            drop(abandoned);
            if let Outcome::Answered(answer) = outcome {
                return answer;
            }
        }
        Entry::new(core.clone(), self.session).await?;
        let known = core.shared.classes.get(sql);
        let served = core.outside(&self.job(sql, params), known.as_deref());
        self.settle(sql, served).await
    }

    /// A statement of the guest's transaction.
    async fn inside(&mut self, sql: &str, params: &[Value], opened: Opened) -> Result<Rows, Error> {
        let core = self.link.core.clone();
        match core.in_turn(&self.job(sql, params)) {
            Some(served) => self.settle(sql, served).await,
            None => self.refuse_lost(sql, opened, Error::Timeout),
        }
    }

    fn job<'a>(&self, sql: &'a str, params: &'a [Value]) -> Job<'a> {
        Job {
            session: self.session,
            sql,
            params,
            counters: self.counters,
            until: Instant::now() + self.link.core.shared.options.transaction_deadline,
        }
    }

    /// Takes over what the statement did to this guest, and waits for the disk where it has committed.
    async fn settle(&mut self, sql: &str, served: Served) -> Result<Rows, Error> {
        self.standing = served.standing;
        self.counters = served.counters;
        let End::Held(on_disk) = served.end else {
            return served.result;
        };
        match on_disk.await {
            Ok(Ok(())) => served
                .result
                .and_then(|rows| self.after_commit(sql).map(|()| rows)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Closed),
        }
    }

    /// The points at which only the answer can be lost.
    fn after_commit(&self, sql: &str) -> Result<(), Error> {
        let shared = &self.link.core.shared;
        let Some(fault) = shared.options.fault.as_deref() else {
            return Ok(());
        };
        let asked = AssertUnwindSafe(|| {
            fault.at(Point::AfterCommit)?;
            fault.at(Point::AfterStatement(sql))
        });
        catch_unwind(asked).unwrap_or_else(|_| {
            count(&shared.meter.panics);
            Err(Error::broken())
        })
    }

    /// Answers a guest whose transaction the host has rolled back: nothing runs until it has ended the
    /// transaction on its side too, so that no later statement slips out of it.
    fn refuse_lost(&mut self, sql: &str, opened: Opened, why: Error) -> Result<Rows, Error> {
        let known = match self.link.core.classify(sql, true) {
            Err(Error::Closed) => return Err(Error::Closed),
            known => known.ok(),
        };
        let (answer, standing) = match known.as_ref().map(|known| &known.class) {
            Some(Class::Rollback) => (Ok(Rows::default()), Standing::Idle),
            Some(Class::Commit) => (Err(why), Standing::Idle),
            Some(Class::Release(name)) if opened.as_ref() == Some(name) => (Err(why), Standing::Idle),
            _ => (Err(why.clone()), Standing::Lost(opened, why)),
        };
        self.standing = standing;
        answer
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if matches!(self.standing, Standing::Open(_)) {
            self.link.core.release(self.session);
        }
    }
}

/// Tells a read that nobody waits for it any more. One that has landed does not look any more.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
