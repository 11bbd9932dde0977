//! A Postgres connection as a [`Driver`].

use std::cell::Cell;

use super::dialect::{Translated, translate};
use super::fault::Fault;
use crate::{DbError, Driver, Rows, Value};

/// What carries statements to the server, one at a time.
pub(super) trait Link {
    /// Runs a statement that answers rows.
    fn query(&self, statement: &str, params: &[&Value]) -> Result<Answer, Fault>;

    /// Runs one that does not, and answers how many rows it changed.
    fn execute(&self, statement: &str, params: &[&Value]) -> Result<u64, Fault>;
}

/// The names of the columns, and the rows.
pub(super) type Answer = (Vec<String>, Vec<Vec<Value>>);

/// What is known of the connection's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing. A pool may hand out a connection in the middle of somebody else's transaction, and Spin's does.
    Unknown,
    /// There is none.
    Idle,
    /// It is ours.
    Ours,
}

/// A connection that is rolled back before it is trusted.
pub(super) struct Postgres<L> {
    link: L,
    state: Cell<State>,
    reads_only: bool,
}

/// The schema's number and what the session promises, in one look.
macro_rules! session {
    ($version:literal, $from:literal) => {
        concat!(
            "select ",
            $version,
            " as version, \
             current_setting('default_transaction_isolation') as isolation, \
             current_setting('synchronous_commit') as synchronous, \
             current_setting('server_encoding') as encoding, \
             (select datcollate::text from pg_database where datname = current_database()) as collation, \
             current_user::text as role, current_database()::text as database",
            $from
        )
    };
}

const SESSION: &str = session!("coalesce(max(number), 0)", " from schema_migration");
const NEW_SESSION: &str = session!("0", "");

/// Replicas that start together come one after the other; each sees what the one before has done, which under
/// `serializable` it would not. A schema may take longer to change than any request may.
///
/// Replicas of the release before go on meanwhile, so a migration takes its turn as every writer does: one that held a
/// table and then waited for its turn would wait for a writer that waits for this table. And it does not wait long
/// for what somebody reads, since whoever comes after it waits behind it: it gives up sooner than they do, and the next
/// opening tries again.
const BEGIN_MIGRATION: &[&str] = &[
    "begin isolation level read committed",
    "set local statement_timeout = '15min'",
    "set local lock_timeout = '15min'",
    "select 1 as locked from pg_advisory_xact_lock(7235418609331)",
    "create table if not exists schema_migration (number bigint not null primary key, \
     applied_at timestamptz not null default now())",
    TURN,
    "set local lock_timeout = '5s'",
];

/// How a transaction begins that may write.
const BEGIN: &str = "begin isolation level serializable";

/// What belongs to [`BEGIN`]. One transaction writes after the other, as in SQLite, in the order in which they came: side by
/// side most of them would be in each other's way and begin again, since new rows lie beside each other. The lock is taken
/// before the first look at the data, so what the one before has written is seen; the table is one that every database
/// has, and who only reads does not wait.
const TURN: &str = "lock table schema_migration in exclusive mode";

/// How a session is made one that only reads. A look over a whole table may take longer than any request.
const READER: &[&str] = &[
    "set session characteristics as transaction isolation level repeatable read, read only",
    "set statement_timeout = '2min'",
];

impl<L: Link> Postgres<L> {
    pub(super) const fn new(link: L) -> Self {
        let state = Cell::new(State::Unknown);
        Self {
            link,
            state,
            reads_only: false,
        }
    }

    /// One for who only reads: a transaction is one moment, and no writer begins again because of it.
    #[cfg(not(target_family = "wasm"))]
    pub(super) const fn reader(link: L) -> Self {
        let state = Cell::new(State::Unknown);
        Self {
            link,
            state,
            reads_only: true,
        }
    }

    fn run(&self, statement: &str, params: &[Value]) -> Result<Rows, Fault> {
        let translated = translate(statement, params).map_err(Fault::Defect)?;
        let Translated { text, sent, .. } = &translated;
        let values: Vec<&Value> = sent.iter().map(|&index| &params[index]).collect();
        if translated.answers_rows {
            let (columns, rows) = self.link.query(text, &values)?;
            return Ok(Rows {
                columns,
                rows,
                changed: 0,
            });
        }
        Ok(Rows {
            changed: self.link.execute(text, &values)?,
            ..Rows::default()
        })
    }

