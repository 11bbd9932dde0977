//! What was taken and given back, in SQL.

use kernel::{Instant, OrderId};
use store::{Db, DbError, params};

use super::row::with_refunds;
use crate::app::{Ledger, WithRefunds};

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
}
