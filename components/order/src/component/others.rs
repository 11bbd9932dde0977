//! The other domains' contracts as the use cases see them.

use kernel::{Currency, Instant, Money, OrderId, ProductId, Quantity, SkuId, UserId};

use super::api::shop::cart::cart as cart_api;
use super::api::shop::payment::payment as payment_api;
use super::api::shop::product::catalog as catalog_api;
use super::api::shop::stock::stock as stock_api;
use super::api::shop::types::context::CallContext;
use super::api::shop::types::{ids, money, time};
use crate::app::{
    CartLine, CartUnavailable, Carts, Catalog, Charge, ChargeError, CommitError, Goods, Payments, Quote,
    QuoteError, ReleaseError, ReserveError, TakeBackError, VoidError,
};
use crate::domain::{Item, Method, PaymentKey};

/// The composed components, asked in the context of one call.
pub(super) struct Others {
    pub(super) context: CallContext,
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
        stock_api::commit(&self.context, order_to_wire(order)).map_err(commit_error)
    }

    fn commit_all(&self, orders: &[OrderId]) -> Vec<Result<(), CommitError>> {
        let wire: Vec<_> = orders.iter().copied().map(order_to_wire).collect();
        let answers = stock_api::commit_all(&self.context, &wire).into_iter();
        answers.map(|answer| answer.map_err(commit_error)).collect()
    }

    fn release(&self, order: OrderId) -> Result<(), ReleaseError> {
        use stock_api::ReleaseError as Wire;
        stock_api::release(&self.context, order_to_wire(order)).map_err(|error| match error {
            Wire::Committed => ReleaseError::Committed,
            Wire::Unavailable(why) => ReleaseError::Unavailable(why),
        })
    }

    fn take_back(&self, order: OrderId) -> Result<(), TakeBackError> {
        use stock_api::TakeBackError as Wire;
        stock_api::take_back(&self.context, order_to_wire(order)).map_err(|error| match error {
            Wire::NotCommitted => TakeBackError::NotCommitted,
            Wire::Unavailable(why) => TakeBackError::Unavailable(why),
        })
    }
}

impl Payments for Others {
    fn charge(&self, charge: &Charge) -> Result<Money, ChargeError> {
        let answer = payment_api::charge(
            &self.context,
            order_to_wire(charge.order),
            user_to_wire(charge.user),
            &money_to_wire(charge.amount),
            method_to_wire(charge.method),
        );
        answer.map_err(charge_error).and_then(|receipt| kept(&receipt))
    }

    fn confirm(&self, charge: &Charge, payment: &PaymentKey) -> Result<Money, ChargeError> {
        let answer = payment_api::confirm(
            &self.context,
            order_to_wire(charge.order),
            user_to_wire(charge.user),
            &money_to_wire(charge.amount),
            payment.as_str(),
        );
        answer.map_err(charge_error).and_then(|receipt| kept(&receipt))
    }

    fn void(&self, charge: &Charge, key: &str, reason: &str) -> Result<(), VoidError> {
        use payment_api::VoidError as Wire;
        let answer = payment_api::void(
            &self.context,
            order_to_wire(charge.order),
            user_to_wire(charge.user),
            &money_to_wire(charge.amount),
            method_to_wire(charge.method),
            key,
            reason,
        );
        answer.map(drop).map_err(|error| match error {
            Wire::Refused(code) => VoidError::Refused(code),
            Wire::Invalid(why) => VoidError::Refused(why),
            Wire::Unavailable(why) => VoidError::Unavailable(why),
        })
    }
}

impl Carts for Others {
    fn lines(&self, user: UserId) -> Result<Vec<CartLine>, CartUnavailable> {
        let lines = cart_api::lines(&self.context, user_to_wire(user)).map_err(cart_error)?;
        let line = |line| cart_line_from_wire(line).map_err(CartUnavailable);
        lines.into_iter().map(line).collect()
    }

    fn take(&self, order: OrderId, user: UserId, lines: &[CartLine]) -> Result<(), CartUnavailable> {
        let line = |line: &CartLine| cart_api::Line {
            product: ids::ProductId {
                value: line.product.get(),
            },
            sku: ids::SkuId {
                value: line.sku.get(),
            },
            quantity: line.quantity.get(),
        };
        let lines: Vec<_> = lines.iter().map(line).collect();
        cart_api::take(&self.context, order_to_wire(order), user_to_wire(user), &lines).map_err(cart_error)
    }
}

fn commit_error(error: stock_api::CommitError) -> CommitError {
    use stock_api::CommitError as Wire;
    match error {
        Wire::UnknownOrder => CommitError::Gone("nothing was ever reserved"),
        Wire::Released => CommitError::Gone("the reservation was released"),
        Wire::Expired => CommitError::Gone("the reservation had expired"),
        Wire::Unavailable(why) => CommitError::Unavailable(why),
    }
}

/// How much of a payment is kept now.
fn kept(receipt: &payment_api::Receipt) -> Result<Money, ChargeError> {
    let broken = |why: String| ChargeError::Broken(why);
    let currency = Currency::parse(&receipt.amount.currency)
        .ok_or_else(|| broken(format!("unknown currency {:?}", receipt.amount.currency)))?;
    let minor = match receipt.state {
        payment_api::State::Captured => receipt.amount.minor.saturating_sub(receipt.refunded.minor),
        payment_api::State::Failed => 0,
    };
    Money::try_new(minor, currency).map_err(|error| broken(error.to_string()))
}

fn charge_error(error: payment_api::ChargeError) -> ChargeError {
    use payment_api::ChargeError as Wire;
    match error {
        Wire::Refused(code) => ChargeError::Refused(code),
        Wire::MethodNotOffered => ChargeError::MethodNotOffered,
        Wire::Invalid(why) => ChargeError::Broken(why),
        Wire::DiffersFromExisting => ChargeError::Broken("another charge exists".to_owned()),
        Wire::Unavailable(why) => ChargeError::Unavailable(why),
    }
}

fn cart_error(error: cart_api::CartError) -> CartUnavailable {
    let cart_api::CartError::Unavailable(why) = error;
    CartUnavailable(why)
}

const fn user_to_wire(user: UserId) -> ids::UserId {
    ids::UserId { value: user.get() }
}

const fn order_to_wire(order: OrderId) -> ids::OrderId {
    ids::OrderId { value: order.get() }
}

const fn item_to_wire(item: &Item) -> catalog_api::Item {
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

const fn method_to_wire(method: Method) -> payment_api::Method {
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
        category: quote.category,
        seller: quote.seller,
        unit_price: price,
    })
}

fn cart_line_from_wire(line: cart_api::Line) -> Result<CartLine, String> {
    Ok(CartLine {
        product: ProductId::try_new(line.product.value).map_err(|error| error.to_string())?,
        sku: SkuId::try_new(line.sku.value).map_err(|error| error.to_string())?,
        quantity: Quantity::try_new(i64::from(line.quantity)).map_err(|error| error.to_string())?,
    })
}
