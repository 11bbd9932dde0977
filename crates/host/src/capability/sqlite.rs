//! SQLite: `spin:sqlite@3.0.0` and `fermyon:spin/sqlite@2.0.0`.

use super::MAX_HANDLES;
use crate::faults::Kind;
use crate::meter::{Spent, timed};
use crate::state::State;
use crate::trace;
use bindings::{spin2::sqlite as v2, spin3::sqlite as v3};
use sqlite::{Connection, Rows, Value};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;

/// An open connection; dropping it rolls back what it has not committed.
struct Handle {
    connection: Connection,
    spent: Option<Spent>,
    /// What spans call it, where there are any.
    label: Option<Arc<str>>,
}

/// Why a call was refused or failed, for both versions.
enum Refusal {
    NoSuchDatabase,
    AccessDenied,
    InvalidConnection,
    Full,
    Io(String),
}

impl From<sqlite::Error> for Refusal {
    fn from(error: sqlite::Error) -> Self {
        match error {
            sqlite::Error::DatabaseFull => Self::Full,
            other => Self::Io(other.to_string()),
        }
    }
}

impl State {
    async fn open_database(&mut self, label: &str) -> Result<Result<u32, Refusal>> {
        if let Some(text) = self.before(Kind::Sqlite, label).await? {
            return Ok(Err(Refusal::Io(text)));
        }
        if !self.guest.databases.contains(label) {
            return Ok(Err(Refusal::AccessDenied));
        }
        let Some(database) = self.app.databases.get(label) else {
            return Ok(Err(Refusal::NoSuchDatabase));
        };
        if self.open_handles >= MAX_HANDLES {
            return Ok(Err(Refusal::Io("too many connections opened".to_owned())));
        }
        let handle = Handle {
            label: self.place.is_traced().then(|| label.into()),
            connection: database.connect(),
            spent: self.app.meters.as_ref().and_then(|meters| meters.database(label)),
        };
        let handle = self.table.push(handle)?;
        self.open_handles += 1;
        Ok(Ok(handle.rep()))
    }

    async fn run_statement(
        &mut self,
        rep: u32,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Result<Rows, Refusal>> {
        if let Some(text) = self.before(Kind::Sqlite, sql).await? {
            return Ok(Err(Refusal::Io(text)));
        }
        let place = self.place.clone();
        let Some(handle) = self.handle(rep) else {
            return Ok(Err(Refusal::InvalidConnection));
        };
        let label = handle.label.as_deref();
        let mut span = place.begin(|| trace::statement("sqlite", label.unwrap_or_default(), sql));
        let answer = timed(handle.spent.clone(), handle.connection.execute(sql, parameters)).await;
        if answer.is_err() {
            span.fail("the statement failed");
        }
        drop(span);
        if let Some(text) = self.after(Kind::Sqlite, sql).await? {
            return Ok(Err(Refusal::Io(text)));
        }
        Ok(answer.map_err(Refusal::from))
    }

    fn connection(&mut self, rep: u32) -> Option<&mut Connection> {
        self.handle(rep).map(|handle| &mut handle.connection)
    }

    fn handle(&mut self, rep: u32) -> Option<&mut Handle> {
        self.table.get_mut(&Resource::<Handle>::new_borrow(rep)).ok()
    }

    fn close_connection(&mut self, rep: u32) -> Result<()> {
        self.table.delete(Resource::<Handle>::new_own(rep))?;
        self.open_handles -= 1;
        Ok(())
    }
}

fn invalid() -> wasmtime::Error {
    wasmtime::format_err!("the handle names no connection")
}

impl v3::Host for State {}

impl v3::HostConnection for State {
    async fn open(&mut self, database: String) -> Result<Result<Resource<v3::Connection>, v3::Error>> {
        let opened = self.open_database(&database).await?;
        Ok(opened.map(Resource::new_own).map_err(v3::Error::from))
    }

