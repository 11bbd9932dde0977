//! Use cases: approve, cancel, find, each disturbed as the rules say.

use kernel::{Millis, Money, OrderId};
use store::DbError;

use crate::domain::{
    Approval, ApproveRefused, CancelRefused, CancelStep, Deed, Entry, PaymentKey, Rule, Rules, Verb,
};

/// The gateway's own book.
pub trait Book {
    /// The record of an order.
    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError>;
    /// Writes a record, unless the order has one: then that one is the answer.
    fn record(&self, entry: &Entry) -> Result<Option<Entry>, DbError>;
    /// The record of an order, and how much was given back under this cancel key.
    fn find_cancel(
        &self,
        order: OrderId,
        cancel_key: &str,
    ) -> Result<Option<(Entry, Option<Money>)>, DbError>;
    /// Gives money back; false when someone was first or less is left.
    fn cancel(&self, order: OrderId, cancel_key: &str, amount: Money, reason: &str) -> Result<bool, DbError>;
    /// Counts one more call of an order that met this rule.
    fn count(&self, order: OrderId, rule: &str) -> Result<u32, DbError>;
}

/// The gateway: its rules, its book, and a way to wait.
pub struct Gateway<'a, B> {
    /// Where it keeps its records.
    pub book: &'a B,
    /// By what it misbehaves.
    pub rules: &'a Rules,
    /// Waits; the sleep of the component, nothing in most tests.
    pub wait: &'a dyn Fn(Millis),
}

/// Why money was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The gateway said no.
    #[error(transparent)]
    Refused(#[from] ApproveRefused),
    /// A rule kept the answer.
    #[error("the gateway does not answer")]
    NoAnswer,
    /// The book can't be written.
    #[error("the gateway's book does not answer")]
    Book(#[from] DbError),
}

/// Why money was not given back.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The gateway said no.
    #[error(transparent)]
    Refused(#[from] CancelRefused),
    /// A rule kept the answer.
    #[error("the gateway does not answer")]
    NoAnswer,
    /// The book can't be written.
    #[error("the gateway's book does not answer")]
    Book(#[from] DbError),
}

/// What the rules do to one call.
enum Fate {
    Undisturbed,
    Refused(String),
    Unheard,
    AnswerLost,
}

impl<B: Book> Gateway<'_, B> {
    /// Takes `amount` for `order`, once. A repetition is answered from the book, whatever the rules say.
    pub fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        let steered = self.rules.matching(Verb::Approve, amount).next().is_some();
        if steered && let Some(earlier) = self.book.find(order)? {
            return Ok(earlier.answer(amount)?);
        }
        let fate = self.fate(Verb::Approve, order, amount)?;
        let (entry, lost) = match fate {
            Fate::Unheard => return Err(ApproveError::NoAnswer),
            Fate::Refused(code) => (Entry::refused(order, amount, code), false),
            Fate::Undisturbed => (Entry::approved(order, amount), false),
            Fate::AnswerLost => (Entry::approved(order, amount), true),
        };
        match self.book.record(&entry)? {
            Some(earlier) => Ok(earlier.answer(amount)?),
            None if lost => Err(ApproveError::NoAnswer),
            None => Ok(entry.answer(amount)?),
        }
    }

    /// Gives `amount` of a payment back, once for each `cancel_key`.
    pub fn cancel(
        &self,
        key: &str,
        cancel_key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<(), CancelError> {
        let order = PaymentKey::order(key).ok_or(CancelRefused::UnknownPayment)?;
        if self.cancel_step(order, cancel_key, amount)? == CancelStep::AlreadyDone {
            return Ok(());
        }
        let lost = match self.fate(Verb::Cancel, order, amount)? {
            Fate::Unheard => return Err(CancelError::NoAnswer),
            Fate::Refused(code) => return Err(CancelRefused::Refused(code).into()),
            Fate::Undisturbed => false,
            Fate::AnswerLost => true,
        };
        if self.book.cancel(order, cancel_key, amount, reason)? {
            return if lost { Err(CancelError::NoAnswer) } else { Ok(()) };
        }
        // Somebody was first since we looked: what stands in the book now decides.
        match self.cancel_step(order, cancel_key, amount)? {
            CancelStep::AlreadyDone => Ok(()),
            CancelStep::Record => Err(CancelError::NoAnswer),
        }
    }

    /// What was taken for `order`; none when it was refused or never asked for.
    pub fn find(&self, order: OrderId) -> Result<Option<Approval>, DbError> {
        Ok(self.book.find(order)?.and_then(Entry::approval))
    }

    fn cancel_step(
        &self,
        order: OrderId,
        cancel_key: &str,
        amount: Money,
    ) -> Result<CancelStep, CancelError> {
        let (entry, earlier) = self
            .book
            .find_cancel(order, cancel_key)?
            .ok_or(CancelRefused::UnknownPayment)?;
        let approval = entry.approval().ok_or(CancelRefused::UnknownPayment)?;
        Ok(approval.cancel(earlier, amount)?)
    }

    /// The first rule that decides; slow ones before it have been waited for.
    fn fate(&self, verb: Verb, order: OrderId, amount: Money) -> Result<Fate, DbError> {
        for rule in self.rules.matching(verb, amount) {
            if !self.still_holds(rule, order)? {
                continue;
            }
            match rule.deed() {
                Deed::Refuse(code) => return Ok(Fate::Refused(code.clone())),
                Deed::Timeout => return Ok(Fate::Unheard),
                Deed::LoseAnswer => return Ok(Fate::AnswerLost),
                Deed::Slow(wait) => (self.wait)(*wait),
            }
        }
        Ok(Fate::Undisturbed)
    }

    fn still_holds(&self, rule: &Rule, order: OrderId) -> Result<bool, DbError> {
        match rule.first() {
            None => Ok(true),
            Some(first) => Ok(self.book.count(order, rule.text())? <= first),
        }
    }
}
