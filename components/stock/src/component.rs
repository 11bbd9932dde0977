//! The wire: WIT types on one side, use cases on the other. Reads the clock once per call.

#![expect(unsafe_code, reason = "what wit-bindgen and the SDK generate crosses the ABI")]

use std::fmt::Display;

use ::store::DbError;
use kernel::{Instant, OrderId, Outcome, SkuId};
use spin_sdk::http;
use web::{Problem, guest};

use crate::app::{self, CommitError, LevelError, ReleaseError, ReserveError, TakeBackError};
use crate::domain::{CommitRefused, Level, ReleaseRefused, ReserveRefused, TakeBackRefused};
use crate::http::{handle, rpc};
use crate::store::{MIGRATIONS, Store};

/// What is generated from the contract.
mod api {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/stock"],
        world: "shop:stock/provider",
        generate_all,
    });

    pub(crate) struct Component;

    export!(Component);
}

use api::exports::shop::stock::stock as wire;
use api::shop::types::context::CallContext;
use api::shop::types::{ids, time};

/// The database, as the manifest labels it.
const DATABASE: &str = "stock";

/// What a caller is told of an outage.
const NO_ANSWER: &str = "the stock store did not answer";

/// What the API's document says about these pages.
const DOCUMENT: &str = include_str!("../openapi.json");

fn open() -> Result<Store, DbError> {
    ::store::open(DATABASE, MIGRATIONS).map(Store::new)
}

impl wire::Guest for api::Component {
    fn reserve(
        ctx: CallContext,
        order: ids::OrderId,
        lines: Vec<wire::Line>,
        until: time::Instant,
    ) -> Result<(), wire::ReserveError> {
        let call = Call::of_order("stock.reserve", &ctx, order);
        let order =
            OrderId::try_new(order.value).map_err(|error| wire::ReserveError::Invalid(error.to_string()))?;
        let wanted = wanted(&lines)?;
        let until = Instant::from_micros(until.micros);
        let answer = open()
            .map_err(ReserveError::Store)
            .and_then(|store| app::reserve(&store, order, &wanted, until, guest::now()));
        answer.map(drop).map_err(|error| match error {
            ReserveError::Refused(refused) => reserve_refused(call.refused(refused)),
            ReserveError::Store(error) => wire::ReserveError::Unavailable(call.unavailable(&error)),
        })
    }

