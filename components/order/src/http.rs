//! `/orders`: JSON to use cases and back.

mod wire;

use kernel::{Instant, OrderId};
use store::DbError;
use web::{Code, Identity, Method, PageRequest, PathParams, Problem, Request, Response, Route, find};

use crate::app::{Checkout, Orders, PlaceError, Placed, Placement};
use crate::domain::{Failure, order_number};
use wire::{NewOrder, OrderView};

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Place,
    Mine,
    Show,
}

const ROUTES: &[Route<Endpoint>] = &[
    Route {
        method: Method::Post,
        pattern: "/orders",
        endpoint: Endpoint::Place,
    },
    Route {
        method: Method::Get,
        pattern: "/orders/me",
        endpoint: Endpoint::Mine,
    },
    Route {
        method: Method::Get,
        pattern: "/orders/{id}",
        endpoint: Endpoint::Show,
    },
];

/// Who asks and when, and where order ids come from.
pub struct Call<'a> {
    /// The verified identity, or why there is none.
    pub identity: Result<Identity, web::Unverified>,
    /// The moment of the request.
    pub now: Instant,
    /// 64 random bits a call.
    pub random: &'a dyn Fn() -> u64,
}

/// Answers one request.
pub fn handle(request: &Request, call: &Call<'_>, checkout: &Checkout<'_>) -> Response {
    answer(request, call, checkout).into()
}

fn answer(request: &Request, call: &Call<'_>, checkout: &Checkout<'_>) -> Result<Response, Problem> {
    let (endpoint, params) = find(ROUTES, request)?;
    let identity = call.identity?;
    match endpoint {
        Endpoint::Place => place(request, call, identity, checkout),
        Endpoint::Mine => mine(request, identity, checkout.orders),
        Endpoint::Show => show(request, &params, identity, checkout.orders),
    }
}

fn place(
    request: &Request,
    call: &Call<'_>,
    identity: Identity,
    checkout: &Checkout<'_>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let (cart, method) = request.json::<NewOrder>()?.parse()?;
    let placement = Placement {
        user: identity.user,
        cart,
        method,
        key: wire::idempotency_key(request)?,
    };
    match checkout
        .place(&placement, call.now, call.random)
        .map_err(|error| place_problem(&error))?
    {
        Placed::Paid(order) => {
            let location = format!("/orders/{}", order.id);
            Ok(Response::json(201, &OrderView::of(&order)).header("location", location))
        }
        Placed::Failed(failure) => Err(failure_problem(&failure)),
        Placed::Pending(id) => Err(pending_problem(id, placement.key.is_some())),
    }
}

fn mine(request: &Request, identity: Identity, orders: &dyn Orders) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let before = wanted.after.as_deref().map(str::parse::<OrderId>).transpose();
    let before = before.map_err(|error| Problem::invalid_field("cursor", error))?;
    let orders = orders
        .list(identity.user, before, wanted.fetch())
        .map_err(|error| store_problem(&error))?;
    let page = wanted
        .page(orders, |order| order.id.to_string())
        .map(|order| OrderView::of(&order));
    Ok(wanted.respond(request, &page))
}

/// A malformed id names no order, so it is a 404 as well.
fn show(
    request: &Request,
    params: &PathParams,
    identity: Identity,
    orders: &dyn Orders,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let id: OrderId = params
        .get("id")
        .parse()
        .map_err(|_| Problem::not_found("order"))?;
    let order = orders
        .load(identity.user, id)
        .map_err(|error| store_problem(&error))?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    Ok(Response::json(200, &OrderView::of(&order)))
}

fn place_problem(error: &PlaceError) -> Problem {
    match error {
        PlaceError::UnknownItem(place) => {
            Problem::new(Code::NotFound, format!("item {} is not for sale", place + 1))
        }
        PlaceError::SkuRequired(place) => Problem::invalid_field(
            format!("items[{place}].skuId"),
            "is needed: the product comes in several kinds",
        ),
        PlaceError::TooLarge => {
            Problem::new(Code::Unprocessable, "the order is too large to be placed at once")
        }
        PlaceError::KeyReused => Problem::new(
            Code::Unprocessable,
            "this Idempotency-Key was used with another body before",
        ),
        PlaceError::Unavailable(why) => {
            web::log::warn("order.place", why);
            Problem::unavailable()
        }
        PlaceError::Store(error) => store_problem(error),
    }
}

fn failure_problem(failure: &Failure) -> Problem {
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
        Failure::Unavailable => Problem::unavailable(),
    }
}

fn pending_problem(id: OrderId, repeated: bool) -> Problem {
    let number = order_number(id);
    if repeated {
        Problem::new(Code::Conflict, format!("order {number} is still being processed"))
            .header("retry-after", "1")
    } else {
        let detail = format!("order {number} could not be completed yet; look at it before you order again");
        Problem::new(Code::Unavailable, detail)
            .header("retry-after", "5")
            .header("location", format!("/orders/{id}"))
    }
}

fn store_problem(error: &DbError) -> Problem {
    if error.retryable() {
        web::log::warn("order.store", &error.to_string());
        Problem::unavailable()
    } else {
        Problem::defect("order.store", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_map_to_statuses() {
        let line = |problem: Problem| {
            format!(
                "{} {}: {}\n",
                problem.code().status(),
                problem.code().text(),
                problem.detail()
            )
        };
        let id = OrderId::try_new(1).unwrap();
        let table: String = [
            place_problem(&PlaceError::UnknownItem(0)),
            place_problem(&PlaceError::SkuRequired(2)),
            place_problem(&PlaceError::TooLarge),
            place_problem(&PlaceError::KeyReused),
            place_problem(&PlaceError::Unavailable("secret".to_owned())),
            place_problem(&PlaceError::Store(DbError::Busy)),
            place_problem(&PlaceError::Store(DbError::Other("select secret".to_owned()))),
            failure_problem(&Failure::OutOfStock { free: 0 }),
            failure_problem(&Failure::OutOfStock { free: 2 }),
            failure_problem(&Failure::PaymentRefused {
                code: "REJECT_CARD_PAYMENT".to_owned(),
            }),
            failure_problem(&Failure::MethodNotOffered),
            failure_problem(&Failure::Unavailable),
            pending_problem(id, true),
            pending_problem(id, false),
        ]
        .map(line)
        .concat();
        expect_test::expect![[r#"
            404 NOT_FOUND: item 1 is not for sale
            400 VALIDATION_FAILED: items[2].skuId is needed: the product comes in several kinds
            422 UNPROCESSABLE: the order is too large to be placed at once
            422 UNPROCESSABLE: this Idempotency-Key was used with another body before
            503 SERVICE_UNAVAILABLE: please try again in a moment
            503 SERVICE_UNAVAILABLE: please try again in a moment
            500 INTERNAL_ERROR: the error was recorded and will be looked at
            409 OUT_OF_STOCK: sold out
            409 OUT_OF_STOCK: only 2 left
            402 PAYMENT_REFUSED: the payment was refused: REJECT_CARD_PAYMENT
            422 UNPROCESSABLE: this paymentMethod is not offered at the moment
            503 SERVICE_UNAVAILABLE: please try again in a moment
            409 CONFLICT: order 000000-00001 is still being processed
            503 SERVICE_UNAVAILABLE: order 000000-00001 could not be completed yet; look at it before you order again
        "#]].assert_eq(&table);
    }
}