    async fn execute(
        &mut self,
        this: Resource<v3::Connection>,
        statement: String,
        parameters: Vec<v3::Value>,
    ) -> Result<Result<v3::QueryResult, v3::Error>> {
        let parameters = parameters.into_iter().map(Value::from_wit).collect();
        let rows = self.run_statement(this.rep(), &statement, parameters).await?;
        Ok(rows.map(ToWit::to_wit).map_err(v3::Error::from))
    }

    async fn last_insert_rowid(&mut self, this: Resource<v3::Connection>) -> Result<i64> {
        let connection = self.connection(this.rep()).ok_or_else(invalid)?;
        Ok(connection.last_insert_rowid())
    }

    async fn changes(&mut self, this: Resource<v3::Connection>) -> Result<u64> {
        let connection = self.connection(this.rep()).ok_or_else(invalid)?;
        Ok(connection.changes())
    }

    async fn drop(&mut self, this: Resource<v3::Connection>) -> Result<()> {
        self.close_connection(this.rep())
    }
}

impl v2::Host for State {}

impl v2::HostConnection for State {
    async fn open(&mut self, database: String) -> Result<Result<Resource<v2::Connection>, v2::Error>> {
        let opened = self.open_database(&database).await?;
        Ok(opened.map(Resource::new_own).map_err(v2::Error::from))
    }

    async fn execute(
        &mut self,
        this: Resource<v2::Connection>,
        statement: String,
        parameters: Vec<v2::Value>,
    ) -> Result<Result<v2::QueryResult, v2::Error>> {
        let parameters = parameters.into_iter().map(Value::from_wit).collect();
        let rows = self.run_statement(this.rep(), &statement, parameters).await?;
        Ok(rows.map(ToWit::to_wit).map_err(v2::Error::from))
    }

    async fn drop(&mut self, this: Resource<v2::Connection>) -> Result<()> {
        self.close_connection(this.rep())
    }
}

/// A value as it comes from a guest, whichever version it speaks.
trait FromWit<T> {
    fn from_wit(value: T) -> Self;
}

/// A value as it goes to a guest.
trait ToWit<T> {
    fn to_wit(self) -> T;
}

/// The two versions have the same types under two names.
macro_rules! translate {
    ($wit:ident) => {
        impl FromWit<$wit::Value> for Value {
            fn from_wit(value: $wit::Value) -> Self {
                match value {
                    $wit::Value::Integer(value) => Self::Integer(value),
                    $wit::Value::Real(value) => Self::Real(value),
                    $wit::Value::Text(value) => Self::Text(value),
                    $wit::Value::Blob(value) => Self::Blob(value),
                    $wit::Value::Null => Self::Null,
                }
            }
        }

        impl ToWit<$wit::Value> for Value {
            fn to_wit(self) -> $wit::Value {
                match self {
                    Self::Integer(value) => $wit::Value::Integer(value),
                    Self::Real(value) => $wit::Value::Real(value),
                    Self::Text(value) => $wit::Value::Text(value),
                    Self::Blob(value) => $wit::Value::Blob(value),
                    Self::Null => $wit::Value::Null,
                }
            }
        }

        impl ToWit<$wit::QueryResult> for Rows {
            fn to_wit(self) -> $wit::QueryResult {
                let row = |row: Vec<Value>| $wit::RowResult {
                    values: row.into_iter().map(ToWit::to_wit).collect(),
                };
                $wit::QueryResult {
                    columns: self.columns,
                    rows: self.rows.into_iter().map(row).collect(),
                }
            }
        }

        impl From<Refusal> for $wit::Error {
            fn from(refusal: Refusal) -> Self {
                match refusal {
                    Refusal::NoSuchDatabase => Self::NoSuchDatabase,
                    Refusal::AccessDenied => Self::AccessDenied,
                    Refusal::InvalidConnection => Self::InvalidConnection,
                    Refusal::Full => Self::DatabaseFull,
                    Refusal::Io(text) => Self::Io(text),
                }
            }
        }
    };
}

translate!(v2);
translate!(v3);
