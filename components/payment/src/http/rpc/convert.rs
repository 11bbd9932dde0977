//! From the JSON of the contracts to the domain and back.

use kernel::{Currency, Money, OrderId, UserId};
use remote::payment as wire;

use crate::domain::{
    Amount, Charge, Confirmation, Method, NewRefund, Payment, PaymentKey, Refund, RefundKey, RefundState,
    State, Void,
};

pub(super) fn charge(ask: &wire::ChargeAsk) -> Result<Charge, String> {
    charge_of(ask.order, ask.user, &ask.amount, ask.method)
}

fn charge_of(order: u64, user: u64, sum: &wire::Money, method: wire::Method) -> Result<Charge, String> {
    Ok(Charge {
        order: OrderId::try_new(order).map_err(|error| error.to_string())?,
        user: UserId::try_new(user).map_err(|error| error.to_string())?,
        amount: amount(sum)?,
        method: match method {
            wire::Method::Card => Method::Card,
            wire::Method::Point => Method::Point,
            wire::Method::Cash => Method::Cash,
            wire::Method::Pg => Method::Pg,
        },
    })
}

pub(super) fn confirmation(ask: &wire::ConfirmAsk) -> Result<Confirmation, String> {
    let charge = charge_of(ask.order, ask.user, &ask.amount, wire::Method::Pg)?;
    Ok(Confirmation {
        order: charge.order,
        user: charge.user,
        amount: charge.amount,
        key: PaymentKey::try_new(&ask.payment_key).map_err(|error| error.to_string())?,
    })
}

pub(super) fn void(ask: wire::VoidAsk) -> Result<Void, String> {
    Ok(Void {
        charge: charge_of(ask.order, ask.user, &ask.amount, ask.method)?,
        key: RefundKey::try_new(&ask.key).map_err(|error| error.to_string())?,
        reason: ask.reason,
    })
}

pub(super) fn refund(ask: wire::RefundAsk) -> Result<NewRefund, String> {
    Ok(NewRefund {
        order: OrderId::try_new(ask.order).map_err(|error| error.to_string())?,
        key: RefundKey::try_new(&ask.key).map_err(|error| error.to_string())?,
        amount: amount(&ask.amount)?,
        reason: ask.reason,
    })
}

fn amount(sum: &wire::Money) -> Result<Amount, String> {
    let currency = Currency::parse(&sum.currency).ok_or("this currency is not taken")?;
    let money = Money::try_new(sum.minor, currency).map_err(|error| error.to_string())?;
    Amount::try_new(money).map_err(|error| error.to_string())
}

pub(super) fn money(money: Money) -> wire::Money {
    wire::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

pub(super) fn receipt(payment: &Payment) -> wire::Receipt {
    let (state, failure) = match &payment.state {
        State::Captured { .. } => (wire::State::Captured, None),
        State::Failed { code } => (wire::State::Failed, Some(code.clone())),
    };
    wire::Receipt {
        id: payment.id.get(),
        state,
        method: match payment.method {
            Method::Card => wire::Method::Card,
            Method::Point => wire::Method::Point,
            Method::Cash => wire::Method::Cash,
            Method::Pg => wire::Method::Pg,
        },
        amount: money(payment.amount),
        refunded: money(payment.refunded()),
        failure,
        at: payment.at.micros(),
    }
}

/// A captured payment with its refunds, for the books.
pub(super) fn entry(payment: &Payment, refunds: &[Refund]) -> wire::Entry {
    let given_back = |refund: &Refund| match &refund.state {
        RefundState::Done { at } => Some(wire::RefundEntry {
            key: refund.key.as_str().to_owned(),
            amount: money(refund.amount.money()),
            at: at.micros(),
        }),
        RefundState::Requested | RefundState::Refused { .. } => None,
    };
    wire::Entry {
        order: payment.order.get(),
        amount: money(payment.amount),
        at: payment.at.micros(),
        refunds: refunds.iter().filter_map(given_back).collect(),
    }
}

/// An event that is due.
pub(super) fn delivery(delivery: relay::Delivery) -> wire::Delivery {
    let relay::Delivery { event, published } = delivery;
    wire::Delivery {
        event: wire::Event {
            id: event.id,
            topic: event.topic,
            key: event.key,
            position: event.position,
            occurred_at: event.occurred_at.micros(),
            data: event.data,
            traceparent: event.traceparent,
        },
        published,
    }
}
