//! Postgres through the crate `postgres`, for tests and tools outside wasm.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use ::postgres::types::{FromSql, ToSql, Type};
use ::postgres::{Client, Config, Error, Row, SimpleQueryMessage, Statement};

use super::driver::{Answer, Link, Postgres};
use super::fault::{BROKEN, Fault, Report};
use super::number::whole_from_bytes;
use crate::{Db, DbError, Driver, Migration, RowError, Value};

/// Statements that a connection remembers; beyond that it begins anew.
const REMEMBERED: usize = 200;

/// Opens the database at `address`, such as `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE`, with TLS as it
/// says (`sslmode`) and as the host does it.
pub fn open(address: &str, migrations: &[Migration]) -> Result<Db, DbError> {
    Db::open(driver(address)?, migrations)
}

/// Opens a database that others write, to read it: a transaction here is one moment of it, and makes nobody wait or
/// begin again. Not from within an asynchronous runtime, which a connection has of its own.
pub fn open_reader(address: &str) -> Result<Db, DbError> {
    Ok(Db::reader(Box::new(Postgres::reader(link(address)?))))
}

/// The driver of a connection, for tests that look over its shoulder.
pub fn driver(address: &str) -> Result<Box<dyn Driver>, DbError> {
    Ok(Box::new(Postgres::new(link(address)?)))
}

fn link(address: &str) -> Result<NativeLink, DbError> {
    // The library's own words could quote the address, and with it the password.
    let mut config: Config = address
        .parse()
        .map_err(|_| DbError::Other("this is no address of a Postgres database".to_owned()))?;
    config.connect_timeout(Duration::from_secs(10));
    let client = config
        .connect(pg::tls())
        .map_err(|error| match to_fault(&error) {
            Fault::Broken(_) => DbError::Unavailable("the database can't be reached".to_owned()),
            other => other.into(),
        })?;
    Ok(NativeLink {
        client: RefCell::new(client),
        prepared: RefCell::default(),
    })
}

struct NativeLink {
    client: RefCell<Client>,
    prepared: RefCell<HashMap<String, Statement>>,
}

impl NativeLink {
    fn prepare(&self, text: &str) -> Result<Statement, Error> {
        let mut prepared = self.prepared.borrow_mut();
        if let Some(known) = prepared.get(text) {
            return Ok(known.clone());
        }
        if prepared.len() >= REMEMBERED {
            prepared.clear();
        }
        let statement = self.client.borrow_mut().prepare(text)?;
        prepared.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    fn run<T>(
        &self,
        text: &str,
        params: &[&Value],
        work: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|&value| native(value)).collect();
        let answer = self
            .prepare(text)
            .and_then(|statement| work(&mut self.client.borrow_mut(), &statement, &values));
        answer.map_err(|error| {
            // What was prepared for a table that is another by now is prepared anew.
            self.prepared.borrow_mut().remove(text);
            to_fault(&error)
        })
    }
}

impl Link for NativeLink {
    fn query(&self, statement: &str, params: &[&Value]) -> Result<Answer, Fault> {
        let (columns, rows) = self.run(statement, params, |client, prepared, values| {
            let columns = prepared.columns().iter();
            let columns: Vec<String> = columns.map(|column| column.name().to_owned()).collect();
            Ok((columns, client.query(prepared, values)?))
        })?;
        let rows: Result<_, DbError> = rows.iter().map(values).collect();
        Ok((columns, rows.map_err(Fault::Defect)?))
    }

    fn execute(&self, statement: &str, params: &[&Value]) -> Result<u64, Fault> {
        if params.is_empty() {
            // One message each way, where preparing takes two; migrations are many statements that run once.
            let said = self.client.borrow_mut().simple_query(statement);
            let changed = |message: &SimpleQueryMessage| match message {
                SimpleQueryMessage::CommandComplete(changed) => *changed,
                _ => 0,
            };
            return match said {
                Ok(messages) => Ok(messages.iter().map(changed).sum()),
                Err(error) => Err(to_fault(&error)),
            };
        }
        self.run(statement, params, |client, prepared, values| {
            client.execute(prepared, values)
        })
    }
}

fn native(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Integer(number) => number,
        Value::Real(number) => number,
        Value::Text(text) => text,
        Value::Blob(bytes) => bytes,
        Value::Null => &None::<i64>,
    }
}

fn values(row: &Row) -> Result<Vec<Value>, DbError> {
    let value = |place: usize| {
        let column = &row.columns()[place];
        match row.try_get::<_, Option<Raw<'_>>>(place) {
            Ok(None) => Ok(Value::Null),
            Ok(Some(raw)) => raw.value(column.name()),
            Err(_) => Err(RowError::new(column.name(), format!("of type {}", column.type_())).into()),
        }
    };
    (0..row.len()).map(value).collect()
}

/// A value as the server sent it.
struct Raw<'a>(&'a Type, &'a [u8]);

type Unread = Box<dyn std::error::Error + Sync + Send>;

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Result<Self, Unread> {
        // The kinds are constants of the library; only those that we read are looked for.
        KINDS
            .iter()
            .find(|known| *known == kind)
            .map(|known| Self(known, bytes))
            .ok_or_else(|| "unexpected".into())
    }

    fn accepts(kind: &Type) -> bool {
        KINDS.contains(kind)
    }
}

static KINDS: &[Type] = &[
    Type::BOOL,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::NUMERIC,
    Type::TEXT,
    Type::VARCHAR,
    Type::NAME,
    Type::BYTEA,
];

impl Raw<'_> {
    fn value(&self, column: &str) -> Result<Value, DbError> {
        let Self(kind, bytes) = self;
        let read = || -> Result<Value, Unread> {
            Ok(match **kind {
                Type::BOOL => bool::from_sql(kind, bytes)?.into(),
                Type::INT2 => i64::from(i16::from_sql(kind, bytes)?).into(),
                Type::INT4 => i64::from(i32::from_sql(kind, bytes)?).into(),
                Type::INT8 => i64::from_sql(kind, bytes)?.into(),
                Type::FLOAT4 => Value::Real(f32::from_sql(kind, bytes)?.into()),
                Type::FLOAT8 => Value::Real(f64::from_sql(kind, bytes)?),
                Type::BYTEA => bytes.to_vec().into(),
                _ => String::from_sql(kind, bytes)?.into(),
            })
        };
        if **kind == Type::NUMERIC {
            return whole_from_bytes(column, bytes);
        }
        read().map_err(|error| RowError::new(column, error).into())
    }
}

fn to_fault(error: &Error) -> Fault {
    let Some(said) = error.as_db_error() else {
        let is_io = error.source().is_some_and(|source| source.is::<std::io::Error>());
        return if is_io || error.is_closed() {
            Fault::Broken(BROKEN)
        } else {
            Fault::of_client(&error.to_string())
        };
    };
    Fault::Server(Box::new(Report {
        code: said.code().code().to_owned(),
        message: said.message().to_owned(),
        detail: said.detail().map(str::to_owned),
        table: said.table().map(str::to_owned),
        column: said.column().map(str::to_owned),
        constraint: said.constraint().map(str::to_owned),
    }))
}
