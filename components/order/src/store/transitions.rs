use kernel::{Instant, OrderId};
use store::{Db, DbError, Tx, params};

use super::{Undone, change_state, done, expect_one, keep_reply, write_event};
use crate::app::{Kept, Transitions};
use crate::domain::{Cancellation, Failure, Order, Owner, State, Stuck};
use crate::event::Change;

impl Transitions for Db {
    fn wait(&self, order: OrderId, owner: Owner, kept: Option<Kept<'_>>) -> Result<bool, DbError> {
        and_keep(self, include_str!("../sql/await_payment.sql"), order, owner, kept)
    }

    fn pay(
        &self,
        order: &Order,
        owner: Owner,
        until: Instant,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError> {
        done(self.transaction(|tx| {
            let mut from = "PENDING".to_owned();
            let row = params![order.id, owner.as_i64(), until];
            let ours = expect_one(tx.execute(include_str!("../sql/work_to_finish.sql"), row)?);
            // Only for the test that proves this guard is needed.
            if cfg!(feature = "mutant-no-cas") {
                from = state_of(tx, order.id)?;
            } else {
                ours?;
            }
            change_state(tx, order, &from, None, now)?;
            keep_reply(tx, kept)?;
            write_event(tx, order, &Change::Paid, now).map_err(Undone::from)
        }))
    }

    fn give_up(&self, order: OrderId, failure: &Failure, owner: Owner) -> Result<bool, DbError> {
        let row = params![order, owner.as_i64(), failure.text(), failure.detail()];
        let statement = include_str!("../sql/give_up.sql");
        Ok(self.execute(statement, row)? == 1)
    }

    fn fail(
        &self,
        order: &Order,
        failure: &Failure,
        owner: Owner,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError> {
        done(self.transaction(|tx| {
            by_owner(tx, include_str!("../sql/end_undo.sql"), order.id, owner)?;
            change_state(tx, order, "PENDING", Some(failure), now)?;
            match kept {
                Some(Kept { key, .. }) if failure.is_outage() => {
                    let key = params![key.user, key.name.as_str()];
                    tx.execute(include_str!("../sql/free_key.sql"), key)?;
                }
                Some(_) | None => keep_reply(tx, kept)?,
            }
            write_event(tx, order, &Change::Failed(failure), now).map_err(Undone::from)
        }))
    }

    fn cancel(
        &self,
        order: &Order,
        before: &State,
        why: &Cancellation,
        owner: Owner,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError> {
        done(self.transaction(|tx| {
            by_owner(tx, include_str!("../sql/end_cancel.sql"), order.id, owner)?;
            change_state(tx, order, before.text(), None, now)?;
            let row = params![order.id, why.text(), why.note()];
            tx.execute(include_str!("../sql/insert_cancellation.sql"), row)?;
            keep_reply(tx, kept)?;
            write_event(tx, order, &Change::Cancelled { before, why }, now).map_err(Undone::from)
        }))
    }

    fn end_cancel(&self, order: OrderId, owner: Owner, kept: Option<Kept<'_>>) -> Result<bool, DbError> {
        and_keep(self, include_str!("../sql/end_cancel.sql"), order, owner, kept)
    }

    fn turn(&self, order: OrderId, why: &Cancellation, owner: Owner) -> Result<bool, DbError> {
        let row = params![order, owner.as_i64(), why.text()];
        let statement = include_str!("../sql/turn_to_cancel.sql");
        Ok(self.execute(statement, row)? == 1)
    }

    fn stick(&self, order: OrderId, stuck: &Stuck, owner: Owner) -> Result<bool, DbError> {
        let row = params![order, owner.as_i64(), stuck.step.as_str(), stuck.reason.as_str()];
        let statement = include_str!("../sql/stick_work.sql");
        Ok(self.execute(statement, row)? == 1)
    }
}

/// Changes or ends an order's work, if it is still this owner's, and keeps the answer if somebody can ask for it.
fn and_keep(
    db: &Db,
    statement: &str,
    order: OrderId,
    owner: Owner,
    kept: Option<Kept<'_>>,
) -> Result<bool, DbError> {
    if kept.is_none() {
        return Ok(db.execute(statement, params![order, owner.as_i64()])? == 1);
    }
    done(db.transaction(|tx| {
        by_owner(tx, statement, order, owner)?;
        keep_reply(tx, kept).map_err(Undone::from)
    }))
}

/// Changes or ends an order's work, if it is still this owner's.
fn by_owner(tx: &Tx<'_>, statement: &str, order: OrderId, owner: Owner) -> Result<(), Undone> {
    expect_one(tx.execute(statement, params![order, owner.as_i64()])?)
}

fn state_of(tx: &Tx<'_>, order: OrderId) -> Result<String, DbError> {
    let statement = "select state from customer_order where order_id = ?1";
    let row = tx.query_one(statement, params![order])?;
    let row = row.ok_or_else(|| DbError::Other(format!("there is no order {order}")))?;
    Ok(row.get("state")?)
}
