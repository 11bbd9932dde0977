//! What was taken and given back, in SQL.

use kernel::{Instant, OrderId};
use store::{Db, DbError, RowError, params};

use super::row::{stuck, with_refunds};
use crate::app::{Ledger, Outbox, Place, WithRefunds};
use crate::domain::{Stuck, UNBOOKED};

impl Ledger for Db {
    fn captured(&self, after: Option<OrderId>, limit: u32) -> Result<Vec<WithRefunds>, DbError> {
        let after = after.map_or(0, OrderId::as_i64);
        let rows = self.read(include_str!("../sql/list_captured.sql"), params![after, limit])?;
        Ok(with_refunds(&rows)?)
    }

    fn with_refunds(
        &self,
        order: OrderId,
        after: Option<(Instant, &str)>,
        limit: u32,
    ) -> Result<Option<WithRefunds>, DbError> {
        let (at, key) = after.unwrap_or((Instant::from_micros(i64::MIN), ""));
        let statement = include_str!("../sql/list_refunds.sql");
        let rows = self.read(statement, params![order, at, key, limit])?;
        Ok(with_refunds(&rows)?.pop())
    }

    fn stuck(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Stuck>, DbError> {
        let (since, order, kind, key) = after.map_or((i64::MIN, 0, "", ""), |place| {
            let (kind, key) = (place.kind.text(), place.key.as_str());
            (place.since.micros(), place.order.as_i64(), kind, key)
        });
        let statement = include_str!("../sql/list_stuck.sql");
        let rows = self.read(statement, params![since, order, kind, key, limit, UNBOOKED])?;
        Ok(rows.iter().map(stuck).collect::<Result<_, RowError>>()?)
    }
}

impl Outbox for Db {
    fn drain(&self, now: Instant, acknowledged: u64, limit: u32) -> Result<Vec<relay::Delivery>, DbError> {
        relay::outbox::drain(self, now, acknowledged, limit)
    }
}
