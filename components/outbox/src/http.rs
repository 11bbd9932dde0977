//! The one route: `POST /internal/jobs/run`, for whoever has the key of the jobs.
//!
//! It is for places without a clock that wakes components. The gateway hands the client's own
//! `Authorization` over in a header that nobody else can set.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use web::{InternalKey, Method, Problem, Request, Response, Route, find};

use crate::app::{Account, Report, Tally};

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Run,
}

const ROUTES: &[Route<Endpoint>] = &[Route {
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
        Endpoint::Run => Ok(Response::json(200, &body(&run()))),
    }
}

#[derive(Serialize)]
struct Counts {
    done: u32,
    left: u32,
    stuck: u32,
}

/// By name, in the same order every time.
type Object = BTreeMap<&'static str, Value>;

/// `{"failed":[…],"order":{"expire":{…},"published":3,"recover":{…}},"payment":{…},"published":3}`.
fn body(report: &Report) -> Object {
    let parts = report.accounts.iter();
    let mut body: Object = parts
        .map(|account| (account.producer.name(), part(account)))
        .collect();
    body.insert("published", report.published().into());
    body.insert("failed", failed(report));
    body
}

/// A job that failed is not there; `failed` says why.
fn part(account: &Account) -> Value {
    let chores = account.chores.iter();
    let mut part: Object = chores
        .map(|(chore, tally)| (chore.name(), json!(counts(*tally))))
        .collect();
    part.insert("published", account.published.into());
    json!(part)
}

const fn counts(tally: Tally) -> Counts {
    let Tally { done, left, stuck } = tally;
    Counts { done, left, stuck }
}

fn failed(report: &Report) -> Value {
    let lines = report.accounts.iter().flat_map(|account| {
        let name = account.producer.name();
        account
            .troubles
            .iter()
            .map(move |trouble| format!("{name}: {trouble}"))
    });
    lines.collect()
}