    /// Begins, and waits until it is this transaction's turn to write. Whoever could not begin has nothing to roll back.
    fn begin_in_turn(&self) -> Result<Rows, Fault> {
        self.run(BEGIN, &[])?;
        self.run(TURN, &[]).inspect_err(|_| {
            let _ = self.link.execute("rollback", &[]);
        })
    }

    /// Makes sure that no transaction is open but one that we know of.
    fn settle(&self) -> Result<(), Fault> {
        if self.state.get() == State::Unknown {
            self.link.execute("rollback", &[])?;
            self.state.set(State::Idle);
        }
        Ok(())
    }

    fn tracked(&self, statement: &str, params: &[Value]) -> Result<Rows, Fault> {
        let after = match statement {
            "rollback" => {
                // Also where the state is unknown, for which it is the cure.
                self.state.set(State::Unknown);
                return self.settle().map(|()| Rows::default());
            }
            "commit" => Some(State::Idle),
            begin if begin.starts_with("begin") => Some(State::Ours),
            _ => None,
        };
        self.settle()?;
        let answer = match statement {
            BEGIN => self.begin_in_turn(),
            _ => self.run(statement, params),
        };
        match (after, &answer) {
            (Some(after), Ok(_)) => self.state.set(after),
            (Some(_), Err(_)) | (None, Err(Fault::Broken(_))) => self.state.set(State::Unknown),
            (None, _) => {}
        }
        answer
    }
}

impl<L: Link> Driver for Postgres<L> {
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        Ok(self.tracked(statement, params)?)
    }

    fn begin(&self) -> &'static str {
        if self.reads_only {
            "begin isolation level repeatable read read only"
        } else {
            BEGIN
        }
    }

    fn begin_migration(&self) -> &'static [&'static str] {
        BEGIN_MIGRATION
    }

    fn schema_version(&self) -> Result<u32, DbError> {
        let is_open = self.state.get() == State::Ours;
        let found = match self.tracked(SESSION, &[]) {
            // Within a transaction the table was made before, so this is a new database.
            Err(fault) if fault.is_undefined_table() && !is_open => self.tracked(NEW_SESSION, &[])?,
            other => other?,
        };
        let Some(session) = found.rows.first() else {
            return Err(DbError::Other("the session says nothing of itself".to_owned()));
        };
        if !self.reads_only {
            return checked(session);
        }
        // What the session does to what is written is no matter.
        for setting in READER {
            self.tracked(setting, &[])?;
        }
        number(session.first())
    }

    fn set_schema_version(&self, version: u32) -> Result<(), DbError> {
        let number = Value::from(version);
        self.execute("insert into schema_migration (number) values (?1)", &[number])
            .map(drop)
    }
}

/// The schema's number, unless the session would not keep what the shop promises.
fn checked(session: &[Value]) -> Result<u32, DbError> {
    let [
        Value::Integer(_),
        Value::Text(isolation),
        Value::Text(synchronous),
        Value::Text(encoding),
        Value::Text(collation),
        Value::Text(role),
        Value::Text(database),
    ] = session
    else {
        return Err(DbError::Other(format!("unexpected session {session:?}")));
    };
    let refuse = |what: &str, mend: &str| {
        Err(DbError::Other(format!(
            "the database {database} is not fit for use: {what}; mend it with: {mend}"
        )))
    };
    if isolation != "serializable" {
        return refuse(
            &format!("statements alone run as {isolation}"),
            &format!("alter role \"{role}\" set default_transaction_isolation = 'serializable'"),
        );
    }
    if synchronous == "off" {
        return refuse(
            "a commit is answered before it is on disk",
            &format!("alter role \"{role}\" set synchronous_commit = 'on'"),
        );
    }
    // Lists go on behind a text, in the order that SQLite has too: that of the code points.
    if encoding != "UTF8" || !["C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"].contains(&collation.as_str()) {
        return refuse(
            &format!("its texts are {encoding} in the order of {collation}"),
            "create database … template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'",
        );
    }
    number(session.first())
}

