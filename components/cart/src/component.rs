//! The wire: WIT types on one side, use cases on the other, and the products behind [`Offers`]. Reads the
//! clock once per call.

#![expect(unsafe_code, reason = "what wit-bindgen and the SDK generate crosses the ABI")]

use ::store::DbError;
use kernel::{OrderId, ProductId, Quantity, SkuId, UserId};
use spin_sdk::http;
use web::{Problem, REQUEST_ID_HEADER, guest};

use crate::app::{self, Offers, OffersError};
use crate::domain::{Line, Offer};
use crate::http::{handle, offers, target};
use crate::store::{MIGRATIONS, Store};

/// What is generated from the contract.
mod api {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/cart"],
        world: "shop:cart/provider",
        generate_all,
    });

    pub(crate) struct Component;

    export!(Component);
}

use api::exports::shop::cart::cart as wire;
use api::shop::types::context::CallContext;
use api::shop::types::ids;

/// The database, as the manifest labels it.
const DATABASE: &str = "cart";

/// What the API's document says about carts.
const DOCUMENT: &str = include_str!("../openapi.json");

/// Where the product component is found.
const PRODUCTS: &str = "http://product.spin.internal";

/// The headers by which a request is followed through the shop.
const TRACES: [&str; 2] = [REQUEST_ID_HEADER, "traceparent"];

fn open() -> Result<Store, DbError> {
    ::store::open(DATABASE, MIGRATIONS).map(Store::new)
}

impl wire::Guest for api::Component {
    fn lines(ctx: CallContext, user: ids::UserId) -> Result<Vec<wire::Line>, wire::CartError> {
        // A number that is no user's id has nothing in its cart.
        let Ok(user) = UserId::try_new(user.value) else {
            return Ok(Vec::new());
        };
        let lines = open().and_then(|store| app::lines(&store, user));
        match lines {
            Ok(lines) => Ok(lines.iter().map(line_to_wire).collect()),
            Err(error) => Err(unavailable("cart.lines", &ctx, &error)),
        }
    }

    fn take(
        ctx: CallContext,
        order: ids::OrderId,
        user: ids::UserId,
        lines: Vec<wire::Line>,
    ) -> Result<(), wire::CartError> {
        // What no order and no user can have bought is in no cart.
        let (Ok(order), Ok(user)) = (OrderId::try_new(order.value), UserId::try_new(user.value)) else {
            return Ok(());
        };
        let lines: Vec<Line> = lines.iter().filter_map(line_from_wire).collect();
        let taken = open().and_then(|store| app::take(&store, order, user, &lines, guest::now()));
        taken
            .map(drop)
            .map_err(|error| unavailable("cart.take", &ctx, &error))
    }
}

#[spin_sdk::http_component]
fn answer(request: http::Request) -> http::Response {
    let request = guest::request(request);
    if let Some(document) = web::document(&request, DOCUMENT) {
        return guest::respond(request.method(), document);
    }
    let products = Products::asked_by(&request);
    let answer = guest::identity_key().map(|key| handle(&request, &key, &products, guest::now(), open));
    guest::respond(request.method(), answer.unwrap_or_else(Problem::into))
}

/// The product component, asked on behalf of one request.
struct Products {
    traces: Vec<(&'static str, String)>,
}

impl Products {
    fn asked_by(request: &web::Request) -> Self {
        let trace = |name| Some((name, request.header(name)?.to_owned()));
        Self {
            traces: TRACES.into_iter().filter_map(trace).collect(),
        }
    }
}

impl Offers for Products {
    fn find(&self, product: ProductId) -> Result<Option<Vec<Offer>>, OffersError> {
        let mut request = http::Request::get(format!("{PRODUCTS}{}", target(product)));
        for (name, value) in &self.traces {
            request.header(*name, value.as_str());
        }
        let sent = http::send::<_, http::Response>(request.build());
        let response = http::run(sent).map_err(|error| OffersError(error.to_string()))?;
        offers(*response.status(), response.body())
    }
}

/// The answer to the caller. A defect looks like an outage from outside: the contract has no case for it,
/// and the caller could do nothing else with one.
fn unavailable(operation: &str, ctx: &CallContext, error: &DbError) -> wire::CartError {
    let story = format!("{error} (request {})", ctx.request_id);
    if error.retryable() {
        web::log::warn(operation, &story);
    } else {
        web::log::error(operation, &story);
    }
    wire::CartError::Unavailable("the cart store did not answer".to_owned())
}

fn line_to_wire(line: &Line) -> wire::Line {
    wire::Line {
        product: ids::ProductId {
            value: line.product.get(),
        },
        sku: ids::SkuId {
            value: line.sku.get(),
        },
        quantity: line.quantity.get(),
    }
}

/// None for a line that can't be in any cart.
fn line_from_wire(line: &wire::Line) -> Option<Line> {
    Some(Line {
        product: ProductId::try_new(line.product.value).ok()?,
        sku: SkuId::try_new(line.sku.value).ok()?,
        quantity: Quantity::try_new(i64::from(line.quantity)).ok()?,
    })
}
