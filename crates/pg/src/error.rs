use std::error::Error as _;
use std::time::Duration;

/// Why there is no connection, or no answer. No text of it shows a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none of Postgres.
    #[error("the address is not one of Postgres: {0}")]
    Address(String),
    /// The server did not take us in.
    #[error("could not connect to the database: {0}")]
    Connect(String),
    /// Every connection stayed with somebody else.
    #[error("no connection to the database became free within {0:?}")]
    Exhausted(Duration),
    /// The connection broke, or was never well.
    #[error("the connection to the database is closed")]
    Closed,
    /// An answer was larger than may be held in memory.
    #[error("the answer exceeds the limit of {0} bytes")]
    TooLarge(usize),
    /// The statement failed.
    #[error("{}", told(.0))]
    Statement(#[from] tokio_postgres::Error),
}

/// The error with its causes: the crate's own text names only the kind.
pub(crate) fn told(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
