//! Wasm only: the other domains' contracts as the use cases see them, and the HTTP door.

#![allow(
    unsafe_code,
    reason = "the generated glue of the component model is unsafe; nothing here is"
)]

mod api {
    wit_bindgen::generate!({
        path: [
            "../../wit/types",
            "../../wit/stock",
            "../../wit/payment-gateway",
            "../../wit/payment",
            "../../wit/product",
            "../../wit/order",
        ],
        world: "shop:order/consumer",
        generate_all,
    });
}

use api::shop::payment::payment as payment_api;
use api::shop::product::catalog as catalog_api;
use api::shop::stock::stock as stock_api;
use api::shop::types::context::CallContext;
use api::shop::types::{ids, money, time};
use kernel::{Currency, Instant, Money, OrderId, ProductId, Quantity, SkuId, UserId};
use web::guest;

use crate::app::{
    Catalog, ChargeError, Checkout, CommitError, Goods, Payments, Quote, QuoteError, RefundError,
    ReleaseError, ReserveError,
};
use crate::domain::{Item, Method};
use crate::http::Call;
use crate::store::MIGRATIONS;

/// The database's label in the manifest.
const DATABASE: &str = "order";

#[spin_sdk::http_component]
fn serve(wire: spin_sdk::http::Request) -> spin_sdk::http::Response {
    let request = guest::request(wire);
    let method = request.method();
    let response = answer(&request).unwrap_or_else(web::Response::from);
    guest::respond(method, response)
}

fn answer(request: &web::Request) -> Result<web::Response, web::Problem> {
    let now = guest::now();
    let identity = guest::identity_key()?.identify(request, now);
    let seed = guest::random()?;
    let random = || guest::random().unwrap_or(seed);
    let db = store::spin::open(DATABASE, MIGRATIONS)
        .map_err(|error| web::Problem::unavailable_because("order.store", &error))?;
    let others = Others {
        context: context(request),
    };
    let checkout = Checkout {
        orders: &db,
        catalog: &others,
        goods: &others,
        payments: &others,
    };
    Ok(crate::http::handle(
        request,
        &Call {
            identity,
            now,
            random: &random,
        },
        &checkout,
    ))
}

fn context(request: &web::Request) -> CallContext {
    CallContext {
        request_id: request
            .header(web::REQUEST_ID_HEADER)
            .unwrap_or_default()
            .to_owned(),
        traceparent: request.header("traceparent").map(str::to_owned),
    }
}

/// The composed components, asked in the context of one request.
struct Others {
    context: CallContext,
}

impl Catalog for Others {
    fn quote(&self, items: &[Item]) -> Result<Vec<Quote>, QuoteError> {
        let wire: Vec<catalog_api::Item> = items.iter().map(item_to_wire).collect();
        let quotes = catalog_api::quote(&self.context, &wire).map_err(|error| match error {
            catalog_api::QuoteError::Unknown(place) => QuoteError::Unknown(place as usize),
            catalog_api::QuoteError::SkuRequired(place) => QuoteError::SkuRequired(place as usize),
            catalog_api::QuoteError::Invalid(why) | catalog_api::QuoteError::Unavailable(why) => {
                QuoteError::Unavailable(why)
            }
        })?;
        quotes
            .into_iter()
            .map(|quote| quote_from_wire(quote).map_err(QuoteError::Unavailable))
            .collect()
    }
}

impl Goods for Others {
    fn reserve(
        &self,
        order: OrderId,
        lines: &[(SkuId, Quantity)],
        until: Instant,
    ) -> Result<(), ReserveError> {
        use stock_api::ReserveError as Wire;
        let line = |(sku, quantity): &(SkuId, Quantity)| stock_api::Line {
            sku: ids::SkuId { value: sku.get() },
            quantity: quantity.get(),
        };
        let wire: Vec<_> = lines.iter().map(line).collect();
        let until = time::Instant {
            micros: until.micros(),
        };
        stock_api::reserve(&self.context, order_to_wire(order), &wire, until).map_err(|error| match error {
            Wire::Insufficient(shortage) => ReserveError::Insufficient { free: shortage.free },
            Wire::UnknownSku(_) => ReserveError::Insufficient { free: 0 },
            Wire::Invalid(why) => ReserveError::Broken(why),
            Wire::DiffersFromExisting => ReserveError::Broken("other lines were reserved".to_owned()),
            Wire::Ended => ReserveError::Broken("the reservation has ended".to_owned()),
            Wire::Unavailable(why) => ReserveError::Unavailable(why),
        })
    }

