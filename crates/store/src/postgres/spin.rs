//! Postgres through `spin:postgres@4.0.0`.

use std::cell::RefCell;

use spin_sdk::pg4::{Connection, DbError as WireError, DbValue, ParameterValue, PgError, QueryError};

use super::driver::{Answer, Link, Postgres};
use super::fault::{Fault, Report};
use super::number::whole_from_text;
use crate::opened::Opened;
use crate::{Db, DbError, Migration, RowError, Value};

thread_local! {
    /// Of this instance.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Opens a database; from the second time on in one instance it is not asked about its schema.
pub(crate) fn open(label: &str, address: &str, migrations: &[Migration]) -> Result<Db, DbError> {
    let connection = Connection::open(address).map_err(to_fault)?;
    let driver = Box::new(Postgres::new(SpinLink(connection)));
    let schema = migrations.last().map_or(0, |migration| migration.number);
    if OPENED.with_borrow(|opened| opened.settings(label, schema).is_some()) {
        return Ok(Db::known(driver));
    }
    let db = Db::open(driver, migrations)?;
    OPENED.with_borrow_mut(|opened| opened.remember(label, schema, Vec::new()));
    Ok(db)
}

struct SpinLink(Connection);

impl Link for SpinLink {
    fn query(&self, statement: &str, params: &[&Value]) -> Result<Answer, Fault> {
        let params: Vec<_> = params.iter().copied().map(to_wire).collect();
        let answer = self.0.query(statement, &params).map_err(to_fault)?;
        let columns: Vec<String> = answer.columns.into_iter().map(|column| column.name).collect();
        let row = |values: Vec<DbValue>| {
            let named = columns.iter().zip(values);
            named.map(|(column, value)| from_wire(column, value)).collect()
        };
        let rows: Result<_, DbError> = answer.rows.into_iter().map(row).collect();
        Ok((columns, rows.map_err(Fault::Defect)?))
    }

    fn execute(&self, statement: &str, params: &[&Value]) -> Result<u64, Fault> {
        let params: Vec<_> = params.iter().copied().map(to_wire).collect();
        self.0.execute(statement, &params).map_err(to_fault)
    }
}

fn to_fault(error: PgError) -> Fault {
    match error {
        // Its text may hold the address, and under Spin a backtrace of the host.
        PgError::ConnectionFailed(_) => {
            Fault::Broken("the database can't be reached, or its host is not granted to the component")
        }
        PgError::QueryFailed(QueryError::DbError(error)) => Fault::Server(Box::new(report(error))),
        PgError::QueryFailed(QueryError::Text(text)) | PgError::Other(text) => Fault::of_client(&text),
        PgError::BadParameter(text) | PgError::ValueConversionFailed(text) => {
            Fault::Defect(DbError::Other(text))
        }
    }
}

fn report(error: WireError) -> Report {
    let extra = |name: &str| {
        let found = error.extras.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let (table, column, constraint) = (extra("table"), extra("column"), extra("constraint"));
    Report {
        code: error.code,
        message: error.message,
        detail: error.detail,
        table,
        column,
        constraint,
    }
}

fn to_wire(value: &Value) -> ParameterValue {
    match value {
        Value::Integer(number) => ParameterValue::Int64(*number),
        Value::Real(number) => ParameterValue::Floating64(*number),
        Value::Text(text) => ParameterValue::Str(text.clone()),
        Value::Blob(bytes) => ParameterValue::Binary(bytes.clone()),
        Value::Null => ParameterValue::DbNull,
    }
}

fn from_wire(column: &str, value: DbValue) -> Result<Value, DbError> {
    Ok(match value {
        DbValue::Boolean(yes) => yes.into(),
        DbValue::Int8(number) => i64::from(number).into(),
        DbValue::Int16(number) => i64::from(number).into(),
        DbValue::Int32(number) => i64::from(number).into(),
        DbValue::Int64(number) => number.into(),
        DbValue::Floating32(number) => Value::Real(number.into()),
        DbValue::Floating64(number) => Value::Real(number),
        DbValue::Decimal(text) => whole_from_text(column, &text)?,
        DbValue::Str(text) => text.into(),
        DbValue::Binary(bytes) => bytes.into(),
        DbValue::DbNull => Value::Null,
        _ => return Err(RowError::new(column, "of a type that no statement of ours answers").into()),
    })
}
