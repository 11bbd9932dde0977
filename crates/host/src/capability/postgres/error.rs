//! Errors of Postgres in the guest's words. None of them names an address.

use bindings::postgres4::postgres::{DbError, Error, QueryError};

/// Why there is no connection.
pub(super) fn to_connection_error(error: &pg::Error) -> Error {
    Error::ConnectionFailed(error.to_string())
}

/// Why a statement failed.
pub(super) fn to_error(error: &pg::Error) -> Error {
    let text = error.to_string();
    let server = match error {
        pg::Error::Statement(error) => error.as_db_error(),
        pg::Error::Address(_)
        | pg::Error::Connect(_)
        | pg::Error::Exhausted(_)
        | pg::Error::Closed
        | pg::Error::TooLarge(_) => None,
    };
    let is_lost = match error {
        pg::Error::Statement(error) => error.is_closed(),
        other => matches!(other, pg::Error::Closed),
    };
    match server {
        Some(server) => Error::QueryFailed(QueryError::DbError(said(server, text))),
        None if is_lost => Error::ConnectionFailed(text),
        None => Error::QueryFailed(QueryError::Text(text)),
    }
}

fn said(error: &pg::DbError, as_text: String) -> DbError {
    DbError {
        as_text,
        severity: error.severity().to_owned(),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras(error),
    }
}

fn extras(error: &pg::DbError) -> Vec<(String, String)> {
    let line = error.line().map(|line| line.to_string());
    let fields = [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("line", line.as_deref()),
        ("where_", error.where_()),
    ];
    let known = |(name, value): (&str, Option<&str>)| Some((name.to_owned(), value?.to_owned()));
    fields.into_iter().filter_map(known).collect()
}
