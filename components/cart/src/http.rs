//! `/cart`: JSON to use cases and back, and what the products answer over HTTP.

mod document;
mod product;
mod wire;

pub use document::document;
pub use product::{offers, target};

use ::store::DbError;
use kernel::{Instant, ProductId, Quantity, SkuId, UserId};
use serde_json::value::RawValue;
use web::{Code, IdentityKey, Method, PathParams, Problem, Request, Response, Route};

use crate::app::{self, CartError, Carts, Offers};
use crate::domain::{MAX_LINES, Merged, Refused};
use wire::{LineView, MergedView, NewItem, NewMerge, NewQuantity};

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Show the whole cart.
    Show,
    /// Empty it.
    Clear,
    /// Put pieces in.
    Add,
    /// Put a guest's cart in.
    Merge,
    /// Set how many pieces a line has.
    Change,
    /// Take a line out.
    Remove,
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    Route {
        method: Method::Get,
        pattern: "/cart",
        endpoint: Endpoint::Show,
    },
    Route {
        method: Method::Delete,
        pattern: "/cart",
        endpoint: Endpoint::Clear,
    },
    Route {
        method: Method::Post,
        pattern: "/cart/items",
        endpoint: Endpoint::Add,
    },
    Route {
        method: Method::Post,
        pattern: "/cart/merge",
        endpoint: Endpoint::Merge,
    },
    Route {
        method: Method::Patch,
        pattern: "/cart/items/{productId}",
        endpoint: Endpoint::Change,
    },
    Route {
        method: Method::Delete,
        pattern: "/cart/items/{productId}",
        endpoint: Endpoint::Remove,
    },
];

/// Answers a request. The store is opened only for customers, and requests that make sense.
pub fn handle<C: Carts>(
    request: &Request,
    key: &IdentityKey,
    offers: &impl Offers,
    now: Instant,
    open: impl FnOnce() -> Result<C, DbError>,
) -> Response {
    let answer = || {
        let (endpoint, path) = web::find(ROUTES, request)?;
        let user = key.identify(request, now)?.user;
        let open = || open().map_err(|error| store_problem(&error));
        match endpoint {
            Endpoint::Show => show(request, user, open),
            Endpoint::Clear => clear(request, user, open),
            Endpoint::Add => add(request, user, offers, now, open),
            Endpoint::Merge => merge(request, user, offers, now, open),
            Endpoint::Change => change(request, &path, user, offers, open),
            Endpoint::Remove => remove(request, &path, user, open),
        }
    };
    answer().into()
}

/// The whole cart: it has so few lines that there are no pages.
fn show<C: Carts>(
    request: &Request,
    user: UserId,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let lines = app::lines(&open()?, user).map_err(|error| store_problem(&error))?;
    let lines: Vec<LineView> = lines.iter().map(LineView::of).collect();
    Ok(Response::json(200, &lines))
}

fn clear<C: Carts>(
    request: &Request,
    user: UserId,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    app::clear(&open()?, user).map_err(|error| store_problem(&error))?;
    Ok(Response::no_content())
}

fn add<C: Carts>(
    request: &Request,
    user: UserId,
    offers: &impl Offers,
    now: Instant,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let wanted = request.json::<NewItem>()?.parse()?;
    let key = request.idempotency_key()?;
    let line = app::add(&open()?, offers, user, wanted, key, now).map_err(|error| problem(&error))?;
    Ok(Response::json(201, &LineView::of(&line)))
}

/// The answer is kept as it was sent first, so there must be a key to keep it under.
fn merge<C: Carts>(
    request: &Request,
    user: UserId,
    offers: &impl Offers,
    now: Instant,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let items = request.json::<NewMerge>()?.parse()?;
    let key = request.required_idempotency_key()?;
    let answer = app::merge(&open()?, offers, user, &items, key, &render, now);
    let answer = RawValue::from_string(answer.map_err(|error| problem(&error))?);
    answer
        .map(|answer| Response::json(200, &answer))
        .map_err(|error| Problem::defect("cart.merge", &error))
}

fn render(merged: &Merged) -> String {
    serde_json::to_string(&MergedView::of(merged)).expect("numbers and words are JSON")
}

fn change<C: Carts>(
    request: &Request,
    path: &PathParams,
    user: UserId,
    offers: &impl Offers,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    let sku = named_sku(request)?;
    let quantity: Option<Quantity> = request.json::<NewQuantity>()?.parse()?;
    let product = product_of(path)?;
    match app::change(&open()?, offers, user, product, sku, quantity).map_err(|error| problem(&error))? {
        Some(line) => Ok(Response::json(200, &LineView::of(&line))),
        None => Ok(Response::no_content()),
    }
}

fn remove<C: Carts>(
    request: &Request,
    path: &PathParams,
    user: UserId,
    open: impl FnOnce() -> Result<C, Problem>,
) -> Result<Response, Problem> {
    let sku = named_sku(request)?;
    let product = product_of(path)?;
    app::remove(&open()?, user, product, sku).map_err(|error| store_problem(&error))?;
    Ok(Response::no_content())
}

/// A malformed id names nothing, like a product that is not in the cart.
fn product_of(path: &PathParams) -> Result<ProductId, Problem> {
    let id = path.get("productId").parse();
    id.map_err(|_| Problem::not_found("line in the cart"))
}

fn named_sku(request: &Request) -> Result<Option<SkuId>, Problem> {
    let query = request.query()?;
    query.only(&["skuId"])?;
    let sku = query.whole("skuId")?.map(SkuId::try_from).transpose();
    sku.map_err(|error| Problem::invalid_field("skuId", error))
}

fn problem(error: &CartError) -> Problem {
    match error {
        CartError::Refused(refused) => refused_problem(*refused),
        CartError::KeyReused => Problem::new(
            Code::Unprocessable,
            "this Idempotency-Key was used with another body before",
        ),
        CartError::Offers(error) => Problem::unavailable_because("cart.offers", error),
        CartError::Store(error) => store_problem(error),
    }
}

/// What each refusal is for the client.
fn refused_problem(refused: Refused) -> Problem {
    match refused {
        Refused::UnknownProduct => Problem::not_found("product"),
        Refused::UnknownSku => Problem::not_found("SKU of this product"),
        Refused::SkuRequired => Problem::new(
            Code::Unprocessable,
            "skuId is needed: the product comes in several kinds",
        ),
        Refused::NotInCart => Problem::not_found("line in the cart"),
        Refused::TooMany => Problem::new(
            Code::Unprocessable,
            format!(
                "quantity must be at most {} with what is in the cart",
                Quantity::MAX
            ),
        ),
        Refused::Full => Problem::new(
            Code::Unprocessable,
            format!("a cart has at most {MAX_LINES} lines"),
        ),
        Refused::OutOfStock { free: 0 } => Problem::new(Code::OutOfStock, "sold out"),
        Refused::OutOfStock { free } => Problem::new(Code::OutOfStock, format!("only {free} left")),
    }
}

fn store_problem(error: &DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("cart.store", error)
    } else {
        Problem::defect("cart.store", error)
    }
}
