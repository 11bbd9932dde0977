use std::rc::Rc;

use crate::{DbError, Driver, Migration, Row, Rows, Value};

/// A component's database, migrated and ready.
pub struct Db {
    driver: Box<dyn Driver>,
}

/// The inside of a transaction: where anything is written that takes more than one statement.
pub struct Tx<'db> {
    driver: &'db dyn Driver,
}

impl Db {
    /// Takes a connection into use: brings the schema up to the last of `migrations`.
    ///
    /// All missing migrations are applied in one transaction that looks again at what is missing, so
    /// replicas that start at the same moment do it once. Costs one statement when nothing is missing.
    pub fn open(driver: Box<dyn Driver>, migrations: &[Migration]) -> Result<Self, DbError> {
        Self { driver }.migrated(migrations)
    }

    /// Takes a connection into use to a database whose schema was found to be current before: asks nothing.
    #[cfg(target_family = "wasm")]
    pub(crate) fn known(driver: Box<dyn Driver>) -> Self {
        Self { driver }
    }

    /// The same database with the schema of `migrations`; how [`Db::open`] ends.
    pub fn migrated(self, migrations: &[Migration]) -> Result<Self, DbError> {
        let known = migrations.last().map_or(0, |migration| migration.number);
        let found = self.driver.schema_version()?;
        if found < known {
            self.transaction(|tx| tx.migrate(migrations))?;
        } else if found > known {
            return Err(DbError::TooNew { found, known });
        }
        Ok(self)
    }

    /// Reads rows outside a transaction: one statement sees one moment.
    pub fn read(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.driver.execute(statement, params)?)
    }

    /// Reads one row at most; further ones are a defect of the statement.
    pub fn read_one(&self, statement: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        at_most_one(self.read(statement, params)?)
    }

    /// Runs one statement that writes, as a transaction of its own, and answers how many rows it changed.
    ///
    /// Every database makes a statement outside a transaction one: it happens whole and is on disk when it is
    /// answered, or it does not happen, without a begin and a commit to be sent and waited for. As with the
    /// commit of [`Db::transaction`], [`DbError::Unavailable`] does not say which of both.
    pub fn execute(&self, statement: &str, params: &[Value]) -> Result<u64, DbError> {
        Ok(self.driver.execute(statement, params)?.changed)
    }

    /// The same for a statement that answers what it changed (`returning`).
    pub fn returning(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.driver.execute(statement, params)?)
    }

    /// The same for one that changes one row at most.
    pub fn returning_one(&self, statement: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        at_most_one(self.returning(statement, params)?)
    }

    /// Runs `work` in a transaction: committed when it answers `Ok`, otherwise as if it never ran.
    ///
    /// When the commit itself fails with [`DbError::Unavailable`] the outcome is not known to the caller;
    /// commands are repeatable for that reason.
    pub fn transaction<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let driver = self.driver.as_ref();
        begin(driver)?;
        let done = work(&Tx { driver });
        let done = done.and_then(|value| Ok(driver.execute("commit", &[]).map(|_| value)?));
        if done.is_err() {
            roll_back(driver);
        }
        done
    }
}

/// A begin that failed may have lost only its answer; one that found the database busy began nothing, and
/// a rollback would wait in the same line.
fn begin(driver: &dyn Driver) -> Result<(), DbError> {
    let begun = driver.execute(driver.begin(), &[]).map(drop);
    if begun.as_ref().is_err_and(|error| !matches!(error, DbError::Busy)) {
        roll_back(driver);
    }
    begun
}

/// A rollback that fails leaves nothing to do: the connection is dropped with its transaction.
fn roll_back(driver: &dyn Driver) {
    let _ = driver.execute("rollback", &[]);
}

impl Tx<'_> {
    /// Runs a statement and answers how many rows it changed.
    pub fn execute(&self, statement: &str, params: &[Value]) -> Result<u64, DbError> {
        Ok(self.driver.execute(statement, params)?.changed)
    }

    /// Runs a statement and answers its rows (`select`, or `returning`).
    pub fn query(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.driver.execute(statement, params)?)
    }

    /// Runs a statement that answers one row at most.
    pub fn query_one(&self, statement: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        at_most_one(self.query(statement, params)?)
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let found = self.driver.schema_version()?;
        for migration in migrations.iter().filter(|migration| migration.number > found) {
            for statement in migration.statements() {
                self.driver
                    .execute(statement, &[])
                    .map_err(|error| named(migration, &error))?;
            }
            self.driver.set_schema_version(migration.number)?;
        }
        Ok(())
    }
}

fn named(migration: &Migration, error: &DbError) -> DbError {
    DbError::Other(format!("migration {}: {error}", migration.name))
}

fn rows(answer: Rows) -> Result<Vec<Row>, DbError> {
    let columns: Rc<[String]> = answer.columns.into();
    Ok(answer
        .rows
        .into_iter()
        .map(|values| Row::new(columns.clone(), values))
        .collect())
}

fn at_most_one(mut rows: Vec<Row>) -> Result<Option<Row>, DbError> {
    if rows.len() > 1 {
        return Err(DbError::Other(format!(
            "expected one row at most, got {}",
            rows.len()
        )));
    }
    Ok(rows.pop())
}
