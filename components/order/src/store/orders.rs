use kernel::{MAX_ID, OrderId, UserId};
use store::{Db, DbError, RowError, Tx, Value, params};

use super::rows::{reply, with_lines, with_work};
use super::{Undone, done, insert_key, write_event};
use crate::app::{KeyUse, Orders, UsedKey};
use crate::domain::{Entry, Order, Task, Totals, Work};
use crate::event::Change;

impl Orders for Db {
    fn insert(&self, order: &Order, work: &Work, key: Option<&KeyUse>) -> Result<bool, DbError> {
        done(self.transaction(|tx| {
            if !insert_order(tx, order, work)? {
                return Err(Undone::Overtaken);
            }
            insert_lines(tx, order)?;
            insert_work(tx, order.id, work)?;
            insert_key(tx, key, order.id)?;
            write_event(tx, order, &Change::Created, order.created_at).map_err(Undone::from)
        }))
    }

    fn find_key(&self, user: UserId, key: &str) -> Result<Option<UsedKey>, DbError> {
        let row = self.read_one(include_str!("../sql/find_key.sql"), params![user, key])?;
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
        Ok(with_lines(self, Some(user), &rows)?.pop())
    }

    fn list(&self, user: UserId, before: Option<OrderId>, limit: u32) -> Result<Vec<Order>, DbError> {
        let wanted = params![user, before_id(before), limit];
        let rows = self.read(include_str!("../sql/list_orders.sql"), wanted)?;
        with_lines(self, Some(user), &rows)
    }

    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError> {
        let rows = self.read(include_str!("../sql/find_order.sql"), params![order])?;
        Ok(with_work(self, &rows)?.pop())
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

/// All lines in two statements, however many there are.
fn insert_lines(tx: &Tx<'_>, order: &Order) -> Result<(), DbError> {
    let mut lines = vec![Value::from(order.id)];
    let mut details = vec![Value::from(order.id)];
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
            price,
            line.quantity,
            amount.minor(),
        ]);
        details.extend_from_slice(params![place, line.category.as_str(), line.seller.as_str()]);
    }
    let rows = |width| placeholders(order.lines.len(), width);
    let statement = include_str!("../sql/insert_lines.sql").replace("{rows}", &rows(7));
    tx.execute(&statement, &lines)?;
    let statement = include_str!("../sql/insert_details.sql").replace("{rows}", &rows(3));
    tx.execute(&statement, &details).map(drop)
}

/// `(?1, ?2, ?3), (?1, ?4, ?5)` for two rows of a shared first value and two of their own.
fn placeholders(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let own = (0..width).map(|column| format!(", ?{}", 2 + row * width + column));
        format!("(?1{})", own.collect::<String>())
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn insert_work(tx: &Tx<'_>, order: OrderId, work: &Work) -> Result<(), DbError> {
    let pay_until = match work.task {
        Task::Place { pay_until } => pay_until,
        Task::Await { .. } | Task::Confirm { .. } | Task::Finish | Task::Cancel { .. } | Task::Expire => {
            return Err(DbError::Other("a new order is to be placed".to_owned()));
        }
    };
    let (owner, until) = (work.lease.owner.as_i64(), work.lease.until);
    let row = params![order, owner, until, pay_until, work.from_cart];
    tx.execute(include_str!("../sql/insert_work.sql"), row).map(drop)
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
