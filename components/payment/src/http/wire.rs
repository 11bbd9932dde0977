//! The JSON of payments.

use kernel::{Currency, Instant, Money};
use serde::{Deserialize, Serialize};
use web::{Problem, Whole};

use crate::app::Place;
use crate::domain::{Amount, Kind, Payment, Refund, RefundState, State, Stuck, Till};

/// The longest reason of a refund.
const MAX_REASON_CHARS: usize = 500;

/// The body of `POST /admin/payments/{orderId}/refunds`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRefundBody {
    amount: Option<Whole>,
    reason: Option<String>,
}

impl NewRefundBody {
    /// How much and why, or what is wrong with it.
    pub(super) fn parse(self) -> Result<(Amount, String), Problem> {
        let Whole(minor) = self
            .amount
            .ok_or_else(|| Problem::invalid_field("amount", "is missing"))?;
        let money = Money::try_new(minor, Currency::Krw).ok();
        let amount = money.and_then(|money| Amount::try_new(money).ok());
        let amount = amount.ok_or_else(|| {
            let why = format!("must be from 1 to {}", Money::MAX_MINOR);
            Problem::invalid_field("amount", why)
        })?;
        let reason = self.reason.unwrap_or_default();
        if reason.chars().count() > MAX_REASON_CHARS {
            let why = format!("must have at most {MAX_REASON_CHARS} characters");
            return Err(Problem::invalid_field("reason", why));
        }
        Ok((amount, reason))
    }
}

/// A refund's place in the list.
pub(super) fn cursor_of(refund: &Refund) -> String {
    format!("{} {}", refund.requested_at.micros(), refund.key.as_str())
}

/// The place that [`cursor_of`] named.
pub(super) fn cursor(text: &str) -> Result<(Instant, &str), Problem> {
    text.split_once(' ')
        .and_then(|(micros, key)| Some((Instant::from_micros(micros.parse().ok()?), key)))
        .ok_or_else(|| Problem::invalid_field("cursor", "is not one of ours; follow the Link header"))
}

/// The place of something stuck in the list.
pub(super) fn place_of(stuck: &Stuck) -> String {
    let (since, kind) = (stuck.since.micros(), stuck.kind.text());
    format!("{since} {} {kind} {}", stuck.order, stuck.key)
}

/// The place that [`place_of`] named.
pub(super) fn place(text: &str) -> Result<Place, Problem> {
    let parse = || {
        let mut parts = text.splitn(4, ' ');
        Some(Place {
            since: Instant::from_micros(parts.next()?.parse().ok()?),
            order: parts.next()?.parse().ok()?,
            kind: Kind::parse(parts.next()?)?,
            key: parts.next()?.to_owned(),
        })
    };
    parse().ok_or_else(|| Problem::invalid_field("cursor", "is not one of ours; follow the Link header"))
}

/// Money that should have gone back and did not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StuckView {
    order_id: u64,
    kind: &'static str,
    key: String,
    amount: i64,
    currency: &'static str,
    code: String,
    since: String,
}

impl StuckView {
    pub(super) fn of(stuck: &Stuck) -> Self {
        let amount = stuck.amount.money();
        Self {
            order_id: stuck.order.get(),
            kind: stuck.kind.text(),
            key: stuck.key.clone(),
            amount: amount.minor(),
            currency: amount.currency().code(),
            code: stuck.code.clone(),
            since: stuck.since.rfc3339(),
        }
    }
}

/// A payment as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentView<'a> {
    id: u64,
    order_id: u64,
    method: &'static str,
    amount: i64,
    refunded_amount: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    created_at: String,
}

impl<'a> PaymentView<'a> {
    pub(super) fn of(payment: &'a Payment) -> Self {
        Self {
            id: payment.id.get(),
            order_id: payment.order.get(),
            method: payment.method.text(),
            amount: payment.amount.minor(),
            refunded_amount: payment.refunded().minor(),
            status: payment.status(),
            failure_code: match &payment.state {
                State::Captured { .. } => None,
                State::Failed { code } => Some(code),
            },
            created_at: payment.at.rfc3339(),
        }
    }
}

/// A payment as administrators see it: also whose it is, what the gateway calls it, and its refunds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdminView<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    user_id: u64,
    currency: &'static str,
    refundable_amount: i64,
    payment_key: Option<&'a str>,
    refunds: Vec<RefundView<'a>>,
}

impl<'a> AdminView<'a> {
    pub(super) fn of(payment: &'a Payment, refunds: &'a [Refund]) -> Self {
        let payment_key = match &payment.state {
            State::Captured {
                till: Till::Gateway { payment_key },
                ..
            } => Some(payment_key.as_str()),
            State::Captured { till: Till::Cash, .. } | State::Failed { .. } => None,
        };
        Self {
            payment: PaymentView::of(payment),
            user_id: payment.user.get(),
            currency: payment.amount.currency().code(),
            refundable_amount: payment.refundable().minor(),
            payment_key,
            refunds: refunds.iter().map(RefundView::of).collect(),
        }
    }
}

/// A refund that was just done, or was done before under the same key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToldRefund<'a> {
    pub(super) order_id: u64,
    #[serde(flatten)]
    pub(super) refund: RefundView<'a>,
}

/// One refund. Once it is done, nothing of it ever changes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundView<'a> {
    key: &'a str,
    amount: i64,
    currency: &'static str,
    reason: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    requested_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
}

impl<'a> RefundView<'a> {
    pub(super) fn of(refund: &'a Refund) -> Self {
        let (status, failure_code, decided_at) = match &refund.state {
            RefundState::Requested => ("REQUESTED", None, None),
            RefundState::Done { at } => ("DONE", None, Some(at.rfc3339())),
            RefundState::Refused { code, at } => ("REFUSED", Some(code.as_str()), Some(at.rfc3339())),
        };
        let amount = refund.amount.money();
        Self {
            key: refund.key.as_str(),
            amount: amount.minor(),
            currency: amount.currency().code(),
            reason: &refund.reason,
            status,
            failure_code,
            requested_at: refund.requested_at.rfc3339(),
            decided_at,
        }
    }
}
