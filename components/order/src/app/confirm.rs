use kernel::{OrderId, UserId};
use store::DbError;

use super::drive::Course;
use super::{App, Claim, Ended, KeyError};
use crate::domain::{ConfirmRefused, PaymentKey, Task, Work};

/// A customer says that an order's payment was begun in the gateway's window.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// Who.
    pub user: UserId,
    /// Which order.
    pub order: OrderId,
    /// The gateway's name of the payment.
    pub payment: PaymentKey,
    /// How much, as the client thinks.
    pub amount: i64,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
}

/// Why no payment was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// There is no such order, or it is somebody else's.
    #[error("no such order")]
    NotFound,
    /// The order says no.
    #[error(transparent)]
    Refused(#[from] ConfirmRefused),
    /// The key can't be answered.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// How often a lost claim is looked at again.
pub(super) const CLAIMS: u32 = 3;

impl Confirm {
    /// The command in one canonical text.
    fn command(&self) -> String {
        format!(
            "confirm {} of {} by {}",
            self.order,
            self.amount,
            self.payment.as_str()
        )
    }
}

impl App<'_> {
    /// Takes the money of an order that waits for it.
    pub fn confirm(&self, confirm: &Confirm) -> Result<Ended, ConfirmError> {
        let key = self.key(confirm.user, confirm.key.as_deref(), confirm.command());
        for _ in 0..CLAIMS {
            if let Some(ended) = self.repeated(key.as_ref())? {
                return Ok(ended);
            }
            let entry = self.ledger.find(confirm.order)?;
            let entry = entry.filter(|entry| entry.order.user == confirm.user);
            let entry = entry.ok_or(ConfirmError::NotFound)?;
            entry.confirm(confirm.amount, self.now)?;
            let lease = self.lease(self.now);
            let payment = &confirm.payment;
            match self
                .ledger
                .claim_payment(confirm.order, payment, lease, self.now, key.as_ref())?
            {
                Claim::Won => {
                    let work = Work {
                        task: Task::Confirm {
                            payment_key: payment.clone(),
                        },
                        attempt: 1,
                        lease,
                        from_cart: entry.work.is_some_and(|work| work.from_cart),
                        key: key.map(|used| used.key),
                        stuck: None,
                    };
                    let course = Course::forward(entry.order, work, self.now);
                    return Ok(self.answer(course));
                }
                Claim::Lost | Claim::KeyTaken => {}
            }
        }
        Err(ConfirmRefused::UnderWay.into())
    }
}
