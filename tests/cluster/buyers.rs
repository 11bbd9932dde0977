//! Customers who buy and cancel until they are told to stop, and remember what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};
use store::params;
use tests::{Client, Reply, Shop, token_of};
use tokio::task::JoinHandle;
use web::Role;

const BUYERS: u64 = 12;

/// How long a question may stay without an answer, while replicas come and go.
const PATIENCE: Duration = Duration::from_secs(90);

/// All of them, at work.
pub(crate) struct Buyers {
    stop: Arc<AtomicBool>,
    at_work: Vec<JoinHandle<Result<Buyer>>>,
}

/// What they were promised.
pub(crate) struct Sold(Vec<Buyer>);

/// A customer who asks any replica, and another one when there is no answer.
struct Buyer {
    user: u64,
    client: Client,
    random: Rng,
    paid: BTreeSet<u64>,
    cancelled: BTreeSet<u64>,
    /// Two-step orders, which wait for their payment.
    waiting: BTreeSet<u64>,
    /// What should have been answered otherwise.
    refused: Vec<String>,
    /// Answers that sent the customer away for a while, or to another replica.
    sent_away: Vec<String>,
    asked: u64,
}

/// What became of it, for a person to read.
#[derive(Debug)]
pub(crate) struct Told {
    paid: usize,
    cancelled: usize,
    waiting: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            paid,
            cancelled,
            waiting,
        } = self;
        write!(
            f,
            "{paid} paid, {cancelled} cancelled, {waiting} waiting, as promised"
        )
    }
}

impl Buyers {
    /// They begin.
    pub(crate) fn at(shop: &Shop) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let buyer = |number: u64| Buyer {
            user: 5_000 + number,
            client: shop.visitor().with_token(&token_of(5_000 + number, Role::User)),
            random: Rng::with_seed(number),
            paid: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            waiting: BTreeSet::new(),
            refused: Vec::new(),
            sent_away: Vec::new(),
            asked: 0,
        };
        let at_work = (0..BUYERS).map(|number| tokio::spawn(buyer(number).live(stop.clone())));
        Self {
            at_work: at_work.collect(),
            stop,
        }
    }

    /// They end, each with an answer to the last question.
    pub(crate) async fn stop(self) -> Result<Sold> {
        self.stop.store(true, Ordering::Relaxed);
        let mut done = Vec::new();
        for buyer in self.at_work {
            done.push(buyer.await??);
        }
        Ok(Sold(done))
    }
}

impl Buyer {
    async fn live(mut self, stop: Arc<AtomicBool>) -> Result<Self> {
        while !stop.load(Ordering::Relaxed) {
            self.asked += 1;
            let key = format!("{}-{}", self.user, self.asked);
            let product = self.random.u64(1..=2);
            // At most ten unpaid orders each; a few are enough to be under way whatever happens.
            let method = match self.waiting.len() < 4 && self.random.u32(0..8) == 0 {
                true => "PG",
                false => "CARD",
            };
            let body = json!({"productId": product, "quantity": 1, "paymentMethod": method});
            let placed = self.ask("/orders", &key, &body).await?;
            if placed.status != 201 {
                self.refused.push(format!("{key}: {placed:?}"));
                continue;
            }
            let order = placed.json["id"].as_u64().context("an order has an id")?;
            if method == "PG" {
                self.waiting.insert(order);
                continue;
            }
            self.paid.insert(order);
            if self.random.u32(0..3) == 0 {
                self.cancel(order, &key).await?;
            }
        }
        Ok(self)
    }

    async fn cancel(&mut self, order: u64, key: &str) -> Result<()> {
        let path = format!("/orders/{order}/cancel");
        let answer = self.ask(&path, &format!("{key}-cancel"), &json!({})).await?;
        if answer.status == 200 {
            self.paid.remove(&order);
            self.cancelled.insert(order);
        } else {
            self.refused.push(format!("cancel {order}: {answer:?}"));
        }
        Ok(())
    }

    /// Asks until there is an answer for good.
    async fn ask(&mut self, path: &str, key: &str, body: &Value) -> Result<Reply> {
        let since = Instant::now();
        loop {
            match self.client.post_once(path, key, body).await {
                Ok(reply) if reply.status < 500 && !is_under_way(&reply) => {
                    return Ok(reply);
                }
                other if since.elapsed() > PATIENCE => {
                    anyhow::bail!("no answer to {path} within {PATIENCE:?}: {other:?}")
                }
                other => {
                    self.sent_away.push(match other {
                        Ok(reply) => format!("{path}: {} {}", reply.status, reply.text),
                        Err(error) => format!("{path}: {error:#}"),
                    });
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Another replica still has it, and says when to ask again.
fn is_under_way(reply: &Reply) -> bool {
    reply.status == 409 && reply.headers.contains_key("retry-after")
}

impl Sold {
    /// Answers that sent a customer away; a shop where nobody dies has none.
    pub(crate) fn sent_away(&self) -> Vec<&str> {
        let all = self.0.iter().flat_map(|buyer| &buyer.sent_away);
        all.map(String::as_str).collect()
    }

    /// Every promise is kept, and there is no order that nobody was told of.
    pub(crate) fn compare(&self, shop: &Shop) -> Result<Told> {
        let states = states(shop)?;
        let mut wrong = Vec::new();
        for buyer in &self.0 {
            wrong.extend(buyer.refused.iter().cloned());
            let promised = [
                (&buyer.paid, "PAID"),
                (&buyer.cancelled, "CANCELLED"),
                (&buyer.waiting, "PENDING"),
            ];
            for (orders, expected) in promised {
                for order in orders {
                    let found = states.get(order).map_or("nowhere", |(_, state)| state.as_str());
                    if found != expected {
                        wrong.push(format!("order {order} is {found}, not {expected}"));
                    }
                }
            }
            let is_told = |order: &u64| promised.iter().any(|(orders, _)| orders.contains(order));
            let untold = states
                .iter()
                .filter(|(order, (user, state))| *user == buyer.user && state != "FAILED" && !is_told(order));
            wrong.extend(
                untold.map(|(order, (_, state))| format!("order {order} is {state}, and nobody was told")),
            );
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        let sum = |of: fn(&Buyer) -> &BTreeSet<u64>| self.0.iter().map(|buyer| of(buyer).len()).sum();
        let told = Told {
            paid: sum(|buyer| &buyer.paid),
            cancelled: sum(|buyer| &buyer.cancelled),
            waiting: sum(|buyer| &buyer.waiting),
        };
        ensure!(
            told.paid > 20 && told.cancelled > 5 && told.waiting > 0,
            "too little was sold to prove anything: {told}"
        );
        Ok(told)
    }
}

/// Whose each order is, and its state.
fn states(shop: &Shop) -> Result<BTreeMap<u64, (u64, String)>> {
    tests::with_database(shop.folder(), "order", |orders| {
        let rows = orders.read("select order_id, user_id, state from customer_order", params![])?;
        let state = |row: &store::Row| {
            let (order, user): (i64, i64) = (row.get("order_id")?, row.get("user_id")?);
            Ok((order as u64, (user as u64, row.get("state")?)))
        };
        rows.iter().map(state).collect()
    })
}
