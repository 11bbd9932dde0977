use kernel::{Instant, OrderId};
use store::{Db, DbError, Row, params};

use super::rows::work;
use super::{Undone, expect_one, insert_key, key_columns};
use crate::app::{Claim, Claims, KeyUse};
use crate::domain::{Cancellation, Lease, PaymentKey, Work};

impl Claims for Db {
    fn claim_payment(
        &self,
        order: OrderId,
        payment: &PaymentKey,
        lease: Lease,
        now: Instant,
        command: Option<&KeyUse>,
    ) -> Result<Claim, DbError> {
        claim(self.transaction(|tx| {
            let (owner, until) = (lease.owner.as_i64(), lease.until);
            let (user, key) = key_columns(command.map(|used| &used.key));
            let row = params![order, payment.as_str(), owner, until, now, user, key];
            expect_one(tx.execute(include_str!("../sql/claim_payment.sql"), row)?)?;
            insert_key(tx, command, order)
        }))
    }

    fn claim_cancel(
        &self,
        order: OrderId,
        why: &Cancellation,
        lease: Lease,
        command: Option<&KeyUse>,
    ) -> Result<Claim, DbError> {
        claim(self.transaction(|tx| {
            expect_one(tx.execute(include_str!("../sql/lock_paid.sql"), params![order])?)?;
            let (owner, until) = (lease.owner.as_i64(), lease.until);
            let (user, key) = key_columns(command.map(|used| &used.key));
            let row = params![order, owner, until, why.text(), why.note(), user, key];
            expect_one(tx.execute(include_str!("../sql/claim_cancel.sql"), row)?)?;
            insert_key(tx, command, order)
        }))
    }

    fn claim_expiry(&self, order: OrderId, lease: Lease, now: Instant) -> Result<bool, DbError> {
        let row = params![order, lease.owner.as_i64(), lease.until, now];
        let statement = include_str!("../sql/claim_expiry.sql");
        Ok(self.execute(statement, row)? == 1)
    }

    fn take_over(&self, order: OrderId, lease: Lease, now: Instant) -> Result<Option<Work>, DbError> {
        let row = params![order, lease.owner.as_i64(), lease.until, lapsed_at(now)];
        let statement = include_str!("../sql/take_over.sql");
        taken(self.returning_one(statement, row)?)
    }

    fn retry(&self, order: OrderId, attempt: Option<u32>, lease: Lease) -> Result<Option<Work>, DbError> {
        let row = params![order, lease.owner.as_i64(), lease.until, attempt];
        let statement = include_str!("../sql/retry_work.sql");
        taken(self.returning_one(statement, row)?)
    }
}

/// Leases that end before this moment have lapsed.
pub(super) fn lapsed_at(now: Instant) -> Instant {
    // Only for the test that proves this guard is needed.
    if cfg!(feature = "mutant-no-lease") {
        return Instant::from_micros(i64::MAX);
    }
    now
}

fn taken(row: Option<Row>) -> Result<Option<Work>, DbError> {
    Ok(row.as_ref().map(work).transpose()?)
}

fn claim(answer: Result<(), Undone>) -> Result<Claim, DbError> {
    match answer {
        Ok(()) => Ok(Claim::Won),
        Err(Undone::Overtaken | Undone::CartUnderWay | Undone::TooManyWaiting) => Ok(Claim::Lost),
        Err(Undone::KeyTaken) => Ok(Claim::KeyTaken),
        Err(Undone::Db(error)) => Err(error),
    }
}
