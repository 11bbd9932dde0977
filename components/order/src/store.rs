//! Orders in SQL.

mod claims;
mod desk;
mod due;
mod figures;
mod orders;
mod rows;
mod transitions;

use kernel::{Instant, OrderId, UserId};
use store::{DbError, Migration, Tx, migrations, params};

use crate::app::{Kept, KeyUse};
use crate::domain::{Failure, Key, Order};
use crate::event::{Change, data};

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_customer_order",
    "0002_create_order_line",
    "0003_create_order_history",
    "0004_create_outbox",
    "0005_create_idempotency",
    "0006_create_order_work",
    "0007_create_order_line_detail",
    "0008_create_relay",
    "0009_create_command_key",
    "0010_create_order_cancellation",
    "0011_renew_order_work",
    "0012_index_order_state",
    "0013_add_line_category_and_seller",
    "0014_copy_line_detail",
    "0015_add_outbox_traceparent",
    "0016_index_decided_order",
];

/// Why a transaction ends as if it never began.
enum Undone {
    /// Somebody else was first.
    Overtaken,
    /// The client's key was used before.
    KeyTaken,
    /// The customer's cart is being bought already.
    CartUnderWay,
    /// As many of the customer's orders as may wait for a payment do.
    TooManyWaiting,
    Db(DbError),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// The work's owner and the order's state are both as they must be, or nothing happens.
fn expect_one(changed: u64) -> Result<(), Undone> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Undone::Overtaken)
    }
}

/// Whether a transaction did what it was to do.
fn done(answer: Result<(), Undone>) -> Result<bool, DbError> {
    match answer {
        Ok(()) => Ok(true),
        Err(Undone::Overtaken | Undone::KeyTaken | Undone::CartUnderWay | Undone::TooManyWaiting) => {
            Ok(false)
        }
        Err(Undone::Db(error)) => Err(error),
    }
}

fn insert_key(tx: &Tx<'_>, used: Option<&KeyUse>, order: OrderId) -> Result<(), Undone> {
    let Some(KeyUse { key, command }) = used else {
        return Ok(());
    };
    let row = params![key.user, key.name.as_str(), command.as_str(), order];
    match tx.execute(include_str!("sql/insert_key.sql"), row)? {
        0 => Err(Undone::KeyTaken),
        _ => Ok(()),
    }
}

/// `order_work` holds the key that waits for its answer in two columns.
fn key_columns(key: Option<&Key>) -> (Option<UserId>, Option<&str>) {
    (key.map(|key| key.user), key.map(|key| key.name.as_str()))
}

fn keep_reply(tx: &Tx<'_>, kept: Option<Kept<'_>>) -> Result<(), DbError> {
    let Some(Kept { key, reply }) = kept else {
        return Ok(());
    };
    let status = u32::from(reply.status);
    let headers = rows::headers_to_text(&reply.headers);
    let row = params![key.user, key.name.as_str(), status, headers, reply.body.as_str()];
    tx.execute(include_str!("sql/keep_reply.sql"), row).map(drop)
}

fn change_state(
    tx: &Tx<'_>,
    order: &Order,
    from: &str,
    failure: Option<&Failure>,
    now: Instant,
) -> Result<(), Undone> {
    let to = if failure.is_some() {
        "FAILED"
    } else {
        order.state.text()
    };
    let (word, detail) = (failure.map(Failure::text), failure.map(Failure::detail));
    let row = params![order.id, from, to, word, detail, now];
    expect_one(tx.execute(include_str!("sql/change_state.sql"), row)?)?;
    let reason = word.or_else(|| match &order.state {
        crate::domain::State::Cancelled { why, .. } => Some(why.text()),
        _ => None,
    });
    let past = params![order.id, from, to, now, reason];
    tx.execute(include_str!("sql/insert_history.sql"), past)?;
    Ok(())
}

fn write_event(tx: &Tx<'_>, order: &Order, change: &Change<'_>, now: Instant) -> Result<(), DbError> {
    let topic = change.topic();
    let data = data(order, change).map_err(|error| DbError::Other(error.to_string()))?;
    let key = order.id.to_string();
    let row = params![format!("{topic}:{key}"), topic, key, now, data, tx.traceparent()];
    tx.execute(include_str!("sql/insert_event.sql"), row).map(drop)
}
