//! Several processes are one shop: one Postgres, one Redis for events, limits and the key-value store.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};
use store::params;
use testkit::servers::{Postgres, Redis};
use tests::{Client, Reply, Shop, token_of};
use web::Role;

const REPLICAS: usize = 3;
const BUYERS: u64 = 12;

/// How often a replica is killed.
const KILLS: usize = 4;

/// How long a question may stay without an answer, while replicas come and go.
const PATIENCE: Duration = Duration::from_secs(90);

/// Replicas, and what they share.
struct Cluster {
    replicas: Vec<Shop>,
    urls: Arc<Mutex<Vec<String>>>,
    redis: Redis,
    _postgres: Postgres,
}

impl Cluster {
    /// All of them start at the same moment, on databases without a table.
    fn start() -> Result<Option<Self>> {
        let (Some(postgres), Some(redis)) = (Postgres::start(), Redis::start()) else {
            return Ok(None);
        };
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            replicas.push(Shop::replica(&postgres, &redis.address())?);
        }
        let started: Vec<Result<()>> = std::thread::scope(|scope| {
            let starting: Vec<_> = replicas
                .iter_mut()
                .map(|replica| scope.spawn(|| replica.resume()))
                .collect();
            starting
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        started.into_iter().collect::<Result<Vec<()>>>()?;
        let urls = replicas.iter().map(|replica| replica.visitor().url().to_owned());
        Ok(Some(Self {
            urls: Arc::new(Mutex::new(urls.collect())),
            replicas,
            redis,
            _postgres: postgres,
        }))
    }

    /// Ends one at once, and starts it anew after a while.
    async fn strike(&mut self, which: usize) -> Result<()> {
        self.replicas[which].kill();
        tokio::time::sleep(Duration::from_millis(700)).await;
        tokio::task::block_in_place(|| self.replicas[which].resume())?;
        let url = self.replicas[which].visitor().url().to_owned();
        self.urls.lock().unwrap()[which] = url;
        Ok(())
    }

    async fn sound(&self) -> Result<()> {
        let shop = &self.replicas[0];
        shop.settled_within(Duration::from_secs(120)).await?;
        let broken = tests::audit(shop.folder())?;
        ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
        Ok(())
    }
}

/// A customer who asks any replica, and another one when there is no answer.
struct Buyer {
    user: u64,
    urls: Arc<Mutex<Vec<String>>>,
    random: Rng,
    paid: BTreeSet<u64>,
    cancelled: BTreeSet<u64>,
    refused: Vec<String>,
    asked: u64,
}

impl Buyer {
    async fn live(mut self, stop: Arc<AtomicBool>) -> Result<Self> {
        while !stop.load(Ordering::Relaxed) {
            self.asked += 1;
            let key = format!("{}-{}", self.user, self.asked);
            let product = self.random.u64(1..=2);
            let body = json!({"productId": product, "quantity": 1, "paymentMethod": "CARD"});
            let placed = self.ask("/orders", &key, &body).await?;
            if placed.status != 201 {
                self.refused.push(format!("{key}: {placed:?}"));
                continue;
            }
            let order = placed.json["id"].as_u64().context("an order has an id")?;
            self.paid.insert(order);
            if self.random.u32(0..3) == 0 {
                let path = format!("/orders/{order}/cancel");
                let answer = self.ask(&path, &format!("{key}-cancel"), &json!({})).await?;
                if answer.status == 200 {
                    self.paid.remove(&order);
                    self.cancelled.insert(order);
                } else {
                    self.refused.push(format!("cancel {order}: {answer:?}"));
                }
            }
        }
        Ok(self)
    }

