//! A worker that answers statements which only read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::class::Class;
use crate::engine::Engine;
use crate::fault::Point;
use crate::job::{Answer, Job, Read, Reply};
use crate::stats::count;
use crate::watch::{Cause, Current};
use crate::{Error, Rows, Value};

/// SQLite's message when a statement that seemed to read wants to write after all: what `IF EXISTS`
/// means depends on the schema at the moment.
const READ_ONLY: &str = "attempt to write a readonly database";

/// Where the readers of a database take their work from: the first that is free takes the next.
pub(crate) struct Inbox(Mutex<Receiver<Read>>);

impl Inbox {
    pub(crate) fn new(jobs: Receiver<Read>) -> Self {
        Self(Mutex::new(jobs))
    }

    fn next(&self) -> Option<Job> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).recv() {
            Ok(Read::Run(job)) => Some(job),
            Ok(Read::Stop) | Err(_) => None,
        }
    }
}

/// Answers reads until told to stop or until no guest is left. Every statement is reset when it is
/// answered, so the next one sees all that is committed by then.
pub(crate) fn run(engine: Engine, inbox: &Arc<Inbox>) {
    while let Some(job) = inbox.next() {
        serve(&engine, job);
    }
}

fn serve(engine: &Engine, job: Job) {
    let meter = &engine.shared.meter;
    meter.queued_reads.fetch_sub(1, Relaxed);
    if job.is_abandoned() {
        count(&meter.abandoned);
        return;
    }
    *engine.watch.current() = Current {
        counters: job.counters,
        abandoned: job.abandoned.clone(),
        until: Some(Instant::now() + engine.shared.options.transaction_deadline),
        ..Current::default()
    };
    let Job {
        sql,
        params,
        standing,
        counters,
        reply,
        ..
    } = job;
    let outcome = match catch_unwind(AssertUnwindSafe(|| read(engine, &sql, &params))) {
        Ok(outcome) => outcome,
        Err(_) => {
            count(&meter.panics);
            Some(Err(Error::Io("the database failed unexpectedly".to_owned())))
        }
    };
    let timed_out = engine.watch.current().interrupted == Some(Cause::Deadline);
    let answer = match outcome {
        Some(Err(_)) if timed_out => {
            count(&meter.timeouts);
            Reply::Done(Answer {
                result: Err(Error::Timeout),
                standing,
                counters,
            })
        }
        None => Reply::NotARead(params),
        Some(result) => Reply::Done(Answer {
            result,
            standing,
            counters,
        }),
    };
    if reply.send(answer).is_err() {
        count(&meter.abandoned);
    }
}

/// The rows, or None when the statement is the writer's.
fn read(engine: &Engine, sql: &str, params: &[Value]) -> Option<Result<Rows, Error>> {
    let class = match engine.classify(sql) {
        Ok(class) => class,
        Err(error) => return Some(Err(error)),
    };
    match class {
        Class::Read => match run_read(engine, sql, params) {
            Err(Error::Io(text)) if text == READ_ONLY => {
                engine.shared.classes.forget(sql);
                None
            }
            result => Some(result),
        },
        Class::Accepted(rows) => Some(Ok(rows)),
        _ => None,
    }
}

fn run_read(engine: &Engine, sql: &str, params: &[Value]) -> Result<Rows, Error> {
    let fault = engine.shared.options.fault.as_deref();
    let meter = &engine.shared.meter;
    count(&meter.statements);
    count(&meter.reads);
    if let Some(fault) = fault {
        fault.at(Point::BeforeStatement(sql))?;
    }
    let mut counters = engine.watch.current().counters;
    let rows = engine.run(sql, params, &Class::Read, &mut counters)?;
    if let Some(fault) = fault {
        fault.at(Point::AfterStatement(sql))?;
    }
    Ok(rows)
}
