//! The wire: WIT types on one side, use cases on the other, and the stock behind [`Levels`].

#![expect(unsafe_code, reason = "what wit-bindgen and the SDK generate crosses the ABI")]

use ::store::DbError;
use kernel::{ProductId, SkuId};
use spin_sdk::http;
use web::{REQUEST_ID_HEADER, guest};

use crate::app::{self, Levels, LevelsError, QuoteError};
use crate::domain::{Item, Offer, QuoteRefused};
use crate::http::handle;
use crate::store::{MIGRATIONS, Store};

/// What is generated from the contracts.
mod api {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/stock", "../../wit/product"],
        world: "shop:product/provider",
        generate_all,
    });

    pub(crate) struct Component;

    export!(Component);
}

use api::exports::shop::product::catalog as wire;
use api::shop::stock::stock;
use api::shop::types::context::CallContext;
use api::shop::types::{ids, money};

/// The database, as the manifest labels it.
const DATABASE: &str = "product";

/// What the API's document says about these pages.
const DOCUMENT: &str = include_str!("../openapi.json");

fn open() -> Result<Store, DbError> {
    ::store::open(DATABASE, MIGRATIONS).map(Store::new)
}

impl wire::Guest for api::Component {
    fn quote(ctx: CallContext, items: Vec<wire::Item>) -> Result<Vec<wire::Quotation>, wire::QuoteError> {
        let items: Vec<Item> = items.into_iter().map(item).collect();
        let answer = open()
            .map_err(QuoteError::Store)
            .and_then(|store| app::quote(&store, &items));
        match answer {
            Ok(offers) => Ok(offers.into_iter().map(quotation).collect()),
            Err(QuoteError::Refused(refused)) => {
                web::log::info(
                    "product.quote",
                    &format!("{refused} (request {})", ctx.request_id),
                );
                Err(quote_refused(refused))
            }
            Err(QuoteError::Store(error)) => Err(wire::QuoteError::Unavailable(unavailable(
                &ctx.request_id,
                &error,
            ))),
        }
    }
}

#[spin_sdk::http_component]
fn answer(request: http::Request) -> http::Response {
    let request = guest::request(request);
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(request.method(), document);
    }
    let header = |name| request.header(name).map(str::to_owned);
    let stock = Stock(CallContext {
        request_id: header(REQUEST_ID_HEADER).unwrap_or_default(),
        traceparent: header("traceparent"),
    });
    guest::respond(request.method(), handle(&request, &stock, open))
}

/// The stock, asked on behalf of one request.
struct Stock(CallContext);

impl Levels for Stock {
    fn free(&self, skus: &[SkuId]) -> Result<Vec<u32>, LevelsError> {
        let wanted: Vec<ids::SkuId> = skus.iter().map(|sku| ids::SkuId { value: sku.get() }).collect();
        match stock::level(&self.0, &wanted) {
            Ok(levels) => Ok(levels.iter().map(free).collect()),
            Err(stock::LevelError::UnknownSku(sku)) => Err(match SkuId::try_new(sku.value) {
                Ok(sku) => LevelsError::UnknownSku(sku),
                Err(_) => LevelsError::Unavailable(format!("it named a SKU {}", sku.value)),
            }),
            Err(stock::LevelError::Unavailable(story)) => Err(LevelsError::Unavailable(story)),
        }
    }
}

fn free(level: &stock::StockLevel) -> u32 {
    level.on_hand.saturating_sub(level.reserved)
}

/// The text for the caller. A defect looks like an outage from outside: the contract has no case for it,
/// and the caller could do nothing else with one.
fn unavailable(request_id: &str, error: &DbError) -> String {
    let story = format!("{error} (request {request_id})");
    if error.retryable() {
        web::log::warn("product.quote", &story);
    } else {
        web::log::error("product.quote", &story);
    }
    "the product store did not answer".to_owned()
}

fn item(item: wire::Item) -> Item {
    match item {
        wire::Item::Product(id) => ProductId::try_new(id.value).map_or(Item::Nothing, Item::Product),
        wire::Item::Sku(id) => SkuId::try_new(id.value).map_or(Item::Nothing, Item::Sku),
    }
}

fn quotation(offer: Offer) -> wire::Quotation {
    let product = offer.product;
    wire::Quotation {
        product: ids::ProductId {
            value: product.id.get(),
        },
        sku: ids::SkuId {
            value: offer.sku.get(),
        },
        name: product.name,
        category: product.category,
        seller: offer.seller,
        unit_price: money::Money {
            minor: product.price.minor(),
            currency: product.price.currency().code().to_owned(),
        },
    }
}

fn quote_refused(refused: QuoteRefused) -> wire::QuoteError {
    match refused {
        QuoteRefused::NoItem | QuoteRefused::TooMany => wire::QuoteError::Invalid(refused.to_string()),
        QuoteRefused::Unknown(place) => wire::QuoteError::Unknown(place),
        QuoteRefused::SkuRequired(place) => wire::QuoteError::SkuRequired(place),
    }
}
