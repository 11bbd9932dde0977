//! The wire: WIT on one side, the service's JSON on the other, and the way in between.

#![expect(unsafe_code, reason = "what wit-bindgen and the SDK generate crosses the ABI")]

use forward::guest::{Context, Service, Waiting};
use remote::{Failure, Function, stock as rpc};
use spin_sdk::http;

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

/// The stock that is deployed on its own.
const STOCK: Service = Service {
    name: breaker::REMOTE_STOCK,
    variable: "stock_url",
};

/// So many orders are asked about in one request: as many as the service sells in one transaction.
const MOST_AT_ONCE: usize = 1_000;

#[spin_sdk::http_component]
async fn page(request: http::Request) -> http::Response {
    STOCK.page(request).await
}

impl wire::Guest for api::Component {
    fn reserve(
        ctx: CallContext,
        order: ids::OrderId,
        lines: Vec<wire::Line>,
        until: time::Instant,
    ) -> Result<(), wire::ReserveError> {
        let line = |line: wire::Line| rpc::Line {
            sku: line.sku.value,
            quantity: line.quantity,
        };
        let ask = rpc::ReserveAsk {
            order: order.value,
            lines: lines.into_iter().map(line).collect(),
            until: until.micros,
        };
        done::<rpc::Reserve, _>(ctx, &ask, reserve_refused, wire::ReserveError::Unavailable)
    }

    fn commit(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::CommitError> {
        let ask = of_order(order);
        done::<rpc::Commit, _>(ctx, &ask, commit_refused, wire::CommitError::Unavailable)
    }

    fn commit_all(ctx: CallContext, orders: Vec<ids::OrderId>) -> Vec<Result<(), wire::CommitError>> {
        let chunks = orders.chunks(MOST_AT_ONCE);
        chunks.flat_map(|some| commit_some(&ctx, some)).collect()
    }

    fn release(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::ReleaseError> {
        let refused = |rpc::ReleaseRefused::Committed| wire::ReleaseError::Committed;
        let ask = of_order(order);
        done::<rpc::Release, _>(ctx, &ask, refused, wire::ReleaseError::Unavailable)
    }

    fn take_back(ctx: CallContext, order: ids::OrderId) -> Result<(), wire::TakeBackError> {
        let refused = |rpc::TakeBackRefused::NotCommitted| wire::TakeBackError::NotCommitted;
        let ask = of_order(order);
        done::<rpc::TakeBack, _>(ctx, &ask, refused, wire::TakeBackError::Unavailable)
    }

    fn level(ctx: CallContext, skus: Vec<ids::SkuId>) -> Result<Vec<wire::StockLevel>, wire::LevelError> {
        use wire::LevelError as Error;
        let wanted = skus.len();
        let ask = rpc::LevelAsk {
            skus: skus.into_iter().map(|sku| sku.value).collect(),
        };
        let answer = STOCK.ask::<rpc::Level>(context(ctx), Waiting::Customer, &ask);
        let levels = match answer {
            Ok(answer) => answer.levels,
            Err(Failure::Refused(rpc::LevelRefused::UnknownSku { sku })) => {
                return Err(Error::UnknownSku(ids::SkuId { value: sku }));
            }
            Err(Failure::Unavailable(why)) => return Err(Error::Unavailable(why)),
        };
        if levels.len() != wanted {
            return Err(Error::Unavailable(miscounted::<rpc::Level>(levels.len(), wanted)));
        }
        Ok(levels.into_iter().map(level).collect())
    }
}

/// One answer for each of up to [`MOST_AT_ONCE`] orders.
fn commit_some(ctx: &CallContext, orders: &[ids::OrderId]) -> Vec<Result<(), wire::CommitError>> {
    let ask = rpc::CommitAllAsk {
        orders: orders.iter().map(|order| order.value).collect(),
    };
    let answers = STOCK.ask::<rpc::CommitAll>(context(ctx.clone()), Waiting::Job, &ask);
    let why = match answers {
        Ok(answer) if answer.answers.len() == orders.len() => {
            return answer.answers.into_iter().map(committed).collect();
        }
        // Which answer is whose is not known, so there is none.
        Ok(answer) => miscounted::<rpc::CommitAll>(answer.answers.len(), orders.len()),
        Err(Failure::Unavailable(why)) => why,
        Err(Failure::Refused(never)) => match never {},
    };
    let unavailable = |_| Err(wire::CommitError::Unavailable(why.clone()));
    orders.iter().map(unavailable).collect()
}

fn committed(answer: rpc::Committed) -> Result<(), wire::CommitError> {
    match answer {
        rpc::Committed::Done => Ok(()),
        rpc::Committed::Refused { refusal } => Err(commit_refused(refusal)),
        rpc::Committed::Unavailable { detail } => Err(wire::CommitError::Unavailable(detail)),
    }
}

/// Asks a function that gives nothing back.
fn done<F: Function, E>(
    ctx: CallContext,
    ask: &F::Ask,
    refused: impl FnOnce(F::Refused) -> E,
    unavailable: impl FnOnce(String) -> E,
) -> Result<(), E> {
    match STOCK.ask::<F>(context(ctx), Waiting::Customer, ask) {
        Ok(_) => Ok(()),
        Err(Failure::Refused(why)) => Err(refused(why)),
        Err(Failure::Unavailable(why)) => Err(unavailable(why)),
    }
}

fn miscounted<F: Function>(came: usize, wanted: usize) -> String {
    let story = format!("{came} answers came to {wanted} questions");
    web::log::error(F::NAME, &format!("{}: {story}", STOCK.name));
    story
}

fn context(ctx: CallContext) -> Context {
    Context {
        request_id: ctx.request_id,
        traceparent: ctx.traceparent,
    }
}

const fn of_order(order: ids::OrderId) -> rpc::OrderAsk {
    rpc::OrderAsk { order: order.value }
}

fn reserve_refused(refused: rpc::ReserveRefused) -> wire::ReserveError {
    match refused {
        rpc::ReserveRefused::Invalid { detail } => wire::ReserveError::Invalid(detail),
        rpc::ReserveRefused::DiffersFromExisting => wire::ReserveError::DiffersFromExisting,
        rpc::ReserveRefused::Ended => wire::ReserveError::Ended,
        rpc::ReserveRefused::UnknownSku { sku } => wire::ReserveError::UnknownSku(ids::SkuId { value: sku }),
        rpc::ReserveRefused::Insufficient { sku, free } => wire::ReserveError::Insufficient(wire::Shortage {
            sku: ids::SkuId { value: sku },
            free,
        }),
    }
}

const fn commit_refused(refused: rpc::CommitRefused) -> wire::CommitError {
    match refused {
        rpc::CommitRefused::UnknownOrder => wire::CommitError::UnknownOrder,
        rpc::CommitRefused::Released => wire::CommitError::Released,
        rpc::CommitRefused::Expired => wire::CommitError::Expired,
    }
}

const fn level(level: rpc::StockLevel) -> wire::StockLevel {
    wire::StockLevel {
        sku: ids::SkuId { value: level.sku },
        on_hand: level.on_hand,
        reserved: level.reserved,
    }
}
