//! Orders in SQL.

use kernel::{Currency, Instant, MAX_ID, Money, OrderId, UserId};
use store::{Db, DbError, Migration, Row, RowError, Tx, migrations, params};

use crate::app::{KeyUse, Orders};
use crate::domain::{Failure, Line, Method, Order, State, Totals};
use crate::event::order_data;

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_customer_order",
    "0002_create_order_line",
    "0003_create_order_history",
    "0004_create_outbox",
    "0005_create_idempotency",
];

impl Orders for Db {
    fn insert(&self, order: &Order, key: Option<&KeyUse>, lease_until: Instant) -> Result<bool, DbError> {
        let written = self.transaction(|tx| {
            if !insert_order(tx, order, lease_until)? {
                return Err(NotWritten::Taken);
            }
            for (place, line) in (0i64..).zip(&order.lines) {
                insert_line(tx, order.id, place, line)?;
            }
            if let Some(key) = key {
                let row = params![order.user, key.key.as_str(), key.command.as_str(), order.id];
                if tx.execute(include_str!("sql/insert_key.sql"), row)? == 0 {
                    return Err(NotWritten::Taken);
                }
            }
            write_event(tx, "order.created", order, None, order.created_at).map_err(NotWritten::from)
        });
        match written {
            Ok(()) => Ok(true),
            Err(NotWritten::Taken) => Ok(false),
            Err(NotWritten::Db(error)) => Err(error),
        }
    }

    fn find_key(&self, user: UserId, key: &str) -> Result<Option<(String, OrderId)>, DbError> {
        let row = self.read_one(include_str!("sql/find_key.sql"), params![user, key])?;
        row.map(|row| Ok((row.get("command")?, row.get("order_id")?)))
            .transpose()
    }

    fn pay(&self, order: &Order, now: Instant) -> Result<bool, DbError> {
        self.transaction(|tx| leave_pending(tx, order, "PAID", None, now))
    }

    fn fail(&self, order: &Order, failure: &Failure, now: Instant) -> Result<bool, DbError> {
        self.transaction(|tx| leave_pending(tx, order, "FAILED", Some(failure), now))
    }

    fn load(&self, user: UserId, order: OrderId) -> Result<Option<Order>, DbError> {
        let row = self.read_one(include_str!("sql/load_order.sql"), params![order, user])?;
        Ok(with_lines(self, user, row.into_iter().collect())?.pop())
    }

    fn list(&self, user: UserId, before: Option<OrderId>, limit: u32) -> Result<Vec<Order>, DbError> {
        let before = before.map_or(MAX_ID as i64 + 1, OrderId::as_i64);
        let rows = self.read(include_str!("sql/list_orders.sql"), params![user, before, limit])?;
        with_lines(self, user, rows)
    }
}

/// Why an order was not written down.
enum NotWritten {
    Taken,
    Db(DbError),
}

impl From<DbError> for NotWritten {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

fn insert_order(tx: &Tx<'_>, order: &Order, lease_until: Instant) -> Result<bool, DbError> {
    let Totals { total, discount, due } = order.totals;
    let row = params![
        order.id,
        order.user,
        order.method.text(),
        total.currency().code(),
        total.minor(),
        discount.minor(),
        due.minor(),
        lease_until,
        order.created_at,
    ];
    Ok(tx.execute(include_str!("sql/insert_order.sql"), row)? == 1)
}

fn insert_line(tx: &Tx<'_>, order: OrderId, place: i64, line: &Line) -> Result<(), DbError> {
    let amount = line
        .amount()
        .map_err(|error| RowError::new("amount_minor", error))?;
    let row = params![
        order,
        place,
        line.product,
        line.sku,
        line.name.as_str(),
        line.unit_price.minor(),
        line.quantity,
        amount.minor(),
    ];
    tx.execute(include_str!("sql/insert_line.sql"), row).map(drop)
}

fn leave_pending(
    tx: &Tx<'_>,
    order: &Order,
    to: &str,
    failure: Option<&Failure>,
    now: Instant,
) -> Result<bool, DbError> {
    let (word, detail) = (failure.map(Failure::text), failure.map(Failure::detail));
    if tx.execute(
        include_str!("sql/leave_pending.sql"),
        params![order.id, to, word, detail, now],
    )? == 0
    {
        return Ok(false);
    }
    tx.execute(
        include_str!("sql/insert_history.sql"),
        params![order.id, "PENDING", to, now, word],
    )?;
    if failure == Some(&Failure::Unavailable) {
        tx.execute(include_str!("sql/forget_key.sql"), params![order.id])?;
    }
    let topic = if failure.is_some() {
        "order.failed"
    } else {
        "order.paid"
    };
    write_event(tx, topic, order, failure, now)?;
    Ok(true)
}

fn write_event(
    tx: &Tx<'_>,
    topic: &str,
    order: &Order,
    failure: Option<&Failure>,
    now: Instant,
) -> Result<(), DbError> {
    let data = order_data(order, failure).map_err(|error| DbError::Other(error.to_string()))?;
    let key = order.id.to_string();
    let row = params![format!("{topic}:{key}"), topic, key, now, data];
    tx.execute(include_str!("sql/insert_event.sql"), row).map(drop)
}

/// Orders of one user from their rows and, in one more statement, their lines.
fn with_lines(db: &Db, user: UserId, rows: Vec<Row>) -> Result<Vec<Order>, DbError> {
    let mut orders = rows.iter().map(order).collect::<Result<Vec<_>, _>>()?;
    let ids = orders.iter().map(|order| order.id);
    let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else {
        return Ok(orders);
    };
    for row in db.read(include_str!("sql/load_lines.sql"), params![user, first, last])? {
        let id: OrderId = row.get("order_id")?;
        if let Some(order) = orders.iter_mut().find(|order| order.id == id) {
            order.lines.push(line(&row, order.totals.total.currency())?);
        }
    }
    Ok(orders)
}

fn order(row: &Row) -> Result<Order, RowError> {
    let currency = row.parse("currency", Currency::parse)?;
    let money = |column| amount(row, column, currency);
    Ok(Order {
        id: row.get("order_id")?,
        user: row.get("user_id")?,
        lines: Vec::new(),
        totals: Totals {
            total: money("total_minor")?,
            discount: money("discount_minor")?,
            due: money("due_minor")?,
        },
        method: row.parse("method", Method::parse)?,
        state: state(row)?,
        created_at: row.get("created_at")?,
    })
}

fn state(row: &Row) -> Result<State, RowError> {
    let at = row.get("changed_at")?;
    let detail: Option<String> = row.get("failure_detail")?;
    let text: String = row.get("state")?;
    match text.as_str() {
        "PENDING" => Ok(State::Pending),
        "PAID" => Ok(State::Paid { at }),
        "FAILED" => {
            let failure = row.parse("failure", |word| {
                Failure::parse(word, detail.as_deref().unwrap_or(""))
            })?;
            Ok(State::Failed { at, failure })
        }
        other => Err(RowError::new("state", format!("unexpected {other:?}"))),
    }
}

fn line(row: &Row, currency: Currency) -> Result<Line, RowError> {
    Ok(Line {
        product: row.get("product_id")?,
        sku: row.get("sku_id")?,
        name: row.get("name")?,
        unit_price: amount(row, "unit_minor", currency)?,
        quantity: row.get("quantity")?,
    })
}

fn amount(row: &Row, column: &str, currency: Currency) -> Result<Money, RowError> {
    Money::try_new(row.get(column)?, currency).map_err(|error| RowError::new(column, error))
}
