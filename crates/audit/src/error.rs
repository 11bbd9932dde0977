use std::path::PathBuf;

use store::DbError;

use crate::Label;

/// Why the audit could not look. That says nothing about the shop.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A database's file is not there.
    #[error("the database {label} is not there: {}", path.display())]
    Missing {
        /// Which database.
        label: Label,
        /// Where it should be.
        path: PathBuf,
    },
    /// A database did not answer, or not what it should.
    #[error("the database {label} could not be read")]
    Database {
        /// Which database.
        label: Label,
        /// What it said.
        #[source]
        source: DbError,
    },
    /// A database's tables are older than those the audit knows.
    #[error(
        "the database {label} has schema {found} and the audit needs {needed}: start the shop, which brings it up to date"
    )]
    TooOld {
        /// Which database.
        label: Label,
        /// Its schema's number.
        found: u32,
        /// The oldest one that will do.
        needed: u32,
    },
    /// What was said about where the databases are makes no sense.
    #[error("{0}")]
    Sources(String),
}

impl AuditError {
    /// For `map_err` of what reads from this database.
    pub(crate) fn of<E: Into<DbError>>(label: Label) -> impl Fn(E) -> Self {
        move |source| Self::Database {
            label,
            source: source.into(),
        }
    }
}
