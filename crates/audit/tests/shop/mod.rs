//! A shop over files, without HTTP servers and wasm: the domains' own use cases, as many hands as are wanted.
#![allow(dead_code, reason = "each suite uses its part")]

#[path = "../../../../components/order/tests/shop/ports.rs"]
mod ports;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant as Real;

use audit::{Label, Sources};
use kernel::{Currency, Instant, Millis, Money, OrderId, UserId};
use order::app::{App, Reply};
use order::domain::Hold;
use order::http::{Call, handle, render};
use ports::Gateway;
use serde_json::{Value, json};
use store::{Db, native, params};
use testkit::{NEW_YEAR, seeded};
use web::{Identity, Method, Request, Role};

/// On which side of a call something happens; here nothing does.
#[derive(Clone, Copy)]
pub(crate) enum When {
    Before,
    After,
}

/// The shop's clock: it runs this much faster than the real one, or stands still until it is put forward.
pub(crate) struct Time {
    began: Real,
    speed: i64,
    put_forward: AtomicI64,
}

impl Time {
    pub(crate) fn running(speed: i64) -> Arc<Self> {
        Arc::new(Self {
            began: Real::now(),
            speed,
            put_forward: AtomicI64::new(0),
        })
    }

    pub(crate) fn now(&self) -> Instant {
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap() * self.speed;
        Instant::from_micros(NEW_YEAR.micros() + elapsed + self.put_forward.load(Ordering::SeqCst))
    }

    pub(crate) fn wait(&self, time: Millis) {
        self.put_forward
            .fetch_add(i64::from(time.0) * 1_000, Ordering::SeqCst);
    }
}

/// What all hands of a shop share beside its files: time, and how far consumers have acknowledged.
pub(crate) struct House {
    pub(crate) folder: PathBuf,
    pub(crate) time: Arc<Time>,
    acknowledged: [AtomicU64; 2],
}

