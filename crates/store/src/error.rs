/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// A unique or primary key exists already; carries its columns, `table.one, table.other`, or the constraint's own
    /// name where the database does not say them: for a person to read.
    #[error("conflict on {0}")]
    Conflict(String),
    /// A check constraint was violated; carries its name.
    #[error("check {0} violated")]
    Check(String),
    /// A foreign key points nowhere.
    #[error("foreign key violated")]
    ForeignKey,
    /// Somebody else holds the database and did not let go in time: try again.
    #[error("the database is busy")]
    Busy,
    /// Another transaction was in the way, and nothing of this one is left: it has to begin again. Only
    /// [`crate::Db`] sees it, which does so, and says [`DbError::Busy`] when that does not help.
    #[error("another transaction was in the way")]
    Serialization,
    /// The database can't be reached, is full or refused access: try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database was migrated by a newer program than this one, in a way that this one does not work with.
    #[error("the database has schema {found}, this program knows up to {known}")]
    TooNew {
        /// The schema's number in the database.
        found: u32,
        /// The newest one this program knows.
        known: u32,
    },
    /// A row that can't be: a defect.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Anything else, such as a statement that does not parse: a defect.
    #[error("{0}")]
    Other(String),
}

impl DbError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Serialization | Self::Unavailable(_) => true,
            Self::Conflict(_)
            | Self::Check(_)
            | Self::ForeignKey
            | Self::TooNew { .. }
            | Self::Row(_)
            | Self::Other(_) => false,
        }
    }

    /// Sorts SQLite's own message, which is all that a guest gets to see.
    pub(crate) fn from_sqlite_message(message: &str) -> Self {
        let after = |prefix: &str| message.split_once(prefix).map(|(_, rest)| rest.trim().to_owned());
        if let Some(columns) = after("UNIQUE constraint failed:") {
            Self::Conflict(columns)
        } else if let Some(name) = after("CHECK constraint failed:") {
            Self::Check(name)
        } else if let Some(column) = after("NOT NULL constraint failed:") {
            Self::Check(format!("{column} is not null"))
        } else if message.contains("FOREIGN KEY constraint failed") {
            Self::ForeignKey
        } else if message.contains("database is locked") || message.contains("database table is locked") {
            Self::Busy
        } else if is_outage(message) {
            Self::Unavailable(message.to_owned())
        } else {
            Self::Other(message.to_owned())
        }
    }
}

/// SQLite's own words, then those of our host, which ends what takes too long.
fn is_outage(message: &str) -> bool {
    [
        "disk I/O error",
        "database or disk is full",
        "unable to open database file",
        "readonly database",
        "timed out",
        "the time limit was exceeded",
        "has been rolled back",
        "the database is closed",
    ]
    .iter()
    .any(|outage| message.contains(outage))
}

/// A column that does not hold what the program stored there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct RowError {
    /// The column's name in the result.
    pub column: String,
    /// What is wrong with it.
    pub problem: String,
}

impl RowError {
    /// `column` holds something that can't be.
    pub fn new(column: &str, problem: impl std::fmt::Display) -> Self {
        Self {
            column: column.to_owned(),
            problem: problem.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_sqlite_finds_its_kind() {
        let kind = |message: &str| format!("{:?}", DbError::from_sqlite_message(message));
        assert_eq!(
            kind("UNIQUE constraint failed: payment.order_id"),
            r#"Conflict("payment.order_id")"#
        );
        assert_eq!(
            kind("CHECK constraint failed: on_hand_not_negative"),
            r#"Check("on_hand_not_negative")"#
        );
        assert_eq!(
            kind("NOT NULL constraint failed: t.c"),
            r#"Check("t.c is not null")"#
        );
        assert_eq!(kind("FOREIGN KEY constraint failed"), "ForeignKey");
        assert_eq!(kind("database is locked"), "Busy");
        assert_eq!(kind("disk I/O error"), r#"Unavailable("disk I/O error")"#);
        assert_eq!(kind("no such table: x"), r#"Other("no such table: x")"#);
    }

    #[test]
    fn what_the_host_says_of_itself_is_no_defect() {
        use sqlite::Error::{Busy, Closed, DatabaseFull, RolledBack, Timeout};
        for error in [Busy, Closed, DatabaseFull, RolledBack, Timeout] {
            let text = error.to_string();
            assert!(DbError::from_sqlite_message(&text).retryable(), "{text}");
        }
    }
}
