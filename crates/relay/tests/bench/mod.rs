//! A producer, a consumer and what is between them, with every statement in the tests' hands.
#![allow(clippy::unwrap_used, reason = "a test that can't set its stage up has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use kernel::Instant;
use relay::inbox::{self, Admission};
use relay::{Event, outbox};
use store::{Db, DbError, Driver, Migration, Rows, params};
use store_suite::{database, gated};
use testkit::NEW_YEAR;

pub(crate) const PRODUCER: &str = "payment";

/// The trace that every event is written in.
pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The producer's own migration, and ours.
pub(crate) const PRODUCING: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_create_outbox",
        sql: include_str!("../../../../components/payment/migrations/0003_create_outbox.sql"),
    },
    Migration {
        number: 2,
        name: "0002_add_outbox_traceparent",
        sql: outbox::TRACEPARENT,
    },
    Migration {
        number: 3,
        name: "0003_create_relay",
        sql: outbox::SCHEMA,
    },
];

/// Our tables, and the consumer's own; the last migration is one that can run twice.
pub(crate) const CONSUMING: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_create_inbox",
        sql: inbox::SCHEMA,
    },
    Migration {
        number: 2,
        name: "0002_add_dead_letter_dismissal",
        sql: inbox::DISMISSAL,
    },
    Migration {
        number: 3,
        name: "0003_create_effect",
        sql: "create table if not exists effect (event_id text primary key, times integer not null);\n",
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
    driver: Rc<dyn Driver>,
    dies: Cell<Option<(u32, Death)>>,
    dead: Cell<bool>,
    said: RefCell<Vec<String>>,
}

impl Line {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            driver: Rc::from(database::fresh_driver().unwrap()),
            dies: Cell::new(None),
            dead: Cell::new(false),
            said: RefCell::new(Vec::new()),
        })
    }

    pub(crate) fn open(self: &Rc<Self>, migrations: &[Migration]) -> Db {
        let line = self.clone();
        let driver = gated(self.driver.clone(), move |statement, run| {
            line.pass(statement, run)
        });
        Db::open(driver, migrations).unwrap()
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

    fn pass(&self, statement: &str, run: &dyn Fn() -> Result<Rows, DbError>) -> Result<Rows, DbError> {
        let gone = || DbError::Unavailable("this process is dead".to_owned());
        if self.dead.get() {
            return Err(gone());
        }
        let verb = statement.lines().find(|line| !line.starts_with("--")).unwrap();
        // Every database begins in its own way.
        let verb = if verb.starts_with("begin") { "begin" } else { verb };
        self.said.borrow_mut().push(verb.trim().to_owned());
        match self.dies.get() {
            Some((0, death)) => {
                self.dead.set(true);
                if death == Death::After {
                    run()?;
                }
                Err(gone())
            }
            Some((left, death)) => {
                self.dies.set(Some((left - 1, death)));
                run()
            }
            None => run(),
        }
    }
}

/// Writes an event as a domain does.
pub(crate) fn write(db: &Db, id: &str, at: Instant) {
    write_data(db, id, at, r#"{"amount":1}"#);
}

/// Writes an event with these data.
pub(crate) fn write_data(db: &Db, id: &str, at: Instant, data: &str) {
    let row = params![id, "payment.completed", "17", at, data, TRACE];
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
        traceparent: None,
    }
}

/// The change that an event makes: it counts how often it was made.
pub(crate) fn effect(tx: &store::Tx<'_>, event: &Event) -> Result<(), DbError> {
    let statement = "insert into effect (event_id, times) values (?1, 1) \
                     on conflict (event_id) do update set times = effect.times + 1";
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
