//! The other domains as the order component sees them, each over its own use cases.

use kernel::{Currency, Instant, Money, OrderId, Outcome, ProductId, Quantity, SkuId, UserId};
use order::app::{
    CartLine, CartUnavailable, Carts, Catalog, Charge, ChargeError, CommitError, Goods, Payments, Quote,
    QuoteError, ReleaseError, ReserveError, TakeBackError, VoidError,
};
use order::domain::{Item, PaymentKey};
use payment::app::{ApproveError, CancelError, Failed};
use payment::domain as pay;

use super::{Shop, When};

/// The seeded prices.
const PRICES: [i64; 3] = [10_000, 25_000, 5_000];

impl Catalog for Shop {
    fn quote(&self, items: &[Item]) -> Result<Vec<Quote>, QuoteError> {
        let quote = |(place, item): (usize, &Item)| {
            let number = match item {
                Item::Product(id) => id.get(),
                Item::Sku(id) => id.get(),
            };
            let price = PRICES.get(number as usize - 1);
            let price = *price.ok_or(QuoteError::Unknown(place))?;
            Ok(Quote {
                product: ProductId::try_new(number).unwrap(),
                sku: SkuId::try_new(number).unwrap(),
                name: format!("테스트 상품 {number}"),
                category: "전자".to_owned(),
                seller: "bodega".to_owned(),
                unit_price: Money::try_new(price, Currency::Krw).unwrap(),
            })
        };
        items.iter().enumerate().map(quote).collect()
    }
}

impl Goods for Shop {
    fn reserve(
        &self,
        order: OrderId,
        lines: &[(SkuId, Quantity)],
        until: Instant,
    ) -> Result<(), ReserveError> {
        use stock::app::ReserveError as Failed;
        use stock::domain::ReserveRefused as Refused;
        let line = |(sku, quantity): &(SkuId, Quantity)| (*sku, quantity.get());
        let lines: Vec<_> = lines.iter().map(line).collect();
        self.call(
            "stock.reserve",
            ReserveError::Unavailable,
            || match stock::app::reserve(&self.stock, order, &lines, until, self.now()) {
                Ok(_) => Ok(()),
                Err(Failed::Refused(Refused::Insufficient(short))) => {
                    Err(ReserveError::Insufficient { free: short.free })
                }
                Err(Failed::Refused(other)) => Err(ReserveError::Broken(other.to_string())),
                Err(Failed::Store(error)) => panic!("{error}"),
            },
        )
    }

    fn commit(&self, order: OrderId) -> Result<(), CommitError> {
        self.call(
            "stock.commit",
            CommitError::Unavailable,
            || match stock::app::commit(&self.stock, order, self.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::CommitError::Refused(_)) => Err(CommitError::Gone("refused")),
                Err(stock::app::CommitError::Store(error)) => panic!("{error}"),
            },
        )
    }

    fn commit_all(&self, orders: &[OrderId]) -> Vec<Result<(), CommitError>> {
        use stock::app::CommitError as Failed;
        let told = |answer: Result<Outcome<()>, Failed>| match answer {
            Ok(_) => Ok(()),
            Err(Failed::Refused(_)) => Err(CommitError::Gone("refused")),
            Err(Failed::Store(error)) => panic!("{error}"),
        };
        self.beside(When::Before);
        let answers = self.call("stock.commit-all", CommitError::Unavailable, || {
            let answers = stock::app::commit_all(&self.stock, orders, self.now());
            Ok(answers.into_iter().map(told).collect())
        });
        self.beside(When::After);
        answers.unwrap_or_else(|error| orders.iter().map(|_| Err(error.clone())).collect())
    }

    fn release(&self, order: OrderId) -> Result<(), ReleaseError> {
        self.call(
            "stock.release",
            ReleaseError::Unavailable,
            || match stock::app::release(&self.stock, order, self.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::ReleaseError::Refused(_)) => Err(ReleaseError::Committed),
                Err(stock::app::ReleaseError::Store(error)) => panic!("{error}"),
            },
        )
    }

    fn take_back(&self, order: OrderId) -> Result<(), TakeBackError> {
        self.call(
            "stock.take-back",
            TakeBackError::Unavailable,
            || match stock::app::take_back(&self.stock, order, self.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::TakeBackError::Refused(_)) => Err(TakeBackError::NotCommitted),
                Err(stock::app::TakeBackError::Store(error)) => panic!("{error}"),
            },
        )
    }
}

fn charge_of(charge: &Charge) -> pay::Charge {
    pay::Charge {
        order: charge.order,
        user: charge.user,
        amount: pay::Amount::try_new(charge.amount).unwrap(),
        method: pay::Method::parse(charge.method.text()).unwrap(),
    }
}