impl House {
    pub(crate) fn new(folder: &Path, time: Arc<Time>) -> Self {
        let house = Self {
            folder: folder.to_owned(),
            time,
            acknowledged: Default::default(),
        };
        // Every database is made by its own domain, but for accounts, of which nothing else is needed here.
        Shop::enter(&house, 0, 0);
        house.settlement();
        let accounts = rusqlite::Connection::open(house.file(Label::Account)).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(workspace().join("components/account/migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        for name in &names {
            accounts
                .execute_batch(&std::fs::read_to_string(name).unwrap())
                .unwrap();
        }
        accounts
            .pragma_update(None, "user_version", names.len() as i64)
            .unwrap();
        house
    }

    pub(crate) fn file(&self, label: Label) -> PathBuf {
        self.folder.join(format!("{label}.db"))
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources::in_folder(&self.folder)
    }

    pub(crate) fn settlement(&self) -> settlement::store::Store {
        let db = native::open(&self.file(Label::Settlement), settlement::store::MIGRATIONS).unwrap();
        settlement::store::Store::new(db, settlement::domain::Zone::parse("Asia/Seoul").unwrap())
    }

    /// One run of the relay: what is due is published, but for what `lost` drops on the way, and applied.
    pub(crate) fn relay(
        &self,
        shop: &Shop,
        ledger: &settlement::store::Store,
        lost: &dyn Fn() -> bool,
    ) -> usize {
        let mut sent = 0;
        for (place, (producer, db)) in [("order", &shop.orders), ("payment", &shop.payments)]
            .iter()
            .enumerate()
        {
            let acknowledged = &self.acknowledged[place];
            let due = relay::outbox::drain(db, self.time.now(), acknowledged.load(Ordering::SeqCst), 200);
            let packed = relay::message::pack(producer, &due.unwrap());
            sent += packed.parcels.len();
            for parcel in packed.parcels.iter().filter(|_| !lost()) {
                let acknowledge = |_: &str, position| acknowledged.store(position, Ordering::SeqCst);
                let now = self.time.now();
                settlement::app::consume(ledger, parcel.text.as_bytes(), now, acknowledge).unwrap();
            }
        }
        sent
    }

    /// Runs all jobs until nothing is left to do.
    pub(crate) fn settle(&self) {
        let (shop, ledger) = (Shop::enter(self, 1, 0), self.settlement());
        for _ in 0..20 {
            self.time.wait(Millis(310_000));
            shop.jobs();
            self.relay(&shop, &ledger, &|| false);
        }
        assert_eq!(self.relay(&shop, &ledger, &|| false), 0, "events are left");
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One hand of the shop: connections of its own.
pub(crate) struct Shop {
    pub(crate) orders: Db,
    pub(crate) payments: Db,
    gateway: Gateway,
    stock: stock::store::Store,
    carts: cart::store::Store,
    time: Arc<Time>,
    random: Box<dyn Fn() -> u64>,
    /// Of a hundred calls to another domain, so many get no answer.
    lost: u64,
    calls: Cell<u64>,
}

impl Shop {
    pub(crate) fn enter(house: &House, seed: u64, lost: u64) -> Self {
        let open = |label, migrations| native::open(&house.file(label), migrations).unwrap();
        let cart = native::open(&house.folder.join("cart.db"), cart::store::MIGRATIONS).unwrap();
        Self {
            orders: open(Label::Order, order::store::MIGRATIONS),
            payments: open(Label::Payment, payment::store::MIGRATIONS),
            gateway: Gateway {
                book: open(Label::Gateway, fake_pg::store::MIGRATIONS),
                rules: fake_pg::domain::Rules::parse("refuse amount=15000 REJECT").unwrap(),
            },
            stock: stock::store::Store::new(open(Label::Stock, stock::store::MIGRATIONS)),
            carts: cart::store::Store::new(cart),
            time: house.time.clone(),
            random: Box::new(seeded(seed)),
            lost,
            calls: Cell::new(0),
        }
    }

    pub(crate) fn draw(&self) -> u64 {
        (self.random)()
    }

    pub(crate) fn now(&self) -> Instant {
        self.time.now()
    }

    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    fn beside(&self, _: When) {}

    fn charges(&self) -> payment::app::App<'_, Db, Gateway> {
        payment::app::App {
            payments: &self.payments,
            gateway: &self.gateway,
        }
    }

    /// A call to another domain, whose answer may get lost before or after it was done.
    fn call<T, E>(
        &self,
        name: &str,
        unavailable: impl Fn(String) -> E,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.calls.set(self.calls.get() + 1);
        let chance = if self.lost == 0 { 100 } else { self.draw() % 100 };
        if chance < self.lost / 2 {
            return Err(unavailable(name.to_owned()));
        }
        let answer = call();
        if chance < self.lost {
            return Err(unavailable(name.to_owned()));
        }
        answer
    }

    fn with<T>(&self, work: impl FnOnce(&App<'_>) -> T) -> T {
        work(&App {
            ledger: &self.orders,
            catalog: self,
            goods: self,
            payments: self,
            carts: self,
            render: &render,
            hold: &|| Hold::parse("60").map_err(|error| error.to_string()),
            now: self.now(),
            clock: &|| self.now(),
            random: &|| self.draw(),
        })
    }

    fn post(&self, user: u64, path: &str, body: &Value) -> Reply {
        let request = Request::new(Method::Post, path)
            .with_header("content-type", "application/json")
            .with_body(body.to_string());
        let user = UserId::try_new(user).unwrap();
        let identity = Ok(Identity {
            user,
            role: Role::User,
        });
        self.with(|app| handle(&request, &Call { identity }, app))
    }

    /// One order; its id and status, where there is one.
    pub(crate) fn buy(&self, product: u64, quantity: u32, method: &str) -> Option<(u64, String)> {
        let body = json!({"productId": product, "quantity": quantity, "paymentMethod": method});
        let reply = self.post(1 + self.draw() % 50, "/orders", &body);
        let told: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        Some((told["id"].as_u64()?, told["status"].as_str()?.to_owned()))
    }

    /// The user whose order it is.
    fn owner(&self, order: u64) -> u64 {
        let statement = "select user_id from customer_order where order_id = ?1";
        let row = self
            .orders
            .read_one(statement, params![order as i64])
            .unwrap()
            .unwrap();
        row.get::<i64>("user_id").unwrap() as u64
    }

    pub(crate) fn confirm(&self, order: u64, amount: i64) -> u16 {
        let body = json!({"paymentKey": format!("key-{order}"), "orderId": order, "amount": amount});
        self.post(self.owner(order), "/payments/confirm", &body).status
    }

    pub(crate) fn cancel(&self, order: u64) -> u16 {
        let path = format!("/orders/{order}/cancel");
        self.post(self.owner(order), &path, &json!({})).status
    }

    /// An admin gives a part of a payment back.
    pub(crate) fn refund(&self, order: u64, won: i64) -> bool {
        let refund = payment::domain::NewRefund {
            order: OrderId::try_new(order).unwrap(),
            key: payment::domain::RefundKey::try_new("admin/by hand").unwrap(),
            amount: payment::domain::Amount::try_new(Money::try_new(won, Currency::Krw).unwrap()).unwrap(),
            reason: "by hand".to_owned(),
        };
        self.charges().refund(&refund, self.now()).is_ok()
    }

    /// One run of the jobs of orders and payments.
    pub(crate) fn jobs(&self) {
        self.with(|app| (app.recover(100).unwrap(), app.expire(100).unwrap()));
        self.charges().recover(100, self.now()).unwrap();
    }

    pub(crate) fn count(&self, statement: &str) -> i64 {
        let row = self.orders.read_one(statement, params![]).unwrap().unwrap();
        row.get("n").unwrap()
    }
}

/// More pieces of every SKU than any test sells, with their history.
pub(crate) fn stock_up(house: &House) {
    let stock = rusqlite::Connection::open(house.file(Label::Stock)).unwrap();
    stock
        .execute_batch(
            "begin immediate;
             update stock_level set on_hand = on_hand + 1000000;
             insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
             select sku_id, 2, 'MANUAL', null, 1000000, on_hand, 0, 1767225600000001 from stock_level;
             commit;",
        )
        .unwrap();
}
