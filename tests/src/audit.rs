//! The invariants of the shop (DESIGN §8), checked from outside on its databases.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

/// One broken invariant a line; empty when all hold.
///
/// It reads the files of a shop at rest: no request under way. I1 stock adds up and is never negative,
/// I2 paid means captured, I3 no capture without its order, I4 refunds stay within captures, I8 lines add
/// up, I10 every order is decided, I11 the gateway and the payments tell the same story.
pub fn audit(folder: &Path) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    let orders = open(folder, "order")?;
    let payments = open(folder, "payment")?;
    let stock = open(folder, "stock")?;
    let pg = open(folder, "pg")?;
    stock_adds_up(&stock, &mut broken)?;
    lines_add_up(&orders, &mut broken)?;

    let paid = pairs(
        &orders,
        "select order_id, due_minor from customer_order where state = 'PAID'",
    )?;
    let undecided = pairs(
        &orders,
        "select order_id, 0 from customer_order where state = 'PENDING'",
    )?;
    let captured = pairs(
        &payments,
        "select order_id, amount_minor - refunded_minor from payment where state = 'CAPTURED'",
    )?;
    let card = pairs(
        &payments,
        "select order_id, amount_minor from payment where state = 'CAPTURED' and method = 'CARD'",
    )?;
    let approved = pairs(
        &pg,
        "select order_id, asked_minor from pg_payment where state = 'APPROVED'",
    )?;
    let sold = pairs(
        &stock,
        "select order_id, 0 from reservation where state = 'COMMITTED'",
    )?;

    broken.extend(
        undecided
            .keys()
            .map(|order| format!("I10: order {order} is still PENDING")),
    );
    for (order, due) in &paid {
        if captured.get(order) != Some(due) {
            broken.push(format!(
                "I2: order {order} is PAID with {due}, captured {:?}",
                captured.get(order)
            ));
        }
        if !sold.contains_key(order) {
            broken.push(format!("I1: order {order} is PAID, its goods were not committed"));
        }
    }
    for (order, kept) in captured.iter().filter(|(_, kept)| **kept != 0) {
        if !paid.contains_key(order) {
            broken.push(format!("I3: {kept} kept for order {order}, which is not PAID"));
        }
    }
    broken.extend(
        sold.keys()
            .filter(|order| !paid.contains_key(*order))
            .map(|order| format!("I1: the goods of order {order} are gone, it is not PAID")),
    );
    if card != approved {
        broken.push(format!(
            "I11: captured by card {card:?}, approved by the gateway {approved:?}"
        ));
    }
    let over = "select order_id, refunded_minor from payment where refunded_minor > amount_minor or refunded_minor < 0";
    broken.extend(
        pairs(&payments, over)?
            .keys()
            .map(|order| format!("I4: order {order} refunded beyond its capture")),
    );
    Ok(broken)
}

fn stock_adds_up(stock: &Connection, broken: &mut Vec<String>) -> Result<()> {
    let statement = "select level.sku_id, level.on_hand - (
            select coalesce(sum(case kind
                when 'INITIAL' then quantity when 'RETURN' then quantity when 'MANUAL' then quantity
                when 'COMMIT' then -quantity else 0 end), 0)
              from stock_history history where history.sku_id = level.sku_id)
        from stock_level level";
    let off = pairs(stock, statement)?
        .into_iter()
        .filter(|(_, difference)| *difference != 0);
    broken.extend(off.map(|(sku, by)| format!("I1: SKU {sku} is off its history by {by}")));
    let oversold = "select level.sku_id, sum(line.quantity) from stock_level level
          join reservation_line line on line.sku_id = level.sku_id and line.held_until is not null
          join reservation on reservation.order_id = line.order_id and reservation.state = 'RESERVED'
         group by level.sku_id, level.on_hand having sum(line.quantity) > level.on_hand";
    broken.extend(
        pairs(stock, oversold)?
            .into_iter()
            .map(|(sku, held)| format!("I1: SKU {sku} holds {held}, more than there is")),
    );
    let held = pairs(
        stock,
        "select order_id, sum(quantity) from reservation_line where held_until is not null group by order_id",
    )?;
    broken.extend(
        held.into_iter()
            .map(|(order, pieces)| format!("I1: {pieces} pieces still held for order {order}")),
    );
    Ok(())
}

fn lines_add_up(orders: &Connection, broken: &mut Vec<String>) -> Result<()> {
    let statement = "select o.order_id, o.total_minor - (
            select coalesce(sum(line.unit_minor * line.quantity), 0) from order_line line where line.order_id = o.order_id)
        from customer_order o";
    let off = pairs(orders, statement)?
        .into_iter()
        .filter(|(_, difference)| *difference != 0);
    broken.extend(off.map(|(order, by)| format!("I8: order {order} is off its lines by {by}")));
    Ok(())
}

fn open(folder: &Path, label: &str) -> Result<Connection> {
    let path = folder.join(format!("{label}.db"));
    Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .with_context(|| format!("{} is not there", path.display()))
}

/// Two numbers a row. A database that was never opened has no tables, and nothing in them.
fn pairs(database: &Connection, statement: &str) -> Result<BTreeMap<i64, i64>> {
    let tables: i64 = database.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(BTreeMap::new());
    }
    let mut prepared = database
        .prepare(statement)
        .with_context(|| statement.to_owned())?;
    let rows = prepared.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
