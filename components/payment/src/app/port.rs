//! What the use cases need from the gateway and from the store.

use kernel::{Instant, Money, OrderId};
use store::DbError;

use crate::domain::{Amount, Look, Payment, Refund, RefundKey, Till};

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
    /// Writes a refund as requested and promises its amount; false when its key is used or less is left.
    fn promise(&self, refund: &Refund) -> Result<bool, DbError>;
    /// Marks a requested refund done, with its event; none when it is not requested any more.
    fn finish(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// [`Payments::promise`] and [`Payments::finish`] at once; none when the promise can't be made.
    fn give_cash(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// Marks a requested refund refused and takes its promise back; false when it is not requested any more.
    fn refuse(&self, refund: &Refund, code: &str, now: Instant) -> Result<bool, DbError>;
    /// Refunds that were requested up to `before`, are still under way and not paused, oldest first, and who
    /// holds their money.
    fn requested(&self, before: Instant, now: Instant, limit: u32) -> Result<Vec<(Refund, Till)>, DbError>;
    /// Leaves a requested refund out of [`Payments::requested`] until then.
    fn pause(&self, refund: &Refund, until: Instant) -> Result<(), DbError>;
    /// Looks that are due, oldest first.
    fn looks(&self, now: Instant, limit: u32) -> Result<Vec<Look>, DbError>;
    /// Writes down when to look next for an order.
    fn set_look(&self, look: Look) -> Result<(), DbError>;
    /// There is nothing to look for any more, unless somebody has set another time.
    fn end_look(&self, look: Look) -> Result<(), DbError>;
}

/// A payment and some of its refunds, oldest first.
pub type WithRefunds = (Payment, Vec<Refund>);

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
}
