//! Use cases: approve, confirm, cancel, find, each disturbed as the rules say.

use kernel::{Millis, Money, OrderId};
use store::DbError;

use crate::domain::{
    Approval, ApproveRefused, CancelRefused, CancelStep, Deed, Entry, PaymentKey, Rule, Rules, Verb,
};

/// No payment of this key was ever begun in the window.
const UNKNOWN_KEY: &str = "NOT_FOUND_PAYMENT";

/// The payment of this key was for another order.
const USED_KEY: &str = "ALREADY_PROCESSED_PAYMENT";

/// The gateway's own book.
pub trait Book {
    /// The record of an order.
    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError>;
    /// Writes a record, unless its order or its key has one.
    fn record(&self, entry: &Entry) -> Result<Recorded, DbError>;
    /// The record of a payment's key, and how much was given back under this cancel key.
    fn find_cancel(&self, key: &str, cancel_key: &str) -> Result<Option<(Entry, Option<Money>)>, DbError>;
    /// Gives money back; false when someone was first or less is left.
    fn cancel(&self, order: OrderId, cancel_key: &str, amount: Money, reason: &str) -> Result<bool, DbError>;
    /// Counts one more call of an order that met this rule.
    fn count(&self, order: OrderId, rule: &str) -> Result<u32, DbError>;
}

/// What became of a record that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It stands.
    New,
    /// The order had this one.
    Earlier(Entry),
    /// Another order's payment has the key.
    KeyUsed,
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
        self.take(order, PaymentKey::of(order), amount)
    }

    /// Takes `amount` for `order` from the payment that the customer began in the window under `key`:
    /// every key that a window could have, since there is no window here to ask.
    pub fn confirm(&self, order: OrderId, key: &str, amount: Money) -> Result<Approval, ApproveError> {
        let unknown = || ApproveRefused::Refused(UNKNOWN_KEY.to_owned());
        let key = PaymentKey::of_window(key).ok_or_else(unknown)?;
        self.take(order, key, amount)
    }

    fn take(&self, order: OrderId, key: PaymentKey, amount: Money) -> Result<Approval, ApproveError> {
        let mut rules = self.rules.matching(Verb::Approve, key.as_str(), amount);
        if rules.next().is_some()
            && let Some(earlier) = self.book.find(order)?
        {
            return Ok(earlier.answer(&key, amount)?);
        }
        let fate = self.fate(Verb::Approve, order, key.as_str(), amount)?;
        let (entry, lost) = match fate {
            Fate::Unheard => return Err(ApproveError::NoAnswer),
            Fate::Refused(code) => (Entry::refused(order, key.clone(), amount, code), false),
            Fate::Undisturbed => (Entry::approved(order, key.clone(), amount), false),
            Fate::AnswerLost => (Entry::approved(order, key.clone(), amount), true),
        };
        match self.book.record(&entry)? {
            Recorded::Earlier(earlier) => Ok(earlier.answer(&key, amount)?),
            // Nothing is remembered of it: the order may still be paid under a key of its own.
            Recorded::KeyUsed => Err(ApproveRefused::Refused(USED_KEY.to_owned()).into()),
            Recorded::New if lost => Err(ApproveError::NoAnswer),
            Recorded::New => Ok(entry.answer(&key, amount)?),
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
        let (order, step) = self.cancel_step(key, cancel_key, amount)?;
        if step == CancelStep::AlreadyDone {
            return Ok(());
        }
        let lost = match self.fate(Verb::Cancel, order, key, amount)? {
            Fate::Unheard => return Err(CancelError::NoAnswer),
            Fate::Refused(code) => return Err(CancelRefused::Refused(code).into()),
            Fate::Undisturbed => false,
            Fate::AnswerLost => true,
        };
        if self.book.cancel(order, cancel_key, amount, reason)? {
            return if lost { Err(CancelError::NoAnswer) } else { Ok(()) };
        }
        // Somebody was first since we looked: what stands in the book now decides.
        match self.cancel_step(key, cancel_key, amount)?.1 {
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
        key: &str,
        cancel_key: &str,
        amount: Money,
    ) -> Result<(OrderId, CancelStep), CancelError> {
        let (entry, earlier) = self
            .book
            .find_cancel(key, cancel_key)?
            .ok_or(CancelRefused::UnknownPayment)?;
        let order = entry.order;
        let approval = entry.approval().ok_or(CancelRefused::UnknownPayment)?;
        Ok((order, approval.cancel(earlier, amount)?))
    }

    /// The first rule that decides; slow ones before it have been waited for.
    fn fate(&self, verb: Verb, order: OrderId, key: &str, amount: Money) -> Result<Fate, DbError> {
        for rule in self.rules.matching(verb, key, amount) {
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
