//! The domain's routes: a payment for its owner; for administrators also its refunds, another one, and what is
//! stuck.

mod document;
mod figures;
pub mod rpc;
mod wire;

use kernel::{Instant, OrderId};
use store::DbError;
use web::{
    Code, Identity, IdentityKey, Method, PageRequest, PathParams, Problem, Request, Response, Role, Route,
    find,
};

use crate::app::{App, Failed, Gateway, Ledger, Payments, Trouble};
use crate::domain::{NewRefund, Refund, RefundKey, RefundRefused};
use wire::{AdminView, NewRefundBody, PaymentView, RefundView, StuckView, ToldRefund};

pub use document::document;
pub use figures::figures;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Show a payment to its owner.
    Read,
    /// List what is stuck.
    Stuck,
    /// Show anybody's payment, with its refunds.
    ReadAsAdmin,
    /// Give a part of it back.
    Refund,
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    Route {
        method: Method::Get,
        pattern: "/payments/{orderId}",
        endpoint: Endpoint::Read,
    },
    Route {
        method: Method::Get,
        pattern: "/admin/payments/stuck",
        endpoint: Endpoint::Stuck,
    },
    Route {
        method: Method::Get,
        pattern: "/admin/payments/{orderId}",
        endpoint: Endpoint::ReadAsAdmin,
    },
    Route {
        method: Method::Post,
        pattern: "/admin/payments/{orderId}/refunds",
        endpoint: Endpoint::Refund,
    },
];

/// How callers are known, and when it is.
pub struct Call<'a> {
    /// What identities are signed with.
    pub key: &'a IdentityKey,
    /// The moment of the request.
    pub now: Instant,
}

