//! What kind of statement a text is. SQLite itself says so while it prepares the statement (through
//! the authorizer and `sqlite3_stmt_readonly`); the text is never parsed here.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::Rows;

/// Texts above this length are classified anew each time rather than kept.
const LONGEST_KEPT_BYTES: usize = 16 << 10;
/// When this many are kept, all are forgotten: guests that put values into the text fill it.
const MOST_KEPT: usize = 4096;

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
    RollbackTo,
}

/// Which of its connection's counters a write moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// It is an INSERT, UPDATE or DELETE, so it sets `changes()`.
    pub(crate) counts: bool,
    /// It is an INSERT, so it may set `last_insert_rowid()`.
    pub(crate) inserts: bool,
}

/// What the authorizer saw while one statement was prepared.
#[derive(Debug, Default)]
pub(crate) struct Record {
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
                })
            }
        }
    }
}

/// The classes of statements seen so far, shared by all workers of a database.
#[derive(Debug, Default)]
pub(crate) struct Classes(RwLock<HashMap<String, Class>>);

impl Classes {
    pub(crate) fn get(&self, sql: &str) -> Option<Class> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned()
    }

    pub(crate) fn keep(&self, sql: &str, class: &Class) {
        if sql.len() > LONGEST_KEPT_BYTES {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEPT {
            known.clear();
        }
        known.insert(sql.to_owned(), class.clone());
    }

    /// Forgets a class that turned out wrong, because the schema has changed under the statement.
    pub(crate) fn forget(&self, sql: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(sql);
    }
}
