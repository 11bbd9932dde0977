//! Which refusal has which status.

use kernel::OrderId;
use store::DbError;
use web::{Code, Problem};

use crate::app::{CancelError, ConfirmError, KeyError, PlaceError, RetryError};
use crate::domain::{CancelRefused, ConfirmRefused, Failure, order_number};

/// What a client asked for, as far as an answer that is none depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Place,
    Confirm,
    Cancel,
}

pub(super) fn place_problem(error: &PlaceError) -> Problem {
    match error {
        PlaceError::EmptyCart => Problem::new(Code::Validation, "the cart is empty"),
        PlaceError::CartOutdated(place) => Problem::new(
            Code::Conflict,
            format!("line {} of the cart is not for sale any more", place + 1),
        ),
        PlaceError::CartUnderWay => {
            Problem::new(Code::Conflict, "the cart is being ordered already").header("retry-after", "1")
        }
        PlaceError::TooManyWaiting(most) => Problem::new(
            Code::Conflict,
            format!("{most} of your orders wait for a payment; pay one, or wait until one has expired"),
        ),
        PlaceError::UnknownItem(place) => {
            Problem::new(Code::NotFound, format!("item {} is not for sale", place + 1))
        }
        PlaceError::SkuRequired(place) => Problem::new(
            Code::Unprocessable,
            format!("items[{place}].skuId is needed: the product comes in several kinds"),
        ),
        PlaceError::TooLarge => {
            Problem::new(Code::Unprocessable, "the order is too large to be placed at once")
        }
        PlaceError::Key(error) => key_problem(error),
        PlaceError::Unavailable(why) => Problem::unavailable_because("order.place", why),
        PlaceError::Setting(why) => Problem::defect("order.place", why),
        PlaceError::Store(error) => store_problem(error),
    }
}

pub(super) fn confirm_problem(error: &ConfirmError) -> Problem {
    match error {
        ConfirmError::NotFound => Problem::not_found("order"),
        ConfirmError::Refused(refused) => match refused {
            ConfirmRefused::WrongAmount { due } => {
                Problem::new(Code::Unprocessable, format!("the amount due is {due}"))
            }
            ConfirmRefused::StillPlaced => {
                Problem::new(Code::Conflict, "the order is still being placed").header("retry-after", "1")
            }
            ConfirmRefused::UnderWay => {
                Problem::new(Code::Conflict, "its payment is being confirmed").header("retry-after", "1")
            }
            ConfirmRefused::TooLate => Problem::new(Code::Conflict, "its time to pay has run out"),
            ConfirmRefused::NotAwaited { state } => Problem::new(
                Code::Conflict,
                format!("the order is {state} and does not wait for a payment"),
            ),
        },
        ConfirmError::Key(error) => key_problem(error),
        ConfirmError::Store(error) => store_problem(error),
    }
}

pub(super) fn cancel_problem(error: &CancelError) -> Problem {
    match error {
        CancelError::NotFound => Problem::not_found("order"),
        CancelError::Refused(CancelRefused::UnderWay) => {
            Problem::new(Code::Conflict, "the order is being cancelled")
        }
        CancelError::Refused(CancelRefused::NotPaid { state }) => Problem::new(
            Code::Conflict,
            format!("the order is {state}; only a PAID one can be cancelled"),
        ),
        CancelError::Key(error) => key_problem(error),
        CancelError::Store(error) => store_problem(error),
    }
}

pub(super) fn retry_problem(error: &RetryError) -> Problem {
    match error {
        RetryError::NotFound => Problem::not_found("order"),
        RetryError::NotStuck => {
            Problem::new(Code::Conflict, "the order is not stuck, or not at this attempt")
        }
        RetryError::Store(error) => store_problem(error),
    }
}

fn key_problem(error: &KeyError) -> Problem {
    match error {
        KeyError::Reused => Problem::new(
            Code::Unprocessable,
            "this Idempotency-Key was used with another body before",
        ),
        KeyError::Store(error) => store_problem(error),
    }
}

pub(super) fn failure_problem(failure: &Failure) -> Problem {
    match failure {
        Failure::OutOfStock { free: 0 } => Problem::new(Code::OutOfStock, "sold out"),
        Failure::OutOfStock { free } => Problem::new(Code::OutOfStock, format!("only {free} left")),
        Failure::PaymentRefused { code } => {
            Problem::new(Code::PaymentRefused, format!("the payment was refused: {code}"))
        }
        Failure::MethodNotOffered => Problem::new(
            Code::Unprocessable,
            "this paymentMethod is not offered at the moment",
        ),
        Failure::Unavailable | Failure::Abandoned => Problem::unavailable(),
    }
}

/// Somebody does at this moment what the same key asked for.
pub(super) fn running_problem(id: OrderId) -> Problem {
    let detail = format!("order {} is still being processed", order_number(id));
    Problem::new(Code::Conflict, detail).header("retry-after", "1")
}

/// It could not be decided now; recovery will decide it.
pub(super) fn open_problem(asked: Asked, id: OrderId) -> Problem {
    let number = order_number(id);
    let detail = match asked {
        Asked::Place => {
            format!("order {number} could not be completed yet; look at it before you order again")
        }
        Asked::Confirm => {
            format!("the payment of order {number} is not decided yet; look at it before you pay again")
        }
        Asked::Cancel => {
            format!("the cancellation of order {number} is not completed yet; it goes on by itself")
        }
    };
    Problem::new(Code::Unavailable, detail)
        .header("retry-after", "5")
        .header("location", format!("/orders/{id}"))
}

/// What must be given back was refused. Trying again does not help, so there is no `Retry-After`.
pub(super) fn stuck_problem(asked: Asked, id: OrderId) -> Problem {
    let number = order_number(id);
    let detail = match asked {
        Asked::Place | Asked::Confirm => {
            format!("order {number} failed and could not be given back whole; somebody looks into it")
        }
        Asked::Cancel => format!("the refund of order {number} was refused; somebody looks into it"),
    };
    Problem::new(Code::BadGateway, detail).header("location", format!("/orders/{id}"))
}

pub(super) fn store_problem(error: &DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("order.store", error)
    } else {
        Problem::defect("order.store", error)
    }
}

#[cfg(test)]
mod tests;
