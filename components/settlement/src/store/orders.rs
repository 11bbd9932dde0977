//! What the ledger knows of orders.

use kernel::{Money, OrderId};
use store::{Db, DbError, Row, RowError, Tx, params};

use crate::domain::{CURRENCY, Line, Movement, MovementId, MovementKind, OrderBook};

/// Up to `limit` orders beyond `after` in which money moved, up to `last`.
pub(super) fn read(
    db: &Db,
    after: Option<OrderId>,
    last: Option<OrderId>,
    limit: u32,
) -> Result<Vec<OrderBook>, DbError> {
    let read = |statement: &str, params: &[store::Value]| db.read(statement, params);
    load(
        read,
        after.map_or(0, OrderId::as_i64),
        last.map_or(MAX, OrderId::as_i64),
        limit,
    )
}

/// The same within a transaction.
pub(super) fn page(tx: &Tx<'_>, after: Option<OrderId>, limit: u32) -> Result<Vec<OrderBook>, DbError> {
    let read = |statement: &str, params: &[store::Value]| tx.query(statement, params);
    load(read, after.map_or(0, OrderId::as_i64), MAX, limit)
}

/// All that is known of one order.
pub(super) fn one(tx: &Tx<'_>, order: OrderId) -> Result<OrderBook, DbError> {
    let (before, last) = (order.as_i64() - 1, order.as_i64());
    let movements = tx.query(
        include_str!("../sql/load_movements.sql"),
        params![before, last, 1_i64],
    )?;
    let lines = tx.query(include_str!("../sql/load_lines.sql"), params![before, last])?;
    Ok(OrderBook {
        order,
        movements: movements.iter().map(movement).collect::<Result<_, _>>()?,
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
    })
}

/// Beyond every order.
const MAX: i64 = i64::MAX;

fn load(
    read: impl Fn(&str, &[store::Value]) -> Result<Vec<Row>, DbError>,
    after: i64,
    last: i64,
    limit: u32,
) -> Result<Vec<OrderBook>, DbError> {
    let mut orders: Vec<OrderBook> = Vec::new();
    for row in read(
        include_str!("../sql/load_movements.sql"),
        params![after, last, limit],
    )? {
        let movement = movement(&row)?;
        if orders.last().is_none_or(|book| book.order != movement.order) {
            orders.push(OrderBook {
                order: movement.order,
                movements: Vec::new(),
                lines: Vec::new(),
            });
        }
        if let Some(book) = orders.last_mut() {
            book.movements.push(movement);
        }
    }
    let Some(last) = orders.last().map(|book| book.order) else {
        return Ok(orders);
    };
    for row in read(include_str!("../sql/load_lines.sql"), params![after, last])? {
        let order: OrderId = row.get("order_id")?;
        if let Ok(place) = orders.binary_search_by_key(&order, |book| book.order) {
            orders[place].lines.push(line(&row)?);
        }
    }
    Ok(orders)
}

fn movement(row: &Row) -> Result<Movement, RowError> {
    let account: String = row.get("account")?;
    let credit: i64 = row.get("credit_minor")?;
    let (kind, minor) = match account.as_str() {
        "SALES" => (MovementKind::Payment, credit),
        "REFUND" => (MovementKind::Refund, -credit),
        other => return Err(RowError::new("account", format!("unexpected {other:?}"))),
    };
    Ok(Movement {
        id: MovementId::stored(row.get("movement_id")?),
        order: row.get("order_id")?,
        kind,
        amount: won("credit_minor", minor)?,
        at: row.get("occurred_at")?,
        adjustments: row.get("adjustments")?,
    })
}

fn line(row: &Row) -> Result<Line, RowError> {
    Ok(Line {
        category: row.get("category")?,
        seller: row.get("seller")?,
        amount: won("amount_minor", row.get("amount_minor")?)?,
    })
}

pub(super) fn won(column: &str, minor: i64) -> Result<Money, RowError> {
    Money::try_new(minor, CURRENCY).map_err(|error| RowError::new(column, error))
}
