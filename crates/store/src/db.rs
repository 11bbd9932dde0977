use std::cell::RefCell;
use std::rc::Rc;

use crate::migration::floor;
use crate::retry::Tries;
use crate::{DbError, Driver, Migration, Row, Rows, Value};

/// Asked by a program that finds a schema newer than its own.
const FLOOR: &str = "select number from schema_floor";

/// A component's database, migrated and ready.
pub struct Db {
    driver: Box<dyn Driver>,
    traceparent: Option<String>,
}

/// The inside of a transaction: where anything is written that takes more than one statement.
pub struct Tx<'db> {
    driver: &'db dyn Driver,
    /// Why the transaction can't stay: its first statement that failed.
    failed: RefCell<Option<DbError>>,
    traceparent: Option<&'db str>,
}

impl Db {
    /// Takes a connection into use: brings the schema up to the last of `migrations`.
    ///
    /// All missing migrations are applied in one transaction that looks again at what is missing, so
    /// replicas that start at the same moment do it once. Costs one statement when nothing is missing.
    ///
    /// A schema that is newer than this program is taken when all that it has more expands
    /// ([`Migration::expands`]), so that releases can be replaced one replica after the other, and taken back.
    pub fn open(driver: Box<dyn Driver>, migrations: &[Migration]) -> Result<Self, DbError> {
        Self {
            driver,
            traceparent: None,
        }
        .migrated(migrations)
    }

    /// Takes a connection into use to a database whose schema was found to be current before: asks nothing.
    #[cfg(target_family = "wasm")]
    pub(crate) fn known(driver: Box<dyn Driver>) -> Self {
        Self {
            driver,
            traceparent: None,
        }
    }

    /// The same database, for a call that is part of this trace (W3C Trace Context): what a transaction tells others,
    /// an event above all, can name it.
    pub fn traced(self, traceparent: Option<String>) -> Self {
        Self { traceparent, ..self }
    }

    /// Takes a connection into use for who only reads what others wrote, such as an audit: changes nothing, also no
    /// schema. Whoever reads asks [`Db::schema`] first whether it is one that it knows.
    pub fn reader(driver: Box<dyn Driver>) -> Self {
        Self {
            driver,
            traceparent: None,
        }
    }

    /// The number of the newest migration that was applied; 0 for a database that nobody has used yet.
    pub fn schema(&self) -> Result<u32, DbError> {
        self.driver.schema_version()
    }

    /// The same database with the schema of `migrations`; how [`Db::open`] ends.
    pub fn migrated(self, migrations: &[Migration]) -> Result<Self, DbError> {
        let known = migrations.last().map_or(0, |migration| migration.number);
        let found = self.driver.schema_version()?;
        if found < known {
            self.migrate(migrations)?;
        } else if found > known && known < self.floor(found)? {
            return Err(DbError::TooNew { found, known });
        }
        Ok(self)
    }

    /// The oldest program that works on this schema, which is newer than what this one knows; the schema's own
    /// number when whoever made it does not say.
    fn floor(&self, found: u32) -> Result<u32, DbError> {
        match self.read_one(FLOOR, &[]) {
            Ok(Some(row)) => Ok(row.get("number")?),
            Err(error) if error.retryable() => Err(error),
            Ok(None) | Err(_) => Ok(found),
        }
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let mut tries = Tries::new();
        loop {
            match self.attempt(self.driver.begin_migration(), |tx| tx.migrate(migrations)) {
                Attempt::Ended(answer) => return answer,
                Attempt::Overtaken if tries.again() => {}
                Attempt::Overtaken => return Err(DbError::Busy),
            }
        }
    }

    /// One statement outside a transaction; when another was in its way, nothing of it happened, and it is repeated
    /// in a transaction.
    fn alone(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        match self.driver.execute(statement, params) {
            Err(DbError::Serialization) => self.transaction(|tx| tx.run(statement, params)),
            answer => answer,
        }
    }

