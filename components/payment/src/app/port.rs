//! What the use cases need from the gateway and from the store.

use kernel::{Instant, Money, OrderId};
use store::{DbError, RowError};

use crate::domain::{Amount, Kind, Look, Payment, Refund, RefundKey, Stray, Stuck, Till};

/// The company that moves the money.
pub trait Gateway {
    /// Takes `amount` for `order`, once.
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError>;
    /// Takes `amount` for `order` from what the customer began in the window under `payment_key`, once.
    fn confirm(&self, order: OrderId, payment_key: &str, amount: Money) -> Result<Approval, ApproveError>;
    /// Gives `amount` of a payment back, once for each `cancel_key`.
    fn cancel(
        &self,
        payment_key: &str,
        cancel_key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<(), CancelError>;
    /// What it took for `order`, if it ever took anything; the error is its excuse for not answering.
    fn find(&self, order: OrderId) -> Result<Option<Entry>, String>;
}

/// Money the gateway took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its own name of the payment.
    pub payment_key: String,
    /// How much it took.
    pub amount: Money,
}

/// What the gateway knows of an order's payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it was approved.
    pub approval: Approval,
    /// How much of it was given back.
    pub cancelled: Money,
}

impl Entry {
    /// What the gateway still holds of it; none when everything was given back.
    pub fn held(&self) -> Option<Amount> {
        let left = self.approval.amount.checked_sub(self.cancelled).ok()?;
        Amount::try_new(left).ok()
    }
}

/// Why the gateway took no money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveError {
    /// It said no, with this code.
    Refused(String),
    /// It took another amount for this order before, or by another key.
    DiffersFromExisting,
    /// It did not answer.
    Unavailable(String),
}

/// Why the gateway gave no money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelError {
    /// It knows no such payment.
    UnknownPayment,
    /// It gave another amount back under this key.
    DiffersFromExisting,
    /// It holds less than that.
    ExceedsRemaining,
    /// It said no, with this code.
    Refused(String),
    /// It did not answer.
    Unavailable(String),
}

