//! One SQLite connection and what a worker does with it.

mod open;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql, ffi};

use crate::class::{Class, Effect, Known, LONGEST_KEPT_BYTES, Record};
use crate::core::Shared;
use crate::counters::Counters;
use crate::watch::Watch;
use crate::{Error, Rows, Value};

pub(crate) use open::Place;

/// The savepoint inside which a guest works that shares SQLite's transaction with others.
pub(crate) const TURN: &str = "bodega_turn";

/// A connection with its settings, hooks and statement cache.
pub(crate) struct Engine {
    connection: Connection,
    place: Place,
    pub(crate) shared: Arc<Shared>,
    pub(crate) watch: Watch,
    record: Arc<Mutex<Record>>,
    in_transaction: Arc<AtomicBool>,
}

impl Engine {
    /// Closes this connection, which rolls back whatever it holds, and opens a new one.
    pub(crate) fn reopen(&mut self) -> Result<(), Error> {
        *self = Self::open_writer(&self.place, self.shared.clone())?;
        Ok(())
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    pub(crate) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Whether rows wait for the rows that they refer to: SQLite would refuse a COMMIT now.
    #[expect(unsafe_code, reason = "rusqlite has no name for sqlite3_db_status")]
    pub(crate) fn breaks_foreign_keys(&self) -> bool {
        let (mut unresolved, mut peak) = (0, 0);
        // SAFETY: the handle is this connection's, which is open and used by nobody else meanwhile.
        let status = unsafe {
            let status = ffi::SQLITE_DBSTATUS_DEFERRED_FKS;
            ffi::sqlite3_db_status(self.connection.handle(), status, &mut unresolved, &mut peak, 0)
        };
        status != ffi::SQLITE_OK || unresolved != 0
    }

    /// What `sql` is, asking SQLite unless it is known. Some pragmas depend on whether their guest is in a
    /// transaction.
    pub(crate) fn classify(&self, sql: &str, in_transaction: bool) -> Result<Arc<Known>, Error> {
        if let Some(known) = self.shared.classes.get(sql) {
            return Ok(known);
        }
        self.start_record(in_transaction, false);
        let statement = self
            .connection
            .prepare(sql)
            .map_err(|error| self.explain(error))?;
        let record = std::mem::take(&mut *self.record.lock().unwrap_or_else(PoisonError::into_inner));
        let class = record.class(statement.readonly(), statement.is_explain() != 0);
        Ok(self.shared.classes.keep(sql, class))
    }

    /// Runs a statement and moves its guest's counters.
    pub(crate) fn run(
        &self,
        sql: &str,
        params: &[Value],
        class: &Class,
        in_transaction: bool,
        counters: &mut Counters,
    ) -> Result<Rows, Error> {
        self.start_record(in_transaction, false);
        match class {
            Class::Setting => {
                let mut statement = self
                    .connection
                    .prepare(sql)
                    .map_err(|error| self.explain(error))?;
                self.collect(&mut statement, params)
            }
            Class::Write(effect) => self.with_prepared(sql, |statement| {
                check_count(statement, params)?;
                let before = (
                    self.connection.total_changes(),
                    self.connection.last_insert_rowid(),
                );
                let result = self.collect(statement, params);
                self.count(*effect, before, counters);
                result
            }),
            // A deferred transaction that turns to writing later would have to fail; one that is
            // immediate only waits, and the writer is this guest's anyway.
            Class::Begin => self.command("BEGIN IMMEDIATE"),
            _ => self.with_prepared(sql, |statement| self.collect(statement, params)),
        }
    }

    /// Works with a statement that was prepared before, unless its text is too long to be kept.
    fn with_prepared<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.explain(error))?;
        let result = work(&mut statement);
        if sql.len() > LONGEST_KEPT_BYTES {
            statement.discard();
        }
        result
    }

    /// Runs a statement of the host's own, which may do what guests may not.
    pub(crate) fn command(&self, sql: &str) -> Result<Rows, Error> {
        self.start_record(false, true);
        let mut statement = self.connection.prepare_cached(sql)?;
        self.collect(&mut statement, &[])
    }

    fn collect(&self, statement: &mut Statement<'_>, params: &[Value]) -> Result<Rows, Error> {
        let limit = self.shared.options.max_result_bytes;
        let mut size = std::mem::size_of::<Rows>();
        let mut rows = Vec::new();
        let mut found = statement
            .query(rusqlite::params_from_iter(params))
            .map_err(|error| self.explain(error))?;
        while let Some(row) = found.next().map_err(|error| self.explain(error))? {
            // The first step may have prepared a cached statement anew, with other columns.
            let width = AsRef::<Statement<'_>>::as_ref(row).column_count();
            let mut values = Vec::with_capacity(width);
            for column in 0..width {
                let value = owned(row.get_ref(column)?)?;
                size += value.memory_size();
                values.push(value);
            }
            if size > limit {
                return Err(Error::Io(format!("query result exceeds limit of {limit} bytes")));
            }
            rows.push(values);
        }
        drop(found);
        let columns = statement.column_names().into_iter().map(str::to_owned).collect();
        Ok(Rows { columns, rows })
    }

    /// Takes over from the connection's counters what belongs to the statement that just ran.
    fn count(&self, effect: Effect, before: (u64, i64), counters: &mut Counters) {
        counters.total_changes += self.connection.total_changes() - before.0;
        if effect.counts {
            counters.changes = self.connection.changes();
        }
        let rowid = self.connection.last_insert_rowid();
        if effect.inserts && (rowid != before.1 || self.watch.current().inserted) {
            counters.last_insert_rowid = rowid;
        }
    }

    fn start_record(&self, in_transaction: bool, of_host: bool) {
        self.in_transaction.store(in_transaction, Relaxed);
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Record {
            of_host,
            ..Record::default()
        };
    }

    /// Says why, where SQLite only says "not authorized".
    fn explain(&self, error: rusqlite::Error) -> Error {
        let refusal = self
            .record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refusal
            .take();
        match refusal {
            Some(why) => Error::Io(why),
            None => error.into(),
        }
    }
}

fn check_count(statement: &Statement<'_>, params: &[Value]) -> Result<(), Error> {
    let needed = statement.parameter_count();
    if needed == params.len() {
        return Ok(());
    }
    Err(rusqlite::Error::InvalidParameterCount(params.len(), needed).into())
}

fn owned(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(error) => return Err(Error::Io(format!("text in the database is not UTF-8: {error}"))),
        },
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
