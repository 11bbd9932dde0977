//! A shop without HTTP servers and wasm: the domains' own use cases, each on its own database.
#![allow(dead_code, reason = "each suite uses its part")]

mod audit;
mod fault;
mod ports;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use store_suite::database;

use kernel::{Instant, Millis, OrderId, SkuId, UserId};
use order::app::{App, Reply, Tally};
use order::domain::Hold;
use order::http::{Call, handle, render};
use serde_json::Value;
use store::{Db, params};
use testkit::{NEW_YEAR, seeded};
use web::{Identity, Method, Request, Role};

#[allow(unused_imports, reason = "each suite uses its part")]
pub(crate) use fault::{Fault, Seam, When};
use ports::Gateway;

/// What a test does in the middle of somebody's call.
type Meanwhile = Box<dyn FnOnce(&Shop)>;

pub(crate) struct Shop {
    pub(crate) orders: Db,
    pub(crate) seam: Rc<Seam>,
    pub(crate) stock_tables: Db,
    pub(crate) payments: Db,
    pub(crate) gateway: Gateway,
    stock: stock::store::Store,
    carts: cart::store::Store,
    cart_tables: Db,
    hold: Cell<&'static str>,
    call_takes: Cell<Millis>,
    now: Cell<Instant>,
    meanwhile: RefCell<Option<(u32, Meanwhile)>>,
    beside: RefCell<Option<(When, Meanwhile)>>,
    random: Box<dyn Fn() -> u64>,
    _folder: tempfile::TempDir,
}

pub(crate) fn user(number: u64) -> UserId {
    UserId::try_new(number).unwrap()
}

/// What a reply says, as JSON.
pub(crate) fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