fn charged(answer: Result<Outcome<pay::Payment>, Failed<pay::ChargeRefused>>) -> Result<Money, ChargeError> {
    match answer {
        Ok(payment) => {
            let payment = payment.into_inner();
            Ok(payment.amount.checked_sub(payment.refunded()).unwrap())
        }
        Err(Failed::Refused(pay::ChargeRefused::Refused(code))) => Err(ChargeError::Refused(code)),
        Err(Failed::Refused(pay::ChargeRefused::MethodNotOffered)) => Err(ChargeError::MethodNotOffered),
        Err(Failed::Refused(other)) => Err(ChargeError::Broken(other.to_string())),
        Err(Failed::Unanswered(why)) => Err(ChargeError::Unavailable(why.to_string())),
    }
}

impl Payments for Shop {
    fn charge(&self, charge: &Charge) -> Result<Money, ChargeError> {
        self.call("payment.charge", ChargeError::Unavailable, || {
            charged(self.charges().charge(&charge_of(charge), self.now(), self.draw()))
        })
    }

    fn confirm(&self, charge: &Charge, payment: &PaymentKey) -> Result<Money, ChargeError> {
        let confirmation = pay::Confirmation {
            order: charge.order,
            user: charge.user,
            amount: pay::Amount::try_new(charge.amount).unwrap(),
            key: pay::PaymentKey::try_new(payment.as_str()).unwrap(),
        };
        self.call("payment.confirm", ChargeError::Unavailable, || {
            charged(self.charges().confirm(&confirmation, self.now(), self.draw()))
        })
    }

    fn void(&self, charge: &Charge, key: &str, reason: &str) -> Result<(), VoidError> {
        let void = pay::Void {
            charge: charge_of(charge),
            key: pay::RefundKey::try_new(key).unwrap(),
            reason: reason.to_owned(),
        };
        self.call("payment.void", VoidError::Unavailable, || {
            match self.charges().void(&void, self.now(), self.draw()) {
                Ok(_) => Ok(()),
                Err(Failed::Refused(refused)) => Err(VoidError::Refused(refused.to_string())),
                Err(Failed::Unanswered(why)) => Err(VoidError::Unavailable(why.to_string())),
            }
        })
    }
}

impl Carts for Shop {
    fn lines(&self, user: UserId) -> Result<Vec<CartLine>, CartUnavailable> {
        let line = |line: cart::domain::Line| CartLine {
            product: line.product,
            sku: line.sku,
            quantity: line.quantity,
        };
        self.call("cart.lines", CartUnavailable, || {
            let lines = cart::app::lines(&self.carts, user).unwrap();
            Ok(lines.into_iter().map(line).collect())
        })
    }

    fn take(&self, order: OrderId, user: UserId, lines: &[CartLine]) -> Result<(), CartUnavailable> {
        let line = |line: &CartLine| cart::domain::Line {
            product: line.product,
            sku: line.sku,
            quantity: line.quantity,
        };
        let lines: Vec<_> = lines.iter().map(line).collect();
        self.call("cart.take", CartUnavailable, || {
            cart::app::take(&self.carts, order, user, &lines, self.now()).unwrap();
            Ok(())
        })
    }
}

/// The gateway that payments work through.
pub(crate) struct Gateway {
    pub(crate) book: store::Db,
    pub(crate) rules: fake_pg::domain::Rules,
}

impl Gateway {
    fn pg(&self) -> fake_pg::app::Gateway<'_, store::Db> {
        fake_pg::app::Gateway {
            book: &self.book,
            rules: &self.rules,
            wait: &|_| {},
        }
    }
}

fn approved(
    answer: Result<fake_pg::domain::Approval, fake_pg::app::ApproveError>,
) -> Result<payment::app::Approval, ApproveError> {
    use fake_pg::app::ApproveError as Pg;
    use fake_pg::domain::ApproveRefused;
    match answer {
        Ok(approval) => Ok(payment::app::Approval {
            payment_key: approval.key.as_str().to_owned(),
            amount: approval.amount,
        }),
        Err(Pg::Refused(ApproveRefused::Refused(code))) => Err(ApproveError::Refused(code)),
        Err(Pg::Refused(_)) => Err(ApproveError::DiffersFromExisting),
        Err(other) => Err(ApproveError::Unavailable(other.to_string())),
    }
}

impl payment::app::Gateway for Gateway {
    fn approve(&self, order: OrderId, amount: Money) -> Result<payment::app::Approval, ApproveError> {
        approved(self.pg().approve(order, amount))
    }

    fn confirm(
        &self,
        order: OrderId,
        key: &str,
        amount: Money,
    ) -> Result<payment::app::Approval, ApproveError> {
        approved(self.pg().confirm(order, key, amount))
    }

    fn cancel(&self, payment: &str, cancel: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        let answer = self.pg().cancel(payment, cancel, amount, reason);
        answer.map_err(|error| match error {
            fake_pg::app::CancelError::Refused(refused) => CancelError::Refused(refused.to_string()),
            other => CancelError::Unavailable(other.to_string()),
        })
    }

    fn find(&self, order: OrderId) -> Result<Option<payment::app::Entry>, String> {
        let found = self.pg().find(order).map_err(|error| error.to_string())?;
        Ok(found.map(|found| payment::app::Entry {
            cancelled: found.cancelled,
            approval: payment::app::Approval {
                payment_key: found.key.as_str().to_owned(),
                amount: found.amount,
            },
        }))
    }
}