fn number(version: Option<&Value>) -> Result<u32, DbError> {
    match version {
        Some(Value::Integer(version)) => {
            u32::try_from(*version).map_err(|_| DbError::Other(format!("schema number {version}")))
        }
        other => Err(DbError::Other(format!("schema number {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Hears every statement, and fails those that it is told to.
    #[derive(Default)]
    struct Ear {
        heard: RefCell<Vec<String>>,
        fails: RefCell<Vec<&'static str>>,
    }

    impl Link for &Ear {
        fn query(&self, statement: &str, params: &[&Value]) -> Result<Answer, Fault> {
            self.execute(statement, params).map(|_| Answer::default())
        }

        fn execute(&self, statement: &str, _: &[&Value]) -> Result<u64, Fault> {
            self.heard.borrow_mut().push(statement.to_owned());
            let mut fails = self.fails.borrow_mut();
            match fails.iter().position(|fails| *fails == statement) {
                Some(place) => {
                    fails.remove(place);
                    Err(Fault::Broken("gone"))
                }
                None => Ok(0),
            }
        }
    }

    fn run(fails: &[&'static str], statements: &[&str]) -> Vec<String> {
        let ear = Ear {
            fails: RefCell::new(fails.to_vec()),
            ..Ear::default()
        };
        let driver = Postgres::new(&ear);
        for statement in statements {
            let _ = driver.execute(statement, &[]);
        }
        ear.heard.take()
    }

    #[test]
    fn nothing_runs_before_the_rollback() {
        assert_eq!(run(&[], &["select 1"]), ["rollback", "select 1"]);
        assert_eq!(
            run(&[], &["begin x", "select 1", "commit", "begin x"]),
            ["rollback", "begin x", "select 1", "commit", "begin x"],
            "and it is sent once"
        );
        assert_eq!(
            run(&["rollback"], &["select 1", "select 2"]),
            ["rollback", "rollback", "select 2"],
            "a statement does not run in a transaction that may be somebody's"
        );
    }

    #[test]
    fn after_a_failure_nothing_is_taken_for_granted() {
        assert_eq!(
            run(&["commit"], &["begin x", "commit", "select 1"]),
            ["rollback", "begin x", "commit", "rollback", "select 1"]
        );
        assert_eq!(
            run(&["begin x"], &["begin x", "rollback", "select 1"]),
            ["rollback", "begin x", "rollback", "select 1"]
        );
        assert_eq!(
            run(&["select 1"], &["select 1", "select 2"]),
            ["rollback", "select 1", "rollback", "select 2"]
        );
    }

    #[test]
    fn who_begins_waits_for_its_turn_or_has_not_begun() {
        assert_eq!(run(&[], &[BEGIN, "commit"]), ["rollback", BEGIN, TURN, "commit"]);
        assert_eq!(
            run(&[TURN], &[BEGIN, "select 1"]),
            ["rollback", BEGIN, TURN, "rollback", "rollback", "select 1"]
        );
    }

    #[test]
    fn a_session_that_would_break_a_promise_is_refused_with_the_cure() {
        let session = |isolation: &str, synchronous: &str, collation: &str| {
            let texts = [isolation, synchronous, "UTF8", collation, "bodega_stock", "stock"];
            let mut row = vec![Value::Integer(3)];
            row.extend(texts.map(Value::from));
            checked(&row).map_err(|error| error.to_string())
        };
        assert_eq!(session("serializable", "on", "C"), Ok(3));
        assert_eq!(session("serializable", "local", "C.UTF-8"), Ok(3));
        for (wrong, cure) in [
            (
                session("read committed", "on", "C"),
                "alter role \"bodega_stock\" set default_transaction_isolation = 'serializable'",
            ),
            (
                session("serializable", "off", "C"),
                "alter role \"bodega_stock\" set synchronous_commit = 'on'",
            ),
            (
                session("serializable", "on", "ko_KR.UTF-8"),
                "lc_collate 'C' lc_ctype 'C'",
            ),
        ] {
            let said = wrong.expect_err("a promise would be broken");
            assert!(said.ends_with(cure), "{said}");
        }
    }
}
