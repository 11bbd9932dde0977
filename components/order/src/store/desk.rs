use kernel::OrderId;
use store::{Db, DbError, Row, params};

use super::orders::before_id;
use super::rows::{with_lines, with_work};
use crate::app::{Desk, Listed, Past};
use crate::domain::{Entry, Order};

impl Desk for Db {
    fn all(
        &self,
        state: Option<&str>,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Listed<Order>>, DbError> {
        let before = before_id(before);
        let rows = match state {
            None => self.read(include_str!("../sql/list_all.sql"), params![before, limit]),
            Some(state) => self.read(
                include_str!("../sql/list_by_state.sql"),
                params![before, limit, state],
            ),
        };
        with_lines(self, &rows?)
    }

    fn stuck(&self, before: Option<OrderId>, limit: u32) -> Result<Vec<Listed<Entry>>, DbError> {
        let wanted = params![before_id(before), limit];
        let rows = self.read(include_str!("../sql/list_stuck.sql"), wanted)?;
        with_work(self, &rows)
    }

    fn history(&self, order: OrderId) -> Result<Vec<Past>, DbError> {
        let rows = self.read(include_str!("../sql/load_history.sql"), params![order])?;
        let past = |row: &Row| {
            Ok(Past {
                from: row.get("from_state")?,
                to: row.get("to_state")?,
                at: row.get("at")?,
                reason: row.get("reason")?,
            })
        };
        rows.iter().map(past).collect()
    }
}
