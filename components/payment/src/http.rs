//! The domain's one route: `GET /payments/{orderId}`, for the owner.

use kernel::{Instant, OrderId};
use serde::Serialize;
use store::DbError;
use web::{IdentityKey, Method, PathParams, Problem, Request, Response, Route, find};

use crate::app::Payments;
use crate::domain::{Payment, State};

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Read,
}

const ROUTES: &[Route<Endpoint>] = &[Route {
    method: Method::Get,
    pattern: "/payments/{orderId}",
    endpoint: Endpoint::Read,
}];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
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

/// Answers a request; `open` is called once it is known that the database is needed.
pub fn handle<P: Payments>(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Response {
    answer(request, key, now, open).into()
}

fn answer<P: Payments>(
    request: &Request,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let (endpoint, path) = find(ROUTES, request)?;
    match endpoint {
        Endpoint::Read => read(request, &path, key, now, open),
    }
}

fn read<P: Payments>(
    request: &Request,
    path: &PathParams,
    key: &IdentityKey,
    now: Instant,
    open: impl FnOnce() -> Result<P, DbError>,
) -> Result<Response, Problem> {
    let identity = key.identify(request, now)?;
    request.query()?.only(&[])?;
    let order: OrderId = path.get("orderId").parse().map_err(|_| missing())?;
    let found = open()
        .and_then(|payments| payments.find(order))
        .map_err(problem)?;
    let payment = found
        .filter(|payment| payment.user == identity.user)
        .ok_or_else(missing)?;
    Ok(Response::json(200, &body(&payment)))
}

fn missing() -> Problem {
    Problem::not_found("payment")
}

fn problem(error: DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("payment.read", &error)
    } else {
        Problem::defect("payment.read", &error)
    }
}

fn body(payment: &Payment) -> Body<'_> {
    Body {
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
