//! `/orders`, the second step of a checkout, and the desk: JSON to use cases and back.

mod admin;
mod document;
mod figures;
mod problem;
mod shape;
mod view;
mod wire;

use kernel::OrderId;
use web::{Identity, Method, Page, PageRequest, PathParams, Problem, Request, Response, Route, find};

use crate::app::{App, Cancel, CartPlacement, Confirm, Decided, Ended, Listed, Placement, Reply};
use crate::domain::Cancellation;
use problem::{Asked, cancel_problem, confirm_problem, failure_problem, place_problem, store_problem};
use view::{OrderView, WebhookView};
use wire::{Hook, NewCancel, NewCartOrder, NewConfirm, NewOrder, optional};

pub use document::document;
pub use figures::figures;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Order what is named.
    Place,
    /// Order what is in the cart.
    PlaceCart,
    /// List one's own orders.
    Mine,
    /// Show one of them.
    Show,
    /// Give one of them up.
    Cancel,
    /// Pay one that waits for it.
    Confirm,
    /// Hear of a payment.
    Webhook,
    /// What those who run the shop do.
    Admin(Desk),
}

/// What administrators see and do.
#[derive(Debug, Clone, Copy)]
pub enum Desk {
    /// List everybody's orders.
    List,
    /// List those that are stuck.
    Stuck,
    /// Show one with its work and its history.
    Show,
    /// Try again what is stuck.
    Retry,
    /// Give an order up.
    Cancel,
}

const fn route(method: Method, pattern: &'static str, endpoint: Endpoint) -> Route<Endpoint> {
    Route {
        method,
        pattern,
        endpoint,
    }
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    route(Method::Post, "/orders", Endpoint::Place),
    route(Method::Post, "/orders/from-cart", Endpoint::PlaceCart),
    route(Method::Get, "/orders/me", Endpoint::Mine),
    route(Method::Get, "/orders/{id}", Endpoint::Show),
    route(Method::Patch, "/orders/{id}/cancel", Endpoint::Cancel),
    route(Method::Post, "/orders/{id}/cancel", Endpoint::Cancel),
    route(Method::Post, "/payments/confirm", Endpoint::Confirm),
    route(Method::Post, "/payments/webhook", Endpoint::Webhook),
    route(Method::Get, "/admin/orders", Endpoint::Admin(Desk::List)),
    route(Method::Get, "/admin/orders/stuck", Endpoint::Admin(Desk::Stuck)),
    route(Method::Get, "/admin/orders/{id}", Endpoint::Admin(Desk::Show)),
    route(
        Method::Post,
        "/admin/orders/{id}/retry",
        Endpoint::Admin(Desk::Retry),
    ),
    route(
        Method::Post,
        "/admin/orders/{id}/cancel",
        Endpoint::Admin(Desk::Cancel),
    ),
];

/// What is known of a request beside its text.
pub struct Call {
    /// The verified identity, or why there is none.
    pub identity: Result<Identity, web::Unverified>,
}

/// Answers one request.
pub fn handle(request: &Request, call: &Call, app: &App<'_>) -> Reply {
    answer(request, call, app).unwrap_or_else(|problem| reply(problem.into()))
}

/// The answer of what a command came to: what its client gets now, and what is kept for its key.
pub fn render(decided: &Decided<'_>) -> Reply {
    reply(match decided {
        Decided::Placed { order, from_cart } => {
            let view = OrderView::of(order);
            let response = if *from_cart {
                Response::json(201, &[view])
            } else {
                Response::json(201, &view)
            };
            response.header("location", format!("/orders/{}", order.id))
        }
        Decided::Confirmed(order) | Decided::Cancelled(order) => Response::json(200, &OrderView::of(order)),
        Decided::Failed(failure) => failure_problem(failure).into(),
    })
}

