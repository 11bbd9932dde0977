use kernel::{Instant, UserId};

use super::{Cancellation, Failure, Order, State};

/// Who drives an order: a number that is drawn anew by everybody who takes its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(i64);

impl Owner {
    /// Of work that waits for somebody.
    pub const NOBODY: Self = Self(0);

    /// Somebody new, from 64 random bits.
    pub const fn draw(random: u64) -> Self {
        match (random >> 1) as i64 {
            0 => Self(1),
            number => Self(number),
        }
    }

    /// The number as databases store it.
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// The owner that was stored as this number.
    pub const fn stored(number: i64) -> Self {
        Self(number)
    }
}

/// The right to drive an order until some moment.
///
/// It is longer than any request may take, so whoever still holds a lapsed one does not run any more; and
/// who finds its own lapsed stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub owner: Owner,
    /// Until when; from then on anybody may take the work.
    pub until: Instant,
}

/// The gateway's name of a payment that a customer began in its window: 1 to 200 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentKey(String);

/// Why a text is not a payment key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 200 visible ASCII characters")]
pub struct PaymentKeyError;

impl PaymentKey {
    /// Takes the key as the client sent it.
    pub fn try_new(text: &str) -> Result<Self, PaymentKeyError> {
        let visible = text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if visible && (1..=200).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PaymentKeyError)
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client's `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose key it is: each user has its own.
    pub user: UserId,
    /// The client's name of its command: 1 to 255 visible ASCII characters.
    pub name: String,
}

/// What is left to do for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Its checkout is under way.
    Place {
        /// Of a two-step checkout: when the time to pay will run out.
        pay_until: Option<Instant>,
    },
    /// Its goods are held, and it waits for its payment.
    Await {
        /// When the time to pay runs out.
        pay_until: Instant,
    },
    /// Its payment is being confirmed.
    Confirm {
        /// Which payment.
        payment_key: PaymentKey,
    },
    /// Its checkout has failed; money and goods are on their way back.
    Undo {
        /// Why it failed.
        failure: Failure,
    },
    /// It is PAID; goods may have to be let go and the cart to be emptied.
    Finish,
    /// Money and goods are on their way back.
    Cancel {
        /// Why.
        why: Cancellation,
    },
    /// Its time to pay ran out; goods are on their way back.
    Expire,
}

impl Task {
    /// The words of all kinds of work there are.
    pub const WORDS: [&str; 7] = ["PLACE", "AWAIT", "CONFIRM", "UNDO", "FINISH", "CANCEL", "EXPIRE"];

    /// As the database and administrators read it.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Place { .. } => "PLACE",
            Self::Await { .. } => "AWAIT",
            Self::Confirm { .. } => "CONFIRM",
            Self::Undo { .. } => "UNDO",
            Self::Finish => "FINISH",
            Self::Cancel { .. } => "CANCEL",
            Self::Expire => "EXPIRE",
        }
    }
}

/// A step whose undo was refused: a person has to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Which step.
    pub step: String,
    /// What was said.
    pub reason: String,
}

/// What is left to do for an order, and who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What.
    pub task: Task,
    /// How often a person has sent it on its way again, from 1; another attempt is another refund.
    pub attempt: u32,
    /// Who drives it.
    pub lease: Lease,
    /// Whether the order was made of the customer's cart.
    pub from_cart: bool,
    /// Whose command waits for its answer; none when nobody can ask for it again.
    pub key: Option<Key>,
    /// Why nobody drives it.
    pub stuck: Option<Stuck>,
}

impl Work {
    /// Whether anybody may take it.
    pub fn lapsed(&self, now: Instant) -> bool {
        self.stuck.is_none() && self.lease.until < now && !matches!(self.task, Task::Await { .. })
    }
}

/// Why a payment is not confirmed: the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmRefused {
    /// Another amount is due.
    #[error("another amount is due")]
    WrongAmount {
        /// In the smallest unit.
        due: i64,
    },
    /// The order is still being placed.
    #[error("the order is still being placed")]
    StillPlaced,
    /// Somebody else confirms it at this moment.
    #[error("its payment is being confirmed")]
    UnderWay,
    /// The time to pay has run out.
    #[error("its time to pay has run out")]
    TooLate,
    /// It does not wait for a payment.
    #[error("it does not wait for a payment")]
    NotAwaited {
        /// Where it stands.
        state: &'static str,
    },
}

/// Why an order is not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefused {
    /// It is being cancelled.
    #[error("it is being cancelled")]
    UnderWay,
    /// Only a PAID order can be.
    #[error("only a PAID order can be cancelled")]
    NotPaid {
        /// Where it stands.
        state: &'static str,
    },
}

/// An order with what is left to do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The order.
    pub order: Order,
    /// What is left to do; none when everything is done.
    pub work: Option<Work>,
}

impl Entry {
    /// Whether its payment of `amount` may be confirmed now.
    pub fn confirm(&self, amount: i64, now: Instant) -> Result<(), ConfirmRefused> {
        let due = self.order.totals.due.minor();
        let not_awaited = ConfirmRefused::NotAwaited {
            state: self.order.state.text(),
        };
        if amount != due {
            return Err(ConfirmRefused::WrongAmount { due });
        }
        match self.work.as_ref().map(|work| &work.task) {
            Some(Task::Await { pay_until }) if now < *pay_until => Ok(()),
            Some(Task::Await { .. } | Task::Expire) => Err(ConfirmRefused::TooLate),
            Some(Task::Confirm { .. }) => Err(ConfirmRefused::UnderWay),
            Some(Task::Place { pay_until: Some(_) }) => Err(ConfirmRefused::StillPlaced),
            Some(
                Task::Place { pay_until: None } | Task::Undo { .. } | Task::Finish | Task::Cancel { .. },
            )
            | None => Err(not_awaited),
        }
    }

    /// Whether it may be cancelled now.
    pub fn cancel(&self) -> Result<(), CancelRefused> {
        match (&self.order.state, self.work.as_ref().map(|work| &work.task)) {
            (State::Paid { .. }, Some(Task::Cancel { .. })) => Err(CancelRefused::UnderWay),
            (State::Paid { .. }, _) => Ok(()),
            (State::Pending { .. } | State::Failed { .. } | State::Cancelled { .. }, _) => {
                Err(CancelRefused::NotPaid {
                    state: self.order.state.text(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