    /// Reads rows outside a transaction: one statement sees one moment.
    pub fn read(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.alone(statement, params)?)
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
        Ok(self.alone(statement, params)?.changed)
    }

    /// The same for a statement that answers what it changed (`returning`).
    pub fn returning(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.alone(statement, params)?)
    }

    /// The same for one that changes one row at most.
    pub fn returning_one(&self, statement: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        at_most_one(self.returning(statement, params)?)
    }

    /// Runs `work` in a transaction: committed when it answers `Ok`, otherwise as if it never ran. A transaction in
    /// which a statement failed is never committed, whatever `work` makes of it.
    ///
    /// One transaction writes at a time. On Postgres a single statement may come between what one has read and what it
    /// writes; then it begins again, after a short random wait: so `work` may run more than once, and **must have no
    /// effect outside of this transaction**. After some tries it ends with [`DbError::Busy`].
    ///
    /// When the commit itself fails with [`DbError::Unavailable`] the outcome is not known to the caller;
    /// commands are repeatable for that reason.
    pub fn transaction<T, E: From<DbError>>(
        &self,
        mut work: impl FnMut(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut tries = Tries::new();
        loop {
            match self.attempt(&[self.driver.begin()], &mut work) {
                Attempt::Ended(answer) => return answer,
                Attempt::Overtaken if tries.again() => {}
                Attempt::Overtaken => return Err(DbError::Busy.into()),
            }
        }
    }

    fn attempt<T, E: From<DbError>>(
        &self,
        begin: &[&str],
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Attempt<T, E> {
        let driver = self.driver.as_ref();
        if let Err(error) = begin
            .iter()
            .try_for_each(|statement| run_begin(driver, statement))
        {
            return Attempt::Ended(Err(error.into()));
        }
        let tx = Tx {
            driver,
            traceparent: self.traceparent.as_deref(),
            failed: RefCell::default(),
        };
        let done = work(&tx);
        let done = match (tx.failed.take(), done) {
            (Some(DbError::Serialization), _) => {
                roll_back(driver);
                return Attempt::Overtaken;
            }
            (Some(error), Ok(_)) => Err(error.into()),
            (_, Err(error)) => Err(error),
            (None, Ok(value)) => match driver.execute("commit", &[]) {
                Ok(_) => return Attempt::Ended(Ok(value)),
                Err(DbError::Serialization) => {
                    roll_back(driver);
                    return Attempt::Overtaken;
                }
                Err(error) => Err(error.into()),
            },
        };
        roll_back(driver);
        Attempt::Ended(done)
    }
}

/// What became of one try.
enum Attempt<T, E> {
    /// It is over, one way or the other.
    Ended(Result<T, E>),
    /// Another transaction was in its way, and nothing of it is left.
    Overtaken,
}

/// A begin that failed may have lost only its answer; one that found the database busy began nothing, and
/// a rollback would wait in the same line.
fn run_begin(driver: &dyn Driver, statement: &str) -> Result<(), DbError> {
    let begun = driver.execute(statement, &[]).map(drop);
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
    /// The trace that the call is part of ([`Db::traced`]).
    pub const fn traceparent(&self) -> Option<&str> {
        self.traceparent
    }

    /// Runs a statement and answers how many rows it changed.
    pub fn execute(&self, statement: &str, params: &[Value]) -> Result<u64, DbError> {
        Ok(self.run(statement, params)?.changed)
    }

    /// Runs a statement and answers its rows (`select`, or `returning`).
    pub fn query(&self, statement: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        rows(self.run(statement, params)?)
    }

    /// Runs a statement that answers one row at most.
    pub fn query_one(&self, statement: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        at_most_one(self.query(statement, params)?)
    }

    /// Nothing runs behind a statement that failed: on one database it would fail too, on another it would happen.
    fn run(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        if let Some(error) = self.failed.borrow().as_ref() {
            return Err(error.clone());
        }
        self.noted(self.driver.execute(statement, params))
    }

    /// Remembers why the transaction can't stay.
    fn noted<T>(&self, answer: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &answer {
            *self.failed.borrow_mut() = Some(error.clone());
        }
        answer
    }

    fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let found = self.driver.schema_version()?;
        for migration in migrations.iter().filter(|migration| migration.number > found) {
            for statement in migration.statements() {
                self.run(statement, &[])
                    .map_err(|error| named(migration, error))?;
            }
            self.noted(self.driver.set_schema_version(migration.number))?;
        }
        self.set_floor(floor(migrations))
    }

    fn set_floor(&self, number: u32) -> Result<(), DbError> {
        for statement in [
            "create table if not exists schema_floor (number integer not null)",
            "delete from schema_floor",
        ] {
            self.run(statement, &[])?;
        }
        self.run("insert into schema_floor (number) values (?1)", &[number.into()])
            .map(drop)
    }
}

/// A migration that could not run now is tried again; one that can't run at all says which it is.
fn named(migration: &Migration, error: DbError) -> DbError {
    if error.retryable() {
        return error;
    }
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
