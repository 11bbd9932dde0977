//! Events over every kind of broker, and without one for a while: settlement comes out the same.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use broker::{Broker, MAX_PAYLOAD, RedisArgument};
use serde_json::{Value, json};
use testkit::servers::{Nats, Redis};
use tests::Shop;

use crate::{assert_sound_in_the_end, customer, id};

/// Sells, cancels, and answers what the settlements must come to.
async fn trade(shop: &Shop, number: u64) -> Result<Value> {
    let buyer = customer(shop, number);
    for _ in 0..3 {
        assert_eq!(buyer.order(1, 1).await?.status, 201);
    }
    let given_back = id(&buyer.order(2, 1).await?);
    assert_eq!(buyer.cancel(given_back).await?.status, 200);
    let partly = id(&buyer.order(3, 1).await?);
    let part = json!({"amount": 1_000, "reason": "a scratch"});
    let refunded = shop
        .admin()
        .post_once(&format!("/admin/payments/{partly}/refunds"), "scratch", &part)
        .await?;
    assert_eq!(refunded.status, 201, "{refunded:?}");
    Ok(json!({"total": 60_000, "payments": 5, "refund": 26_000, "refunds": 2, "net": 34_000}))
}

/// The sum over all days, since a test may run over midnight.
async fn settlements(shop: &Shop) -> Result<Value> {
    let daily = shop.visitor().get("/settlements/daily").await?;
    ensure!(daily.status == 200, "{daily:?}");
    let days = daily.json.as_array().cloned().unwrap_or_default();
    let sum = |name: &str| days.iter().filter_map(|day| day[name].as_i64()).sum::<i64>();
    Ok(json!({
        "total": sum("totalAmount"), "payments": sum("paymentCount"),
        "refund": sum("refundAmount"), "refunds": sum("refundCount"), "net": sum("netAmount"),
    }))
}

async fn assert_settled(shop: &Shop, expected: &Value) -> Result<()> {
    shop.settled().await?;
    assert_eq!(settlements(shop).await?, *expected);
    assert_sound_in_the_end(shop).await
}

#[tokio::test]
async fn a_sale_shows_in_the_settlements_at_once() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 1);
    assert_eq!(buyer.order(1, 1).await?.status, 201);
    let sold = Instant::now();
    while settlements(&shop).await?["total"] != 10_000 {
        // Two seconds on a quiet machine: a tick of the jobs and an event. This machine may be busy.
        assert!(
            sold.elapsed() < Duration::from_secs(20),
            "the sale does not arrive"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tests::say(&format!("the sale showed after {:?}", sold.elapsed()));
    assert_sound_in_the_end(&shop).await
}

#[tokio::test]
async fn without_a_consumer_events_wait() -> Result<()> {
    let all = [
        "gateway", "account", "product", "stock", "payment", "cart", "order", "outbox", "api-docs",
    ];
    let only: Vec<&str> = all.iter().flat_map(|id| ["--component-id", *id]).collect();
    let mut shop = Shop::start_with(&only)?;
    let expected = trade(&shop, 1).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    shop.kill();
    shop.set_flags(&[]);
    shop.resume()?;
    assert_settled(&shop, &expected).await
}

#[tokio::test]
async fn through_redis_and_its_death() -> Result<()> {
    let Some(mut redis) = Redis::start() else {
        return Ok(());
    };
    let shop = Shop::start_with(&["--variable", &format!("events_address={}", redis.address())])?;
    let expected = trade(&shop, 1).await?;
    assert_settled(&shop, &expected).await?;
    throw_junk(&shop, &redis).await?;
    redis.kill();
    trade(&shop, 2).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.restart();
    assert_settled(&shop, &doubled(&expected)).await
}

/// A broker that is dead refuses at once; one that hangs could keep the jobs waiting for ever.
#[tokio::test]
async fn a_bus_that_hangs_keeps_no_order_from_its_end() -> Result<()> {
    let Some(mut redis) = Redis::start() else {
        return Ok(());
    };
    let address = format!("events_address={}", redis.address());
    let shop = Shop::start_with(&["--variable", &address, "--variable", "checkout_hold_seconds=15"])?;
    redis.freeze();
    let buyer = customer(&shop, 1);
    for _ in 0..5 {
        assert_eq!(buyer.order(1, 1).await?.status, 201);
    }
    let waiting = buyer.reserve(2, 1).await?;
    assert_eq!(waiting.status, 201, "{waiting:?}");
    let placed = Instant::now();
    let path = format!("/orders/{}", id(&waiting));
    while buyer.get(&path).await?.json["status"] != "CANCELLED" {
        ensure!(
            placed.elapsed() < Duration::from_secs(45),
            "it is never given back"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    redis.thaw();
    shop.settled().await?;
    assert_eq!(settlements(&shop).await?["total"], 50_000);
    assert_sound_in_the_end(&shop).await
}

/// What anybody in the network may publish, twice and of any size, is put aside once: when the last one has
/// arrived, there are three.
async fn throw_junk(shop: &Shop, redis: &Redis) -> Result<()> {
    let (network, address) = (Broker::new(), redis.address().parse()?);
    let junk = [b"not json".to_vec(), vec![b'a'; 5 * MAX_PAYLOAD]];
    for payload in junk.iter().chain(&junk).cloned().chain([b"the last".to_vec()]) {
        let message = [b"shop.payment".to_vec(), payload].map(RedisArgument::Binary);
        network.command(&address, "PUBLISH", message.into()).await?;
    }
    let began = Instant::now();
    loop {
        let letters = shop.admin().get("/admin/settlements/dead-letters").await?;
        let arrived = letters.json.as_array().cloned().unwrap_or_default();
        if arrived.iter().any(|letter| letter["payload"] == "the last") {
            ensure!(arrived.len() == 3, "{letters:?}");
            return Ok(());
        }
        ensure!(began.elapsed() < Duration::from_secs(20), "{letters:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn through_nats_and_its_death() -> Result<()> {
    let Some(nats) = Nats::start() else { return Ok(()) };
    through_nats(nats, "").await
}

#[tokio::test]
async fn through_jetstream_wiped_in_the_middle() -> Result<()> {
    let Some(nats) = Nats::start() else { return Ok(()) };
    through_nats(nats, "?stream=shop").await
}

async fn through_nats(mut nats: Nats, how: &str) -> Result<()> {
    let shop = Shop::start_with(&["--variable", &format!("events_address={}{how}", nats.address())])?;
    let expected = trade(&shop, 1).await?;
    assert_settled(&shop, &expected).await?;
    nats.kill();
    trade(&shop, 2).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    nats.restart_empty();
    assert_settled(&shop, &doubled(&expected)).await
}

fn doubled(sums: &Value) -> Value {
    let sums = sums.as_object().cloned().unwrap_or_default();
    sums.into_iter()
        .map(|(name, sum)| (name, json!(2 * sum.as_i64().unwrap_or(0))))
        .collect()
}
