//! The one route: `POST /internal/jobs/run`, for whoever has the key of the jobs.
//!
//! It is for places without a clock that wakes components. The gateway hands the client's own
//! `Authorization` over in a header that nobody else can set.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use web::{CREDENTIAL_HEADER, Code, Method, Problem, Request, Response, Route, find};

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

/// The key of the jobs. Without one, nobody gets in.
pub struct JobsKey(Option<String>);

impl JobsKey {
    /// The key as it was configured; blank means that there is none.
    pub fn new(text: &str) -> Self {
        let key = text.trim();
        Self((!key.is_empty()).then(|| key.to_owned()))
    }

    fn admit(&self, request: &Request) -> Result<(), Problem> {
        let Some(key) = &self.0 else {
            return Err(Problem::new(Code::Forbidden, "this route is closed"));
        };
        let given = request.header(CREDENTIAL_HEADER).and_then(bearer);
        match given {
            Some(given) if same(key, given) => Ok(()),
            _ => Err(Problem::new(Code::Unauthorized, "send the key of the jobs")
                .header("www-authenticate", "Bearer")),
        }
    }
}

/// Answers a request; `run` is called for those who have the key. A body is not looked at.
pub fn handle(request: &Request, key: &JobsKey, run: impl FnOnce() -> Report) -> Response {
    answer(request, key, run).into()
}

fn answer(request: &Request, key: &JobsKey, run: impl FnOnce() -> Report) -> Result<Response, Problem> {
    let (endpoint, _) = find(ROUTES, request)?;
    key.admit(request)?;
    request.query()?.only(&[])?;
    match endpoint {
        Endpoint::Run => Ok(Response::json(200, &body(&run()))),
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Whether two texts are the same, in a time that does not depend on where they differ: not they are
/// compared, but their digests, and those in constant time.
fn same(wanted: &str, given: &str) -> bool {
    let digest = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"bodega jobs").expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    };
    digest(wanted)
        .verify_slice(&digest(given).finalize().into_bytes())
        .is_ok()
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
