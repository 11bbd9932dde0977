//! The one route: `POST /internal/jobs/run`, for whoever has the key of the jobs.
//!
//! It is for places without a clock that wakes components. The gateway hands the client's own
//! `Authorization` over in a header that nobody else can set.

mod document;

use serde::Serialize;
use utoipa::ToSchema;
use web::{InternalKey, Method, Problem, Request, Response, Route, find};

use crate::app::{Account, Chore, Producer, Report, Tally};

pub use document::document;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    /// Run the jobs once.
    Run,
}

/// Every route.
pub const ROUTES: &[Route<Endpoint>] = &[Route {
    method: Method::Post,
    pattern: "/internal/jobs/run",
    endpoint: Endpoint::Run,
}];

/// Answers a request; `run` is called for those who have the key. A body is not looked at.
pub fn handle(request: &Request, key: &InternalKey, run: impl FnOnce() -> Report) -> Response {
    answer(request, key, run).into()
}

fn answer(request: &Request, key: &InternalKey, run: impl FnOnce() -> Report) -> Result<Response, Problem> {
    let (endpoint, _) = find(ROUTES, request)?;
    key.admit(request)?;
    request.query()?.only(&[])?;
    match endpoint {
        Endpoint::Run => Ok(Response::json(200, &RunView::of(&run()))),
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobCounts)]
struct CountsView {
    /// Brought to an end.
    done: u32,
    /// Left for a later run.
    left: u32,
    /// Waiting for a person from now on.
    stuck: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobRun)]
struct RunView {
    /// A sentence for each thing that did not work.
    failed: Vec<String>,
    order: OrderView,
    payment: PaymentView,
    /// Events that went onto the bus, of all domains.
    published: u32,
}

/// What was done for orders. A job that failed is not there; `failed` says why.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderJobs)]
struct OrderView {
    #[schema(value_type = CountsView, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expire: Option<CountsView>,
    published: u32,
    #[schema(value_type = CountsView, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    recover: Option<CountsView>,
}

/// What was done for payments. A job that failed is not there; `failed` says why.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentJobs)]
struct PaymentView {
    published: u32,
    #[schema(value_type = CountsView, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    recover: Option<CountsView>,
}

impl RunView {
    fn of(report: &Report) -> Self {
        Self {
            failed: failed(report),
            order: OrderView {
                expire: counts(report, Producer::Order, Chore::ExpireOrders),
                published: published(report, Producer::Order),
                recover: counts(report, Producer::Order, Chore::RecoverOrders),
            },
            payment: PaymentView {
                published: published(report, Producer::Payment),
                recover: counts(report, Producer::Payment, Chore::RecoverPayments),
            },
            published: report.published(),
        }
    }
}

fn accounts(report: &Report, producer: Producer) -> impl Iterator<Item = &Account> {
    let accounts = report.accounts.iter();
    accounts.filter(move |account| account.producer == producer)
}

fn published(report: &Report, producer: Producer) -> u32 {
    accounts(report, producer).map(|account| account.published).sum()
}

fn counts(report: &Report, producer: Producer, chore: Chore) -> Option<CountsView> {
    let mut chores = accounts(report, producer).flat_map(|account| &account.chores);
    let (_, tally) = chores.find(|(known, _)| *known == chore)?;
    let Tally { done, left, stuck } = *tally;
    Some(CountsView { done, left, stuck })
}

fn failed(report: &Report) -> Vec<String> {
    let lines = report.accounts.iter().flat_map(|account| {
        let name = account.producer.name();
        account
            .troubles
            .iter()
            .map(move |trouble| format!("{name}: {trouble}"))
    });
    lines.collect()
}
