use kernel::{MAX_ID, OrderId, UserId};
use store::{Db, DbError, RowError, Tx, Value, params};

use super::rows::{reply, with_lines, with_work};
use super::{Undone, insert_key, key_columns, write_event};
use crate::app::{Inserted, KeyUse, Listed, Orders, UsedKey};
use crate::domain::{Entry, Key, Order, Task, Totals, Work};
use crate::event::Change;

impl Orders for Db {
    fn insert(
        &self,
        order: &Order,
        work: &Work,
        command: Option<&KeyUse>,
        most_waiting: u32,
    ) -> Result<Inserted, DbError> {
        inserted(self.transaction(|tx| {
            if !insert_order(tx, order, work)? {
                return Err(Undone::Overtaken);
            }
            insert_lines(tx, order)?;
            insert_work(tx, order, work, most_waiting)?;
            insert_key(tx, command, order.id)?;
            write_event(tx, order, &Change::Created, order.created_at).map_err(Undone::from)
        }))
    }

    fn find_key(&self, key: &Key) -> Result<Option<UsedKey>, DbError> {
        let wanted = params![key.user, key.name.as_str()];
        let row = self.read_one(include_str!("../sql/find_key.sql"), wanted)?;
        let used = row.map(|row| {
            Ok(UsedKey {
                command: row.get("command")?,
                order: row.get("order_id")?,
                reply: reply(&row)?,
            })
        });
        used.transpose()
    }

    fn load(&self, user: UserId, order: OrderId) -> Result<Option<Order>, DbError> {
        let rows = self.read(include_str!("../sql/load_order.sql"), params![order, user])?;
        only(with_lines(self, &rows)?)
    }

    fn list(&self, user: UserId, before: Option<OrderId>, limit: u32) -> Result<Vec<Listed<Order>>, DbError> {
        let wanted = params![user, before_id(before), limit];
        let rows = self.read(include_str!("../sql/list_orders.sql"), wanted)?;
        with_lines(self, &rows)
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError> {
        let rows = self.read(include_str!("../sql/find_order.sql"), params![order])?;
        only(with_work(self, &rows)?)
    }
}

/// The one order that was asked for.
fn only<T>(mut listed: Vec<Listed<T>>) -> Result<Option<T>, DbError> {
    listed.pop().map(|one| one.found).transpose()
}

fn inserted(answer: Result<(), Undone>) -> Result<Inserted, DbError> {
    match answer {
        Ok(()) => Ok(Inserted::Done),
        Err(Undone::Overtaken | Undone::KeyTaken) => Ok(Inserted::Taken),
        Err(Undone::CartUnderWay) => Ok(Inserted::CartUnderWay),
        Err(Undone::TooManyWaiting) => Ok(Inserted::TooManyWaiting),
        Err(Undone::Db(error)) => Err(error),
    }
}

/// All orders come before none.
pub(super) fn before_id(before: Option<OrderId>) -> i64 {
    before.map_or(MAX_ID as i64 + 1, OrderId::as_i64)
}

fn insert_order(tx: &Tx<'_>, order: &Order, work: &Work) -> Result<bool, DbError> {
    let Totals { total, discount, due } = order.totals;
    let row = params![
        order.id,
        order.user,
        order.method.text(),
        total.currency().code(),
        total.minor(),
        discount.minor(),
        due.minor(),
        work.lease.until,
        order.created_at,
    ];
    Ok(tx.execute(include_str!("../sql/insert_order.sql"), row)? == 1)
}

/// All lines in one statement, however many there are.
fn insert_lines(tx: &Tx<'_>, order: &Order) -> Result<(), DbError> {
    let mut lines = vec![Value::from(order.id)];
    for (place, line) in (0i64..).zip(&order.lines) {
        let amount = line
            .amount()
            .map_err(|error| RowError::new("amount_minor", error))?;
        let price = line.unit_price.minor();
        lines.extend_from_slice(params![
            place,
            line.product,
            line.sku,
            line.name.as_str(),
            line.category.as_str(),
            line.seller.as_str(),
            price,
            line.quantity,
            amount.minor(),
        ]);
    }
    let rows = placeholders(order.lines.len(), 9);
    let statement = include_str!("../sql/insert_lines.sql").replace("{rows}", &rows);
    tx.execute(&statement, &lines).map(drop)
}

/// `(?1, ?2, ?3), (?1, ?4, ?5)` for two rows of a shared first value and two of their own.
fn placeholders(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let own = (0..width).map(|column| format!(", ?{}", 2 + row * width + column));
        format!("(?1{})", own.collect::<String>())
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn insert_work(tx: &Tx<'_>, order: &Order, work: &Work, most_waiting: u32) -> Result<(), Undone> {
    let Task::Place { pay_until } = work.task else {
        return Err(DbError::Other("a new order is to be placed".to_owned()).into());
    };
    let (owner, until) = (work.lease.owner.as_i64(), work.lease.until);
    let (key_user, key) = key_columns(work.key.as_ref());
    let row = params![
        order.id,
        order.user,
        owner,
        until,
        pay_until,
        work.from_cart,
        key_user,
        key,
        most_waiting,
    ];
    if tx.execute(include_str!("../sql/insert_work.sql"), row)? == 1 {
        return Ok(());
    }
    let waiting = tx.query_one(include_str!("../sql/count_waiting.sql"), params![order.user])?;
    let waiting: Option<u32> = waiting
        .map(|row| row.get("waiting"))
        .transpose()
        .map_err(DbError::from)?;
    if pay_until.is_some() && waiting.is_some_and(|count| count >= most_waiting) {
        Err(Undone::TooManyWaiting)
    } else {
        Err(Undone::CartUnderWay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_their_first_value() {
        assert_eq!(placeholders(2, 2), "(?1, ?2, ?3), (?1, ?4, ?5)");
        assert_eq!(placeholders(1, 1), "(?1, ?2)");
    }
}
