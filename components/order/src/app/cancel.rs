use kernel::{OrderId, UserId};
use store::DbError;

use super::confirm::CLAIMS;
use super::drive::Course;
use super::{App, Claim, Ended, KeyError};
use crate::domain::{CancelRefused, Cancellation, Task, Work};

/// Somebody wants a PAID order undone.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Who: the customer, or an administrator.
    pub user: UserId,
    /// Which order.
    pub order: OrderId,
    /// Why.
    pub why: Cancellation,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
}

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is no such order, or it is somebody else's.
    #[error("no such order")]
    NotFound,
    /// The order says no.
    #[error(transparent)]
    Refused(#[from] CancelRefused),
    /// The key can't be answered.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl Cancel {
    /// The command in one canonical text.
    fn command(&self) -> String {
        let note = self.why.note().unwrap_or_default();
        format!("cancel {} by {}: {note}", self.order, self.why.text())
    }

    /// Customers see their own orders only.
    fn sees(&self, owner: UserId) -> bool {
        match self.why {
            Cancellation::Admin(_) => true,
            Cancellation::Customer(_) | Cancellation::Expired | Cancellation::SoldOut => owner == self.user,
        }
    }
}

impl App<'_> {
    /// Gives a PAID order's money and goods back.
    pub fn cancel(&self, cancel: &Cancel) -> Result<Ended, CancelError> {
        let key = self.key(cancel.user, cancel.key.as_deref(), cancel.command());
        for _ in 0..CLAIMS {
            if let Some(ended) = self.repeated(key.as_ref())? {
                return Ok(ended);
            }
            let entry = self.ledger.find(cancel.order)?;
            let entry = entry.filter(|entry| cancel.sees(entry.order.user));
            let entry = entry.ok_or(CancelError::NotFound)?;
            entry.cancel()?;
            let lease = self.lease(self.now);
            match self
                .ledger
                .claim_cancel(cancel.order, &cancel.why, lease, key.as_ref())?
            {
                Claim::Won => {
                    let work = Work {
                        task: Task::Cancel {
                            why: cancel.why.clone(),
                        },
                        attempt: 1,
                        lease,
                        from_cart: false,
                        key: key.map(|used| used.key),
                        stuck: None,
                    };
                    let course = Course::forward(entry.order, work, self.now);
                    return Ok(self.answer(course));
                }
                Claim::Lost | Claim::KeyTaken => {}
            }
        }
        Err(CancelRefused::UnderWay.into())
    }
}
