//! Wasm only: the clock that wakes it, the HTTP door, the domains it was composed with, and the bus.

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
            "../../wit/deps/fermyon-spin-cron",
            "../../wit/outbox",
        ],
        world: "shop:outbox/runner",
        generate_all,
    });
    pub(crate) struct Component;
    export!(Component);
}

use std::cell::OnceCell;

use api::shop::events::events;
use api::shop::events::work::{self, JobError};
use api::shop::order::jobs as order;
use api::shop::payment::jobs as payment;
use api::shop::types::context::CallContext;
use kernel::Instant;
use relay::{Delivery, Event};
use spin_sdk::key_value::Store;
use spin_sdk::redis::Connection;
use web::{InternalKey, REQUEST_ID_HEADER, Request, Response, guest};

use crate::app::{self, Acknowledgements, Bus, Chore, Jobs, Level, Producer, Report, Tally};

/// What the API's document says about the one route.
const DOCUMENT: &str = include_str!("../openapi.json");

/// What the log calls a run.
const OPERATION: &str = "outbox.run";

impl api::Guest for api::Component {
    /// A run that fails is told in the log and tried again in a second; nobody here could do more.
    fn handle_cron_event(metadata: api::Metadata) -> Result<(), api::Error> {
        run(CallContext {
            request_id: format!("cron-{}", metadata.timestamp),
            traceparent: None,
        });
        Ok(())
    }
}

#[expect(unsafe_code, reason = "the generated glue of the component's HTTP door")]
mod door {
    #[spin_sdk::http_component]
    fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
        super::serve(wire)
    }
}

fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    let method = request.method();
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(method, document);
    }
    let response = guest::variable("jobs_key").map(|key| {
        let key = InternalKey::new(&key);
        crate::http::handle(&request, &key, || run(context(&request)))
    });
    guest::respond(method, response.unwrap_or_else(Response::from))
}

fn context(request: &Request) -> CallContext {
    let header = |name| request.header(name).map(str::to_owned);
    CallContext {
        request_id: header(REQUEST_ID_HEADER).unwrap_or_default(),
        traceparent: header("traceparent"),
    }
}

fn run(ctx: CallContext) -> Report {
    let report = app::run(
        &Composed { ctx },
        &Redis::default(),
        &KeyValue::default(),
        &guest::now,
    );
    match report.level() {
        Level::Nothing => {}
        Level::Info => web::log::info(OPERATION, &report.line()),
        Level::Warn => web::log::warn(OPERATION, &report.line()),
        Level::Error => web::log::error(OPERATION, &report.line()),
    }
    report
}

/// The domains this component was composed with.
struct Composed {
    ctx: CallContext,
}

impl Jobs for Composed {
    fn run(&self, chore: Chore, limit: u32) -> Result<Tally, String> {
        let answer = match chore {
            Chore::RecoverOrders => order::recover(&self.ctx, limit),
            Chore::ExpireOrders => order::expire(&self.ctx, limit),
            Chore::RecoverPayments => payment::recover(&self.ctx, limit),
        };
        answer.map(tally).map_err(reason)
    }

    fn drain(&self, producer: Producer, acknowledged: u64, limit: u32) -> Result<Vec<Delivery>, String> {
        let answer = match producer {
            Producer::Order => order::drain(&self.ctx, acknowledged, limit),
            Producer::Payment => payment::drain(&self.ctx, acknowledged, limit),
        };
        let due = answer.map_err(reason)?;
        Ok(due.into_iter().map(delivery).collect())
    }
}

fn reason(error: JobError) -> String {
    match error {
        JobError::Unavailable(why) => why,
    }
}

const fn tally(wire: work::Tally) -> Tally {
    Tally {
        done: wire.done,
        left: wire.left,
        stuck: wire.stuck,
    }
}

fn delivery(wire: events::Delivery) -> Delivery {
    Delivery {
        event: Event {
            id: wire.event.id,
            topic: wire.event.topic,
            key: wire.event.key,
            position: wire.event.position,
            occurred_at: Instant::from_micros(wire.event.occurred_at.micros),
            data: wire.event.data,
            traceparent: wire.event.traceparent,
        },
        published: wire.published,
    }
}

/// The bus at the address in `events_address`, connected to when there is something to publish.
#[derive(Default)]
struct Redis {
    connection: OnceCell<Result<Connection, String>>,
}

impl Bus for Redis {
    fn publish(&self, channel: &str, text: &str) -> Result<(), String> {
        let connection = self
            .connection
            .get_or_init(connect)
            .as_ref()
            .map_err(Clone::clone)?;
        connection
            .publish(channel, text.as_bytes())
            .map_err(|error| format!("the bus does not take it: {error}"))
    }
}

fn connect() -> Result<Connection, String> {
    let address = spin_sdk::variables::get("events_address")
        .map_err(|error| format!("variable events_address: {error:?}"))?;
    Connection::open(&address).map_err(|error| format!("no connection to the bus: {error}"))
}

/// The key-value store `default`.
#[derive(Default)]
struct KeyValue {
    store: OnceCell<Result<Store, String>>,
}

impl Acknowledgements for KeyValue {
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let open = || Store::open_default().map_err(|error| format!("no key-value store: {error}"));
        let store = self.store.get_or_init(open).as_ref().map_err(Clone::clone)?;
        store.get(key).map_err(|error| error.to_string())
    }
}
