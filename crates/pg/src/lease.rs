use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::Error;
use crate::pool::{Permits, Shared};
use crate::session::Session;
use std::sync::Arc;

/// A connection that is nobody else's until it is dropped.
pub struct Lease {
    /// `None` only while it is dropped.
    session: Option<Session>,
    pool: Arc<Shared>,
    permits: Permits,
}

impl Lease {
    pub(crate) fn new(session: Session, pool: Arc<Shared>, permits: Permits) -> Self {
        Self {
            session: Some(session),
            pool,
            permits,
        }
    }

    /// Runs one statement and answers how many rows it changed.
    pub async fn execute(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let session = self.session.as_mut().ok_or(Error::Closed)?;
        session.run(statement, parameters, |_| Ok(())).await
    }

    /// Runs one statement and answers its rows, if they don't take more than so many bytes.
    pub async fn query(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
        at_most: usize,
    ) -> Result<Vec<Row>, Error> {
        let session = self.session.as_mut().ok_or(Error::Closed)?;
        let mut rows = Vec::new();
        let mut bytes = 0usize;
        let keep = |row: Row| {
            bytes = bytes.saturating_add(row.raw_size_bytes());
            if bytes > at_most {
                return Err(Error::TooLarge(at_most));
            }
            rows.push(row);
            Ok(())
        };
        session.run(statement, parameters, keep).await?;
        Ok(rows)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool
                .clone()
                .take_back(session, std::mem::take(&mut self.permits));
        }
    }
}
