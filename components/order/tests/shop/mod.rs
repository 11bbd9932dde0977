//! A shop without HTTP and wasm: the domains' own use cases on databases in memory.

use std::cell::Cell;

use kernel::{Currency, Instant, Millis, Money, OrderId, ProductId, Quantity, SkuId, UserId};
use order::app::{
    Catalog, ChargeError, Checkout, CommitError, Goods, Payments, PlaceError, Placed, Placement, Quote,
    QuoteError, RefundError, ReleaseError, ReserveError,
};
use order::domain::{Item, Method};
use payment::app::{ApproveError, CancelError};
use store::{Db, native, params};
use testkit::{Clock, NEW_YEAR, seeded};

/// When an answer gets lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// Before the call did anything.
    Before,
    /// After it was done.
    After,
}

/// Which calls to other domains get no answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) when: When,
}

pub(crate) struct Shop {
    pub(crate) orders: Db,
    stock: stock::store::Store,
    stock_tables: Db,
    payments: Db,
    pg: Db,
    rules: fake_pg::domain::Rules,
    clock: Clock,
    calls: Cell<u32>,
    fault: Cell<Option<Fault>>,
    random: Box<dyn Fn() -> u64>,
    _folder: tempfile::TempDir,
}

pub(crate) fn user(number: u64) -> UserId {
    UserId::try_new(number).unwrap()
}

impl Shop {
    /// A shop with the seeded stock, whose gateway follows `rules`.
    pub(crate) fn open(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stock = folder.path().join("stock.db");
        Self {
            orders: native::in_memory(order::store::MIGRATIONS).unwrap(),
            stock: stock::store::Store::new(native::open(&stock, stock::store::MIGRATIONS).unwrap()),
            stock_tables: native::open(&stock, stock::store::MIGRATIONS).unwrap(),
            payments: native::in_memory(payment::store::MIGRATIONS).unwrap(),
            pg: native::in_memory(fake_pg::store::MIGRATIONS).unwrap(),
            rules: fake_pg::domain::Rules::parse(rules).unwrap(),
            clock: Clock::at(NEW_YEAR),
            calls: Cell::new(0),
            fault: Cell::new(None),
            random: Box::new(seeded(7)),
            _folder: folder,
        }
    }

    pub(crate) fn place(&self, placement: &Placement) -> Result<Placed, PlaceError> {
        self.clock.advance(Millis(1));
        let checkout = Checkout {
            orders: &self.orders,
            catalog: self,
            goods: self,
            payments: self,
        };
        checkout.place(placement, self.clock.now(), &self.random)
    }

    /// How many calls to other domains an undisturbed checkout makes.
    pub(crate) fn calls_of(&self, placement: &Placement) -> u32 {
        self.place(placement).unwrap();
        self.calls.get()
    }

    pub(crate) fn disturb(&self, fault: Fault) {
        self.fault.set(Some(fault));
    }

    pub(crate) fn on_hand(&self, sku: u64) -> i64 {
        let row = self.stock_tables.read_one(
            "select on_hand from stock_level where sku_id = ?1",
            params![sku as i64],
        );
        row.unwrap().unwrap().get("on_hand").unwrap()
    }

    /// Pieces that are set aside right now.
    pub(crate) fn held(&self, sku: u64) -> u32 {
        let sku = SkuId::try_new(sku).unwrap();
        stock::app::level(&self.stock, &[sku], self.clock.now()).unwrap()[0].reserved
    }

    /// Money that was taken and not given back, as the payments say.
    pub(crate) fn kept(&self) -> i64 {
        let sum = "select coalesce(sum(amount_minor - refunded_minor), 0) as won from payment where state = 'CAPTURED'";
        self.payments
            .read_one(sum, params![])
            .unwrap()
            .unwrap()
            .get("won")
            .unwrap()
    }

    /// The same as the gateway says.
    pub(crate) fn approved(&self) -> i64 {
        let sum = "select coalesce(sum(asked_minor - cancelled_minor), 0) as won from pg_payment where state = 'APPROVED'";
        self.pg
            .read_one(sum, params![])
            .unwrap()
            .unwrap()
            .get("won")
            .unwrap()
    }

    /// The topics in the outbox of orders, in the order they were written.
    pub(crate) fn topics(&self) -> Vec<String> {
        let rows = self
            .orders
            .read("select topic from outbox order by rowid", params![])
            .unwrap();
        rows.iter().map(|row| row.get("topic").unwrap()).collect()
    }

    /// Runs one call to another domain, or loses it.
    fn call<T, E>(
        &self,
        unavailable: impl Fn(String) -> E,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let number = self.calls.replace(self.calls.get() + 1);
        match self
            .fault
            .get()
            .filter(|fault| (fault.first..=fault.last).contains(&number))
        {
            None => call(),
            Some(Fault {
                when: When::Before, ..
            }) => Err(unavailable(format!("call {number} was lost"))),
            Some(Fault {
                when: When::After, ..
            }) => {
                let _ = call();
                Err(unavailable(format!("the answer of call {number} was lost")))
            }
        }
    }

    fn gateway(&self) -> fake_pg::app::Gateway<'_, Db> {
        fake_pg::app::Gateway {
            book: &self.pg,
            rules: &self.rules,
            wait: &|_| {},
        }
    }

    fn charges(&self) -> payment::app::App<'_, Db, Self> {
        payment::app::App {
            payments: &self.payments,
            gateway: self,
        }
    }
}

