//! What the writer does with one statement.

use crate::class::Class;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::fault::Point;
use crate::job::{Opened, Standing};
use crate::stats::count;
use crate::{Error, Rows, Value};

/// What came of a statement.
pub(crate) struct Done {
    pub(crate) result: Result<Rows, Error>,
    pub(crate) counters: Counters,
    /// How it would have opened a transaction, if it has.
    pub(crate) begins: Opened,
    /// It committed a transaction, its own or its guest's.
    pub(crate) committed: bool,
    /// It panicked, so what it left behind is not to be used.
    pub(crate) broken: bool,
}

impl Done {
    /// What is left of a statement that panicked.
    pub(crate) fn broken(counters: Counters) -> Self {
        let result = Err(Error::Io("the database failed unexpectedly".to_owned()));
        Self {
            result,
            counters,
            begins: None,
            committed: false,
            broken: true,
        }
    }

    fn failed(error: Error, counters: Counters) -> Self {
        Self {
            result: Err(error),
            counters,
            begins: None,
            committed: false,
            broken: false,
        }
    }
}

/// Runs a statement for a guest that is outside a transaction (`opened` is None) or in its turn.
///
/// Whether a transaction is open before and after is asked of SQLite, not read from the text: an
/// error or `ON CONFLICT ROLLBACK` may have ended it.
pub(crate) fn carry_out(
    engine: &Engine,
    sql: &str,
    params: &[Value],
    mut counters: Counters,
    opened: Option<&Opened>,
) -> Done {
    let class = match engine.classify(sql) {
        Ok(Class::Accepted(rows)) => {
            return Done {
                result: Ok(rows),
                counters,
                begins: None,
                committed: false,
                broken: false,
            };
        }
        Ok(class) => class,
        Err(error) => return Done::failed(error, counters),
    };
    count(&engine.shared.meter.statements);
    count(&engine.shared.meter.writes);
    let commits = would_commit(&class, opened);
    if let Err(error) = before(engine, sql, commits) {
        return Done::failed(error, counters);
    }
    let result = engine.run(sql, params, &class, &mut counters);
    let committed = commits && result.is_ok() && !engine.in_transaction();
    let result = after(engine, sql, committed, result);
    let begins = match class {
        Class::Savepoint(name) => Some(name),
        _ => None,
    };
    Done {
        result,
        counters,
        begins,
        committed,
        broken: false,
    }
}

/// Answers a guest whose transaction the host has rolled back: nothing runs until it has ended the
/// transaction on its side too, so that no later statement slips out of it.
pub(crate) fn refuse_lost(
    engine: &Engine,
    sql: &str,
    opened: Opened,
    why: Error,
) -> (Result<Rows, Error>, Standing) {
    match engine.classify(sql) {
        Ok(Class::Rollback) => (Ok(Rows::default()), Standing::Idle),
        Ok(Class::Commit) => (Err(why), Standing::Idle),
        Ok(Class::Release(name)) if opened.as_ref() == Some(&name) => (Err(why), Standing::Idle),
        _ => (Err(why.clone()), Standing::Lost(opened, why)),
    }
}

/// Where a statement leaves its guest: `was` is the transaction it was in before, `open` whether
/// SQLite has one open now.
pub(crate) fn standing_after(was: Option<Opened>, done: &Done, timed_out: bool, open: bool) -> Standing {
    match was {
        Some(opened) if timed_out => Standing::Lost(opened, Error::Timeout),
        // If it broke down after its transaction had ended, only the answer is lost.
        Some(opened) if done.broken && open => Standing::Lost(opened, Error::RolledBack),
        Some(opened) if open => Standing::Open(opened),
        None if open && !timed_out && !done.broken => Standing::Open(done.begins.clone()),
        Some(_) | None => Standing::Idle,
    }
}

/// Whether success of this statement means that something is committed.
fn would_commit(class: &Class, opened: Option<&Opened>) -> bool {
    match (class, opened) {
        (Class::Commit, Some(_)) | (Class::Write(_) | Class::Setting, None) => true,
        (Class::Release(name), Some(Some(outermost))) => name == outermost,
        _ => false,
    }
}

fn before(engine: &Engine, sql: &str, commits: bool) -> Result<(), Error> {
    let Some(fault) = engine.shared.options.fault.as_deref() else {
        return Ok(());
    };
    fault.at(Point::BeforeStatement(sql))?;
    if commits {
        fault.at(Point::BeforeCommit)
    } else {
        Ok(())
    }
}

fn after(engine: &Engine, sql: &str, committed: bool, result: Result<Rows, Error>) -> Result<Rows, Error> {
    let Some(fault) = engine.shared.options.fault.as_deref() else {
        return result;
    };
    if committed {
        fault.at(Point::AfterCommit)?;
    }
    fault.at(Point::AfterStatement(sql))?;
    result
}
