//! What the use cases need from the store of orders.
//!
//! Every change is one transaction: the order, its work, its history, its event and the answer that a
//! client's key will get stand or fall together. A change names the owner who makes it; `false` always means
//! that somebody else was first, and that nothing was changed.

use kernel::{Instant, OrderId, UserId};
use store::DbError;

use super::Reply;
use crate::domain::{Cancellation, Entry, Failure, Key, Lease, Order, Owner, PaymentKey, State, Stuck, Work};

/// A client's `Idempotency-Key`, and what it asked for with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: Key,
    /// What was asked, in one canonical text.
    pub command: String,
}

/// What a key was used for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    /// What was asked, in one canonical text.
    pub command: String,
    /// The order that it made or changed.
    pub order: OrderId,
    /// What was answered; none while it is not decided.
    pub reply: Option<Reply>,
}

/// An answer, and the key for which it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The key.
    pub key: &'a Key,
    /// The answer.
    pub reply: &'a Reply,
}

/// What became of a new order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is written down.
    Done,
    /// The id or the key is taken.
    Taken,
    /// The customer's cart is being bought already.
    CartUnderWay,
    /// As many of the customer's orders as may wait for a payment do.
    TooManyWaiting,
}

/// A row of many: one that can't be read keeps nobody from the others.
#[derive(Debug)]
pub struct Listed<T> {
    /// Which order.
    pub id: OrderId,
    /// What stands in it, or what is wrong with it.
    pub found: Result<T, DbError>,
}

/// Orders as their customers see them.
pub trait Orders {
    /// Writes a PENDING order and its work, with the key that made it and may ask for the answer. At most
    /// `most_waiting` orders of a customer wait for a payment.
    fn insert(
        &self,
        order: &Order,
        work: &Work,
        command: Option<&KeyUse>,
        most_waiting: u32,
    ) -> Result<Inserted, DbError>;
    /// What a key was used for before.
    fn find_key(&self, key: &Key) -> Result<Option<UsedKey>, DbError>;
    /// One order of one user.
    fn load(&self, user: UserId, order: OrderId) -> Result<Option<Order>, DbError>;
    /// A user's orders before `before`, newest first.
    fn list(&self, user: UserId, before: Option<OrderId>, limit: u32) -> Result<Vec<Listed<Order>>, DbError>;
    /// One order of anybody, with what is left to do for it.
    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError>;
}

/// What the owner of an order's work does to it.
///
pub trait Transitions {
    /// PLACE → AWAIT: goods are held, the customer may pay.
    fn wait(&self, order: OrderId, owner: Owner, kept: Option<Kept<'_>>) -> Result<bool, DbError>;
    /// PENDING → PAID; what is left is to FINISH it, by its owner before `until` and by anybody after it.
    fn pay(
        &self,
        order: &Order,
        owner: Owner,
        until: Instant,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError>;
    /// PLACE or CONFIRM → UNDO: the order can only fail any more.
    fn give_up(&self, order: OrderId, failure: &Failure, owner: Owner) -> Result<bool, DbError>;
    /// PENDING → FAILED. After an outage the waiting key is free again.
    fn fail(
        &self,
        order: &Order,
        failure: &Failure,
        owner: Owner,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError>;
    /// `before` → CANCELLED; the order is as it will be.
    fn cancel(
        &self,
        order: &Order,
        before: &State,
        why: &Cancellation,
        owner: Owner,
        now: Instant,
        kept: Option<Kept<'_>>,
    ) -> Result<bool, DbError>;
    /// Nothing is left to CANCEL of an order that is CANCELLED already.
    fn end_cancel(&self, order: OrderId, owner: Owner, kept: Option<Kept<'_>>) -> Result<bool, DbError>;
    /// FINISH → CANCEL, by its owner.
    fn turn(&self, order: OrderId, why: &Cancellation, owner: Owner) -> Result<bool, DbError>;
    /// Nobody drives it any more until a person has looked.
    fn stick(&self, order: OrderId, stuck: &Stuck, owner: Owner) -> Result<bool, DbError>;
}

/// How a claim went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The work is the caller's.
    Won,
    /// The order does not stand as it must.
    Lost,
    /// The key was used before.
    KeyTaken,
}

/// Whose an order's work is: each claim is one compare-and-set.
pub trait Claims {
    /// AWAIT → CONFIRM, while the time to pay has not run out.
    fn claim_payment(
        &self,
        order: OrderId,
        payment: &PaymentKey,
        lease: Lease,
        now: Instant,
        command: Option<&KeyUse>,
    ) -> Result<Claim, DbError>;
    /// A PAID order gets work of the kind CANCEL, unless it has some.
    fn claim_cancel(
        &self,
        order: OrderId,
        why: &Cancellation,
        lease: Lease,
        command: Option<&KeyUse>,
    ) -> Result<Claim, DbError>;
    /// AWAIT → EXPIRE, once the time to pay has run out.
    fn claim_expiry(&self, order: OrderId, lease: Lease, now: Instant) -> Result<bool, DbError>;
    /// Work whose lease has lapsed gets this one; none when it has not.
    fn take_over(&self, order: OrderId, lease: Lease, now: Instant) -> Result<Option<Work>, DbError>;
    /// Work that is stuck, at this attempt if it is named, gets this lease and another attempt; none when it is
    /// not.
    fn retry(&self, order: OrderId, attempt: Option<u32>, lease: Lease) -> Result<Option<Work>, DbError>;
}

/// What is due without anybody asking.
pub trait Due {
    /// Orders whose work nobody drives, longest first; those to FINISH are not among them.
    fn lapsed(&self, now: Instant, limit: u32) -> Result<Vec<OrderId>, DbError>;
    /// Orders whose time to pay has run out.
    fn expired(&self, now: Instant, limit: u32) -> Result<Vec<OrderId>, DbError>;
    /// Takes over many orders that are to FINISH at once.
    fn take_finished(&self, lease: Lease, now: Instant, limit: u32) -> Result<Vec<Listed<Work>>, DbError>;
    /// Those of these orders that the owner was to FINISH have nothing left to do.
    fn forget(&self, orders: &[OrderId], owner: Owner) -> Result<(), DbError>;
}

/// A transition that an order made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// From which state.
    pub from: String,
    /// To which one.
    pub to: String,
    /// When.
    pub at: Instant,
    /// Why, when that is not plain.
    pub reason: Option<String>,
}

/// What administrators see.
pub trait Desk {
    /// Everybody's orders before `before`, newest first; of one state, or of all.
    fn all(
        &self,
        state: Option<&str>,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Listed<Order>>, DbError>;
    /// Orders before `before` that wait for a person, newest first.
    fn stuck(&self, before: Option<OrderId>, limit: u32) -> Result<Vec<Listed<Entry>>, DbError>;
    /// The transitions of an order, in their order.
    fn history(&self, order: OrderId) -> Result<Vec<Past>, DbError>;
}

/// The whole store.
pub trait Ledger: Orders + Transitions + Claims + Due + Desk {}

impl<T: Orders + Transitions + Claims + Due + Desk> Ledger for T {}