/// Answers a request; `open` is called once it is known that the database is needed.
pub fn handle<P: Payments + Ledger, G: Gateway>(
    request: &Request,
    call: &Call<'_>,
    gateway: &G,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Response {
    let answer = || {
        let (endpoint, path) = find(ROUTES, request)?;
        let identity = call.key.identify(request, call.now)?;
        match endpoint {
            Endpoint::Read => read(request, &path, identity, open),
            Endpoint::Stuck => {
                admin_only(identity)?;
                stuck(request, open)
            }
            Endpoint::ReadAsAdmin => {
                admin_only(identity)?;
                read_as_admin(request, &path, open)
            }
            Endpoint::Refund => {
                admin_only(identity)?;
                let command = refund_command(request, &path)?;
                let payments = open().map_err(|error| store_problem(&error))?;
                let app = App {
                    payments: &payments,
                    gateway,
                };
                refund(&app, &command, call.now)
            }
        }
    };
    answer().into()
}

fn admin_only(identity: Identity) -> Result<(), Problem> {
    match identity.role {
        Role::Admin => Ok(()),
        Role::User => Err(Problem::new(
            Code::Forbidden,
            "only administrators see and refund other people's payments",
        )),
    }
}

fn read<P: Payments>(
    request: &Request,
    path: &PathParams,
    identity: Identity,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let order = order_of(path)?;
    let found = open()
        .and_then(|payments| payments.find(order))
        .map_err(|error| store_problem(&error))?;
    let payment = found
        .filter(|payment| payment.user == identity.user)
        .ok_or_else(missing)?;
    Ok(Response::json(200, &PaymentView::of(&payment)))
}

/// Money that should have gone back and did not, the longest stuck first.
fn stuck<P: Ledger>(
    request: &Request,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let after = wanted.after.as_deref().map(wire::place).transpose()?;
    let found = open()
        .and_then(|payments| payments.stuck(after.as_ref(), wanted.fetch()))
        .map_err(|error| store_problem(&error))?;
    let page = wanted
        .page(found, wire::place_of)
        .map(|stuck| StuckView::of(&stuck));
    Ok(wanted.respond(request, &page))
}

fn read_as_admin<P: Ledger>(
    request: &Request,
    path: &PathParams,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let after = wanted.after.as_deref().map(wire::cursor).transpose()?;
    let order = order_of(path)?;
    let found = open()
        .and_then(|payments| payments.with_refunds(order, after, wanted.fetch()))
        .map_err(|error| store_problem(&error))?;
    let (payment, refunds) = found.ok_or_else(missing)?;
    let page = wanted.page(refunds, wire::cursor_of);
    let body = AdminView::of(&payment, &page.entries);
    Ok(wanted.link(request, &page, Response::json(200, &body)))
}

/// What is asked for. The refund is named by the request's `Idempotency-Key`, so there must be one.
fn refund_command(request: &Request, path: &PathParams) -> Result<NewRefund, Problem> {
    request.query()?.only(&[])?;
    let key = request.required_idempotency_key()?;
    let (amount, reason) = request.json::<NewRefundBody>()?.parse()?;
    Ok(NewRefund {
        order: order_of(path)?,
        key: RefundKey::of_admin(key),
        amount,
        reason,
    })
}

/// The answer tells of this refund alone, never of a running sum: so whoever repeats the request reads the
/// same bytes, whatever was refunded in between.
fn refund<P: Payments, G: Gateway>(
    app: &App<'_, P, G>,
    command: &NewRefund,
    now: Instant,
) -> Result<Response, Problem> {
    let store = |error: DbError| store_problem(&error);
    match app.refund(command, now) {
        Ok(_) => {}
        Err(Failed::Refused(RefundRefused::NotCaptured))
            if app.payments.find(command.order).map_err(store)?.is_none() =>
        {
            return Err(missing());
        }
        Err(Failed::Refused(refused)) => return Err(refused_problem(&refused)),
        Err(Failed::Unanswered(trouble)) => return Err(trouble_problem(&trouble)),
    }
    let (_, written) = app
        .payments
        .find_refund(command.order, &command.key)
        .map_err(store)?;
    let refund =
        written.ok_or_else(|| Problem::defect("payment.refund", &"a refund that was done is gone"))?;
    if refund.reason != command.reason {
        return Err(refused_problem(&RefundRefused::DiffersFromExisting));
    }
    Ok(created(&refund))
}

fn created(refund: &Refund) -> Response {
    let body = ToldRefund {
        order_id: refund.order.get(),
        refund: RefundView::of(refund),
    };
    Response::json(201, &body).header("location", format!("/admin/payments/{}", refund.order))
}

/// A malformed id names no order.
fn order_of(path: &PathParams) -> Result<OrderId, Problem> {
    path.get("orderId").parse().map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::not_found("payment")
}

/// What each refusal is for the client. The gateway's own is final for its key and no outage: 409.
fn refused_problem(refused: &RefundRefused) -> Problem {
    match refused {
        RefundRefused::NotCaptured => Problem::new(Code::Conflict, "nothing was captured for this order"),
        RefundRefused::DiffersFromExisting => Problem::new(
            Code::Unprocessable,
            "this Idempotency-Key was used with another body before",
        ),
        RefundRefused::ExceedsCaptured(left) => Problem::new(
            Code::Unprocessable,
            format!(
                "only {} {} can still be refunded",
                left.minor(),
                left.currency().code()
            ),
        ),
        RefundRefused::Refused(code) => Problem::new(
            Code::Conflict,
            format!("the payment gateway refused: {code}; another attempt needs another Idempotency-Key"),
        ),
    }
}

fn trouble_problem(trouble: &Trouble) -> Problem {
    match trouble {
        Trouble::UnderWay => {
            Problem::new(Code::Conflict, "this refund is being carried out").header("retry-after", "1")
        }
        Trouble::Gateway(_) | Trouble::Unsettled | Trouble::Contended => {
            Problem::unavailable_because("payment.refund", trouble)
        }
        Trouble::Store(error) => store_problem(error),
    }
}

fn store_problem(error: &DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("payment.http", error)
    } else {
        Problem::defect("payment.http", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Currency, Money};

    #[test]
    fn refusals_map_to_statuses() {
        let line = |problem: Problem| {
            let (code, detail) = (problem.code(), problem.detail());
            format!("{} {}: {detail}\n", code.status(), code.text())
        };
        let left = Money::try_new(30, Currency::Krw).unwrap();
        let table: String = [
            missing(),
            refused_problem(&RefundRefused::NotCaptured),
            refused_problem(&RefundRefused::DiffersFromExisting),
            refused_problem(&RefundRefused::ExceedsCaptured(left)),
            refused_problem(&RefundRefused::Refused("NOT_CANCELABLE_PAYMENT".to_owned())),
            trouble_problem(&Trouble::Gateway("secret".to_owned())),
            trouble_problem(&Trouble::Unsettled),
            trouble_problem(&Trouble::UnderWay),
            trouble_problem(&Trouble::Contended),
            trouble_problem(&Trouble::Store(DbError::Busy)),
            trouble_problem(&Trouble::Store(DbError::Other("select secret".to_owned()))),
        ]
        .map(line)
        .concat();
        expect_test::expect![[r#"
            404 NOT_FOUND: no such payment
            409 CONFLICT: nothing was captured for this order
            422 UNPROCESSABLE: this Idempotency-Key was used with another body before
            422 UNPROCESSABLE: only 30 KRW can still be refunded
            409 CONFLICT: the payment gateway refused: NOT_CANCELABLE_PAYMENT; another attempt needs another Idempotency-Key
            503 SERVICE_UNAVAILABLE: please try again in a moment
            503 SERVICE_UNAVAILABLE: please try again in a moment
            409 CONFLICT: this refund is being carried out
            503 SERVICE_UNAVAILABLE: please try again in a moment
            503 SERVICE_UNAVAILABLE: please try again in a moment
            500 INTERNAL_ERROR: the error was recorded and will be looked at
        "#]].assert_eq(&table);
    }
}
