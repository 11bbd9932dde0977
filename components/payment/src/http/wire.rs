//! The JSON of payments.

use kernel::{Currency, Instant, Money};
use openapi::{Id, Moment, Won, one_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use web::{Problem, Whole};

use crate::app::Place;
use crate::domain::{Amount, Kind, Method, Payment, Refund, RefundState, State, Stuck, Till};

/// The longest reason of a refund.
const MAX_REASON_CHARS: usize = 500;

/// The body of `POST /admin/payments/{orderId}/refunds`.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRefund)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRefundBody {
    /// In won; at most what is left of the payment.
    #[schema(value_type = i64, required = true, minimum = 1, maximum = 9007199254740991i64)]
    amount: Option<Whole>,
    /// Line breaks and tabs are taken, other control characters are not.
    #[schema(
        max_length = 500,
        pattern = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
    )]
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
        // Some of them no database takes, and none does a person any good.
        if reason
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        {
            let why = "must have no control characters but line breaks and tabs";
            return Err(Problem::invalid_field("reason", why));
        }
        Ok((amount, reason))
    }
}

fn methods() -> Object {
    one_of(Method::ALL.map(Method::text))
}

fn statuses() -> Object {
    one_of(Payment::STATUSES)
}

fn refund_statuses() -> Object {
    one_of(["REQUESTED", "DONE", "REFUSED"])
}

fn kinds() -> Object {
    one_of(Kind::ALL.map(Kind::text))
}

fn currencies() -> Object {
    one_of([Currency::Krw.code()])
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
#[derive(Serialize, ToSchema)]
#[schema(as = StuckMoney)]
#[serde(rename_all = "camelCase")]
pub(super) struct StuckView {
    #[schema(value_type = Id)]
    order_id: u64,
    #[schema(schema_with = kinds)]
    kind: &'static str,
    /// The refund's key, or what the gateway calls stray money.
    key: String,
    #[schema(value_type = Won)]
    amount: i64,
    #[schema(schema_with = currencies)]
    currency: &'static str,
    /// Why it is stuck: the gateway's code or ours.
    code: String,
    #[schema(value_type = Moment)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentView<'a> {
    #[schema(value_type = Id)]
    id: u64,
    #[schema(value_type = Id)]
    order_id: u64,
    #[schema(schema_with = methods)]
    method: &'static str,
    #[schema(value_type = Won)]
    amount: i64,
    #[schema(value_type = Won)]
    refunded_amount: i64,
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// Why it failed: the gateway's code, or `VOIDED`.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    #[schema(value_type = Moment)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentDetail)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdminView<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    #[schema(value_type = Id)]
    user_id: u64,
    #[schema(schema_with = currencies)]
    currency: &'static str,
    #[schema(value_type = Won)]
    refundable_amount: i64,
    /// What the gateway calls it; null when the gateway holds nothing of it.
    #[schema(required = true)]
    payment_key: Option<&'a str>,
    /// One page of its refunds, oldest first.
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
#[derive(Serialize, ToSchema)]
#[schema(as = DoneRefund)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToldRefund<'a> {
    #[schema(value_type = Id)]
    pub(super) order_id: u64,
    #[serde(flatten)]
    pub(super) refund: RefundView<'a>,
}

/// One refund. Once it is done, nothing of it ever changes.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundView<'a> {
    key: &'a str,
    #[schema(value_type = Won)]
    amount: i64,
    #[schema(schema_with = currencies)]
    currency: &'static str,
    reason: &'a str,
    #[schema(schema_with = refund_statuses)]
    status: &'static str,
    /// Why the gateway refused it.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'a str>,
    #[schema(value_type = Moment)]
    requested_at: String,
    #[schema(value_type = Moment, required = false)]
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
