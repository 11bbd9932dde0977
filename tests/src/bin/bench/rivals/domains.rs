//! The domains that a checkout needs, each over its own use cases, without WebAssembly between them.
//!
//! A checkout that goes well is all that is recorded; what else the contracts offer is answered as an outage, which
//! fails the recording.

use std::cell::Cell;

use kernel::{Instant, Money, OrderId, Quantity, SkuId, UserId};
use order::app::{
    CartLine, CartUnavailable, Carts, Catalog, Charge, ChargeError, CommitError, Goods, Payments, Quote,
    QuoteError, ReleaseError, ReserveError, TakeBackError, VoidError,
};
use order::domain::{Item, PaymentKey};
use payment::app::{ApproveError, CancelError};
use payment::domain as pay;
use store::Db;

/// All of them.
pub(super) struct Domains {
    pub(super) now: Cell<Instant>,
    pub(super) products: product::store::Store,
    pub(super) stock: stock::store::Store,
    pub(super) payments: Db,
    pub(super) gateway: Gateway,
    pub(super) random: Box<dyn Fn() -> u64>,
}

/// The gateway's own book.
pub(super) struct Gateway(pub(super) Db);

fn unexpected() -> String {
    "a checkout that goes well needs none of this".to_owned()
}

impl Catalog for Domains {
    fn quote(&self, items: &[Item]) -> Result<Vec<Quote>, QuoteError> {
        let item = |item: &Item| match item {
            Item::Product(id) => product::domain::Item::Product(*id),
            Item::Sku(id) => product::domain::Item::Sku(*id),
        };
        let items: Vec<_> = items.iter().map(item).collect();
        let offers = product::app::quote(&self.products, &items);
        let offers = offers.map_err(|error| QuoteError::Unavailable(error.to_string()))?;
        let quote = |offer: product::domain::Offer| Quote {
            product: offer.product.id,
            sku: offer.sku,
            name: offer.product.name,
            category: offer.product.category,
            seller: offer.seller,
            unit_price: offer.product.price,
        };
        Ok(offers.into_iter().map(quote).collect())
    }
}

impl Goods for Domains {
    fn reserve(
        &self,
        order: OrderId,
        lines: &[(SkuId, Quantity)],
        until: Instant,
    ) -> Result<(), ReserveError> {
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| (*sku, quantity.get()))
            .collect();
        let reserved = stock::app::reserve(&self.stock, order, &lines, until, self.now.get());
        reserved
            .map(drop)
            .map_err(|error| ReserveError::Unavailable(error.to_string()))
    }

    fn commit(&self, order: OrderId) -> Result<(), CommitError> {
        let committed = stock::app::commit(&self.stock, order, self.now.get());
        committed
            .map(drop)
            .map_err(|error| CommitError::Unavailable(error.to_string()))
    }

    fn commit_all(&self, orders: &[OrderId]) -> Vec<Result<(), CommitError>> {
        let unavailable = |_: &OrderId| Err(CommitError::Unavailable(unexpected()));
        orders.iter().map(unavailable).collect()
    }

    fn release(&self, _: OrderId) -> Result<(), ReleaseError> {
        Err(ReleaseError::Unavailable(unexpected()))
    }

    fn take_back(&self, _: OrderId) -> Result<(), TakeBackError> {
        Err(TakeBackError::Unavailable(unexpected()))
    }
}

impl Payments for Domains {
    fn charge(&self, charge: &Charge) -> Result<Money, ChargeError> {
        let failed = |error: &dyn std::fmt::Display| ChargeError::Unavailable(error.to_string());
        let wanted = pay::Charge {
            order: charge.order,
            user: charge.user,
            amount: pay::Amount::try_new(charge.amount).map_err(|error| failed(&error))?,
            method: pay::Method::parse(charge.method.text()).ok_or_else(|| failed(&"no such method"))?,
        };
        let app = payment::app::App {
            payments: &self.payments,
            gateway: &self.gateway,
        };
        match app.charge(&wanted, self.now.get(), (self.random)()) {
            Ok(payment) => Ok(payment.into_inner().amount),
            Err(_) => Err(failed(&"the charge was refused")),
        }
    }

    fn confirm(&self, _: &Charge, _: &PaymentKey) -> Result<Money, ChargeError> {
        Err(ChargeError::Unavailable(unexpected()))
    }

    fn void(&self, _: &Charge, _: &str, _: &str) -> Result<(), VoidError> {
        Err(VoidError::Unavailable(unexpected()))
    }
}

impl Carts for Domains {
    fn lines(&self, _: UserId) -> Result<Vec<CartLine>, CartUnavailable> {
        Err(CartUnavailable(unexpected()))
    }

    fn take(&self, _: OrderId, _: UserId, _: &[CartLine]) -> Result<(), CartUnavailable> {
        Err(CartUnavailable(unexpected()))
    }
}

impl payment::app::Gateway for Gateway {
    fn approve(&self, order: OrderId, amount: Money) -> Result<payment::app::Approval, ApproveError> {
        let rules = fake_pg::domain::Rules::parse("")
            .map_err(|error| ApproveError::Unavailable(error.to_string()))?;
        let pg = fake_pg::app::Gateway {
            book: &self.0,
            rules: &rules,
            wait: &|_| {},
        };
        let approved = pg.approve(order, amount);
        let approved = approved.map_err(|error| ApproveError::Unavailable(error.to_string()))?;
        Ok(payment::app::Approval {
            payment_key: approved.key.as_str().to_owned(),
            amount: approved.amount,
        })
    }

    fn confirm(&self, _: OrderId, _: &str, _: Money) -> Result<payment::app::Approval, ApproveError> {
        Err(ApproveError::Unavailable(unexpected()))
    }

    fn cancel(&self, _: &str, _: &str, _: Money, _: &str) -> Result<(), CancelError> {
        Err(CancelError::Unavailable(unexpected()))
    }

    fn find(&self, _: OrderId) -> Result<Option<payment::app::Entry>, String> {
        Err(unexpected())
    }
}
