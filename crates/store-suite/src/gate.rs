use std::cell::Cell;
use std::rc::Rc;

use store::{DbError, Driver, Rows, Value};

type Answer = Result<Rows, DbError>;

/// A way to a database on which every statement passes `gate`: it gets the statement and what runs it, and
/// answers in its place. So a test counts statements, loses their answers, or is dead from one of them on.
pub fn gated(
    inner: impl Into<Rc<dyn Driver>>,
    gate: impl Fn(&str, &dyn Fn() -> Answer) -> Answer + 'static,
) -> Box<dyn Driver> {
    Box::new(Gated {
        inner: inner.into(),
        gate,
    })
}

/// A connection that several databases use, one after the other.
pub fn shared(connection: &Rc<dyn Driver>) -> Box<dyn Driver> {
    gated(connection.clone(), |_, run| run())
}

/// A way to a database, and how many statements went it.
pub fn counted(inner: impl Into<Rc<dyn Driver>>) -> (Box<dyn Driver>, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    let driver = gated(inner, move |_, run| {
        counter.set(counter.get() + 1);
        run()
    });
    (driver, count)
}

struct Gated<G> {
    inner: Rc<dyn Driver>,
    gate: G,
}

impl<G: Fn(&str, &dyn Fn() -> Answer) -> Answer> Driver for Gated<G> {
    fn execute(&self, statement: &str, params: &[Value]) -> Answer {
        (self.gate)(statement, &|| self.inner.execute(statement, params))
    }

    fn begin(&self) -> &'static str {
        self.inner.begin()
    }

    fn begin_migration(&self) -> &'static [&'static str] {
        self.inner.begin_migration()
    }

    fn schema_version(&self) -> Result<u32, DbError> {
        self.inner.schema_version()
    }

    fn set_schema_version(&self, version: u32) -> Result<(), DbError> {
        self.inner.set_schema_version(version)
    }
}
