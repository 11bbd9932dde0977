use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::Error;
use crate::pool::{All, Held, Pool};

/// What a guest calls its connection: a session that is nobody else's for as long as something of it is in there.
pub struct Connection {
    all: Arc<All>,
    pool: Arc<Pool>,
    held: Option<Held>,
    /// The session broke with something of this holder in it, so there is no going on with another one.
    is_lost: bool,
}

impl Connection {
    pub(crate) const fn new(all: Arc<All>, pool: Arc<Pool>) -> Self {
        Self {
            all,
            pool,
            held: None,
            is_lost: false,
        }
    }

    /// Whether the next statement has to get a session first.
    pub const fn is_resting(&self) -> bool {
        self.held.is_none() && !self.is_lost
    }

    /// Gets a session for the next statement, which would do so itself.
    pub async fn wake(&mut self) -> Result<(), Error> {
        if self.is_resting() {
            self.held = Some(self.all.lease(&self.pool).await?);
        }
        Ok(())
    }

    /// Runs one statement and answers how many rows it changed.
    pub async fn execute(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.run(statement, parameters, |_| Ok(())).await
    }

    /// Runs one statement and answers its rows, if they don't take more than so many bytes.
    pub async fn query(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
        at_most: usize,
    ) -> Result<Vec<Row>, Error> {
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
        self.run(statement, parameters, keep).await?;
        Ok(rows)
    }

    async fn run(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
        take: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        self.wake().await?;
        let held = self.held.as_mut().ok_or(Error::Closed)?;
        let answer = held.session.run(statement, parameters, take).await;
        self.rest();
        answer
    }

    /// Gives the session back unless something of this holder is in it.
    pub(crate) fn rest(&mut self) {
        let Some(held) = self.held.take() else { return };
        if held.session.is_clean() {
            self.pool.take_back(held);
        } else if held.session.is_closed() {
            self.is_lost = true;
        } else {
            self.held = Some(held);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.pool.take_back(held);
        }
    }
}
