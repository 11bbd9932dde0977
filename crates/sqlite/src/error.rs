//! Why a statement was not carried out.

use rusqlite::ErrorCode;

/// What a guest is told. `to_string()` is the text to hand over: for [`Error::Io`] it is SQLite's
/// own message, since guests match on it; `crates/store` sorts the others by their texts too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The disk, or the size the database may have, is used up.
    #[error("database or disk is full")]
    DatabaseFull,
    /// SQLite's own message, for example `UNIQUE constraint failed: table.column`.
    #[error("{0}")]
    Io(String),
    /// The writer did not become free in time, or too many statements already wait for it.
    /// Nothing was changed; the statement may be repeated.
    #[error("database is locked")]
    Busy,
    /// The statement ran, or its transaction held the writer, for too long; nothing of it is kept.
    /// Inside a transaction every further statement answers the same until the guest ends it with
    /// `ROLLBACK` or `COMMIT`.
    #[error("the time limit was exceeded and the transaction has been rolled back")]
    Timeout,
    /// The transaction was rolled back because a statement in it was abandoned or broke down.
    /// Further statements answer the same until the guest ends it with `ROLLBACK` or `COMMIT`.
    #[error("the transaction has been rolled back after a failed statement")]
    RolledBack,
    /// The database is closed.
    #[error("the database is closed")]
    Closed,
}

impl Error {
    /// What is told of a panic, whose story is in the log.
    pub(crate) fn broken() -> Self {
        Self::Io("the database failed unexpectedly".to_owned())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DatabaseFull,
            Some(ErrorCode::DatabaseBusy) => Self::Busy,
            _ => Self::Io(error.to_string()),
        }
    }
}
