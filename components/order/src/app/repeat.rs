use store::DbError;

use super::drive::Course;
use super::{App, Decided, Ended, KeyUse};
use crate::domain::{Entry, Order, State};

/// Why a key can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It was used for something else.
    #[error("the key was used with another body")]
    Reused,
    /// The store.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// How often the key and its order are read until both tell of the same moment.
const LOOKS: u32 = 3;

impl App<'_> {
    /// The answer to a command whose key was used before; none when the key is new, or free again.
    ///
    /// Somebody who repeats a command that was left behind carries it on.
    pub(super) fn repeated(&self, key: Option<&KeyUse>) -> Result<Option<Ended>, KeyError> {
        let Some(key) = key else { return Ok(None) };
        for look in 1..=LOOKS {
            let Some(used) = self.ledger.find_key(&key.key)? else {
                return Ok(None);
            };
            if used.command != key.command {
                return Err(KeyError::Reused);
            }
            if let Some(reply) = used.reply {
                return Ok(Some(Ended::Decided(reply)));
            }
            let Entry { order, work } = self.ledger.find(used.order)?.ok_or_else(|| {
                let story = format!("a key names order {}, which is not there", used.order);
                DbError::Other(story)
            })?;
            match work.filter(|work| work.key.as_ref() == Some(&key.key)) {
                Some(work) if work.stuck.is_some() => return Ok(Some(Ended::Stuck(order.id))),
                Some(work) if !work.lapsed(self.now) => return Ok(Some(Ended::Running(order.id))),
                Some(_) => {
                    let lease = self.lease(self.now);
                    if let Some(work) = self.ledger.take_over(order.id, lease, self.now)? {
                        return Ok(Some(self.answer(Course::forward(order, work, self.now))));
                    }
                }
                // It was decided since the key was read; or before answers were kept.
                None if look < LOOKS => {}
                None => return Ok(Some(Ended::Decided((self.render)(&as_placed(&order))))),
            }
        }
        Err(DbError::Busy.into())
    }
}

/// What the order's placing came to, as far as its state still tells.
const fn as_placed(order: &Order) -> Decided<'_> {
    match &order.state {
        State::Failed { failure, .. } => Decided::Failed(failure),
        State::Pending { .. } | State::Paid { .. } | State::Cancelled { .. } => Decided::Placed {
            order,
            from_cart: false,
        },
    }
}
