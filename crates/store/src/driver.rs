use crate::{DbError, Value};

/// What a statement answered.
#[derive(Debug, Default)]
pub struct Rows {
    /// The names of the columns; empty for statements that answer no rows.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// How many rows an insert, update or delete changed; 0 for anything else.
    pub changed: u64,
}

/// A connection to one database: the part that differs between databases.
///
/// Only [`crate::Db`] calls it.
pub trait Driver {
    /// Runs one statement.
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError>;

    /// The statement that begins a transaction which may write.
    fn begin(&self) -> &'static str;

    /// The statements that begin the transaction in which migrations run: alone, and seeing all that was committed
    /// before.
    fn begin_migration(&self) -> &'static [&'static str];

    /// The number of the newest migration that was applied, 0 for a new database.
    ///
    /// Called once after opening, so this is also where a connection is made fit for use.
    fn schema_version(&self) -> Result<u32, DbError>;

    /// Remembers the number of the newest migration, within the transaction that applied it.
    fn set_schema_version(&self, version: u32) -> Result<(), DbError>;
}
