use kernel::OrderId;
use store::DbError;

use super::{App, Past};
use crate::domain::Entry;

/// Everything about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The order, and what is left to do for it.
    pub entry: Entry,
    /// What became of it so far.
    pub history: Vec<Past>,
}

/// Why an order was not sent on its way again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is no such order.
    #[error("no such order")]
    NotFound,
    /// It does not wait for a person, or not after this attempt.
    #[error("it is not stuck, or not at this attempt")]
    NotStuck,
    /// The store.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl App<'_> {
    /// Everything about one order of anybody.
    pub fn detail(&self, order: OrderId) -> Result<Option<Detail>, DbError> {
        let Some(entry) = self.ledger.find(order)? else {
            return Ok(None);
        };
        let history = self.ledger.history(order)?;
        Ok(Some(Detail { entry, history }))
    }

    /// A person has looked: what was refused is asked again, as a new attempt, and the order driven on.
    ///
    /// Who names the attempt that was looked at causes at most one more, however often the call is repeated.
    pub fn retry(&self, order: OrderId, attempt: Option<u32>) -> Result<Detail, RetryError> {
        let lease = self.lease(self.now);
        match self.ledger.retry(order, attempt, lease)? {
            Some(work) => self.recover_taken(order, work)?,
            None if self.ledger.find(order)?.is_some() => return Err(RetryError::NotStuck),
            None => return Err(RetryError::NotFound),
        };
        self.detail(order)?.ok_or(RetryError::NotFound)
    }
}
