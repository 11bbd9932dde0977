//! The producer's side: which events are due.
//!
//! A component writes an event into its table `outbox` in the transaction of the change, without a
//! position, and is done with it. [`drain`] does the rest.

use kernel::Instant;
use store::{Db, DbError, Row, RowError, Tx, params};

use crate::{Delivery, Event};

/// The tables, as the migration `NNNN_create_relay` of every producer has them.
pub const SCHEMA: &str = include_str!("../schema/create_relay.sql");

/// The column of `outbox` that says in which trace an event was written, as the migration
/// `NNNN_add_outbox_traceparent` of every producer has it.
pub const TRACEPARENT: &str = include_str!("../schema/add_outbox_traceparent.sql");

/// Events in one drain at most, whatever is asked for: a transaction stays short.
const MOST: u32 = 1_000;

/// Bytes of data in one drain at most, so that its caller has the memory for them: 4 MiB.
pub const MOST_BYTES: u32 = 4 * 1024 * 1024;

/// Up to `limit` events to publish now: new ones first, then those that were published some time ago and
/// are still beyond `acknowledged`, the position up to which every consumer has everything (0 if nobody
/// knows).
///
/// Everything happens in one transaction, whose first statement holds the one row of `outbox_relay`: of
/// two relays that run at once, one waits for the other. So positions are given in one row, without a gap,
/// to committed events only, wherever a relay dies.
///
/// What is answered is marked as published **before** it is, and nobody else gets it until its back-off
/// has passed: 5 s, doubled with every publishing, 5 minutes at most. A crash in between costs that time,
/// never an event. When nothing is due, nothing is written.
///
/// The events weigh up to 4 MiB together; a heavier one comes alone, with the beginning of its data:
/// no message carries it, as [`crate::message::pack`] sees. What does not fit stays due.
///
/// An acknowledgement of a position that was never given is not believed: an event published once too
/// often does no harm, one never published does.
pub fn drain(db: &Db, now: Instant, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, DbError> {
    // Beyond the range of the column is beyond every position, so it is not believed either.
    let acknowledged = i64::try_from(acknowledged).unwrap_or(i64::MAX);
    let limit = limit.min(MOST);
    if limit == 0 || !has_work(db, now, acknowledged)? {
        return Ok(Vec::new());
    }
    db.transaction(|tx| {
        let last = take_turn(tx, acknowledged)?;
        give_positions(tx, last, limit)?;
        let due = tx.query(include_str!("sql/due.sql"), params![now, limit, MOST_BYTES])?;
        if let Some(last) = due.last() {
            let (due_at, position): (i64, i64) = (last.get("due_at")?, last.get("position")?);
            let chosen = params![now, due_at, position];
            tx.execute(include_str!("sql/mark_published.sql"), chosen)?;
        }
        Ok(due.iter().map(delivery).collect::<Result<_, _>>()?)
    })
}

/// What is on its way to consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Events that some consumer has not acknowledged.
    pub events: i64,
    /// When the first of them happened.
    pub oldest: Option<Instant>,
}

/// How far consumers are behind. Acknowledgements count from the drain that takes them in.
pub fn lag(db: &Db) -> Result<Lag, DbError> {
    let row = db.read_one(include_str!("sql/lag.sql"), params![])?;
    let row = row.ok_or_else(no_relay)?;
    Ok(Lag {
        events: row.get("events")?,
        oldest: row.get("oldest_at")?,
    })
}

fn has_work(db: &Db, now: Instant, acknowledged: i64) -> Result<bool, DbError> {
    let row = db.read_one(include_str!("sql/work.sql"), params![acknowledged, now])?;
    Ok(row.ok_or_else(no_relay)?.get("work")?)
}

/// Waits for other relays, takes the acknowledgement in, and answers the last position that was given.
fn take_turn(tx: &Tx<'_>, acknowledged: i64) -> Result<i64, DbError> {
    let row = tx.query_one(include_str!("sql/take_turn.sql"), params![acknowledged])?;
    let row = row.ok_or_else(no_relay)?;
    let passed: i64 = row.get("acknowledged")?;
    tx.execute(include_str!("sql/forget_acknowledged.sql"), params![passed])?;
    Ok(row.get("last_position")?)
}

fn give_positions(tx: &Tx<'_>, last: i64, limit: u32) -> Result<(), DbError> {
    let given = tx.execute(include_str!("sql/give_positions.sql"), params![last, limit])?;
    if given == 0 {
        return Ok(());
    }
    tx.execute(include_str!("sql/await_publishing.sql"), params![last])?;
    let given = i64::try_from(given).expect("no more than the limit");
    tx.execute(include_str!("sql/move_last_position.sql"), params![last + given])?;
    Ok(())
}

fn delivery(row: &Row) -> Result<Delivery, RowError> {
    let event = Event {
        id: row.get("event_id")?,
        topic: row.get("topic")?,
        key: row.get("key")?,
        position: position(row)?,
        occurred_at: row.get("occurred_at")?,
        data: row.get("data")?,
        traceparent: row.get("traceparent")?,
    };
    Ok(Delivery {
        event,
        published: row.get("published")?,
    })
}

/// What stands in the column `position`.
pub(crate) fn position(row: &Row) -> Result<u64, RowError> {
    let number: i64 = row.get("position")?;
    u64::try_from(number).map_err(|_| RowError::new("position", format!("{number} is out of range")))
}

fn no_relay() -> DbError {
    DbError::Other("the row of outbox_relay is missing".to_owned())
}