/// A response as plain text; ours are all JSON.
pub fn reply(response: Response) -> Reply {
    let (status, headers, body) = response.into_parts();
    Reply {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

fn answer(request: &Request, call: &Call, app: &App<'_>) -> Result<Reply, Problem> {
    let (endpoint, params) = find(ROUTES, request)?;
    match endpoint {
        Endpoint::Place => place(request, call.identity?, app),
        Endpoint::PlaceCart => place_cart(request, call, app),
        Endpoint::Mine => mine(request, call.identity?, app).map(reply),
        Endpoint::Show => show(request, &params, call.identity?, app).map(reply),
        Endpoint::Cancel => cancel(request, call, &params, app),
        Endpoint::Confirm => confirm(request, call.identity?, app),
        Endpoint::Webhook => webhook(request, app).map(reply),
        Endpoint::Admin(desk) => {
            admin::admin_only(call.identity?)?;
            match desk {
                Desk::List => admin::list(request, app).map(reply),
                Desk::Stuck => admin::stuck(request, app).map(reply),
                Desk::Show => admin::show(request, &params, app).map(reply),
                Desk::Retry => admin::retry(request, &params, app).map(reply),
                Desk::Cancel => admin::cancel(request, call, &params, app),
            }
        }
    }
}

fn place(request: &Request, identity: Identity, app: &App<'_>) -> Result<Reply, Problem> {
    request.query()?.only(&[])?;
    let (cart, method) = request.json::<NewOrder>()?.parse()?;
    let placement = Placement {
        user: identity.user,
        cart,
        method,
        key: request.idempotency_key()?.map(str::to_owned),
    };
    let answer = app.place(&placement).map_err(|error| place_problem(&error))?;
    ended(answer, Asked::Place)
}

fn place_cart(request: &Request, call: &Call, app: &App<'_>) -> Result<Reply, Problem> {
    let identity = call.identity?;
    request.query()?.only(&[])?;
    let placement = CartPlacement {
        user: identity.user,
        method: optional::<NewCartOrder>(request)?.parse()?,
        key: request.idempotency_key()?.map(str::to_owned),
    };
    let answer = app
        .place_cart(&placement)
        .map_err(|error| place_problem(&error))?;
    ended(answer, Asked::Place)
}

fn confirm(request: &Request, identity: Identity, app: &App<'_>) -> Result<Reply, Problem> {
    request.query()?.only(&[])?;
    let (payment, order, amount) = request.json::<NewConfirm>()?.parse()?;
    let key = request.idempotency_key()?.map(str::to_owned);
    let confirm = Confirm {
        user: identity.user,
        order: order.ok_or_else(|| Problem::not_found("order"))?,
        payment,
        amount,
        key,
    };
    let answer = app.confirm(&confirm).map_err(|error| confirm_problem(&error))?;
    ended(answer, Asked::Confirm)
}

fn cancel(request: &Request, call: &Call, params: &PathParams, app: &App<'_>) -> Result<Reply, Problem> {
    let identity = call.identity?;
    request.query()?.only(&[])?;
    let cancel = Cancel {
        user: identity.user,
        order: order_id(params)?,
        why: Cancellation::Customer(optional::<NewCancel>(request)?.parse()?),
        key: request.idempotency_key()?.map(str::to_owned),
    };
    let answer = app.cancel(&cancel).map_err(|error| cancel_problem(&error))?;
    ended(answer, Asked::Cancel)
}

/// Anybody may send one, so it is believed nothing: at most an order that nobody drives is looked at
/// a moment sooner.
fn webhook(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    if let Some(order) = request.json::<Hook>()?.parse()? {
        app.hint(order).map_err(|error| store_problem(&error))?;
    }
    Ok(Response::json(200, &WebhookView {}))
}

fn mine(request: &Request, identity: Identity, app: &App<'_>) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let orders = app
        .ledger
        .list(identity.user, before(&wanted)?, wanted.fetch())
        .map_err(|error| store_problem(&error))?;
    Ok(list(request, &wanted, orders, OrderView::of))
}

/// A page of what can be read: a defect in one order keeps nobody from seeing the others.
fn list<T, V: serde::Serialize>(
    request: &Request,
    wanted: &PageRequest,
    rows: Vec<Listed<T>>,
    view: impl Fn(&T) -> V,
) -> Response {
    let page = wanted.page(rows, |row| row.id.to_string());
    let seen = |row: Listed<T>| match row.found {
        Ok(found) => Some(view(&found)),
        Err(error) => {
            web::log::error("order.list", &format!("order {} is left out: {error}", row.id));
            None
        }
    };
    let page = Page {
        entries: page.entries.into_iter().filter_map(seen).collect::<Vec<_>>(),
        next: page.next,
    };
    wanted.respond(request, &page)
}

fn show(
    request: &Request,
    params: &PathParams,
    identity: Identity,
    app: &App<'_>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let order = app
        .ledger
        .load(identity.user, order_id(params)?)
        .map_err(|error| store_problem(&error))?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    Ok(Response::json(200, &OrderView::of(&order)))
}

/// A malformed id names no order, so it is a 404 as well.
fn order_id(params: &PathParams) -> Result<OrderId, Problem> {
    params.get("id").parse().map_err(|_| Problem::not_found("order"))
}

fn before(wanted: &PageRequest) -> Result<Option<OrderId>, Problem> {
    let before = wanted.after.as_deref().map(str::parse::<OrderId>).transpose();
    before.map_err(|error| Problem::invalid_field("cursor", error))
}

fn ended(ended: Ended, asked: Asked) -> Result<Reply, Problem> {
    match ended {
        Ended::Decided(reply) => Ok(reply),
        Ended::Running(id) => Err(problem::running_problem(id)),
        Ended::Open(id) => Err(problem::open_problem(asked, id)),
        Ended::Stuck(id) => Err(problem::stuck_problem(asked, id)),
    }
}
