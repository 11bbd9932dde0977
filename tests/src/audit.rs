//! The invariants of the shop (DESIGN §8), checked from outside on its databases.

mod events;
mod money;
mod stock;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

/// One broken invariant a line; empty when all hold.
///
/// It reads the files of a shop at rest: no request and no job under way. I1 stock adds up and is never
/// negative, I2 paid means captured, I3 no capture without its order, I4 refunds stay within captures, I8
/// lines add up, I10 every order is decided, I11 the gateway and the payments tell the same story.
pub fn audit(folder: &Path) -> Result<Vec<String>> {
    let books = Books::open(folder)?;
    let mut broken = Vec::new();
    stock::check(&books, &mut broken)?;
    money::check(&books, &mut broken)?;
    decided(&books, &mut broken)?;
    Ok(broken)
}

/// The same for what events tell: I5 settlements are captures less refunds, I9 every event was applied
/// exactly once. It holds once all events have been delivered.
pub fn audit_events(folder: &Path) -> Result<Vec<String>> {
    let books = Books::open(folder)?;
    let mut broken = Vec::new();
    events::check(&books, &mut broken)?;
    Ok(broken)
}

/// The databases of a shop.
struct Books {
    orders: Connection,
    payments: Connection,
    stock: Connection,
    pg: Connection,
    settlement: Connection,
}

impl Books {
    fn open(folder: &Path) -> Result<Self> {
        Ok(Self {
            orders: open(folder, "order")?,
            payments: open(folder, "payment")?,
            stock: open(folder, "stock")?,
            pg: open(folder, "pg")?,
            settlement: open(folder, "settlement")?,
        })
    }
}

/// I10: nothing waits but orders of a two-step checkout for their payment, and paid ones for a last look.
fn decided(books: &Books, broken: &mut Vec<String>) -> Result<()> {
    let waiting = pairs(
        &books.orders,
        "select o.order_id, w.order_id is not null and w.kind = 'AWAIT'
           from customer_order o left join order_work w on w.order_id = o.order_id
          where o.state = 'PENDING'",
    )?;
    let undecided = waiting.iter().filter(|(_, awaits)| **awaits == 0);
    broken.extend(undecided.map(|(order, _)| format!("I10: order {order} is still PENDING")));
    let work = "select order_id, 0 from order_work
                 where kind not in ('AWAIT', 'FINISH') or stuck is not null";
    let left = pairs(&books.orders, work)?;
    broken.extend(
        left.keys()
            .map(|order| format!("I10: order {order} is not at its end")),
    );
    let lines = "select o.order_id, o.total_minor - (
            select coalesce(sum(line.unit_minor * line.quantity), 0) from order_line line where line.order_id = o.order_id)
        from customer_order o";
    let off = pairs(&books.orders, lines)?
        .into_iter()
        .filter(|(_, by)| *by != 0);
    broken.extend(off.map(|(order, by)| format!("I8: order {order} is off its lines by {by}")));
    Ok(())
}

fn open(folder: &Path, label: &str) -> Result<Connection> {
    let path = folder.join(format!("{label}.db"));
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .with_context(|| format!("{} is not there", path.display()))?;
    database.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(database)
}

/// Two numbers a row. A database that was never opened has no tables, and nothing in them.
fn pairs(database: &Connection, statement: &str) -> Result<BTreeMap<i64, i64>> {
    rows(database, statement, |row| Ok((row.get(0)?, row.get(1)?))).map(|rows| rows.into_iter().collect())
}

/// What `read` makes of every row.
fn rows<T>(
    database: &Connection,
    statement: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let tables: i64 = database.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let mut prepared = database
        .prepare(statement)
        .with_context(|| statement.to_owned())?;
    Ok(prepared.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}
