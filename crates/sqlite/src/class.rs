//! What kind of statement a text is. SQLite itself says so while it prepares the statement (through
//! the authorizer and `sqlite3_stmt_readonly`); the text is never parsed here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::Rows;

/// Texts above this length are prepared anew each time rather than kept: those with a list of hundreds of parameters, which
/// is hardly ever as long again, and whose program holds many times its length.
pub(crate) const LONGEST_KEPT_BYTES: usize = 2 << 10;
/// When this many are kept, all are forgotten: guests that put values into the text fill it.
const MOST_KEPT: usize = 4096;
/// A statement that takes longer is not run where it holds up others that have nothing to do with it.
const QUICK: Duration = Duration::from_millis(2);

/// What a statement is, which decides where and how it runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Class {
    /// Reads and nothing else.
    Read,
    /// Writes.
    Write(Effect),
    /// A pragma that sets something; it may act while it is prepared, so it is never cached.
    Setting,
    /// A setting that is as asked for already; answered with this and not run.
    Accepted(Rows),
    /// Begins a transaction.
    Begin,
    /// Commits it.
    Commit,
    /// Rolls it back.
    Rollback,
    /// Sets a savepoint.
    Savepoint(String),
    /// Releases one; the outermost one commits.
    Release(String),
    /// Goes back to one.
    RollbackTo(String),
}

/// Which of its connection's counters a write moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// It is an INSERT, UPDATE or DELETE, so it sets `changes()`.
    pub(crate) counts: bool,
    /// It is an INSERT, so it may set `last_insert_rowid()`.
    pub(crate) inserts: bool,
    /// It changes the schema, or whatever else is no row.
    pub(crate) alters: bool,
}

/// What the authorizer saw while one statement was prepared.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The statement is the host's own, and allowed whatever it is.
    pub(crate) of_host: bool,
    /// What only the authorizer can tell: transaction control and pragmas.
    pub(crate) special: Option<Class>,
    pub(crate) changes_rows: bool,
    pub(crate) inserts_rows: bool,
    pub(crate) changes_schema: bool,
    /// Why the statement was refused.
    pub(crate) refusal: Option<String>,
}

impl Record {
    pub(crate) fn class(self, read_only: bool, explain: bool) -> Class {
        if explain {
            return Class::Read;
        }
        match self.special {
            Some(special) => special,
            None if read_only => Class::Read,
            None => {
                let counts = self.changes_rows && !self.changes_schema;
                Class::Write(Effect {
                    counts,
                    inserts: counts && self.inserts_rows,
                    alters: !counts,
                })
            }
        }
    }
}

/// What is known of a statement's text.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) class: Class,
    pace: AtomicU8,
}

/// It has not run yet.
const UNKNOWN: u8 = 0;
/// Its latest run took so little time that a thread may be held up by the next one.
const IS_QUICK: u8 = 1;
/// It took longer.
const IS_SLOW: u8 = 2;

impl Known {
    const fn new(class: Class) -> Self {
        Self {
            class,
            pace: AtomicU8::new(UNKNOWN),
        }
    }

    pub(crate) fn is_quick(&self) -> bool {
        self.pace.load(Relaxed) == IS_QUICK
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.pace.load(Relaxed) == IS_SLOW
    }

    /// Learns from a run.
    pub(crate) fn took(&self, time: Duration) {
        let pace = if time < QUICK { IS_QUICK } else { IS_SLOW };
        if self.pace.load(Relaxed) != pace {
            self.pace.store(pace, Relaxed);
        }
    }
}

/// The statements seen so far, shared by all connections of a database.
#[derive(Debug, Default)]
pub(crate) struct Classes(RwLock<HashMap<String, Arc<Known>>>);

impl Classes {
    pub(crate) fn get(&self, sql: &str) -> Option<Arc<Known>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned()
    }

    pub(crate) fn keep(&self, sql: &str, class: Class) -> Arc<Known> {
        let found = Arc::new(Known::new(class));
        if sql.len() > LONGEST_KEPT_BYTES {
            return found;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEPT {
            known.clear();
        }
        known.insert(sql.to_owned(), found.clone());
        found
    }

    /// Forgets a class that turned out wrong, because the schema has changed under the statement.
    pub(crate) fn forget(&self, sql: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(sql);
    }
}
