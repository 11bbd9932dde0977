//! Fifty at once, round after round: exactly one winner each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::{Client, Reply, Shop};

use crate::{assert_sound_in_the_end, customer, id};

const AT_ONCE: u64 = 50;
const ROUNDS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends fifty requests at once and counts the answers by status. Who is told that there is no room at this moment, which a busy
/// machine says after two seconds, comes again.
async fn race<F>(send: impl Fn(u64) -> F) -> Result<(BTreeMap<u16, usize>, Vec<Reply>)>
where
    F: Future<Output = Result<Reply>> + Send + 'static,
{
    let racers: Vec<_> = (0..AT_ONCE).map(|racer| tokio::spawn(send(racer))).collect();
    let mut statuses = BTreeMap::new();
    let mut replies = Vec::new();
    let began = Instant::now();
    for (number, racer) in (0..AT_ONCE).zip(racers) {
        let mut reply = racer.await??;
        while reply.status == 503 && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(200)).await;
            reply = send(number).await?;
        }
        *statuses.entry(reply.status).or_default() += 1;
        replies.push(reply);
    }
    Ok((statuses, replies))
}

/// One winner with this status, and every loser with one of those.
#[track_caller]
fn assert_one_winner(statuses: &BTreeMap<u16, usize>, winner: u16, losers: &[u16]) {
    assert_eq!(statuses.get(&winner), Some(&1), "{statuses:?}");
    let odd: Vec<_> = statuses
        .keys()
        .filter(|status| **status != winner && !losers.contains(status))
        .collect();
    assert!(odd.is_empty(), "{statuses:?}");
}

async fn paid(client: &Client, product: u64) -> Result<u64> {
    let placed = client.order(product, 1).await?;
    assert_eq!(placed.status, 201, "{placed:?}");
    Ok(id(&placed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_piece_has_one_buyer() -> Result<()> {
    let shop = Shop::start()?;
    customer(&shop, 0).order(3, 5).await?;
    for _ in 0..ROUNDS {
        shop.stock_up(3, 1)?;
        let buyers: Vec<_> = (0..AT_ONCE).map(|number| customer(&shop, number)).collect();
        let (statuses, _) = race(|number| {
            let buyer = buyers[number as usize].clone();
            async move { buyer.order(3, 1).await }
        })
        .await?;
        assert_one_winner(&statuses, 201, &[409]);
    }
    assert_sound_in_the_end(&shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_makes_one_order() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 1);
    for round in 0..ROUNDS {
        let (statuses, replies) = race(|_| {
            let buyer = buyer.clone();
            let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
            async move { buyer.post_once("/orders", &format!("round-{round}"), &body).await }
        })
        .await?;
        // Whoever comes after the first one's end reads its answer, so there may be many winners of one order.
        assert!(
            statuses.keys().all(|status| [201, 409].contains(status)),
            "{statuses:?}"
        );
        let bodies: Vec<_> = replies
            .iter()
            .filter(|reply| reply.status == 201)
            .map(|reply| &reply.text)
            .collect();
        assert!(!bodies.is_empty(), "somebody is told");
        assert!(bodies.iter().all(|body| *body == bodies[0]), "byte for byte");
    }
    assert_eq!(shop.visitor().stock(1).await?, 100 - ROUNDS);
    assert_sound_in_the_end(&shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_cancelled_once() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 2);
    for _ in 0..ROUNDS {
        let order = paid(&buyer, 1).await?;
        let (statuses, _) = race(|_| {
            let buyer = buyer.clone();
            async move { buyer.cancel(order).await }
        })
        .await?;
        assert_one_winner(&statuses, 200, &[409]);
    }
    assert_eq!(shop.visitor().stock(1).await?, 100);
    assert_sound_in_the_end(&shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_confirmed_once() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 3);
    for _ in 0..ROUNDS {
        let waiting = buyer.reserve(1, 1).await?;
        assert_eq!(
            (waiting.status, &waiting.json["status"]),
            (201, &json!("PENDING")),
            "{waiting:?}"
        );
        let order = id(&waiting);
        let (statuses, _) = race(|racer| {
            let buyer = buyer.clone();
            // Half of them bring a key of their own, as two windows of one customer would.
            let key = format!("window-{order}-{}", racer % 2);
            async move { buyer.confirm(order, &key, 10_000).await }
        })
        .await?;
        assert_one_winner(&statuses, 200, &[409]);
    }
    assert_sound_in_the_end(&shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_back_once() -> Result<()> {
    let shop = Shop::start()?;
    let (buyer, admin) = (customer(&shop, 4), shop.admin());
    for _ in 0..ROUNDS {
        let order = paid(&buyer, 1).await?;
        let (statuses, _) = race(|racer| {
            let admin = admin.clone();
            let body = json!({"amount": 10_000, "reason": "race"});
            let path = format!("/admin/payments/{order}/refunds");
            async move { admin.post_once(&path, &format!("all-{racer}"), &body).await }
        })
        .await?;
        assert_one_winner(&statuses, 201, &[409, 422]);
        let order = paid(&buyer, 1).await?;
        let (statuses, _) = race(|racer| {
            let admin = admin.clone();
            let body = json!({"amount": 3_000, "reason": "a part"});
            let path = format!("/admin/payments/{order}/refunds");
            async move { admin.post_once(&path, &format!("part-{racer}"), &body).await }
        })
        .await?;
        assert_eq!(
            statuses.get(&201),
            Some(&3),
            "three parts of 3,000 fit into 10,000: {statuses:?}"
        );
        let rest = buyer.cancel(order).await?;
        assert_eq!(rest.status, 200, "{rest:?}");
    }
    assert_sound_in_the_end(&shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_is_bought_once() -> Result<()> {
    let shop = Shop::start()?;
    let buyer = customer(&shop, 5);
    for round in 0..ROUNDS {
        let line = json!({"productId": 2, "quantity": 1});
        assert_eq!(buyer.post("/cart/items", &line).await?.status, 201);
        let (statuses, _) = race(|_| {
            let buyer = buyer.clone();
            async move {
                buyer
                    .post_once("/orders/from-cart", &format!("cart-{round}"), &json!({}))
                    .await
            }
        })
        .await?;
        assert!(
            statuses.keys().all(|status| [201, 409].contains(status)),
            "{statuses:?}"
        );
        let emptied = buyer.get("/cart").await?;
        assert_eq!(emptied.json, json!([]), "{emptied:?}");
    }
    let mine = buyer.get("/orders/me?limit=100").await?;
    assert_eq!(
        mine.json.as_array().map(|orders| orders.len() as u64),
        Some(ROUNDS),
        "{mine:?}"
    );
    assert_sound_in_the_end(&shop).await
}
