//! Wasm only: the bus, the HTTP door, the payments' book, and the store of acknowledgements.

mod api {
    wit_bindgen::generate!({
        path: [
            "../../wit/types",
            "../../wit/events",
            "../../wit/payment-gateway",
            "../../wit/payment",
            "../../wit/settlement",
        ],
        world: "shop:settlement/consumer",
        generate_all,
    });
}

use api::shop::payment::book as wire;
use api::shop::types::{context::CallContext, ids, money};
use kernel::{Currency, Instant, Money, OrderId};
use relay::acknowledgement;
use spin_sdk::key_value;
use store::{Db, DbError};
use web::{Problem, Request, Response, guest};

use crate::app::{self, Book, Settings};
use crate::domain::{BookEntry, BookRefund, Zone};
use crate::http::{self, Context};
use crate::store::{MIGRATIONS, Store};

/// The database's label in the manifest.
const DATABASE: &str = "settlement";

/// What the API's document says about these pages.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The variable that says where days begin and end.
const TIMEZONE: &str = "settlement_timezone";

/// The variable that says whether settlements are for admins only.
const AUTH_REQUIRED: &str = "settlements_auth_required";

/// The name under which acknowledgements are written.
const CONSUMER: &str = "settlement";

#[expect(unsafe_code, reason = "the generated glue of the component's HTTP door")]
mod door {
    #[spin_sdk::http_component]
    fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
        super::serve(wire)
    }
}

#[expect(unsafe_code, reason = "the generated glue of the component's ear on the bus")]
mod ear {
    #[spin_sdk::redis_component]
    fn on_message(payload: Vec<u8>) -> Result<(), &'static str> {
        super::on_message(&payload)
    }
}

fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(request.method(), document);
    }
    let answer = match request.path() {
        web::figures::PATH => figures(&request),
        _ => answer(&request),
    };
    guest::respond(request.method(), answer.into())
}

fn figures(request: &Request) -> Result<Response, Problem> {
    web::figures::answer(request, &guest::identity_key()?, guest::now(), || {
        let waiting = open().and_then(|db| relay::inbox::waiting_dead_letters(&db));
        let waiting = waiting.map_err(|error| Problem::unavailable_because("settlement.figures", &error))?;
        Ok(http::figures(waiting))
    })
}

fn answer(request: &Request) -> Result<Response, Problem> {
    let (zone, auth_required) = (guest::variable(TIMEZONE)?, guest::variable(AUTH_REQUIRED)?);
    let settings = Settings::parse(&zone, &auth_required)
        .map_err(|error| Problem::defect("settlement.settings", &error))?;
    let key = guest::identity_key()?;
    let context = Context {
        key: &key,
        settings: &settings,
        now: guest::now(),
        open: |zone| Store::for_readers(open()?, zone),
        book: &Composed::asked_by(request),
    };
    Ok(http::handle(request, context))
}

fn open() -> Result<Db, DbError> {
    store::open(DATABASE, MIGRATIONS)
}

/// An error means: not acknowledged, so it comes again. It says nothing, since the log has the story.
fn on_message(payload: &[u8]) -> Result<(), &'static str> {
    const OPERATION: &str = "settlement.consume";
    let failed = |story: String| {
        web::log::error(OPERATION, &story);
        "the message was not taken in"
    };
    let zone = guest::variable(TIMEZONE).map_err(|problem| problem.detail().to_owned());
    let zone = zone.and_then(|name| Zone::parse(&name).map_err(|error| format!("{TIMEZONE}: {error}")));
    let zone = zone.map_err(failed)?;
    let books = open()
        .map(|db| Store::new(db, zone))
        .map_err(|error| failed(error.to_string()))?;
    let buried = app::consume(&books, payload, guest::now(), acknowledge);
    for one in buried.map_err(|error| failed(error.to_string()))? {
        web::log::error(OPERATION, &format!("put aside {}: {}", one.what, one.why));
    }
    Ok(())
}

/// Losing it only means that events come again, and then it is written anew.
fn acknowledge(producer: &str, position: u64) {
    let key = acknowledgement::key(producer, CONSUMER);
    let written =
        key_value::Store::open_default().and_then(|store| store.set(&key, position.to_string().as_bytes()));
    if let Err(error) = written {
        web::log::warn("settlement.acknowledge", &format!("{key} at {position}: {error}"));
    }
}

/// The payments' book that this component was composed with, asked in the context of one call.
struct Composed {
    ctx: CallContext,
}

impl Composed {
    fn asked_by(request: &Request) -> Self {
        let header = |name| request.header(name).map(str::to_owned);
        Self {
            ctx: CallContext {
                request_id: header(web::REQUEST_ID_HEADER).unwrap_or_default(),
                traceparent: header("traceparent"),
            },
        }
    }
}

impl Book for Composed {
    fn entries(&self, after: Option<OrderId>, limit: u32) -> Result<Vec<BookEntry>, String> {
        let after = after.map(|order| ids::OrderId { value: order.get() });
        match wire::entries(&self.ctx, after, limit) {
            Ok(entries) => entries.iter().map(entry_from_wire).collect(),
            Err(wire::BookError::Unavailable(why)) => Err(why),
        }
    }
}

fn entry_from_wire(entry: &wire::Entry) -> Result<BookEntry, String> {
    let refund = |refund: &wire::RefundEntry| {
        Ok(BookRefund {
            key: refund.key.clone(),
            amount: money_from_wire(&refund.amount)?,
            at: Instant::from_micros(refund.at.micros),
        })
    };
    Ok(BookEntry {
        order: OrderId::try_new(entry.order.value).map_err(|error| error.to_string())?,
        amount: money_from_wire(&entry.amount)?,
        at: Instant::from_micros(entry.at.micros),
        refunds: entry.refunds.iter().map(refund).collect::<Result<_, String>>()?,
    })
}

fn money_from_wire(wire: &money::Money) -> Result<Money, String> {
    let currency = Currency::parse(&wire.currency).ok_or("settlements are not in this currency")?;
    Money::try_new(wire.minor, currency).map_err(|error| error.to_string())
}
