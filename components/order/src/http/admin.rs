//! What administrators see and do.

use kernel::OrderId;
use web::{Code, Identity, PageRequest, PathParams, Problem, Request, Response, Role};

use super::problem::{Asked, cancel_problem, retry_problem, store_problem};
use super::view::{DetailView, EntryView, OrderView};
use super::wire::{NewCancel, NewRetry, optional};
use super::{Call, before, ended, order_id};
use crate::app::{App, Cancel, Reply};
use crate::domain::{Cancellation, State};

/// Everything about everybody's orders is for those who run the shop.
pub(super) fn admin_only(identity: Identity) -> Result<(), Problem> {
    match identity.role {
        Role::Admin => Ok(()),
        Role::User => Err(Problem::new(
            Code::Forbidden,
            "only administrators see everybody's orders",
        )),
    }
}

pub(super) fn list(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&["status", "limit", "cursor"])?;
    let wanted = PageRequest::parse(&query)?;
    let state = query.get("status");
    if state.is_some_and(|word| !State::WORDS.contains(&word)) {
        let known = State::WORDS.join(", ");
        return Err(Problem::invalid_field(
            "status",
            format!("must be one of {known}"),
        ));
    }
    let orders = app
        .ledger
        .all(state, before(&wanted)?, wanted.fetch())
        .map_err(|error| store_problem(&error))?;
    Ok(super::list(request, &wanted, orders, OrderView::of))
}

pub(super) fn stuck(request: &Request, app: &App<'_>) -> Result<Response, Problem> {
    let query = request.query()?;
    query.only(&PageRequest::PARAMETERS)?;
    let wanted = PageRequest::parse(&query)?;
    let entries = app
        .ledger
        .stuck(before(&wanted)?, wanted.fetch())
        .map_err(|error| store_problem(&error))?;
    Ok(super::list(request, &wanted, entries, EntryView::of))
}

pub(super) fn show(request: &Request, params: &PathParams, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let detail = app
        .detail(order_id(params)?)
        .map_err(|error| store_problem(&error))?;
    let detail = detail.ok_or_else(|| Problem::not_found("order"))?;
    Ok(Response::json(200, &DetailView::of(&detail)))
}

pub(super) fn retry(request: &Request, params: &PathParams, app: &App<'_>) -> Result<Response, Problem> {
    request.query()?.only(&[])?;
    let order = order_id(params)?;
    let attempt = optional::<NewRetry>(request)?.parse()?;
    let detail = app.retry(order, attempt).map_err(|error| retry_problem(&error))?;
    Ok(Response::json(200, &DetailView::of(&detail)))
}

pub(super) fn cancel(
    request: &Request,
    call: &Call,
    params: &PathParams,
    app: &App<'_>,
) -> Result<Reply, Problem> {
    let identity = call.identity?;
    request.query()?.only(&[])?;
    let order: OrderId = order_id(params)?;
    let cancel = Cancel {
        user: identity.user,
        order,
        why: Cancellation::Admin(optional::<NewCancel>(request)?.parse()?),
        key: request.idempotency_key()?.map(str::to_owned),
    };
    let answer = app.cancel(&cancel).map_err(|error| cancel_problem(&error))?;
    ended(answer, Asked::Cancel)
}
