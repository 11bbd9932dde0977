//! The settlements' pages, open or for admins as the variables say, and the admins' own.

mod admin;
mod document;
mod figures;
mod views;

use ::store::DbError;
use kernel::Instant;
use web::{Code, IdentityKey, Method, PageRequest, Problem, Query, Request, Response, Role, Route};

use crate::app::{Book, Inbox, Ledger, Period, Settings, Settlements};
use crate::domain::{Day, Dimension, Month, Zone};
use views::{DayView, MonthView, ShareView};

pub use document::document;
pub use figures::figures;

/// How many days a list has when nobody says.
const DAYS: u32 = 30;

/// How many months a list has when nobody says.
const MONTHS: u32 = 12;

/// How many names a list has when nobody says.
const NAMES: u32 = 100;

/// All that the pages need of the books.
pub trait Books: Settlements + Ledger + Inbox {}

impl<B: Settlements + Ledger + Inbox> Books for B {}

/// What a component is given to answer one request.
pub struct Context<'a, O, B> {
    /// The key that identities are signed with.
    pub key: &'a IdentityKey,
    /// What the variables say.
    pub settings: &'a Settings,
    /// The clock.
    pub now: Instant,
    /// Opens the books; called once it is known that they are needed.
    pub open: O,
    /// The payments' own book.
    pub book: &'a B,
}

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Sums by day.
    Daily,
    /// Sums by month.
    Monthly,
    /// Sums by seller or category.
    Shares(Dimension),
    /// Compare ledger and book.
    Reconcile,
    /// Put an order right.
    Reprocess,
    /// List what was put aside.
    DeadLetters,
    /// Take in what was put aside.
    Replay,
    /// Put up with what was put aside.
    Dismiss,
}

use Endpoint::{Daily, DeadLetters, Dismiss, Monthly, Reconcile, Replay, Reprocess, Shares};

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[
    route(Method::Get, "/settlements/daily", Daily),
    route(Method::Get, "/settlements/monthly", Monthly),
    route(Method::Get, "/settlements/sellers", Shares(Dimension::Seller)),
    route(
        Method::Get,
        "/settlements/categories",
        Shares(Dimension::Category),
    ),
    route(Method::Get, "/admin/settlements/reconciliation", Reconcile),
    route(
        Method::Post,
        "/admin/settlements/reconciliation/reprocess",
        Reprocess,
    ),
    route(Method::Get, "/admin/settlements/dead-letters", DeadLetters),
    route(
        Method::Post,
        "/admin/settlements/dead-letters/{id}/replay",
        Replay,
    ),
    route(
        Method::Post,
        "/admin/settlements/dead-letters/{id}/dismiss",
        Dismiss,
    ),
];

const fn route(method: Method, pattern: &'static str, endpoint: Endpoint) -> Route<Endpoint> {
    Route {
        method,
        pattern,
        endpoint,
    }
}

/// Answers a request.
pub fn handle<S: Books, B: Book>(
    request: &Request,
    context: Context<'_, impl FnOnce(Zone) -> Result<S, DbError>, B>,
) -> Response {
    answer(request, context).into()
}

fn answer<S: Books, B: Book>(
    request: &Request,
    context: Context<'_, impl FnOnce(Zone) -> Result<S, DbError>, B>,
) -> Result<Response, Problem> {
    let (endpoint, path) = web::find(ROUTES, request)?;
    let Context {
        key,
        settings,
        now,
        open,
        book,
    } = context;
    if settings.auth_required || !matches!(endpoint, Daily | Monthly | Shares(_)) {
        admin_only(request, key, now)?;
    }
    let open = || open(settings.zone.clone()).map_err(store_problem);
    match endpoint {
        Daily => daily(request, open),
        Monthly => monthly(request, open),
        Shares(dimension) => shares(request, dimension, open),
        Reconcile => admin::reconcile(request, &settings.zone, book, now, open),
        Reprocess => admin::reprocess(request, &settings.zone, book, now, open),
        DeadLetters => admin::dead_letters(request, open),
        Replay => admin::replay(request, &path, now, open),
        Dismiss => {
            let by = key.identify(request, now)?.user;
            admin::dismiss(request, &path, (by, now), open)
        }
    }
}

fn admin_only(request: &Request, key: &IdentityKey, now: Instant) -> Result<(), Problem> {
    match key.identify(request, now)?.role {
        Role::Admin => Ok(()),
        Role::User => Err(Problem::new(Code::Forbidden, "only administrators see this")),
    }
}

fn store_problem(error: DbError) -> Problem {
    if error.retryable() {
        Problem::unavailable_because("settlement.http", &error)
    } else {
        Problem::defect("settlement.http", &error)
    }
}