impl Catalog for Shop {
    /// The seeded prices.
    fn quote(&self, items: &[Item]) -> Result<Vec<Quote>, QuoteError> {
        let price = |number| [10_000, 25_000, 5_000].get(number as usize - 1).copied();
        let quote = |(place, item): (usize, &Item)| {
            let number = match item {
                Item::Product(id) => id.get(),
                Item::Sku(id) => id.get(),
            };
            Ok(Quote {
                product: ProductId::try_new(number).unwrap(),
                sku: SkuId::try_new(number).unwrap(),
                name: format!("테스트 상품 {number}"),
                unit_price: Money::try_new(price(number).ok_or(QuoteError::Unknown(place))?, Currency::Krw)
                    .unwrap(),
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
        use stock::domain::ReserveRefused as Refused;
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| (*sku, quantity.get()))
            .collect();
        self.call(ReserveError::Unavailable, || {
            match stock::app::reserve(&self.stock, order, &lines, until, self.clock.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::ReserveError::Refused(Refused::Insufficient(short))) => {
                    Err(ReserveError::Insufficient { free: short.free })
                }
                Err(stock::app::ReserveError::Refused(other)) => Err(ReserveError::Broken(other.to_string())),
                Err(stock::app::ReserveError::Store(error)) => {
                    Err(ReserveError::Unavailable(error.to_string()))
                }
            }
        })
    }

    fn commit(&self, order: OrderId) -> Result<(), CommitError> {
        self.call(CommitError::Unavailable, || {
            match stock::app::commit(&self.stock, order, self.clock.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::CommitError::Refused(_)) => Err(CommitError::Gone("refused")),
                Err(stock::app::CommitError::Store(error)) => {
                    Err(CommitError::Unavailable(error.to_string()))
                }
            }
        })
    }

    fn release(&self, order: OrderId) -> Result<(), ReleaseError> {
        self.call(ReleaseError::Unavailable, || {
            match stock::app::release(&self.stock, order, self.clock.now()) {
                Ok(_) => Ok(()),
                Err(stock::app::ReleaseError::Refused(_)) => Err(ReleaseError::Committed),
                Err(stock::app::ReleaseError::Store(error)) => {
                    Err(ReleaseError::Unavailable(error.to_string()))
                }
            }
        })
    }
}

impl Payments for Shop {
    fn charge(&self, order: OrderId, user: UserId, amount: Money, method: Method) -> Result<(), ChargeError> {
        use payment::app::Failed;
        use payment::domain::{Amount, Charge, ChargeRefused, Method as Paid};
        let method = Paid::parse(method.text()).unwrap();
        let charge = Charge {
            order,
            user,
            amount: Amount::try_new(amount).unwrap(),
            method,
        };
        self.call(ChargeError::Unavailable, || {
            match self.charges().charge(&charge, self.clock.now(), (self.random)()) {
                Ok(_) => Ok(()),
                Err(Failed::Refused(ChargeRefused::Refused(code))) => Err(ChargeError::Refused(code)),
                Err(Failed::Refused(ChargeRefused::MethodNotOffered)) => Err(ChargeError::MethodNotOffered),
                Err(Failed::Refused(other)) => Err(ChargeError::Broken(other.to_string())),
                Err(Failed::Unanswered(why)) => Err(ChargeError::Unavailable(why.to_string())),
            }
        })
    }

    fn refund(&self, order: OrderId, key: &str, amount: Money, reason: &str) -> Result<(), RefundError> {
        use payment::app::Failed;
        use payment::domain::{Amount, NewRefund, RefundKey, RefundRefused};
        let refund = NewRefund {
            order,
            key: RefundKey::try_new(key).unwrap(),
            amount: Amount::try_new(amount).unwrap(),
            reason: reason.to_owned(),
        };
        self.call(RefundError::Unavailable, || {
            match self.charges().refund(&refund, self.clock.now()) {
                Ok(_) => Ok(()),
                Err(Failed::Refused(RefundRefused::NotCaptured)) => Err(RefundError::NotCaptured),
                Err(Failed::Refused(other)) => Err(RefundError::Refused(other.to_string())),
                Err(Failed::Unanswered(why)) => Err(RefundError::Unavailable(why.to_string())),
            }
        })
    }
}

impl payment::app::Gateway for Shop {
    fn approve(&self, order: OrderId, amount: Money) -> Result<payment::app::Approval, ApproveError> {
        use fake_pg::app::ApproveError as Pg;
        use fake_pg::domain::ApproveRefused;
        match self.gateway().approve(order, amount) {
            Ok(approval) => Ok(payment::app::Approval {
                payment_key: approval.key.as_str().to_owned(),
                amount: approval.amount,
            }),
            Err(Pg::Refused(ApproveRefused::Refused(code))) => Err(ApproveError::Refused(code)),
            Err(Pg::Refused(_)) => Err(ApproveError::DiffersFromExisting),
            Err(other) => Err(ApproveError::Unavailable(other.to_string())),
        }
    }

    fn cancel(&self, payment: &str, cancel: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        self.gateway()
            .cancel(payment, cancel, amount, reason)
            .map_err(|error| match error {
                fake_pg::app::CancelError::Refused(refused) => CancelError::Refused(refused.to_string()),
                other => CancelError::Unavailable(other.to_string()),
            })
    }

    fn took_money(&self, order: OrderId) -> Result<bool, String> {
        self.gateway()
            .find(order)
            .map(|found| found.is_some())
            .map_err(|error| error.to_string())
    }
}
