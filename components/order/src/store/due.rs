use kernel::{Instant, OrderId};
use store::{Db, DbError, Row, Value, params};

use super::claims::lapsed_at;
use super::rows::{numbered, work};
use crate::app::{Due, Listed};
use crate::domain::{Lease, Owner, Work};

impl Due for Db {
    fn lapsed(&self, now: Instant, limit: u32) -> Result<Vec<OrderId>, DbError> {
        let rows = self.read(include_str!("../sql/lapsed.sql"), params![lapsed_at(now), limit])?;
        ids(&rows)
    }

    fn expired(&self, now: Instant, limit: u32) -> Result<Vec<OrderId>, DbError> {
        let rows = self.read(include_str!("../sql/expired.sql"), params![now, limit])?;
        ids(&rows)
    }

    fn take_finished(&self, lease: Lease, now: Instant, limit: u32) -> Result<Vec<Listed<Work>>, DbError> {
        let now = lapsed_at(now);
        let due = self.read_one(include_str!("../sql/has_finished.sql"), params![now])?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let row = params![lease.owner.as_i64(), lease.until, now, limit];
        let rows = self.returning(include_str!("../sql/take_finished.sql"), row)?;
        let taken = |row: &Row| {
            Ok(Listed {
                id: row.get("order_id")?,
                found: work(row).map_err(DbError::from),
            })
        };
        rows.iter().map(taken).collect()
    }

    fn forget(&self, orders: &[OrderId], owner: Owner) -> Result<(), DbError> {
        let mut values = vec![Value::from(owner.as_i64())];
        values.extend(orders.iter().copied().map(Value::from));
        let statement =
            include_str!("../sql/forget_work.sql").replace("{orders}", &numbered(2, orders.len()));
        self.execute(&statement, &values).map(drop)
    }
}

fn ids(rows: &[Row]) -> Result<Vec<OrderId>, DbError> {
    rows.iter().map(|row| Ok(row.get("order_id")?)).collect()
}
