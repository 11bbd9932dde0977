//! The statements of checkouts, as the components' own code asks for them outside of WebAssembly.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Result, ensure};
use kernel::Instant;
use order::domain::Hold;
use order::http::{Call, handle, render};
use serde_json::json;
use store::{Db, DbError, Driver, Migration, Rows, Value, native};
use testkit::{NEW_YEAR, seeded};
use web::{Identity, Method, Request, Role};

use super::domains::{Domains, Gateway};
use crate::place::{MARKET, PIECES, PRODUCTS};

/// The databases of a checkout, with their schemas.
pub(super) const DATABASES: [(&str, &[Migration]); 5] = [
    ("order", order::store::MIGRATIONS),
    ("product", product::store::MIGRATIONS),
    ("stock", stock::store::MIGRATIONS),
    ("payment", payment::store::MIGRATIONS),
    ("pg", fake_pg::store::MIGRATIONS),
];

/// One statement of a checkout.
pub(super) struct Step {
    /// The database's place in [`DATABASES`].
    pub(super) database: usize,
    /// Its text.
    pub(super) statement: Rc<str>,
    /// What is bound to it.
    pub(super) params: Vec<Value>,
}

type Tape = Rc<RefCell<Vec<Step>>>;

/// A way to a database on which everything is written down.
struct Recorder {
    inner: Box<dyn Driver>,
    database: usize,
    tape: Tape,
    texts: RefCell<HashMap<String, Rc<str>>>,
}

impl Driver for Recorder {
    fn execute(&self, statement: &str, params: &[Value]) -> Result<Rows, DbError> {
        let mut texts = self.texts.borrow_mut();
        let text = texts
            .entry(statement.to_owned())
            .or_insert_with(|| statement.into());
        self.tape.borrow_mut().push(Step {
            database: self.database,
            statement: text.clone(),
            params: params.to_vec(),
        });
        self.inner.execute(statement, params)
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

/// So many checkouts, each of one piece of any of the market's products, as their statements.
///
/// They are carried out once, in memory, by the domains' own use cases; the statements are what any shop of these
/// domains has to run, whoever runs them.
pub(super) fn record(checkouts: usize) -> Result<Vec<Vec<Step>>> {
    let tape = Tape::default();
    let open = |database: usize| -> Result<Db> {
        let (label, migrations) = DATABASES[database];
        let recorder = Recorder {
            inner: native::in_memory_driver()?,
            database,
            tape: tape.clone(),
            texts: RefCell::default(),
        };
        let db = Db::open(Box::new(recorder), migrations)?;
        let script = match label {
            "product" => PRODUCTS,
            "stock" => PIECES,
            _ => return Ok(db),
        };
        let numbers = [Value::from(MARKET.start), Value::from(MARKET.end)];
        let filled = db.transaction(|tx| {
            let mut statements = script.split_inclusive(';');
            statements.try_for_each(|statement| tx.execute(statement, &numbers).map(drop))
        });
        filled.map_err(|error: DbError| anyhow::anyhow!("could not fill {label}: {error}"))?;
        Ok(db)
    };
    let domains = Domains {
        now: Cell::new(NEW_YEAR),
        products: product::store::Store::new(open(1)?),
        stock: stock::store::Store::new(open(2)?),
        payments: open(3)?,
        gateway: Gateway(open(4)?),
        random: Box::new(seeded(7)),
    };
    let orders = open(0)?;
    let mut recorded = Vec::with_capacity(checkouts);
    for number in 0..checkouts {
        tape.borrow_mut().clear();
        checkout(&domains, &orders, number as u64)?;
        recorded.push(tape.take());
    }
    Ok(recorded)
}

fn checkout(domains: &Domains, orders: &Db, number: u64) -> Result<()> {
    // Orders and payments of one millisecond may draw the same number, and one would have to draw again.
    let now = Instant::from_micros(NEW_YEAR.micros() + 1000 * number as i64);
    domains.now.set(now);
    let product = fastrand::u32(MARKET);
    let body = json!({"productId": product, "quantity": 1, "paymentMethod": "CARD"});
    let request = Request::new(Method::Post, "/orders")
        .with_header("content-type", "application/json")
        .with_body(body.to_string());
    let identity = Identity {
        user: kernel::UserId::try_new(1 + number % 256)?,
        role: Role::User,
    };
    let app = order::app::App {
        ledger: orders,
        catalog: domains,
        goods: domains,
        payments: domains,
        carts: domains,
        render: &render,
        hold: &|| Hold::parse("600").map_err(|error| error.to_string()),
        now,
        clock: &|| now,
        random: &|| (domains.random)(),
    };
    let call = Call {
        identity: Ok(identity),
    };
    let reply = handle(&request, &call, &app);
    ensure!(
        reply.status == 201,
        "a checkout outside the shop came to {reply:?}"
    );
    Ok(())
}
