//! From the wire to the domain and back.

use kernel::{Currency, Instant, Money, OrderId, UserId};
use relay::Delivery;

use super::api::exports::shop::payment::{book, payment as wire};
use super::api::shop::events::events;
use super::api::shop::types::{ids, money, time};
use crate::domain::{
    Amount, Charge, Confirmation, Method, NewRefund, Payment, PaymentKey, Refund, RefundKey, RefundState,
    State, Void,
};

pub(super) fn charge_from_wire(
    order: ids::OrderId,
    user: ids::UserId,
    amount: &money::Money,
    method: wire::Method,
) -> Result<Charge, String> {
    Ok(Charge {
        order: OrderId::try_new(order.value).map_err(|error| error.to_string())?,
        user: UserId::try_new(user.value).map_err(|error| error.to_string())?,
        amount: amount_from_wire(amount)?,
        method: match method {
            wire::Method::Card => Method::Card,
            wire::Method::Point => Method::Point,
            wire::Method::Cash => Method::Cash,
            wire::Method::Pg => Method::Pg,
        },
    })
}

pub(super) fn confirmation_from_wire(
    order: ids::OrderId,
    user: ids::UserId,
    amount: &money::Money,
    payment_key: &str,
) -> Result<Confirmation, String> {
    let charge = charge_from_wire(order, user, amount, wire::Method::Pg)?;
    Ok(Confirmation {
        order: charge.order,
        user: charge.user,
        amount: charge.amount,
        key: PaymentKey::try_new(payment_key).map_err(|error| error.to_string())?,
    })
}

pub(super) fn void_from_wire(
    charge: Result<Charge, String>,
    key: &str,
    reason: String,
) -> Result<Void, String> {
    Ok(Void {
        charge: charge?,
        key: RefundKey::try_new(key).map_err(|error| error.to_string())?,
        reason,
    })
}

pub(super) fn refund_from_wire(
    order: ids::OrderId,
    key: &str,
    amount: &money::Money,
    reason: String,
) -> Result<NewRefund, String> {
    Ok(NewRefund {
        order: OrderId::try_new(order.value).map_err(|error| error.to_string())?,
        key: RefundKey::try_new(key).map_err(|error| error.to_string())?,
        amount: amount_from_wire(amount)?,
        reason,
    })
}

fn amount_from_wire(wire: &money::Money) -> Result<Amount, String> {
    Amount::try_new(money_from_wire(wire)?).map_err(|error| error.to_string())
}

pub(super) fn money_from_wire(wire: &money::Money) -> Result<Money, String> {
    let currency = Currency::parse(&wire.currency).ok_or("this currency is not taken")?;
    Money::try_new(wire.minor, currency).map_err(|error| error.to_string())
}

pub(super) fn money_to_wire(money: Money) -> money::Money {
    money::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

pub(super) const fn order_to_wire(order: OrderId) -> ids::OrderId {
    ids::OrderId { value: order.get() }
}

pub(super) fn receipt(payment: &Payment) -> wire::Receipt {
    let (state, failure) = match &payment.state {
        State::Captured { .. } => (wire::State::Captured, None),
        State::Failed { code } => (wire::State::Failed, Some(code.clone())),
    };
    wire::Receipt {
        id: ids::PaymentId {
            value: payment.id.get(),
        },
        state,
        method: match payment.method {
            Method::Card => wire::Method::Card,
            Method::Point => wire::Method::Point,
            Method::Cash => wire::Method::Cash,
            Method::Pg => wire::Method::Pg,
        },
        amount: money_to_wire(payment.amount),
        refunded: money_to_wire(payment.refunded()),
        failure,
        at: instant_to_wire(payment.at),
    }
}

/// A captured payment with its refunds, for the books.
pub(super) fn entry(payment: &Payment, refunds: &[Refund]) -> book::Entry {
    let given_back = |refund: &Refund| match &refund.state {
        RefundState::Done { at } => Some(book::RefundEntry {
            key: refund.key.as_str().to_owned(),
            amount: money_to_wire(refund.amount.money()),
            at: instant_to_wire(*at),
        }),
        RefundState::Requested | RefundState::Refused { .. } => None,
    };
    book::Entry {
        order: order_to_wire(payment.order),
        amount: money_to_wire(payment.amount),
        at: instant_to_wire(payment.at),
        refunds: refunds.iter().filter_map(given_back).collect(),
    }
}

/// An event that is due.
pub(super) fn delivery(delivery: Delivery) -> events::Delivery {
    let Delivery { event, published } = delivery;
    events::Delivery {
        event: events::Event {
            id: event.id,
            topic: event.topic,
            key: event.key,
            position: event.position,
            occurred_at: instant_to_wire(event.occurred_at),
            data: event.data,
            traceparent: event.traceparent,
        },
        published,
    }
}

const fn instant_to_wire(instant: Instant) -> time::Instant {
    time::Instant {
        micros: instant.micros(),
    }
}