/// Where payments are kept.
pub trait Payments {
    /// The payment of an order.
    fn find(&self, order: OrderId) -> Result<Option<Payment>, DbError>;
    /// The payment of an order, and its refund of this key.
    fn find_refund(
        &self,
        order: OrderId,
        key: &RefundKey,
    ) -> Result<(Option<Payment>, Option<Refund>), DbError>;
    /// The payment of an order, and those of its refunds that are under way or have this key or one
    /// derived from it.
    fn find_void(&self, order: OrderId, key: &RefundKey) -> Result<(Option<Payment>, Vec<Refund>), DbError>;
    /// Writes a decided payment with its event, and with the first look where it was voided; false when
    /// its order or its id is taken.
    fn insert(&self, payment: &Payment) -> Result<bool, DbError>;
    /// Writes a refund as requested and promises its amount; false when its key is used or less is left. Who
    /// promised it has it alone for [`HOLD`](crate::domain::HOLD).
    fn promise(&self, refund: &Refund) -> Result<bool, DbError>;
    /// Marks a requested refund done, with its event; none when it is not requested any more.
    fn finish(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// Marks a refused refund done, with its event and under the guard of a promise, since the gateway gave it
    /// back after all. Where there is no room for it, it stays refused, as `UNBOOKED`.
    fn finish_refused(&self, refund: &Refund, now: Instant) -> Result<Amended, DbError>;
    /// Writes down as done what the gateway gave back without us, with its event; false when `seen` is not how
    /// the payment stands any more.
    fn book_elsewhere(&self, refund: &Refund, seen: &Payment, now: Instant) -> Result<bool, DbError>;
    /// [`Payments::promise`] and [`Payments::finish`] at once; none when the promise can't be made.
    fn give_cash(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// Marks a requested refund refused and takes its promise back; false when it is not requested any more.
    fn refuse(&self, refund: &Refund, code: &str, now: Instant) -> Result<bool, DbError>;
    /// Refunds that were requested up to `before`, are still under way, had by nobody and not resting, oldest
    /// first, and who holds their money.
    fn requested(&self, before: Instant, now: Instant, limit: u32) -> Result<Vec<DueRefund>, DbError>;
    /// Takes a requested refund for oneself for [`HOLD`](crate::domain::HOLD), and leaves it out of
    /// [`Payments::requested`] until `rests_until`.
    fn claim(&self, refund: &Refund, now: Instant, rests_until: Instant) -> Result<Claim, DbError>;
    /// Gives up the claim that ends `until` then, unless it is somebody else's by now.
    fn let_go(&self, refund: &Refund, until: Instant) -> Result<(), DbError>;
    /// Leaves a refund that can't be read out of [`Payments::requested`] until then.
    fn rest(&self, refund: &BadRefund, until: Instant) -> Result<(), DbError>;
    /// Looks that are due, oldest first.
    fn looks(&self, now: Instant, limit: u32) -> Result<Vec<Result<Look, BadLook>>, DbError>;
    /// Writes down when to look first for an order.
    fn set_look(&self, look: Look) -> Result<(), DbError>;
    /// Makes an order's look that was `due` then due only `until` then; false when somebody was first.
    fn put_off(&self, order: i64, due: Instant, until: Instant) -> Result<bool, DbError>;
    /// A look left nothing to do: the gateway keeps no stray money of its order. What comes after it, if
    /// anything, is written down, unless somebody has set another time.
    fn end_look(&self, look: Look, next: Option<Look>) -> Result<(), DbError>;
    /// A look found money that the gateway keeps: `next` is when it is told again, unless somebody has set
    /// another time.
    fn stick_look(
        &self,
        look: Look,
        next: Look,
        stray: &Stray,
        code: &str,
        now: Instant,
    ) -> Result<(), DbError>;
}

/// A refund that is left to the job and who holds its money, or a row that makes no sense.
pub type DueRefund = Result<(Refund, Till), BadRefund>;

/// A refund that can't be read: a defect, which must not keep the job from the others.
#[derive(Debug, thiserror::Error)]
#[error("order {order}, refund {key}")]
pub struct BadRefund {
    /// The order, as its row has it.
    pub order: i64,
    /// Its key, as its row has it.
    pub key: String,
    /// What is wrong.
    pub source: RowError,
}

/// A look that can't be read: a defect, which must not keep the job from the others.
#[derive(Debug, thiserror::Error)]
#[error("order {order}, look due at {}", due.rfc3339())]
pub struct BadLook {
    /// The order, as its row has it.
    pub order: i64,
    /// When it was due.
    pub due: Instant,
    /// What is wrong.
    pub source: RowError,
}

/// Whether a refund may be carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Yes, by whoever asked.
    Ours,
    /// Somebody else is at it.
    Theirs,
    /// It is not under way any more.
    Decided,
}

/// What became of a refund that was refused and given back after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amended {
    /// It is done; the payment afterwards.
    Done(Payment),
    /// It is not refused.
    NotRefused,
    /// What it took is promised or given to others, so it can't be written down.
    NoRoom,
}

/// A payment and some of its refunds, oldest first.
pub type WithRefunds = (Payment, Vec<Refund>);

/// Events on their way out.
pub trait Outbox {
    /// Up to `limit` events that are due, as [`relay::outbox::drain`] says.
    fn drain(&self, now: Instant, acknowledged: u64, limit: u32) -> Result<Vec<relay::Delivery>, DbError>;
}

/// What was taken and given back, for those who check it.
pub trait Ledger {
    /// Captured payments of orders beyond `after`, by order, with the refunds that are done.
    fn captured(&self, after: Option<OrderId>, limit: u32) -> Result<Vec<WithRefunds>, DbError>;
    /// The payment of an order, with its refunds beyond `after`, by the time they were asked for.
    fn with_refunds(
        &self,
        order: OrderId,
        after: Option<(Instant, &str)>,
        limit: u32,
    ) -> Result<Option<WithRefunds>, DbError>;
    /// Money that should have gone back and that the gateway keeps, beyond `after`, by the time since when.
    fn stuck(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Stuck>, DbError>;
}

/// A place in the list of what is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Since when.
    pub since: Instant,
    /// Whose money.
    pub order: OrderId,
    /// What kind.
    pub kind: Kind,
    /// Its key.
    pub key: String,
}
