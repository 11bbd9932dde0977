//! `shop:payment/payment`, `book` and `jobs`. What each call promises stands in its WIT.

use serde::{Deserialize, Serialize};

use crate::NoRefusal;
use crate::function::functions;

functions! {
    /// `payment.charge`. The gateway's no is written down, and what else is refused is refused whenever it arrives.
    Charge = "payment.charge" "/internal/rpc/payment/charge": ChargeAsk => Receipt, ChargeRefused, remembered;
    /// `payment.confirm`. As `charge`.
    Confirm = "payment.confirm" "/internal/rpc/payment/confirm": ConfirmAsk => Receipt, ChargeRefused, remembered;
    /// `payment.void`. A try that comes late ends a payment that is to end anyhow, and under its key nothing goes back twice.
    Void = "payment.void" "/internal/rpc/payment/void": VoidAsk => Receipt, VoidRefused, remembered;
    /// `payment.refund`. `not-captured` and `exceeds-captured` leave no row: when a promise to another refund is taken back,
    /// a try that was on its way finds room and moves money.
    Refund = "payment.refund" "/internal/rpc/payment/refund": RefundAsk => Receipt, RefundRefused, forgotten;
    /// `payment.status`
    Status = "payment.status" "/internal/rpc/payment/status": StatusAsk => StatusAnswer, NoRefusal, remembered;
    /// `book.entries`
    Entries = "payment.entries" "/internal/rpc/payment/entries": EntriesAsk => EntriesAnswer, NoRefusal, remembered;
    /// `jobs.recover`
    Recover = "payment.recover" "/internal/rpc/payment/recover": RecoverAsk => Tally, NoRefusal, remembered;
    /// `jobs.drain`
    Drain = "payment.drain" "/internal/rpc/payment/drain": DrainAsk => DrainAnswer, NoRefusal, remembered;
}

/// An amount of money. It stands in answers too, of which a newer service may say more than is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// How many of the smallest unit.
    pub minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
}

/// [`Money`] that is asked for, where nothing unknown may stand: what would be overlooked is about money.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Money")]
struct Asked {
    minor: i64,
    currency: String,
}

/// `method`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// `card`
    Card,
    /// `point`
    Point,
    /// `cash`
    Cash,
    /// `pg`
    Pg,
}

/// `state`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// `captured`
    Captured,
    /// `failed`
    Failed,
}

/// A payment as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Its id.
    pub id: u64,
    /// Where it stands.
    pub state: State,
    /// How the customer paid.
    pub method: Method,
    /// How much was taken.
    pub amount: Money,
    /// How much of it was given back.
    pub refunded: Money,
    /// The gateway's code, if it failed.
    pub failure: Option<String>,
    /// When it was decided, in microseconds since 1970.
    pub at: i64,
}

/// Money is to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChargeAsk {
    /// For which order.
    pub order: u64,
    /// From whom.
    pub user: u64,
    /// How much.
    #[serde(deserialize_with = "Asked::deserialize")]
    pub amount: Money,
    /// How the customer pays.
    pub method: Method,
}

/// Money is to be taken that the customer began to pay in the gateway's window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmAsk {
    /// For which order.
    pub order: u64,
    /// From whom.
    pub user: u64,
    /// How much.
    #[serde(deserialize_with = "Asked::deserialize")]
    pub amount: Money,
    /// The gateway's name of the payment.
    pub payment_key: String,
}

/// A payment is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoidAsk {
    /// Of which order.
    pub order: u64,
    /// Whose it was or would have been.
    pub user: u64,
    /// How much it was or would have been.
    #[serde(deserialize_with = "Asked::deserialize")]
    pub amount: Money,
    /// How it was or would have been paid.
    pub method: Method,
    /// The name of the refund.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// Money is to be given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundAsk {
    /// Of which order's.
    pub order: u64,
    /// The name of the refund.
    pub key: String,
    /// How much.
    #[serde(deserialize_with = "Asked::deserialize")]
    pub amount: Money,
    /// Why.
    pub reason: String,
}

/// A payment is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusAsk {
    /// Of which order.
    pub order: u64,
}

/// The payment, if there ever was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusAnswer {
    /// The payment.
    pub payment: Option<Receipt>,
}

/// A part of the book is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntriesAsk {
    /// Orders beyond this one.
    pub after: Option<u64>,
    /// So many at most.
    pub limit: u32,
}

/// A part of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntriesAnswer {
    /// By order.
    pub entries: Vec<Entry>,
}

/// Money taken for an order, and what of it was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// For which order.
    pub order: u64,
    /// How much.
    pub amount: Money,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What was given back.
    pub refunds: Vec<RefundEntry>,
}

/// Money given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundEntry {
    /// The caller's name of it.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// What a crash left half done is to be carried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoverAsk {
    /// So much at most.
    pub limit: u32,
}

/// How far a job came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Brought to an end.
    pub done: u32,
    /// Left for a later run.
    pub left: u32,
    /// Waiting for a person.
    pub stuck: u32,
}

/// Events that are due are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrainAsk {
    /// Up to this position every consumer has everything.
    pub acknowledged: u64,
    /// So many at most.
    pub limit: u32,
}

/// Events that are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainAnswer {
    /// The events.
    pub deliveries: Vec<Delivery>,
}

/// An event that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// How often it was published before.
    pub published: u32,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Names the change it tells of.
    pub id: String,
    /// What kind of change.
    pub topic: String,
    /// What it happened to.
    pub key: String,
    /// Its place among all of its producer.
    pub position: u64,
    /// When it happened, in microseconds since 1970.
    pub occurred_at: i64,
    /// The rest, as the text of a JSON object.
    pub data: String,
    /// The trace it happened in, when somebody traced it. Who runs an older program does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// `charge-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ChargeRefused {
    /// `invalid`
    Invalid {
        /// What is.
        detail: String,
    },
    /// `differs-from-existing`
    DiffersFromExisting,
    /// `method-not-offered`
    MethodNotOffered,
    /// `refused`
    Refused {
        /// The gateway's code.
        reason: String,
    },
}

/// `refund-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum RefundRefused {
    /// `invalid`
    Invalid {
        /// What is.
        detail: String,
    },
    /// `not-captured`
    NotCaptured,
    /// `differs-from-existing`
    DiffersFromExisting,
    /// `exceeds-captured`
    ExceedsCaptured {
        /// What is left.
        left: Money,
    },
    /// `refused`
    Refused {
        /// The gateway's code.
        reason: String,
    },
}

/// `void-error`, but for `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum VoidRefused {
    /// `invalid`
    Invalid {
        /// What is.
        detail: String,
    },
    /// `refused`
    Refused {
        /// The gateway's code.
        reason: String,
    },
}
