//! A shop over files, without HTTP servers and wasm: the domains' own use cases, as many hands as are wanted.
#![allow(dead_code, reason = "each suite uses its part")]

#[path = "../../../../components/order/tests/shop/ports.rs"]
mod ports;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant as Real;

use audit::{Address, Label, Sources};
use kernel::{Currency, Instant, Millis, Money, OrderId, UserId};
use order::app::{App, Reply};
use order::domain::Hold;
use order::http::{Call, handle, render};
use ports::Gateway;
use serde_json::{Value, json};
use store::{Db, Migration, native, params, postgres};
use testkit::servers::Postgres;
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

/// Where a shop's databases are.
#[derive(Clone, Copy)]
pub(crate) enum Ground<'a> {
    /// Files in this folder.
    Files(&'a Path),
    /// Databases of this cluster.
    Postgres(&'a Postgres),
}

impl Ground<'_> {
    pub(crate) fn address(&self, label: &str) -> Address {
        match self {
            Self::Files(folder) => Address::File(folder.join(format!("{label}.db"))),
            Self::Postgres(cluster) => Address::Postgres(cluster.shop_address(label)),
        }
    }

    fn open(&self, label: &str, migrations: &[Migration]) -> Db {
        match self.address(label) {
            Address::File(path) => native::open(&path, migrations),
            Address::Postgres(address) => postgres::native::open(&address, migrations),
        }
        .unwrap_or_else(|error| panic!("{label}: {error}"))
    }

    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        for label in Label::ALL {
            assert!(sources.add(label, self.address(label.as_str())));
        }
        sources
    }

    /// Runs statements by hand, in a database of any name.
    pub(crate) fn run(&self, database: &str, statements: &str) {
        match self {
            Self::Files(folder) => {
                let database = rusqlite::Connection::open(folder.join(format!("{database}.db"))).unwrap();
                database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                database
                    .execute_batch(statements)
                    .unwrap_or_else(|error| panic!("{error}: {statements}"));
            }
            Self::Postgres(cluster) => {
                cluster.run_sql(database, &[statements]);
            }
        }
    }
}

/// What all hands of a shop share beside its databases: time, and how far consumers have acknowledged.
pub(crate) struct House<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) time: Arc<Time>,
    acknowledged: [AtomicU64; 2],
}

/// The accounts and their log, read from their folder: nothing else of that domain is needed here, sessions neither.
fn accounts() -> Vec<Migration> {
    let folder = workspace().join("components/account/migrations");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let migration = |(number, path): (u32, &PathBuf)| Migration {
        number,
        name: leak(path.display().to_string()),
        sql: leak(std::fs::read_to_string(path).unwrap()),
    };
    let of_sessions = |path: &PathBuf| {
        let name = path.display().to_string();
        name.ends_with("_create_session.sql") || name.ends_with("_add_successor_salt.sql")
    };
    let numbered = (1..).zip(&paths);
    numbered
        .filter(|(_, path)| !of_sessions(path))
        .map(migration)
        .collect()
}

impl<'a> House<'a> {
    pub(crate) fn new(ground: Ground<'a>, time: Arc<Time>) -> Self {
        let house = Self {
            ground,
            time,
            acknowledged: Default::default(),
        };
        // Every database is made by its own domain.
        Shop::enter(&house, 0, 0);
        house.settlement();
        ground.open("account", &accounts());
        house
    }

    pub(crate) fn sources(&self) -> Sources {
        self.ground.sources()
    }

    pub(crate) fn settlement(&self) -> settlement::store::Store {
        let db = self.ground.open("settlement", settlement::store::MIGRATIONS);
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
            // Who finds the database busy comes again.
            let Ok(due) = due else { continue };
            let packed = relay::message::pack(producer, &due);
            sent += packed.parcels.len();
            for parcel in packed.parcels.iter().filter(|_| !lost()) {
                let acknowledge = |_: &str, position| acknowledged.store(position, Ordering::SeqCst);
                let now = self.time.now();
                let _ = settlement::app::consume(ledger, parcel.text.as_bytes(), now, acknowledge);
            }
        }
        sent
    }

    /// Runs all jobs until nothing is left to do.
    pub(crate) fn settle(&self) {
        let (shop, ledger) = (Shop::enter(self, 1, 0), self.settlement());
        let mut quiet = 0;
        for _ in 0..500 {
            self.time.wait(Millis(310_000));
            shop.jobs();
            quiet = match self.relay(&shop, &ledger, &|| false) {
                0 => quiet + 1,
                _ => 0,
            };
            if quiet == 10 {
                return;
            }
        }
        panic!("events are left");
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
    pub(crate) fn enter(house: &House<'_>, seed: u64, lost: u64) -> Self {
        let open = |label, migrations| house.ground.open(label, migrations);
        Self {
            orders: open("order", order::store::MIGRATIONS),
            payments: open("payment", payment::store::MIGRATIONS),
            gateway: Gateway {
                book: open("pg", fake_pg::store::MIGRATIONS),
                rules: fake_pg::domain::Rules::parse("refuse amount=15000 REJECT").unwrap(),
            },
            stock: stock::store::Store::new(open("stock", stock::store::MIGRATIONS)),
            carts: cart::store::Store::new(open("cart", cart::store::MIGRATIONS)),
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
        // A store that has no answer in time makes the ports panic, as a guest would trap: nobody knows what it did.
        let Ok(answer) = catch_unwind(AssertUnwindSafe(call)) else {
            return Err(unavailable(name.to_owned()));
        };
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
        // What finds a database busy is done by the next run.
        let _ = self.with(|app| app.recover(100));
        let _ = self.with(|app| app.expire(100));
        let _ = self.charges().recover(100, self.now());
    }

    pub(crate) fn count(&self, statement: &str) -> i64 {
        let row = self.orders.read_one(statement, params![]).unwrap().unwrap();
        row.get("n").unwrap()
    }
}

/// More pieces of every SKU than any test sells, with their history.
pub(crate) fn stock_up(house: &House<'_>) {
    house.ground.run(
        "stock",
        "update stock_level set on_hand = on_hand + 1000000;
         insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
         select sku_id, 2, 'MANUAL', null, 1000000, on_hand, 0, 1767225600000001 from stock_level;",
    );
}