/// The id of the order in a reply.
#[track_caller]
pub(crate) fn id(reply: &Reply) -> u64 {
    json(reply)["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("no id in {reply:?}"))
}

/// The first value of a reply's header.
pub(crate) fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

impl Shop {
    /// A shop with the seeded stock, whose gateway follows `rules`.
    pub(crate) fn open(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (stock, cart) = (folder.path().join("stock.db"), folder.path().join("cart.db"));
        let seam = Rc::new(Seam::default());
        let shop = Self {
            orders: Db::open(fault::fragile(&seam), order::store::MIGRATIONS).unwrap(),
            seam,
            stock: stock::store::Store::new(database::open(&stock, stock::store::MIGRATIONS).unwrap()),
            stock_tables: database::open(&stock, stock::store::MIGRATIONS).unwrap(),
            payments: database::fresh(payment::store::MIGRATIONS).unwrap(),
            gateway: Gateway {
                book: database::fresh(fake_pg::store::MIGRATIONS).unwrap(),
                rules: fake_pg::domain::Rules::parse(rules).unwrap(),
            },
            carts: cart::store::Store::new(database::open(&cart, cart::store::MIGRATIONS).unwrap()),
            cart_tables: database::open(&cart, cart::store::MIGRATIONS).unwrap(),
            hold: Cell::new("600"),
            call_takes: Cell::new(Millis(0)),
            now: Cell::new(NEW_YEAR),
            meanwhile: RefCell::new(None),
            beside: RefCell::new(None),
            random: Box::new(seeded(7)),
            _folder: folder,
        };
        shop.seam.heal();
        shop
    }

    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    pub(crate) fn wait(&self, time: Millis) {
        self.now.set(self.now().after(time));
    }

    pub(crate) fn set_now(&self, now: Instant) {
        self.now.set(now);
    }

    /// Lets every call to another domain take so long.
    pub(crate) fn slow_down(&self, time: Millis) {
        self.call_takes.set(time);
    }

    /// What the variable `checkout_hold_seconds` says.
    pub(crate) fn set_hold(&self, text: &'static str) {
        self.hold.set(text);
    }

    fn draw(&self) -> u64 {
        (self.random)()
    }

    fn charges(&self) -> payment::app::App<'_, Db, Gateway> {
        payment::app::App {
            payments: &self.payments,
            gateway: &self.gateway,
        }
    }

    /// Runs something before the call of this number to another domain, counted from now on.
    pub(crate) fn before_call(&self, number: u32, work: impl FnOnce(&Self) + 'static) {
        *self.meanwhile.borrow_mut() = Some((self.seam.next_call() + number, Box::new(work)));
    }

    /// Runs something before or after the next call that lets goods go.
    pub(crate) fn beside_commit_all(&self, when: When, work: impl FnOnce(&Self) + 'static) {
        *self.beside.borrow_mut() = Some((when, Box::new(work)));
    }

    /// What is to be run at this side of a call that lets goods go.
    fn beside(&self, now: When) {
        let is_due = self
            .beside
            .borrow()
            .as_ref()
            .is_some_and(|(when, _)| *when == now);
        let taken = is_due.then(|| self.beside.borrow_mut().take()).flatten();
        if let Some((_, work)) = taken {
            work(self);
        }
    }

    fn call<T, E>(
        &self,
        name: &str,
        unavailable: impl Fn(String) -> E,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let due = self.meanwhile.borrow().as_ref().map(|(number, _)| *number) == Some(self.seam.next_call());
        let taken = due.then(|| self.meanwhile.borrow_mut().take()).flatten();
        if let Some((_, work)) = taken {
            work(self);
        }
        self.wait(self.call_takes.get());
        self.seam.call(name, unavailable, call)
    }

    /// The use cases at this moment.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&App<'_>) -> T) -> T {
        work(&App {
            ledger: &self.orders,
            catalog: self,
            goods: self,
            payments: self,
            carts: self,
            render: &render,
            hold: &|| Hold::parse(self.hold.get()).map_err(|error| error.to_string()),
            now: self.now(),
            clock: &|| self.now(),
            random: &|| self.draw(),
        })
    }

    /// One request of a customer, an administrator or, with the number 0, of nobody.
    pub(crate) fn send(&self, who: u64, role: Role, request: &Request) -> Reply {
        let identity = match UserId::try_new(who) {
            Ok(user) => Ok(Identity { user, role }),
            Err(_) => Err(web::Unverified::Missing),
        };
        self.with(|app| handle(request, &Call { identity }, app))
    }

    pub(crate) fn get(&self, who: u64, path: &str) -> Reply {
        self.send(who, Role::User, &Request::new(Method::Get, path))
    }

    pub(crate) fn post(&self, who: u64, path: &str, key: Option<&str>, body: &Value) -> Reply {
        self.send(who, Role::User, &request(path, key, Some(body)))
    }

    pub(crate) fn admin_get(&self, path: &str) -> Reply {
        self.send(99, Role::Admin, &Request::new(Method::Get, path))
    }

    pub(crate) fn admin_post(&self, path: &str) -> Reply {
        self.send(99, Role::Admin, &Request::new(Method::Post, path))
    }

    /// One call, by card.
    pub(crate) fn buy(&self, product: u64, quantity: u32) -> Reply {
        self.buy_as(None, product, quantity)
    }

    /// The same under a key.
    pub(crate) fn buy_as(&self, key: Option<&str>, product: u64, quantity: u32) -> Reply {
        let body = serde_json::json!({"productId": product, "quantity": quantity, "paymentMethod": "CARD"});
        self.post(1, "/orders", key, &body)
    }

    /// The first of two calls.
    pub(crate) fn reserve_as(&self, key: Option<&str>, product: u64, quantity: u32) -> Reply {
        let body = serde_json::json!({"productId": product, "quantity": quantity, "paymentMethod": "PG"});
        self.post(1, "/orders", key, &body)
    }

    /// The second of two calls.
    pub(crate) fn confirm_as(&self, key: Option<&str>, order: u64, payment: &str, amount: i64) -> Reply {
        let body = serde_json::json!({"paymentKey": payment, "orderId": order, "amount": amount});
        self.post(1, "/payments/confirm", key, &body)
    }

    pub(crate) fn cancel_as(&self, key: Option<&str>, order: u64) -> Reply {
        let path = format!("/orders/{order}/cancel");
        self.send(1, Role::User, &request(&path, key, None))
    }

    pub(crate) fn buy_cart(&self, key: Option<&str>) -> Reply {
        self.send(1, Role::User, &request("/orders/from-cart", key, None))
    }

    /// What stands in the order's own database.
    pub(crate) fn look(&self, statement: &str, params: &[store::Value]) -> Vec<store::Row> {
        self.seam.aside(|| self.orders.read(statement, params).unwrap())
    }

    /// The status word of an order.
    pub(crate) fn status(&self, order: u64) -> String {
        let statement = "select state from customer_order where order_id = ?1";
        let row = self.look(statement, params![order as i64]).pop();
        row.map_or("NOWHERE".to_owned(), |row| row.get("state").unwrap())
    }

    /// What is left to do for an order.
    pub(crate) fn work(&self, order: u64) -> String {
        let statement =
            "select kind || coalesce(' stuck at ' || stuck, '') as work from order_work where order_id = ?1";
        let row = self.look(statement, params![order as i64]).pop();
        row.map_or("nothing".to_owned(), |row| row.get("work").unwrap())
    }

    /// All orders there are, oldest first.
    pub(crate) fn all(&self) -> Vec<u64> {
        let rows = self.look("select order_id from customer_order order by order_id", params![]);
        let number = |row: &store::Row| row.get::<OrderId>("order_id").unwrap().get();
        rows.iter().map(number).collect()
    }

    /// Puts so many pieces into the cart of customer 1.
    pub(crate) fn put_in_cart(&self, product: u64, quantity: u32) {
        let statement = "insert into cart_line (user_id, product_id, sku_id, quantity) values (1, ?1, ?1, ?2)
                         on conflict (user_id, product_id, sku_id) do update set quantity = cart_line.quantity + ?2";
        let row = params![product as i64, quantity];
        self.cart_tables
            .transaction(|tx| tx.execute(statement, row))
            .unwrap();
    }

    /// Products and pieces in that cart.
    pub(crate) fn in_cart(&self) -> Vec<(i64, u32)> {
        let statement = "select product_id, quantity from cart_line where user_id = 1 order by product_id";
        let rows = self.cart_tables.read(statement, params![]).unwrap();
        let line = |row: &store::Row| (row.get("product_id").unwrap(), row.get("quantity").unwrap());
        rows.iter().map(line).collect()
    }

    /// Pieces in the house.
    pub(crate) fn on_hand(&self, sku: u64) -> i64 {
        let statement = "select on_hand from stock_level where sku_id = ?1";
        let row = self.stock_tables.read_one(statement, params![sku as i64]);
        row.unwrap().unwrap().get("on_hand").unwrap()
    }

    /// Pieces that are set aside right now.
    pub(crate) fn held(&self, sku: u64) -> u32 {
        let sku = SkuId::try_new(sku).unwrap();
        stock::app::level(&self.stock, &[sku], self.now()).unwrap()[0].reserved
    }

    /// Money that was taken and not given back.
    pub(crate) fn kept(&self) -> i64 {
        let statement = "select coalesce(sum(amount_minor - refunded_minor), 0) as won from payment where state = 'CAPTURED'";
        let row = self.payments.read_one(statement, params![]).unwrap().unwrap();
        row.get("won").unwrap()
    }

    /// The topics in the outbox, in the order they were written.
    pub(crate) fn topics(&self) -> Vec<String> {
        // Where a row stands, in the words of each database: nothing else says which was first.
        let place = if database::is_postgres() { "ctid" } else { "rowid" };
        let rows = self.look(&format!("select topic from outbox order by {place}"), params![]);
        rows.iter().map(|row| row.get("topic").unwrap()).collect()
    }

    /// One run of the payments' own job, long after what it is to carry on was left.
    pub(crate) fn recover_payments(&self) {
        for _ in 0..3 {
            self.wait(Millis(61_000));
            self.charges().recover(100, self.now()).unwrap();
        }
    }

    /// Somebody else gives a part of an order's money back.
    pub(crate) fn refund(&self, order: u64, won: i64) {
        let won = kernel::Money::try_new(won, kernel::Currency::Krw).unwrap();
        let refund = payment::domain::NewRefund {
            order: OrderId::try_new(order).unwrap(),
            key: payment::domain::RefundKey::try_new("by hand").unwrap(),
            amount: payment::domain::Amount::try_new(won).unwrap(),
            reason: "by hand".to_owned(),
        };
        self.charges().refund(&refund, self.now()).unwrap();
    }

    /// Somebody else charges an order by card.
    pub(crate) fn charge(&self, order: u64, won: i64) {
        let won = kernel::Money::try_new(won, kernel::Currency::Krw).unwrap();
        let charge = payment::domain::Charge {
            order: OrderId::try_new(order).unwrap(),
            user: user(1),
            amount: payment::domain::Amount::try_new(won).unwrap(),
            method: payment::domain::Method::Card,
        };
        self.charges().charge(&charge, self.now(), self.draw()).unwrap();
    }

    /// Somebody else gives the goods away that are set aside for an order.
    pub(crate) fn release(&self, order: u64) {
        stock::app::release(&self.stock, OrderId::try_new(order).unwrap(), self.now()).unwrap();
    }

    /// A job that began before lets the goods of an order go now, if it still can.
    pub(crate) fn let_go(&self, order: u64) {
        let order = OrderId::try_new(order).unwrap();
        let _ = stock::app::commit_all(&self.stock, &[order], self.now());
    }

    /// One run of the jobs.
    pub(crate) fn jobs(&self) -> Tally {
        let (recovered, expired) = self.with(|app| (app.recover(100).unwrap(), app.expire(100).unwrap()));
        Tally {
            done: recovered.done + expired.done,
            left: recovered.left + expired.left,
            stuck: recovered.stuck + expired.stuck,
        }
    }

    /// What a restart does: nothing is broken any more, leases lapse, the jobs run until all is done.
    #[track_caller]
    pub(crate) fn recover(&self, context: &str) {
        self.seam.heal();
        for _ in 0..3 {
            self.wait(Millis(21_000));
            self.jobs();
        }
        assert_eq!(self.jobs(), Tally::default(), "{context}: nothing is left to do");
    }
}

/// A POST with a JSON body, or without any.
pub(crate) fn request(path: &str, key: Option<&str>, body: Option<&Value>) -> Request {
    let request = Request::new(Method::Post, path);
    let request = match key {
        Some(key) => request.with_header("idempotency-key", key),
        None => request,
    };
    match body {
        Some(body) => request
            .with_header("content-type", "application/json")
            .with_body(body.to_string()),
        None => request,
    }
}
