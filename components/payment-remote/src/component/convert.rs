//! From WIT to the JSON of the contracts and back.

use remote::payment as rpc;

use super::api::exports::shop::payment::{book, payment};
use super::api::shop::events::events;
use super::api::shop::types::{ids, money as sum, time};

pub(super) fn money(money: sum::Money) -> rpc::Money {
    rpc::Money {
        minor: money.minor,
        currency: money.currency,
    }
}

pub(super) const fn method(method: payment::Method) -> rpc::Method {
    match method {
        payment::Method::Card => rpc::Method::Card,
        payment::Method::Point => rpc::Method::Point,
        payment::Method::Cash => rpc::Method::Cash,
        payment::Method::Pg => rpc::Method::Pg,
    }
}

pub(super) fn receipt(receipt: rpc::Receipt) -> payment::Receipt {
    payment::Receipt {
        id: ids::PaymentId { value: receipt.id },
        state: match receipt.state {
            rpc::State::Captured => payment::State::Captured,
            rpc::State::Failed => payment::State::Failed,
        },
        method: match receipt.method {
            rpc::Method::Card => payment::Method::Card,
            rpc::Method::Point => payment::Method::Point,
            rpc::Method::Cash => payment::Method::Cash,
            rpc::Method::Pg => payment::Method::Pg,
        },
        amount: to_wit(receipt.amount),
        refunded: to_wit(receipt.refunded),
        failure: receipt.failure,
        at: instant(receipt.at),
    }
}

pub(super) fn charge_refused(refused: rpc::ChargeRefused) -> payment::ChargeError {
    match refused {
        rpc::ChargeRefused::Invalid { detail } => payment::ChargeError::Invalid(detail),
        rpc::ChargeRefused::DiffersFromExisting => payment::ChargeError::DiffersFromExisting,
        rpc::ChargeRefused::MethodNotOffered => payment::ChargeError::MethodNotOffered,
        rpc::ChargeRefused::Refused { reason } => payment::ChargeError::Refused(reason),
    }
}

pub(super) fn void_refused(refused: rpc::VoidRefused) -> payment::VoidError {
    match refused {
        rpc::VoidRefused::Invalid { detail } => payment::VoidError::Invalid(detail),
        rpc::VoidRefused::Refused { reason } => payment::VoidError::Refused(reason),
    }
}

pub(super) fn refund_refused(refused: rpc::RefundRefused) -> payment::RefundError {
    match refused {
        rpc::RefundRefused::Invalid { detail } => payment::RefundError::Invalid(detail),
        rpc::RefundRefused::NotCaptured => payment::RefundError::NotCaptured,
        rpc::RefundRefused::DiffersFromExisting => payment::RefundError::DiffersFromExisting,
        rpc::RefundRefused::ExceedsCaptured { left } => payment::RefundError::ExceedsCaptured(to_wit(left)),
        rpc::RefundRefused::Refused { reason } => payment::RefundError::Refused(reason),
    }
}

pub(super) fn entry(entry: rpc::Entry) -> book::Entry {
    let refund = |refund: rpc::RefundEntry| book::RefundEntry {
        key: refund.key,
        amount: to_wit(refund.amount),
        at: instant(refund.at),
    };
    book::Entry {
        order: ids::OrderId { value: entry.order },
        amount: to_wit(entry.amount),
        at: instant(entry.at),
        refunds: entry.refunds.into_iter().map(refund).collect(),
    }
}

pub(super) fn delivery(delivery: rpc::Delivery) -> events::Delivery {
    let event = delivery.event;
    events::Delivery {
        event: events::Event {
            id: event.id,
            topic: event.topic,
            key: event.key,
            position: event.position,
            occurred_at: instant(event.occurred_at),
            data: event.data,
            traceparent: event.traceparent,
        },
        published: delivery.published,
    }
}

fn to_wit(money: rpc::Money) -> sum::Money {
    sum::Money {
        minor: money.minor,
        currency: money.currency,
    }
}

const fn instant(micros: i64) -> time::Instant {
    time::Instant { micros }
}