fn daily<S: Books>(
    request: &Request,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    if query.get("date").is_some() {
        let day = date(&query)?;
        alone(&query, "date")?;
        let sum = open()?.day(day).map_err(store_problem)?;
        let sum = sum.ok_or_else(|| Problem::not_found("settlement"))?;
        return Ok(Response::json(200, &DayView::of(day, &sum)?));
    }
    let (wanted, after) = list(&query, &["date"], DAYS)?;
    let before = after
        .as_deref()
        .map(|key| Day::parse(key).ok_or_else(bad_cursor))
        .transpose()?;
    let days = open()?.days(before, wanted.fetch()).map_err(store_problem)?;
    let views: Result<Vec<_>, _> = days.iter().map(|(day, sum)| DayView::of(*day, sum)).collect();
    let page = wanted.page(views?, |view| view.settlement_date.clone());
    Ok(wanted.respond(request, &page))
}

fn monthly<S: Books>(
    request: &Request,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    if query.get("yearMonth").is_some() {
        let month = year_month(&query)?;
        alone(&query, "yearMonth")?;
        let sum = open()?.month(month).map_err(store_problem)?;
        let sum = sum.ok_or_else(|| Problem::not_found("settlement"))?;
        return Ok(Response::json(200, &MonthView::of(month, &sum)?));
    }
    let (wanted, after) = list(&query, &["yearMonth"], MONTHS)?;
    let before = after
        .as_deref()
        .map(|key| Month::parse(key).ok_or_else(bad_cursor))
        .transpose()?;
    let months = open()?.months(before, wanted.fetch()).map_err(store_problem)?;
    let views: Result<Vec<_>, _> = months
        .iter()
        .map(|(month, sum)| MonthView::of(*month, sum))
        .collect();
    let page = wanted.page(views?, |view| view.year_month.clone());
    Ok(wanted.respond(request, &page))
}

fn shares<S: Books>(
    request: &Request,
    dimension: Dimension,
    open: impl FnOnce() -> Result<S, Problem>,
) -> Result<Response, Problem> {
    let query = request.query()?;
    let (wanted, after) = list(&query, &["date", "yearMonth"], NAMES)?;
    let period = match (query.get("date"), query.get("yearMonth")) {
        (Some(_), None) => Period::Day(date(&query)?),
        (None, Some(_)) => Period::Month(year_month(&query)?),
        _ => {
            let why = "date or yearMonth must be given, not both";
            return Err(Problem::new(Code::Unprocessable, why));
        }
    };
    let shares = open()?.shares(dimension, period, after.as_deref(), wanted.fetch());
    let shares = shares.map_err(store_problem)?;
    let views: Result<Vec<_>, _> = shares
        .into_iter()
        .map(|(name, sum)| ShareView::of(dimension, name, &sum))
        .collect();
    let page = wanted.page(views?, ShareView::name);
    Ok(wanted.respond(request, &page))
}

/// Which part of a list is wanted, with our own length, and behind what.
fn list(query: &Query, filters: &[&str], length: u32) -> Result<(PageRequest, Option<String>), Problem> {
    let known: Vec<&str> = filters.iter().chain(&PageRequest::PARAMETERS).copied().collect();
    query.only(&known)?;
    let mut wanted = PageRequest::parse(query)?;
    if query.get("limit").is_none() {
        wanted.limit = length;
    }
    let after = wanted.after.clone();
    Ok((wanted, after))
}

/// One day or month is no list: what says which part of a list is wanted contradicts it.
fn alone(query: &Query, name: &str) -> Result<(), Problem> {
    query.only(&[&[name], &PageRequest::PARAMETERS[..]].concat())?;
    match PageRequest::PARAMETERS
        .iter()
        .find(|part| query.get(part).is_some())
    {
        None => Ok(()),
        Some(part) => Err(Problem::new(
            Code::Unprocessable,
            format!("{part} is for lists, but {name} asks for one"),
        )),
    }
}

fn bad_cursor() -> Problem {
    Problem::invalid_field("cursor", "is not one of ours; follow the Link header")
}

fn date(query: &Query) -> Result<Day, Problem> {
    let day = query.get("date").and_then(Day::parse);
    day.ok_or_else(|| Problem::invalid_field("date", "must be a date of the form yyyy-MM-dd"))
}

fn year_month(query: &Query) -> Result<Month, Problem> {
    let month = query.get("yearMonth").and_then(Month::parse);
    month.ok_or_else(|| Problem::invalid_field("yearMonth", "must be a month of the form yyyy-MM"))
}
