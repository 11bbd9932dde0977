//! Several processes are one shop: one Postgres, one Redis for limits, the key-value store and, unless NATS has them,
//! events.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod buyers;
mod upgrade;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::json;
use testkit::servers::Sync;
use tests::{Bus, Client, Servers, Shop};

use crate::buyers::Buyers;

const REPLICAS: usize = 3;

/// How often a replica is killed.
const KILLS: usize = 4;

/// Starts so many replicas at the same moment, on databases without a table; the first orders of each will meet there.
async fn start(servers: Servers, replicas: usize) -> Result<Shop> {
    let mut shop = Shop::cluster(servers, replicas)?;
    tokio::task::block_in_place(|| shop.resume())?;
    shop.visitor().stock(1).await?;
    tokio::task::block_in_place(|| -> Result<()> {
        shop.stock_up(1, 100_000)?;
        shop.stock_up(2, 100_000)
    })?;
    Ok(shop)
}

async fn assert_sound(shop: &Shop) -> Result<()> {
    shop.settled_within(Duration::from_secs(120)).await?;
    let broken = tests::audit(shop.folder())?;
    ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_die_under_load_lose_nothing() -> Result<()> {
    killed_under_load(Bus::Redis).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_do_they_with_their_events_in_jetstream() -> Result<()> {
    killed_under_load(Bus::JetStream).await
}

/// One replica after the other dies, and in the middle all that was under way on the bus is lost.
async fn killed_under_load(bus: Bus) -> Result<()> {
    let Some(servers) = Servers::shared(Sync::Off, bus) else {
        return Ok(());
    };
    let mut shop = start(servers, REPLICAS).await?;
    let buyers = Buyers::at(&shop);
    let mut random = Rng::with_seed(7);
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        if kill == KILLS / 2 {
            tokio::task::block_in_place(|| wipe(&mut shop, bus));
        }
        let place = random.usize(..REPLICAS);
        shop.kill_one(place);
        tokio::time::sleep(Duration::from_millis(700)).await;
        tokio::task::block_in_place(|| shop.resume_one(place))?;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let sold = buyers.stop().await?;
    assert_sound(&shop).await?;
    let told = sold.compare(&shop)?;
    tests::say(&format!(
        "{REPLICAS} replicas, {KILLS} kills, {bus:?} wiped once: {told}"
    ));
    Ok(())
}

/// Events on their way and acknowledgements are gone, and where Redis is the bus limits and marks as well.
fn wipe(shop: &mut Shop, bus: Bus) {
    let servers = shop.servers();
    match bus {
        Bus::Redis => servers.redis.as_mut().unwrap().restart(),
        Bus::JetStream => servers.nats.as_mut().unwrap().restart_empty(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_knows_all_know() -> Result<()> {
    let Some(servers) = Servers::shared(Sync::Off, Bus::Redis) else {
        return Ok(());
    };
    let shop = start(servers, REPLICAS).await?;
    let (one, two, three) = (shop.visitor_of(0)?, shop.visitor_of(1)?, shop.visitor_of(2)?);
    let customer = shop.customer().await?;
    let token = customer.client.token().context("a token")?;
    let placed = two.with_token(token).order(1, 1).await?;
    assert_eq!(placed.status, 201, "{placed:?}");
    let order = placed.json["id"].as_u64().context("an order has an id")?;
    let seen = three.with_token(token).get(&format!("/orders/{order}")).await?;
    assert_eq!(seen.json["status"], "PAID", "{seen:?}");
    let path = format!("/admin/users/{}", customer.id);
    let suspended = admin(&one, &three)
        .await?
        .patch(&path, &json!({"status": "SUSPENDED"}))
        .await?;
    assert_eq!(suspended.status, 200, "{suspended:?}");
    for replica in [&one, &two, &three] {
        let refused = replica.with_token(token).get("/users/me").await?;
        assert_eq!(refused.status, 401, "{refused:?}");
    }
    assert_sound(&shop).await
}

/// The first admin: made by one replica, and somebody to another.
async fn admin(maker: &Client, other: &Client) -> Result<Client> {
    let body = json!({"email": "root@example.com", "password": "pass1234", "name": "Root"});
    let operator = maker.with_token(&tests::jobs_key());
    let made = operator.post("/internal/admins", &body).await?;
    ensure!(made.status == 201, "{made:?}");
    let login = json!({"email": "root@example.com", "password": "pass1234"});
    let logged_in = other.post("/auth/login", &login).await?;
    let token = logged_in.json["accessToken"].as_str().context("no token")?;
    Ok(other.with_token(token))
}