    /// Asks until there is an answer for good.
    async fn ask(&mut self, path: &str, key: &str, body: &Value) -> Result<Reply> {
        let since = Instant::now();
        loop {
            let url = {
                let urls = self.urls.lock().unwrap();
                urls[self.random.usize(..urls.len())].clone()
            };
            let client = Client::at(&url).with_token(&token_of(self.user, Role::User));
            match client.post_once(path, key, body).await {
                Ok(reply) if reply.status < 500 && !is_under_way(&reply) => {
                    return Ok(reply);
                }
                other if since.elapsed() > PATIENCE => {
                    anyhow::bail!("no answer to {path} within {PATIENCE:?}: {other:?}")
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// Another replica still has it, and says when to ask again.
fn is_under_way(reply: &Reply) -> bool {
    reply.status == 409 && reply.headers.contains_key("retry-after")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_die_under_load_lose_nothing() -> Result<()> {
    let Some(mut cluster) = Cluster::start()? else {
        return Ok(());
    };
    // The first orders of each replica meet empty databases at the same moment.
    let stop = Arc::new(AtomicBool::new(false));
    cluster.replicas[0].visitor().get("/products/1").await?;
    tokio::task::block_in_place(|| -> Result<()> {
        cluster.replicas[0].stock_up(1, 100_000)?;
        cluster.replicas[0].stock_up(2, 100_000)
    })?;
    let buyers: Vec<_> = (0..BUYERS)
        .map(|number| {
            let buyer = Buyer {
                user: 5_000 + number,
                urls: cluster.urls.clone(),
                random: Rng::with_seed(number),
                paid: BTreeSet::new(),
                cancelled: BTreeSet::new(),
                refused: Vec::new(),
                asked: 0,
            };
            tokio::spawn(buyer.live(stop.clone()))
        })
        .collect();
    let mut random = Rng::with_seed(7);
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        if kill == KILLS / 2 {
            // All that was in Redis is gone: events on their way, limits, marks, acknowledgements.
            tokio::task::block_in_place(|| {
                cluster.redis.kill();
                cluster.redis.restart();
            });
        }
        cluster.strike(random.usize(..REPLICAS)).await?;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stop.store(true, Ordering::Relaxed);
    let mut done = Vec::new();
    for buyer in buyers {
        done.push(buyer.await??);
    }
    cluster.sound().await?;
    compare(&cluster, &done)
}

/// Every promise is kept, and there is no order that nobody was told of.
fn compare(cluster: &Cluster, buyers: &[Buyer]) -> Result<()> {
    let states: BTreeMap<u64, (u64, String)> =
        tests::with_database(cluster.replicas[0].folder(), "order", |orders| {
            let rows = orders.read("select order_id, user_id, state from customer_order", params![])?;
            let state = |row: &store::Row| {
                let (order, user): (i64, i64) = (row.get("order_id")?, row.get("user_id")?);
                Ok((order as u64, (user as u64, row.get("state")?)))
            };
            rows.iter().map(state).collect()
        })?;
    let mut wrong = Vec::new();
    for buyer in buyers {
        wrong.extend(buyer.refused.iter().cloned());
        for (orders, expected) in [(&buyer.paid, "PAID"), (&buyer.cancelled, "CANCELLED")] {
            for order in orders {
                let found = states.get(order).map_or("nowhere", |(_, state)| state.as_str());
                if found != expected {
                    wrong.push(format!("order {order} is {found}, not {expected}"));
                }
            }
        }
        let own = states
            .iter()
            .filter(|(_, (user, state))| *user == buyer.user && state != "FAILED");
        let untold = own.filter(|(order, _)| !buyer.paid.contains(order) && !buyer.cancelled.contains(order));
        wrong.extend(
            untold.map(|(order, (_, state))| format!("order {order} is {state}, and nobody was told")),
        );
    }
    let paid: usize = buyers.iter().map(|buyer| buyer.paid.len()).sum();
    let cancelled: usize = buyers.iter().map(|buyer| buyer.cancelled.len()).sum();
    tests::say(&format!(
        "{REPLICAS} replicas, {KILLS} kills, Redis wiped once: {paid} paid, {cancelled} cancelled, {} wrong",
        wrong.len()
    ));
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(
        paid > 20 && cancelled > 5,
        "too little was sold to prove anything"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_knows_all_know() -> Result<()> {
    let Some(cluster) = Cluster::start()? else {
        return Ok(());
    };
    let [one, two, three] = cluster.replicas.as_slice() else {
        anyhow::bail!("there are three")
    };
    let customer = one.customer().await?;
    let token = customer.client.token().context("a token")?;
    let elsewhere = two.visitor().with_token(token);
    assert_eq!(elsewhere.get("/users/me").await?.status, 200);
    let placed = elsewhere.order(1, 1).await?;
    assert_eq!(placed.status, 201, "{placed:?}");
    let order = placed.json["id"].as_u64().context("an order has an id")?;
    let seen = three
        .visitor()
        .with_token(token)
        .get(&format!("/orders/{order}"))
        .await?;
    assert_eq!(seen.json["status"], "PAID", "{seen:?}");
    let path = format!("/admin/users/{}", customer.id);
    let suspended = admin(one, three)
        .await?
        .patch(&path, &json!({"status": "SUSPENDED"}))
        .await?;
    assert_eq!(suspended.status, 200, "{suspended:?}");
    for replica in &cluster.replicas {
        let refused = replica.visitor().with_token(token).get("/users/me").await?;
        assert_eq!(refused.status, 401, "{refused:?}");
    }
    cluster.sound().await
}

/// The first admin: made by one replica, and somebody to another.
async fn admin(maker: &Shop, other: &Shop) -> Result<Client> {
    let body = json!({"email": "root@example.com", "password": "pass1234", "name": "Root"});
    let operator = maker.visitor().with_token(&tests::jobs_key());
    let made = operator.post("/internal/admins", &body).await?;
    ensure!(made.status == 201, "{made:?}");
    let login = json!({"email": "root@example.com", "password": "pass1234"});
    let logged_in = other.visitor().post("/auth/login", &login).await?;
    let token = logged_in.json["accessToken"].as_str().context("no token")?;
    Ok(other.visitor().with_token(token))
}
