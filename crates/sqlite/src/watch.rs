//! What a connection is told about the statement it runs: whose it is, and when to give it up.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::Action;

use crate::counters::Counters;

/// How many steps of SQLite's virtual machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1000;

/// Why a statement was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Abandoned,
    Deadline,
}

/// The statement that a connection runs now.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) counters: Counters,
    pub(crate) abandoned: Arc<AtomicBool>,
    pub(crate) until: Option<Instant>,
    /// Set when a row was inserted, by the statement itself or by a trigger.
    pub(crate) inserted: bool,
    pub(crate) interrupted: Option<Cause>,
}

/// Shared with the hooks of one connection. Workers run one statement at a time, so the lock is
/// never waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Current>>);

impl Watch {
    pub(crate) fn current(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Installs the hooks.
    ///
    /// `changes()` and its siblings are replaced in SQL, because the connection's own would answer
    /// with another guest's figures. Inside a trigger, `changes()` answers for the statement before
    /// the one that fired it.
    pub(crate) fn install(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let watch = self.clone();
        connection.create_scalar_function("changes", 0, flags, move |_| {
            Ok(signed(watch.current().counters.changes))
        })?;
        let watch = self.clone();
        connection.create_scalar_function("total_changes", 0, flags, move |_| {
            Ok(signed(watch.current().counters.total_changes))
        })?;
        let watch = self.clone();
        connection.create_scalar_function("last_insert_rowid", 0, flags, move |_| {
            Ok(watch.current().counters.last_insert_rowid)
        })?;
        let watch = self.clone();
        connection.update_hook(Some(move |action: Action, _: &str, _: &str, rowid| {
            if action == Action::SQLITE_INSERT {
                let mut current = watch.current();
                current.inserted = true;
                current.counters.last_insert_rowid = rowid;
            }
        }))?;
        let watch = self.clone();
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || watch.gives_up()))
    }

    /// Whether the running statement is to be interrupted.
    fn gives_up(&self) -> bool {
        let mut current = self.current();
        let late = current.until.is_some_and(|until| until <= Instant::now());
        if current.abandoned.load(Relaxed) {
            current.interrupted = Some(Cause::Abandoned);
        } else if late {
            current.interrupted = Some(Cause::Deadline);
        }
        current.interrupted.is_some()
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
