//! SQLite through `spin:sqlite@3.0.0`.
//!
//! Under Spin every `open` is a connection of its own. SQLite's own defaults suit us (`synchronous`
//! FULL, and the bundled build enforces foreign keys), the journal mode does not. Asking costs one
//! statement, so the settings travel with the schema's number, and are only sent when they differ. An
//! instance asks about each database once, and remembers the answer; nothing else outlives a call.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use spin_sdk::sqlite3::{Connection, Error, Value as Wire};

use crate::opened::Opened;
use crate::{Db, DbError, Driver, Migration, Rows, Value};

thread_local! {
    /// Of this instance.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Opens the database that the manifest grants as `label`; from the second time on in one instance that costs
/// no statement.
pub fn open(label: &str, migrations: &[Migration]) -> Result<Db, DbError> {
    let connection = Connection::open(label).map_err(to_error)?;
    let found = Rc::new(Found::default());
    let driver = Box::new(SpinSqlite {
        connection,
        found: found.clone(),
    });
    let schema = migrations.last().map_or(0, |migration| migration.number);
    let known = OPENED.with_borrow(|opened| opened.settings(label, schema).map(<[_]>::to_vec));
    if let Some(settings) = known {
        // They hold for one connection, so each new one is told, unasked.
        for setting in settings {
            driver.run(setting, &[])?;
        }
        return Ok(Db::known(driver));
    }
    let db = Db::open(driver, migrations)?;
    if found.is_wal.get() {
        OPENED.with_borrow_mut(|opened| opened.remember(label, schema, found.settings.take()));
    }
    Ok(db)
}

struct SpinSqlite {
    connection: Connection,
    found: Rc<Found>,
}

/// What an opening found out.
#[derive(Default)]
struct Found {
    /// Whether the file is in the right mode for good; if not, the next opening has to look again.
    is_wal: Cell<bool>,
    /// What the connection had to be told.
    settings: RefCell<Vec<&'static str>>,
}

/// The schema's number and the settings a connection needs, in one look.
const SETTINGS: &str = "select (select user_version from pragma_user_version) as version, \
     (select journal_mode from pragma_journal_mode) as journal, \
     (select synchronous from pragma_synchronous) as synchronous, \
     (select foreign_keys from pragma_foreign_keys) as foreign_keys";

const SYNCHRONOUS_FULL: i64 = 2;

impl SpinSqlite {
    fn run(&self, statement: &str, params: &[Wire]) -> Result<spin_sdk::sqlite3::QueryResult, DbError> {
        self.connection.execute(statement, params).map_err(to_error)
    }
}

impl SpinSqlite {
    /// Changes what holds for this connection alone.
    fn set(&self, setting: &'static str) -> Result<(), DbError> {
        self.run(setting, &[])?;
        self.found.settings.borrow_mut().push(setting);
        Ok(())
    }

    /// The switch is stored in the file, so whoever comes first does it for all. SQLite answers "locked" at
    /// once to those who come at the same moment; they work in the old mode this once.
    fn switch_to_wal(&self) -> Result<(), DbError> {
        match self.run("pragma journal_mode = wal", &[]) {
            Ok(_) | Err(DbError::Busy) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Driver for SpinSqlite {
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        let params: Vec<Wire> = params.iter().cloned().map(to_wire).collect();
        let answer = self.run(statement, &params)?;
        let changed = if answer.columns.is_empty() {
            self.connection.changes()
        } else {
            0
        };
        let rows = answer.rows.into_iter();
        let rows = rows
            .map(|row| row.values.into_iter().map(from_wire).collect())
            .collect();
        Ok(Rows {
            columns: answer.columns,
            rows,
            changed,
        })
    }

    fn begin(&self) -> &'static str {
        "begin immediate"
    }

    fn begin_migration(&self) -> &'static [&'static str] {
        &["begin immediate"]
    }

    fn schema_version(&self) -> Result<u32, DbError> {
        let settings = self.execute(SETTINGS, &[])?.rows.pop().unwrap_or_default();
        let [
            Value::Integer(version),
            Value::Text(journal),
            Value::Integer(synchronous),
            Value::Integer(keys),
        ] = settings.as_slice()
        else {
            return Err(DbError::Other(format!("unexpected settings {settings:?}")));
        };
        self.found.is_wal.set(journal == "wal");
        if journal != "wal" {
            self.switch_to_wal()?;
        }
        if *synchronous < SYNCHRONOUS_FULL {
            self.set("pragma synchronous = full")?;
        }
        if *keys == 0 {
            self.set("pragma foreign_keys = on")?;
        }
        u32::try_from(*version).map_err(|_| DbError::Other(format!("schema number {version}")))
    }

    fn set_schema_version(&self, version: u32) -> Result<(), DbError> {
        self.run(&format!("pragma user_version = {version}"), &[])
            .map(drop)
    }
}

fn to_error(error: Error) -> DbError {
    match error {
        Error::Io(message) => DbError::from_sqlite_message(&message),
        Error::DatabaseFull => DbError::Unavailable("the disk is full".to_owned()),
        Error::NoSuchDatabase | Error::AccessDenied | Error::InvalidConnection => {
            DbError::Other(format!("the database was not granted: {error:?}"))
        }
    }
}

fn to_wire(value: Value) -> Wire {
    match value {
        Value::Integer(number) => Wire::Integer(number),
        Value::Real(number) => Wire::Real(number),
        Value::Text(text) => Wire::Text(text),
        Value::Blob(bytes) => Wire::Blob(bytes),
        Value::Null => Wire::Null,
    }
}

fn from_wire(value: Wire) -> Value {
    match value {
        Wire::Integer(number) => Value::Integer(number),
        Wire::Real(number) => Value::Real(number),
        Wire::Text(text) => Value::Text(text),
        Wire::Blob(bytes) => Value::Blob(bytes),
        Wire::Null => Value::Null,
    }
}
