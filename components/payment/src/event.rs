//! Events of this domain, as others will read them (SPEC §15).

use serde::Serialize;

use crate::domain::{Payment, Refund, State};

/// An event could not be written as JSON: a defect.
pub(crate) type EncodeError = serde_json::Error;

/// An event on its way into the outbox.
pub(crate) struct Event {
    /// Names the change it tells of, so there is one for each change.
    pub(crate) id: String,
    /// What kind of change.
    pub(crate) topic: &'static str,
    /// The order: events of one order keep their order.
    pub(crate) key: String,
    /// JSON.
    pub(crate) data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    payment_id: u64,
    order_id: u64,
    user_id: u64,
    method: &'static str,
    currency: &'static str,
    amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    refund: Option<RefundData<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundData<'a> {
    refund_key: &'a str,
    refund_amount: i64,
    refunded_amount: i64,
    reason: &'a str,
}

/// The money was taken, or it was not.
pub(crate) fn decided(payment: &Payment) -> Result<Event, EncodeError> {
    let (topic, failure_code) = match &payment.state {
        State::Captured { .. } => ("payment.completed", None),
        State::Failed { code } => ("payment.failed", Some(code.as_str())),
    };
    Ok(Event {
        id: format!("{topic}:{}", payment.order),
        topic,
        key: payment.order.to_string(),
        data: data(payment, failure_code, None)?,
    })
}

/// Some of it was given back; `payment` is how it stands afterwards.
pub(crate) fn refunded(payment: &Payment, refund: &Refund) -> Result<Event, EncodeError> {
    let topic = "payment.refunded";
    let part = RefundData {
        refund_key: refund.key.as_str(),
        refund_amount: refund.amount.money().minor(),
        refunded_amount: payment.refunded().minor(),
        reason: &refund.reason,
    };
    Ok(Event {
        id: format!("{topic}:{}:{}", payment.order, refund.key.as_str()),
        topic,
        key: payment.order.to_string(),
        data: data(payment, None, Some(part))?,
    })
}

fn data(
    payment: &Payment,
    failure_code: Option<&str>,
    refund: Option<RefundData<'_>>,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Data {
        payment_id: payment.id.get(),
        order_id: payment.order.get(),
        user_id: payment.user.get(),
        method: payment.method.text(),
        currency: payment.amount.currency().code(),
        amount: payment.amount.minor(),
        failure_code,
        refund,
    })
}
