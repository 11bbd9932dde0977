//! The same ten thousand requests to a shop on SQLite and to one on Postgres: every answer is the same.
//!
//! `BODEGA_OPERATIONS=100000` asks more of them, `BODEGA_SEED=7` others.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::servers::Postgres;
use tests::{Client, Reply};

use crate::world::World;

const OPERATIONS: usize = 10_000;

/// Customers who take turns.
const CUSTOMERS: u64 = 6;

/// One request, before it is told to either shop. Where it names an order it does so by its place in the list of
/// those that were made, since their ids differ.
#[derive(Debug, Clone)]
struct Deed {
    who: Who,
    method: Method,
    /// `{order}` stands for the order, `{cursor}` for the last cursor that the shop gave.
    path: String,
    body: Option<Value>,
    key: Option<String>,
    order: usize,
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Customer(u64),
    Admin,
    Nobody,
}

/// A shop, and what it has told so far.
struct Side {
    world: World,
    orders: Vec<String>,
    cursor: String,
    names: Names,
}

/// Ids, by when they were first seen: what is left of them that two shops have in common.
struct Names {
    pattern: Regex,
    known: BTreeMap<String, usize>,
}

impl Names {
    fn new() -> Result<Self> {
        Ok(Self {
            // Ids of orders, events and requests, what is made of them, and the numbers that people read out.
            pattern: Regex::new(
                r"\b[0-9A-Z]{6}-[0-9A-Z]{5}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b\d{15,}\b",
            )?,
            known: BTreeMap::new(),
        })
    }

    fn renamed(&mut self, text: &str) -> String {
        let known = &mut self.known;
        let rename = |found: &regex::Captures<'_>| {
            let next = known.len();
            format!("#{}", known.entry(found[0].to_owned()).or_insert(next))
        };
        self.pattern.replace_all(text, rename).into_owned()
    }
}

impl Side {
    fn of(world: World) -> Result<Self> {
        Ok(Self {
            world,
            orders: Vec::new(),
            cursor: String::new(),
            names: Names::new()?,
        })
    }

    async fn does(&mut self, deed: &Deed) -> Result<String> {
        // Ids are in the order of time, and by chance within a moment.
        self.world.clock.advance(Duration::from_millis(10));
        let client = self.client(deed.who);
        let order = self.orders.get(deed.order).map_or("77", String::as_str);
        let fill = |text: &str| text.replace("{order}", order).replace("{cursor}", &self.cursor);
        let mut request = client.request(deed.method.clone(), &fill(&deed.path));
        if let Some(body) = &deed.body {
            let body = fill(&body.to_string()).replace("\"@order\"", order);
            request = request.header("content-type", "application/json").body(body);
        }
        if let Some(key) = &deed.key {
            request = request.header("idempotency-key", key);
        }
        let reply = client.send(request).await?;
        self.remember(&reply);
        Ok(self.told(&reply))
    }

    fn client(&self, who: Who) -> Client {
        match who {
            Who::Customer(number) => self.world.customer(number),
            Who::Admin => self.world.admin(),
            Who::Nobody => self.world.visitor(),
        }
    }

    fn remember(&mut self, reply: &Reply) {
        if let (201, Some(order)) = (
            reply.status,
            reply.json["orderId"].as_u64().or(reply.json["id"].as_u64()),
        ) {
            let order = order.to_string();
            if !self.orders.contains(&order) {
                self.orders.push(order);
            }
        }
        if let Some(cursor) = reply.json["nextCursor"].as_str() {
            cursor.clone_into(&mut self.cursor);
        }
    }

    /// Status, what headers say of the content, and the body, with ids renamed and cursors left out.
    fn told(&mut self, reply: &Reply) -> String {
        let mut json = reply.json.clone();
        if let Some(cursor) = json.get_mut("nextCursor")
            && cursor.is_string()
        {
            *cursor = json!("a cursor");
        }
        let header = |name: &str| {
            reply
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap_or_default())
        };
        let body = match json {
            Value::Null => reply.text.clone(),
            json => json.to_string(),
        };
        let text = format!(
            "{} {:?} {:?} {body}",
            reply.status,
            header("content-type"),
            header("location")
        );
        self.names.renamed(&text)
    }

    /// Time passes, jobs run, and events arrive.
    async fn turn(&mut self, passes: Duration) -> Result<String> {
        self.world.clock.advance(passes);
        let jobs = self.world.jobs().await?;
        for message in self.world.published().await {
            ensure!(self.world.deliver(&message).await, "settlement refused a message");
        }
        Ok(self.names.renamed(&jobs.to_string()))
    }
}

