use kernel::{Currency, Money, OrderId};
use store::{Db, DbError, Row, RowError, Value};

use crate::app::{Listed, Reply};
use crate::domain::{
    Cancellation, Entry, Failure, Key, Lease, Line, Method, Order, Owner, PaymentKey, State, Stuck, Task,
    Totals, Work,
};

/// Orders from their rows and, in one more statement, their lines.
pub(super) fn with_lines(db: &Db, rows: &[Row]) -> Result<Vec<Listed<Order>>, DbError> {
    let listed = |row: &Row| {
        Ok(Listed {
            id: row.get("order_id")?,
            found: order(row).map_err(DbError::from),
        })
    };
    let mut orders = rows.iter().map(listed).collect::<Result<Vec<_>, DbError>>()?;
    if orders.is_empty() {
        return Ok(orders);
    }
    let ids: Vec<Value> = orders.iter().map(|order| order.id.into()).collect();
    let statement = include_str!("../sql/load_lines.sql").replace("{orders}", &numbered(1, ids.len()));
    for row in db.read(&statement, &ids)? {
        let id: OrderId = row.get("order_id")?;
        if let Some(order) = orders.iter_mut().find(|order| order.id == id) {
            add_line(&mut order.found, &row);
        }
    }
    Ok(orders)
}

/// An order with a line that can't be read can't be read.
fn add_line(order: &mut Result<Order, DbError>, row: &Row) {
    let Ok(readable) = order else { return };
    match line(row, readable.totals.total.currency()) {
        Ok(line) => readable.lines.push(line),
        Err(error) => *order = Err(error.into()),
    }
}

/// The same with what is left to do for each.
pub(super) fn with_work(db: &Db, rows: &[Row]) -> Result<Vec<Listed<Entry>>, DbError> {
    let entry = |order: Order, row: &Row| {
        let kind: Option<String> = row.get("kind")?;
        let work = kind.is_some().then(|| work(row)).transpose()?;
        Ok(Entry { order, work })
    };
    let listed = |(order, row): (Listed<Order>, &Row)| Listed {
        id: order.id,
        found: order.found.and_then(|order| entry(order, row)),
    };
    Ok(with_lines(db, rows)?.into_iter().zip(rows).map(listed).collect())
}

/// `?2, ?3, ?4` for three values from the second on.
pub(super) fn numbered(first: usize, count: usize) -> String {
    let numbers = (first..first + count).map(|number| format!("?{number}"));
    numbers.collect::<Vec<_>>().join(", ")
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
    let text: String = row.get("state")?;
    match text.as_str() {
        "PENDING" => Ok(State::Pending {
            pay_until: row.get("pay_until")?,
        }),
        "PAID" => Ok(State::Paid { at }),
        "FAILED" => {
            let failure = failure(row, "failure", "failure_detail")?;
            Ok(State::Failed { at, failure })
        }
        "CANCELLED" => Ok(State::Cancelled {
            at,
            why: cancellation(row, "reason", "note")?,
        }),
        other => Err(RowError::new("state", format!("unexpected {other:?}"))),
    }
}

fn failure(row: &Row, word: &str, detail: &str) -> Result<Failure, RowError> {
    let detail: Option<String> = row.get(detail)?;
    row.parse(word, |word| Failure::parse(word, detail.as_deref().unwrap_or("")))
}

fn cancellation(row: &Row, reason: &str, note: &str) -> Result<Cancellation, RowError> {
    let note: Option<String> = row.get(note)?;
    row.parse(reason, |word| Cancellation::parse(word, note.as_deref()))
}

fn line(row: &Row, currency: Currency) -> Result<Line, RowError> {
    Ok(Line {
        product: row.get("product_id")?,
        sku: row.get("sku_id")?,
        name: row.get("name")?,
        category: row.get("category")?,
        seller: row.get("seller")?,
        unit_price: amount(row, "unit_minor", currency)?,
        quantity: row.get("quantity")?,
    })
}

fn amount(row: &Row, column: &str, currency: Currency) -> Result<Money, RowError> {
    Money::try_new(row.get(column)?, currency).map_err(|error| RowError::new(column, error))
}

/// What is left to do, from a row that has it.
pub(super) fn work(row: &Row) -> Result<Work, RowError> {
    let kind: String = row.get("kind")?;
    let task = match kind.as_str() {
        "PLACE" => Task::Place {
            pay_until: row.get("expires_at")?,
        },
        "AWAIT" => Task::Await {
            pay_until: row.get("expires_at")?,
        },
        "CONFIRM" => Task::Confirm {
            payment_key: row.parse("payment_key", |text| PaymentKey::try_new(text).ok())?,
        },
        "UNDO" => Task::Undo {
            failure: failure(row, "work_failure", "work_failure_detail")?,
        },
        "FINISH" => Task::Finish,
        "CANCEL" => Task::Cancel {
            why: cancellation(row, "work_reason", "work_note")?,
        },
        "EXPIRE" => Task::Expire,
        other => return Err(RowError::new("kind", format!("unexpected {other:?}"))),
    };
    let stuck: Option<String> = row.get("stuck")?;
    Ok(Work {
        task,
        attempt: row.get("attempt")?,
        lease: Lease {
            owner: Owner::stored(row.get("lease_owner")?),
            until: row.get("lease_until")?,
        },
        from_cart: row.get("from_cart")?,
        key: key(row)?,
        stuck: match stuck {
            None => None,
            Some(step) => Some(Stuck {
                step,
                reason: row.get("stuck_reason")?,
            }),
        },
    })
}

fn key(row: &Row) -> Result<Option<Key>, RowError> {
    let user = row.get::<Option<_>>("key_user_id")?;
    let key = |user| {
        Ok(Key {
            user,
            name: row.get("idempotency_key")?,
        })
    };
    user.map(key).transpose()
}

/// The answer that a key's row holds, if it does.
pub(super) fn reply(row: &Row) -> Result<Option<Reply>, RowError> {
    let Some(status) = row.get::<Option<u32>>("status")? else {
        return Ok(None);
    };
    let headers: String = row.get("headers")?;
    Ok(Some(Reply {
        status: u16::try_from(status).map_err(|error| RowError::new("status", error))?,
        headers: headers_from_text(&headers).ok_or_else(|| RowError::new("headers", "not one a line"))?,
        body: row.get("body")?,
    }))
}

/// One `name: value` a line. Neither holds a line's end: HTTP does not allow it.
pub(super) fn headers_to_text(headers: &[(String, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}

fn headers_from_text(text: &str) -> Option<Vec<(String, String)>> {
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_their_text() {
        let headers = [
            ("content-type", "application/json"),
            ("x", ""),
            ("location", "/a: b"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = headers_to_text(&headers);
        assert_eq!(headers_from_text(&text), Some(headers.to_vec()));
        assert_eq!(headers_from_text(""), Some(Vec::new()));
        assert_eq!(headers_from_text("no header"), None);
    }
}
