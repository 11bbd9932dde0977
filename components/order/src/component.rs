//! Wasm only: the jobs that others may run, and the HTTP door.

mod others;

#[expect(unsafe_code, reason = "the generated glue of the component's exports")]
mod api {
    wit_bindgen::generate!({
        path: [
            "../../wit/types",
            "../../wit/events",
            "../../wit/stock",
            "../../wit/payment-gateway",
            "../../wit/payment",
            "../../wit/product",
            "../../wit/cart",
            "../../wit/order",
        ],
        world: "shop:order/provider",
        generate_all,
    });
    pub(crate) struct Component;
    export!(Component);
}

use api::exports::shop::order::jobs;
use api::shop::events::events::{Delivery, Event};
use api::shop::events::work::{JobError, Tally};
use api::shop::types::context::CallContext;
use api::shop::types::time;
use kernel::Instant;
use store::{Db, DbError};
use web::{Method, Problem, Request, Response, guest};

use crate::app::{self, App, Figures, Reply};
use crate::domain::Hold;
use crate::http::{Call, handle, render, reply};
use crate::store::MIGRATIONS;
use others::Others;

/// The database's label in the manifest.
const DATABASE: &str = "order";

/// What the API's document says about orders.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The variable that says how long a two-step checkout waits for its payment.
const HOLD: &str = "checkout_hold_seconds";

#[expect(unsafe_code, reason = "the generated glue of the component's HTTP door")]
mod door {
    #[spin_sdk::http_component]
    fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
        super::serve(wire)
    }
}

fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(request.method(), document);
    }
    if request.path() == web::figures::PATH {
        return guest::respond(request.method(), figures(&request).into());
    }
    let answer = answer(&request).unwrap_or_else(|problem| reply(problem.into()));
    respond(request.method(), answer)
}

fn figures(request: &Request) -> Result<Response, Problem> {
    let now = guest::now();
    web::figures::answer(request, &guest::identity_key()?, now, || {
        let counted = open(None).and_then(|db| db.count());
        let counted = counted.map_err(|error| Problem::unavailable_because("order.figures", &error))?;
        Ok(crate::http::figures(&counted, now))
    })
}

/// An answer goes out as it was kept. HEAD gets no body.
fn respond(method: Method, answer: Reply) -> spin_sdk::http::Response {
    let mut builder = spin_sdk::http::Response::builder();
    builder.status(answer.status);
    for (name, value) in answer.headers {
        builder.header(name, value);
    }
    let body = if method == Method::Head {
        String::new()
    } else {
        answer.body
    };
    builder.body(body).build()
}

fn answer(request: &Request) -> Result<Reply, Problem> {
    // Every answer is a 500 while a setting makes no sense: readiness, which asks for a list, must see it.
    hold().map_err(|why| Problem::defect("order.settings", &why))?;
    let now = guest::now();
    let identity = guest::identity_key()?.identify(request, now);
    let traceparent = request.header("traceparent");
    let db = open(traceparent).map_err(|error| {
        if error.retryable() {
            Problem::unavailable_because("order.store", &error)
        } else {
            Problem::defect("order.store", &error)
        }
    })?;
    let context = CallContext {
        request_id: request
            .header(web::REQUEST_ID_HEADER)
            .unwrap_or_default()
            .to_owned(),
        traceparent: traceparent.map(str::to_owned),
    };
    with_app(&db, context, now, |app| handle(request, &Call { identity }, app))
}

/// Its database, for a call that is part of this trace.
fn open(traceparent: Option<&str>) -> Result<Db, DbError> {
    let traceparent = traceparent.and_then(relay::trace::traceparent);
    Ok(store::open(DATABASE, MIGRATIONS)?.traced(traceparent.map(str::to_owned)))
}

/// Runs use cases over this database and the composed components, at this moment.
fn with_app<T>(
    db: &Db,
    context: CallContext,
    now: Instant,
    work: impl FnOnce(&App<'_>) -> T,
) -> Result<T, Problem> {
    let seed = guest::random()?;
    let random = || guest::random().unwrap_or(seed);
    let others = Others { context };
    Ok(work(&App {
        ledger: db,
        catalog: &others,
        goods: &others,
        payments: &others,
        carts: &others,
        render: &render,
        hold: &hold,
        now,
        clock: &guest::now,
        random: &random,
    }))
}

fn hold() -> Result<Hold, String> {
    let text = spin_sdk::variables::get(HOLD).map_err(|error| format!("{HOLD}: {error:?}"))?;
    Hold::parse(&text).map_err(|error| format!("{HOLD}: {error}"))
}

impl jobs::Guest for api::Component {
    fn recover(ctx: CallContext, limit: u32) -> Result<Tally, JobError> {
        job("order.recover", ctx, |app| app.recover(limit))
    }

    fn expire(ctx: CallContext, limit: u32) -> Result<Tally, JobError> {
        job("order.expire", ctx, |app| app.expire(limit))
    }

    fn drain(_ctx: CallContext, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, JobError> {
        let due = open(None).and_then(|db| relay::outbox::drain(&db, guest::now(), acknowledged, limit));
        let due = due.map_err(|error| unavailable("order.drain", &error))?;
        Ok(due.into_iter().map(delivery_to_wire).collect())
    }
}

fn job(
    name: &str,
    context: CallContext,
    work: impl FnOnce(&App<'_>) -> Result<app::Tally, DbError>,
) -> Result<Tally, JobError> {
    let db = open(context.traceparent.as_deref()).map_err(|error| unavailable(name, &error))?;
    let tally = with_app(&db, context, guest::now(), work);
    let tally = tally.map_err(|problem| JobError::Unavailable(problem.detail().to_owned()))?;
    let tally = tally.map_err(|error| unavailable(name, &error))?;
    Ok(Tally {
        done: tally.done,
        left: tally.left,
        stuck: tally.stuck,
    })
}

/// Logs the whole story and says what the caller may know.
fn unavailable(job: &str, error: &DbError) -> JobError {
    if error.retryable() {
        web::log::warn(job, &error.to_string());
    } else {
        web::log::error(job, &error.to_string());
    }
    JobError::Unavailable("the order store does not answer".to_owned())
}

fn delivery_to_wire(delivery: relay::Delivery) -> Delivery {
    let relay::Delivery { event, published } = delivery;
    Delivery {
        event: Event {
            id: event.id,
            topic: event.topic,
            key: event.key,
            position: event.position,
            occurred_at: time::Instant {
                micros: event.occurred_at.micros(),
            },
            data: event.data,
            traceparent: event.traceparent,
        },
        published,
    }
}