/// Draws the next request. Most of them make sense.
fn next(random: &mut Rng, orders: usize, number: usize) -> Deed {
    let customer = Who::Customer(random.u64(0..CUSTOMERS));
    let product = random.u64(1..=4);
    let quantity = random.i64(0..=3);
    let recent = orders.saturating_sub(random.usize(1..=12));
    let deed = |who, method, path: &str, body: Option<Value>| Deed {
        who,
        method,
        path: path.to_owned(),
        body,
        key: None,
        order: recent,
    };
    let keyed = |deed: Deed, random: &mut Rng| Deed {
        key: (random.u32(0..3) == 0).then(|| format!("key-{}", random.u32(0..40))),
        ..deed
    };
    let method = ["CARD", "CARD", "CARD", "POINT", "CASH", "PG", "PG", "GOLD"][random.usize(..8)];
    let line = json!({"productId": product, "quantity": quantity});
    match random.u32(0..100) {
        0..=24 => {
            let body = json!({"productId": product, "quantity": quantity, "paymentMethod": method});
            keyed(deed(customer, Method::POST, "/orders", Some(body)), random)
        }
        25..=34 => keyed(deed(customer, Method::POST, "/cart/items", Some(line)), random),
        35..=38 => {
            let path = format!("/cart/items/{product}");
            deed(
                customer,
                Method::PATCH,
                &path,
                Some(json!({"quantity": quantity})),
            )
        }
        39..=40 => deed(customer, Method::DELETE, &format!("/cart/items/{product}"), None),
        41..=43 => deed(customer, Method::GET, "/cart", None),
        44..=48 => {
            let body = json!({"paymentMethod": method});
            keyed(
                deed(customer, Method::POST, "/orders/from-cart", Some(body)),
                random,
            )
        }
        49..=50 => {
            let body = json!({"items": [line, {"productId": 2, "quantity": 1}]});
            keyed(deed(customer, Method::POST, "/cart/merge", Some(body)), random)
        }
        51..=56 => keyed(
            deed(customer, Method::POST, "/orders/{order}/cancel", Some(json!({}))),
            random,
        ),
        57..=64 => {
            let amount = [10_000, 25_000, 5_000, 20_000, 50_000, 30_000, 1][random.usize(..7)];
            let body =
                json!({"paymentKey": format!("window-{number}"), "orderId": "@order", "amount": amount});
            deed(customer, Method::POST, "/payments/confirm", Some(body))
        }
        65..=68 => {
            let amount = [1, 1_000, 5_000, 10_000, 1_000_000][random.usize(..5)];
            let body = json!({"amount": amount, "reason": "part of it"});
            let refund = deed(
                Who::Admin,
                Method::POST,
                "/admin/payments/{order}/refunds",
                Some(body),
            );
            Deed {
                key: Some(format!("refund-{}", random.u32(0..500))),
                ..refund
            }
        }
        69..=73 => deed(customer, Method::GET, "/orders/{order}", None),
        74..=76 => deed(customer, Method::GET, "/orders/me?limit=5", None),
        77 => deed(customer, Method::GET, "/orders/me?limit=5&cursor={cursor}", None),
        78..=80 => deed(Who::Admin, Method::GET, "/admin/payments/{order}", None),
        81..=82 => deed(Who::Admin, Method::GET, "/admin/orders?limit=7", None),
        83 => deed(Who::Admin, Method::GET, "/admin/orders?status=PAID&limit=3", None),
        84 => deed(Who::Admin, Method::GET, "/admin/orders/{order}", None),
        85..=86 => deed(Who::Admin, Method::GET, &format!("/admin/stock/{product}"), None),
        87..=90 => {
            let sorts = ["price", "-price", "name", "-name", "id"];
            let sort = sorts[random.usize(..sorts.len())];
            let filters = [
                "",
                "&minPrice=6000",
                "&maxPrice=20000",
                "&category=전자",
                "&q=상품",
                "&q=B",
                "&q=%25",
            ];
            let filter = filters[random.usize(..filters.len())];
            let limit = random.u32(0..4);
            deed(
                Who::Nobody,
                Method::GET,
                &format!("/products?sort={sort}&limit={limit}{filter}"),
                None,
            )
        }
        91 => deed(Who::Nobody, Method::GET, &format!("/products/{product}"), None),
        92 => deed(Who::Admin, Method::GET, "/settlements/daily", None),
        93 => deed(Who::Admin, Method::GET, "/settlements/monthly", None),
        94 => deed(Who::Admin, Method::GET, "/settlements/sellers", None),
        95 => deed(Who::Admin, Method::GET, "/settlements/categories", None),
        96 => deed(Who::Admin, Method::GET, "/admin/settlements/reconciliation", None),
        97 => deed(Who::Admin, Method::GET, "/admin/payments/stuck", None),
        98 => deed(
            Who::Nobody,
            Method::POST,
            "/orders",
            Some(json!({"productId": 1})),
        ),
        _ => deed(
            customer,
            Method::POST,
            "/orders",
            Some(json!({"productId": "x", "quantity": null})),
        ),
    }
}

fn from_environment(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is {text:?}")),
        Err(_) => Ok(default),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_give_the_same_answers() -> Result<()> {
    let Some(server) = Postgres::start() else {
        return Ok(());
    };
    let operations = from_environment("BODEGA_OPERATIONS", OPERATIONS as u64)? as usize;
    let seed = from_environment("BODEGA_SEED", 1)?;
    let mut random = Rng::with_seed(seed);
    let mut sides = [
        Side::of(World::on_sqlite().await?)?,
        Side::of(World::on_postgres(server).await?)?,
    ];
    for side in &sides {
        for sku in 1..=3 {
            side.world.stock_up(sku, 100_000)?;
        }
    }
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..operations {
        let deed = next(&mut random, sides[0].orders.len(), number);
        let [one, other] = &mut sides;
        let (on_sqlite, on_postgres) = (one.does(&deed).await?, other.does(&deed).await?);
        assert_eq!(on_sqlite, on_postgres, "seed {seed}, request {number}: {deed:#?}");
        let status = on_sqlite.split(' ').next().unwrap_or_default().to_owned();
        *statuses.entry(status).or_default() += 1;
        if random.u32(0..25) == 0 {
            let passes = Duration::from_millis(random.u64(0..30_000));
            let (on_sqlite, on_postgres) = (one.turn(passes).await?, other.turn(passes).await?);
            assert_eq!(
                on_sqlite, on_postgres,
                "seed {seed}, the jobs after request {number}"
            );
        }
    }
    for side in &mut sides {
        side.world.recover().await?;
    }
    tests::say(&format!(
        "{operations} requests, {} orders, every answer the same: {statuses:?}",
        sides[0].orders.len()
    ));
    assert!(
        statuses.get("201").is_some_and(|made| *made > operations / 10),
        "{statuses:?}"
    );
    Ok(())
}