    fn commit(&self, order: OrderId) -> Result<(), CommitError> {
        use stock_api::CommitError as Wire;
        stock_api::commit(&self.context, order_to_wire(order)).map_err(|error| match error {
            Wire::UnknownOrder => CommitError::Gone("nothing was ever reserved"),
            Wire::Released => CommitError::Gone("the reservation was released"),
            Wire::Expired => CommitError::Gone("the reservation had expired"),
            Wire::Unavailable(why) => CommitError::Unavailable(why),
        })
    }

    fn release(&self, order: OrderId) -> Result<(), ReleaseError> {
        use stock_api::ReleaseError as Wire;
        stock_api::release(&self.context, order_to_wire(order)).map_err(|error| match error {
            Wire::Committed => ReleaseError::Committed,
            Wire::Unavailable(why) => ReleaseError::Unavailable(why),
        })
    }
}

impl Payments for Others {
    fn charge(&self, order: OrderId, user: UserId, amount: Money, method: Method) -> Result<(), ChargeError> {
        use payment_api::ChargeError as Wire;
        let user = ids::UserId { value: user.get() };
        let answer = payment_api::charge(
            &self.context,
            order_to_wire(order),
            user,
            &money_to_wire(amount),
            method_to_wire(method),
        );
        answer.map(drop).map_err(|error| match error {
            Wire::Refused(code) => ChargeError::Refused(code),
            Wire::MethodNotOffered => ChargeError::MethodNotOffered,
            Wire::Invalid(why) => ChargeError::Broken(why),
            Wire::DiffersFromExisting => ChargeError::Broken("another charge exists".to_owned()),
            Wire::Unavailable(why) => ChargeError::Unavailable(why),
        })
    }

    fn refund(&self, order: OrderId, key: &str, amount: Money, reason: &str) -> Result<(), RefundError> {
        use payment_api::RefundError as Wire;
        let answer = payment_api::refund(
            &self.context,
            order_to_wire(order),
            key,
            &money_to_wire(amount),
            reason,
        );
        answer.map(drop).map_err(|error| match error {
            Wire::NotCaptured => RefundError::NotCaptured,
            Wire::Refused(code) => RefundError::Refused(code),
            Wire::Invalid(why) => RefundError::Refused(why),
            Wire::DiffersFromExisting => RefundError::Refused("another refund has this key".to_owned()),
            Wire::ExceedsCaptured(left) => RefundError::Refused(format!("only {} is left", left.minor)),
            Wire::Unavailable(why) => RefundError::Unavailable(why),
        })
    }
}

fn order_to_wire(order: OrderId) -> ids::OrderId {
    ids::OrderId { value: order.get() }
}

fn item_to_wire(item: &Item) -> catalog_api::Item {
    match item {
        Item::Product(id) => catalog_api::Item::Product(ids::ProductId { value: id.get() }),
        Item::Sku(id) => catalog_api::Item::Sku(ids::SkuId { value: id.get() }),
    }
}

fn money_to_wire(money: Money) -> money::Money {
    money::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

fn method_to_wire(method: Method) -> payment_api::Method {
    match method {
        Method::Card => payment_api::Method::Card,
        Method::Point => payment_api::Method::Point,
        Method::Cash => payment_api::Method::Cash,
        Method::Pg => payment_api::Method::Pg,
    }
}

fn quote_from_wire(quote: catalog_api::Quotation) -> Result<Quote, String> {
    let currency = Currency::parse(&quote.unit_price.currency)
        .ok_or_else(|| format!("unknown currency {:?}", quote.unit_price.currency))?;
    let price = Money::try_new(quote.unit_price.minor, currency).map_err(|error| error.to_string())?;
    Ok(Quote {
        product: ProductId::try_new(quote.product.value).map_err(|error| error.to_string())?,
        sku: SkuId::try_new(quote.sku.value).map_err(|error| error.to_string())?,
        name: quote.name,
        unit_price: price,
    })
}
