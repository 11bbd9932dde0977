//! A producer, a consumer and what is between them, with every statement in the tests' hands.
#![allow(clippy::unwrap_used, reason = "a test that can't set its stage up has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use kernel::Instant;
use relay::inbox::{self, Admission};
use relay::{Event, outbox};
use store::{Db, DbError, Driver, Migration, Rows, Value, native, params};
use testkit::NEW_YEAR;

pub(crate) const PRODUCER: &str = "payment";

/// The producer's own migration, and ours.
pub(crate) const PRODUCING: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_create_outbox",
        sql: include_str!("../../../../components/payment/migrations/0003_create_outbox.sql"),
    },
    Migration {
        number: 2,
        name: "0002_create_relay",
        sql: outbox::SCHEMA,
    },
];

/// The consumer's own table, and ours.
pub(crate) const CONSUMING: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_create_effect",
        sql: "create table if not exists effect (event_id text primary key, times integer not null);\n",
    },
    Migration {
        number: 2,
        name: "0002_create_inbox",
        sql: inbox::SCHEMA,
    },
];

/// How a process dies at a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before it reaches the database.
    Before,
    /// When it is done, before anybody hears of it.
    After,
}

/// A connection that counts, and dies when it is told to.
pub(crate) struct Line {
    driver: Box<dyn Driver>,
    dies: Cell<Option<(u32, Death)>>,
    dead: Cell<bool>,
    said: RefCell<Vec<String>>,
}

struct Shared(Rc<Line>);

impl Line {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            driver: native::in_memory_driver().unwrap(),
            dies: Cell::new(None),
            dead: Cell::new(false),
            said: RefCell::new(Vec::new()),
        })
    }

    pub(crate) fn open(self: &Rc<Self>, migrations: &[Migration]) -> Db {
        Db::open(Box::new(Shared(self.clone())), migrations).unwrap()
    }

    /// Dies at the statement that comes after `statements` others.
    pub(crate) fn die_after(&self, statements: u32, death: Death) {
        self.dies.set(Some((statements, death)));
    }

    /// Another process takes its place. True when the old one had died.
    pub(crate) fn revive(&self) -> bool {
        self.dies.set(None);
        let died = self.dead.replace(false);
        if died {
            // A connection that is cut takes its open transaction with it.
            let _ = self.driver.execute("rollback", &[]);
        }
        died
    }

    /// The first words of every statement since the last time.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.take()
    }

    fn run(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        let gone = || DbError::Unavailable("this process is dead".to_owned());
        if self.dead.get() {
            return Err(gone());
        }
        let verb = statement.lines().find(|line| !line.starts_with("--")).unwrap();
        self.said.borrow_mut().push(verb.trim().to_owned());
        match self.dies.get() {
            Some((0, death)) => {
                self.dead.set(true);
                if death == Death::After {
                    self.driver.execute(statement, params)?;
                }
                Err(gone())
            }
            Some((left, death)) => {
                self.dies.set(Some((left - 1, death)));
                self.driver.execute(statement, params)
            }
            None => self.driver.execute(statement, params),
        }
    }
}

impl Driver for Shared {
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        self.0.run(statement, params)
    }

    fn begin(&self) -> &'static str {
        self.0.driver.begin()
    }

    fn schema_version(&self) -> Result<u32, DbError> {
        self.0.driver.schema_version()
    }

    fn set_schema_version(&self, version: u32) -> Result<(), DbError> {
        self.0.driver.set_schema_version(version)
    }
}

/// Writes an event as a domain does.
pub(crate) fn write(db: &Db, id: &str, at: Instant) {
    let row = params![id, "payment.completed", "17", at, r#"{"amount":1}"#];
    let statement = include_str!("../../../../components/payment/src/sql/insert_event.sql");
    db.transaction(|tx| tx.execute(statement, row)).unwrap();
}

/// An event as it came from the bus.
pub(crate) fn event(position: u64) -> Event {
    Event {
        id: format!("payment.completed:{position}"),
        topic: "payment.completed".to_owned(),
        key: position.to_string(),
        position,
        occurred_at: NEW_YEAR,
        data: r#"{"amount":1}"#.to_owned(),
    }
}

/// The change that an event makes: it counts how often it was made.
pub(crate) fn effect(tx: &store::Tx<'_>, event: &Event) -> Result<(), DbError> {
    let statement = "insert into effect (event_id, times) values (?1, 1) \
                     on conflict (event_id) do update set times = times + 1";
    tx.execute(statement, params![event.id.as_str()]).map(drop)
}

/// Applies an event as a consumer does.
pub(crate) fn apply(db: &Db, event: &Event, now: Instant) -> Result<Admission, DbError> {
    inbox::apply(db, PRODUCER, event, now, |tx| effect(tx, event))
}

/// Which events were applied how often: `id times`.
pub(crate) fn effects(db: &Db) -> Vec<String> {
    let rows = db.read(
        "select event_id || ' ' || times as line from effect order by event_id",
        &[],
    );
    rows.unwrap().iter().map(|row| row.get("line").unwrap()).collect()
}

/// One number from the database.
pub(crate) fn number(db: &Db, statement: &str) -> i64 {
    db.read_one(statement, &[])
        .unwrap()
        .unwrap()
        .get("number")
        .unwrap()
}
