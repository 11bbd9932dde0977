//! SQLite through rusqlite, for tests outside wasm.

use std::path::Path;

use rusqlite::types::Value as Native;
use rusqlite::{Connection, OpenFlags};

use crate::{Db, DbError, Driver, Migration, Rows, Value};

/// Opens a database that lives as long as the answer.
pub fn in_memory(migrations: &[Migration]) -> Result<Db, DbError> {
    Db::open(in_memory_driver()?, migrations)
}

/// The driver of a database that lives as long as the answer: for tests that look over its shoulder, to
/// count statements for instance.
pub fn in_memory_driver() -> Result<Box<dyn Driver>, DbError> {
    prepare(Connection::open_in_memory().map_err(|error| to_error(&error))?)
}

/// Opens a database in a file. Several connections may have it open.
pub fn open(path: &Path, migrations: &[Migration]) -> Result<Db, DbError> {
    Db::open(driver(path)?, migrations)
}

/// The driver of one more connection to a database in a file.
pub fn driver(path: &Path) -> Result<Box<dyn Driver>, DbError> {
    prepare(Connection::open(path).map_err(|error| to_error(&error))?)
}

/// Opens a database that others write, to read it: a transaction here is one moment of it, and makes nobody wait.
///
/// Fails with [`DbError::Unavailable`] when there is no such file.
pub fn open_reader(path: &Path) -> Result<Db, DbError> {
    let only_read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, only_read).map_err(|error| to_error(&error))?;
    connection
        .execute_batch("pragma busy_timeout = 10000")
        .map_err(|error| to_error(&error))?;
    Ok(Db::reader(Box::new(NativeSqlite {
        connection,
        begin: "begin",
    })))
}

fn prepare(connection: Connection) -> Result<Box<dyn Driver>, DbError> {
    let settings = "pragma busy_timeout = 10000; pragma synchronous = off; pragma foreign_keys = on;";
    connection
        .execute_batch(settings)
        .map_err(|error| to_error(&error))?;
    match connection
        .execute_batch("pragma journal_mode = wal")
        .map_err(|error| to_error(&error))
    {
        // Another connection is switching at this moment: it does it for all.
        Ok(()) | Err(DbError::Busy) => {}
        Err(error) => return Err(error),
    }
    Ok(Box::new(NativeSqlite {
        connection,
        begin: "begin immediate",
    }))
}

struct NativeSqlite {
    connection: Connection,
    begin: &'static str,
}

impl NativeSqlite {
    fn run(&self, statement: &str, params: &[Value]) -> rusqlite::Result<Rows> {
        let mut prepared = self.connection.prepare_cached(statement)?;
        let columns: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
        let width = columns.len();
        let params = rusqlite::params_from_iter(params.iter().map(to_native));
        let mut answer = prepared.query(params)?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next()? {
            let values = (0..width).map(|place| row.get::<_, Native>(place).map(from_native));
            rows.push(values.collect::<rusqlite::Result<_>>()?);
        }
        let changed = if width == 0 { self.connection.changes() } else { 0 };
        Ok(Rows {
            columns,
            rows,
            changed,
        })
    }
}

impl Driver for NativeSqlite {
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        self.run(statement, params).map_err(|error| to_error(&error))
    }

    fn begin(&self) -> &'static str {
        self.begin
    }

    fn begin_migration(&self) -> &'static [&'static str] {
        &["begin immediate"]
    }

    fn schema_version(&self) -> Result<u32, DbError> {
        match self.execute("pragma user_version", &[])?.rows.pop().as_deref() {
            Some([Value::Integer(version)]) => {
                u32::try_from(*version).map_err(|_| DbError::Other(format!("schema number {version}")))
            }
            other => Err(DbError::Other(format!("unexpected schema number {other:?}"))),
        }
    }

    fn set_schema_version(&self, version: u32) -> Result<(), DbError> {
        self.execute(&format!("pragma user_version = {version}"), &[])
            .map(drop)
    }
}

fn to_error(error: &rusqlite::Error) -> DbError {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => DbError::from_sqlite_message(message),
        other => DbError::from_sqlite_message(&other.to_string()),
    }
}

fn to_native(value: &Value) -> Native {
    match value {
        Value::Integer(number) => Native::Integer(*number),
        Value::Real(number) => Native::Real(*number),
        Value::Text(text) => Native::Text(text.clone()),
        Value::Blob(bytes) => Native::Blob(bytes.clone()),
        Value::Null => Native::Null,
    }
}

fn from_native(value: Native) -> Value {
    match value {
        Native::Integer(number) => Value::Integer(number),
        Native::Real(number) => Value::Real(number),
        Native::Text(text) => Value::Text(text),
        Native::Blob(bytes) => Value::Blob(bytes),
        Native::Null => Value::Null,
    }
}
