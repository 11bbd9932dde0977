//! Statements that only read, on connections that can do nothing else.
//!
//! A read runs on the thread that asks. One that takes longer than [`BUDGET`] is broken off and run again on
//! a thread where it holds nobody up; from then on its text is known to be slow, and begins there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::class::Class;
use crate::core::{Core, Shared};
use crate::counters::Counters;
use crate::engine::Engine;
use crate::fault::Point;
use crate::stats::count;
use crate::watch::{Cause, Current};
use crate::{Error, Rows, Value};

/// How long a read may hold its thread up.
const BUDGET: Duration = Duration::from_millis(3);

/// SQLite's message when a statement that seemed to read wants to write after all: what `IF EXISTS`
/// means depends on the schema at the moment.
const READ_ONLY: &str = "attempt to write a readonly database";

/// The reading connections of a database.
pub(crate) struct Readers {
    idle: Mutex<Vec<Engine>>,
    free: Arc<Semaphore>,
    /// Rung when a connection comes back.
    back: Condvar,
    size: usize,
}

/// A statement that seems to read.
#[derive(Clone)]
pub(crate) struct Query<'a> {
    pub(crate) sql: &'a str,
    pub(crate) params: &'a [Value],
    pub(crate) counters: Counters,
    /// Set when nobody waits for the answer any more.
    pub(crate) abandoned: Arc<AtomicBool>,
}

/// What came of it.
pub(crate) enum Outcome {
    Answered(Result<Rows, Error>),
    /// It is the writer's.
    NotARead,
    /// It was broken off, having used up its time.
    TooLong,
}

impl Readers {
    pub(crate) fn new(engines: Vec<Engine>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(engines.len())),
            back: Condvar::new(),
            size: engines.len(),
            idle: Mutex::new(engines),
        }
    }

    /// Lets nobody in any more, waits until nobody reads, and closes the connections. Blocks.
    pub(crate) fn close(&self) {
        self.free.close();
        let mut idle = self.idle();
        while idle.len() < self.size {
            idle = self.back.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
        idle.clear();
    }

    /// Waits for a connection and reads.
    pub(crate) async fn read(&self, core: &Arc<Core>, query: &Query<'_>) -> Outcome {
        let known = core.shared.classes.get(query.sql);
        if !known.is_some_and(|known| known.is_slow()) {
            let permit = match self.enter(&core.shared).await {
                Ok(permit) => permit,
                Err(error) => return Outcome::Answered(Err(error)),
            };
            let outcome = self.lend(|engine| serve(engine, query, Some(BUDGET)));
            drop(permit);
            if !matches!(outcome, Outcome::TooLong) {
                return outcome;
            }
        }
        self.read_long(core, query).await
    }

    /// Reads on a thread of its own, which goes on without anybody if the future is dropped.
    async fn read_long(&self, core: &Arc<Core>, query: &Query<'_>) -> Outcome {
        let permit = match self.enter(&core.shared).await {
            Ok(permit) => permit,
            Err(error) => return Outcome::Answered(Err(error)),
        };
        let (core, sql, params) = (core.clone(), query.sql.to_owned(), query.params.to_vec());
        let (counters, abandoned) = (query.counters, query.abandoned.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let query = Query {
                sql: &sql,
                params: &params,
                counters,
                abandoned,
            };
            let outcome = core
                .readers
                .as_ref()
                .map(|readers| readers.lend(|engine| serve(engine, &query, None)));
            drop(permit);
            outcome
        });
        match reading.await {
            Ok(Some(outcome)) => outcome,
            Ok(None) | Err(_) => Outcome::Answered(Err(Error::Closed)),
        }
    }

    async fn enter(&self, shared: &Shared) -> Result<OwnedSemaphorePermit, Error> {
        match self.free.clone().try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(Error::Closed),
            Err(TryAcquireError::NoPermits) => {}
        }
        let meter = &shared.meter;
        let waiting = meter.queued_reads.fetch_add(1, Relaxed);
        let _place = Place(shared);
        if waiting >= shared.options.queue_limit as u64 {
            count(&meter.busy);
            return Err(Error::Busy);
        }
        self.free.clone().acquire_owned().await.map_err(|_| Error::Closed)
    }

    /// Gives out a connection, of which there is one for each permit, and takes it back.
    fn lend(&self, work: impl FnOnce(&Engine) -> Outcome) -> Outcome {
        let Some(engine) = self.idle().pop() else {
            return Outcome::Answered(Err(Error::Closed));
        };
        let outcome = work(&engine);
        self.idle().push(engine);
        if self.free.is_closed() {
            self.back.notify_one();
        }
        outcome
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Engine>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line before the readers.
struct Place<'a>(&'a Shared);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.meter.queued_reads.fetch_sub(1, Relaxed);
    }
}

fn serve(engine: &Engine, query: &Query<'_>, budget: Option<Duration>) -> Outcome {
    let meter = &engine.shared.meter;
    let now = Instant::now();
    let deadline = engine.shared.options.transaction_deadline;
    *engine.watch.current() = Current {
        counters: query.counters,
        abandoned: query.abandoned.clone(),
        until: Some(now + budget.map_or(deadline, |budget| budget.min(deadline))),
        ..Current::default()
    };
    let worked = catch_unwind(AssertUnwindSafe(|| read(engine, query)));
    if engine.watch.current().abandoned.load(Relaxed) {
        count(&meter.abandoned);
    }
    let cut = engine.watch.current().interrupted.take();
    let outcome = worked.unwrap_or_else(|_| {
        count(&meter.panics);
        Outcome::Answered(Err(Error::broken()))
    });
    match (&outcome, cut) {
        (Outcome::Answered(Err(_)), Some(Cause::Deadline))
            if budget.is_some_and(|budget| budget < deadline) =>
        {
            Outcome::TooLong
        }
        (Outcome::Answered(Err(_)), Some(Cause::Deadline)) => {
            count(&meter.timeouts);
            Outcome::Answered(Err(Error::Timeout))
        }
        _ => outcome,
    }
}

fn read(engine: &Engine, query: &Query<'_>) -> Outcome {
    let known = match engine.classify(query.sql, false) {
        Ok(known) => known,
        Err(error) => return Outcome::Answered(Err(error)),
    };
    match &known.class {
        Class::Read => {}
        Class::Accepted(rows) => return Outcome::Answered(Ok(rows.clone())),
        _ => return Outcome::NotARead,
    }
    let started = Instant::now();
    let answer = run(engine, query);
    known.took(started.elapsed());
    match answer {
        Err(Error::Io(text)) if text == READ_ONLY => {
            engine.shared.classes.forget(query.sql);
            Outcome::NotARead
        }
        answer => Outcome::Answered(answer),
    }
}

fn run(engine: &Engine, query: &Query<'_>) -> Result<Rows, Error> {
    let fault = engine.shared.options.fault.as_deref();
    let meter = &engine.shared.meter;
    count(&meter.statements);
    count(&meter.reads);
    if let Some(fault) = fault {
        fault.at(Point::BeforeStatement(query.sql))?;
    }
    let mut counters = query.counters;
    let rows = engine.run(query.sql, query.params, &Class::Read, false, &mut counters)?;
    if let Some(fault) = fault {
        fault.at(Point::AfterStatement(query.sql))?;
    }
    Ok(rows)
}
