//! Many reservations committed in one transaction.

use ::store::{Db, DbError, Row, Tx, Value};
use kernel::{Instant, OrderId};

use crate::app::Standing;

/// Where the reservations of these orders stand; none for those that have none.
pub(super) fn standing(db: &Db, orders: &[OrderId]) -> Result<Vec<(OrderId, Standing)>, DbError> {
    let (statement, params) = about(include_str!("../sql/standing.sql"), 1, orders);
    let rows = db.read(&statement, &params)?;
    let standing = |row: &Row| {
        let standing = row.parse("state", |text| match text {
            "RESERVED" => Some(Standing::Reserved),
            "COMMITTED" => Some(Standing::Sold),
            "RELEASED" => Some(Standing::Released),
            _ => None,
        })?;
        Ok((row.get("order_id")?, standing))
    };
    rows.iter().map(standing).collect()
}

/// Commits those of the orders that can be without looking at each; answers which.
pub(super) fn end(tx: &Tx<'_>, orders: &[OrderId], now: Instant) -> Result<Vec<OrderId>, DbError> {
    let (statement, params) = about_at(include_str!("../sql/end_many.sql"), now, orders);
    let rows = tx.query(&statement, &params)?;
    let ended: Vec<OrderId> = rows
        .iter()
        .map(|row| row.get("order_id"))
        .collect::<Result<_, _>>()?;
    if !ended.is_empty() {
        let (statement, params) = about(include_str!("../sql/ship_many.sql"), 1, &ended);
        tx.execute(&statement, &params)?;
        let (statement, params) = about_at(include_str!("../sql/write_many.sql"), now, &ended);
        tx.execute(&statement, &params)?;
        let (statement, params) = about(include_str!("../sql/let_go_many.sql"), 1, &ended);
        tx.execute(&statement, &params)?;
    }
    Ok(ended)
}

/// A statement about these orders at this moment, which is its first parameter.
fn about_at(statement: &str, now: Instant, orders: &[OrderId]) -> (String, Vec<Value>) {
    let (statement, mut params) = about(statement, 2, orders);
    params.insert(0, now.into());
    (statement, params)
}

/// A statement about these orders, the first of which is the parameter of this number.
fn about(statement: &str, first: usize, orders: &[OrderId]) -> (String, Vec<Value>) {
    let places: Vec<String> = (first..first + orders.len())
        .map(|place| format!("?{place}"))
        .collect();
    let params = orders.iter().copied().map(Value::from).collect();
    (statement.replace("{orders}", &places.join(", ")), params)
}