    fn commit(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::CommitError> {
        let call = Call::of_order("stock.commit", &ctx, order);
        let order = OrderId::try_new(order.value).map_err(|_| wire::CommitError::UnknownOrder)?;
        let answer = open()
            .map_err(CommitError::Store)
            .and_then(|store| app::commit(&store, order, guest::now()));
        committed(&call, answer)
    }

    fn commit_all(ctx: CallContext, orders: Vec<ids::OrderId>) -> Vec<Result<(), wire::CommitError>> {
        // A number that is no order's id never reserves.
        let known = orders
            .iter()
            .filter_map(|order| OrderId::try_new(order.value).ok());
        let known: Vec<OrderId> = known.collect();
        let answers = match open() {
            Ok(store) => app::commit_all(&store, &known, guest::now()),
            Err(error) => known.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let mut answers = answers.into_iter();
        let mut is_told = false;
        let answer = |order: &ids::OrderId| {
            OrderId::try_new(order.value).map_err(|_| wire::CommitError::UnknownOrder)?;
            match answers.next() {
                // An outage is the same for all, and is told once.
                Some(Err(CommitError::Store(error))) if error.retryable() && is_told => {
                    Err(wire::CommitError::Unavailable(NO_ANSWER.to_owned()))
                }
                Some(answer) => {
                    is_told |= matches!(&answer, Err(CommitError::Store(error)) if error.retryable());
                    committed(&Call::of_order("stock.commit-all", &ctx, *order), answer)
                }
                None => Err(wire::CommitError::Unavailable(NO_ANSWER.to_owned())),
            }
        };
        orders.iter().map(answer).collect()
    }

    fn release(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::ReleaseError> {
        let call = Call::of_order("stock.release", &ctx, order);
        // A number that is no order's id never reserves, so there is nothing to remember.
        let Ok(order) = OrderId::try_new(order.value) else {
            return Ok(());
        };
        let answer = open()
            .map_err(ReleaseError::Store)
            .and_then(|store| app::release(&store, order, guest::now()));
        answer.map(drop).map_err(|error| match error {
            ReleaseError::Refused(refused) => release_refused(call.refused(refused)),
            ReleaseError::Store(error) => wire::ReleaseError::Unavailable(call.unavailable(&error)),
        })
    }

    fn take_back(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::TakeBackError> {
        let call = Call::of_order("stock.take-back", &ctx, order);
        let order = OrderId::try_new(order.value).map_err(|_| wire::TakeBackError::NotCommitted)?;
        let answer = open()
            .map_err(TakeBackError::Store)
            .and_then(|store| app::take_back(&store, order, guest::now()));
        answer.map(drop).map_err(|error| match error {
            TakeBackError::Refused(refused) => take_back_refused(call.refused(refused)),
            TakeBackError::Store(error) => wire::TakeBackError::Unavailable(call.unavailable(&error)),
        })
    }

    fn level(ctx: CallContext, skus: Vec<ids::SkuId>) -> Result<Vec<wire::StockLevel>, wire::LevelError> {
        let call = Call::of_nobody("stock.level", &ctx);
        let skus: Vec<SkuId> = skus
            .into_iter()
            .map(|sku| SkuId::try_new(sku.value).map_err(|_| wire::LevelError::UnknownSku(sku)))
            .collect::<Result<_, _>>()?;
        let answer = open()
            .map_err(LevelError::Store)
            .and_then(|store| app::level(&store, &skus, guest::now()));
        match answer {
            Ok(levels) => Ok(levels.iter().map(level_view).collect()),
            Err(LevelError::UnknownSku(sku)) => Err(wire::LevelError::UnknownSku(sku_view(sku))),
            Err(LevelError::Store(error)) => Err(wire::LevelError::Unavailable(call.unavailable(&error))),
        }
    }
}

#[spin_sdk::http_component]
fn answer(request: http::Request) -> http::Response {
    let request = guest::request(request);
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(request.method(), document);
    }
    if let Some(answer) = web::ready(&request, "stock.ready", || ::store::check(DATABASE, MIGRATIONS)) {
        return guest::respond(request.method(), answer);
    }
    if request.path().starts_with(remote::PREFIX) {
        let answer = guest::internal_key(remote::KEY_VARIABLE);
        let answer = answer.map(|key| rpc::handle(&request, &key, guest::now(), open));
        return guest::respond(request.method(), answer.unwrap_or_else(Problem::into));
    }
    let answer = guest::identity_key().map(|key| handle(&request, &key, guest::now(), open));
    guest::respond(request.method(), answer.unwrap_or_else(Problem::into))
}

/// What is said about one call in the log.
struct Call {
    operation: &'static str,
    about: String,
}

impl Call {
    fn of_order(operation: &'static str, ctx: &CallContext, order: ids::OrderId) -> Self {
        Self {
            operation,
            about: format!("order {}, request {}", order.value, ctx.request_id),
        }
    }

    fn of_nobody(operation: &'static str, ctx: &CallContext) -> Self {
        Self {
            operation,
            about: format!("request {}", ctx.request_id),
        }
    }

    fn refused<R: Display>(&self, refused: R) -> R {
        web::log::info(self.operation, &format!("{refused} ({})", self.about));
        refused
    }

    /// The text for the caller. A defect looks like an outage from outside: the contract has no case for
    /// it, and the caller could do nothing else with one.
    fn unavailable(&self, error: &DbError) -> String {
        let story = format!("{error} ({})", self.about);
        if error.retryable() {
            web::log::warn(self.operation, &story);
        } else {
            web::log::error(self.operation, &story);
        }
        NO_ANSWER.to_owned()
    }
}

/// A number that is no SKU's id names nothing.
fn wanted(lines: &[wire::Line]) -> Result<Vec<(SkuId, u32)>, wire::ReserveError> {
    let line = |line: &wire::Line| {
        SkuId::try_new(line.sku.value)
            .map(|sku| (sku, line.quantity))
            .map_err(|_| wire::ReserveError::UnknownSku(line.sku))
    };
    lines.iter().map(line).collect()
}

fn reserve_refused(refused: ReserveRefused) -> wire::ReserveError {
    match refused {
        ReserveRefused::Lines(_) | ReserveRefused::UntilPassed => {
            wire::ReserveError::Invalid(refused.to_string())
        }
        ReserveRefused::DiffersFromExisting => wire::ReserveError::DiffersFromExisting,
        ReserveRefused::Ended => wire::ReserveError::Ended,
        ReserveRefused::UnknownSku(sku) => wire::ReserveError::UnknownSku(sku_view(sku)),
        ReserveRefused::Insufficient(shortage) => wire::ReserveError::Insufficient(wire::Shortage {
            sku: sku_view(shortage.sku),
            free: shortage.free,
        }),
    }
}

fn committed(call: &Call, answer: Result<Outcome<()>, CommitError>) -> Result<(), wire::CommitError> {
    answer.map(drop).map_err(|error| match error {
        CommitError::Refused(refused) => commit_refused(call.refused(refused)),
        CommitError::Store(error) => wire::CommitError::Unavailable(call.unavailable(&error)),
    })
}

fn commit_refused(refused: CommitRefused) -> wire::CommitError {
    match refused {
        CommitRefused::UnknownOrder => wire::CommitError::UnknownOrder,
        CommitRefused::Released => wire::CommitError::Released,
        CommitRefused::Expired => wire::CommitError::Expired,
    }
}

fn release_refused(refused: ReleaseRefused) -> wire::ReleaseError {
    match refused {
        ReleaseRefused::Committed => wire::ReleaseError::Committed,
    }
}

fn take_back_refused(refused: TakeBackRefused) -> wire::TakeBackError {
    match refused {
        TakeBackRefused::NotCommitted => wire::TakeBackError::NotCommitted,
    }
}

fn level_view(level: &Level) -> wire::StockLevel {
    wire::StockLevel {
        sku: sku_view(level.sku),
        on_hand: level.on_hand,
        reserved: level.reserved,
    }
}

fn sku_view(sku: SkuId) -> ids::SkuId {
    ids::SkuId { value: sku.get() }
}
