//! What was acknowledged is there after the host died.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tests::{Client, Shop};

use crate::assert_sound;

#[tokio::test]
async fn what_was_bought_survives_a_kill_and_a_restart() -> Result<()> {
    let mut shop = Shop::start()?;
    let customer = shop.customer().await?;
    let order = customer.client.order(1, 2).await?.json;
    shop.kill();
    shop.resume()?;
    let visitor = shop.visitor();
    let again = visitor.with_token(customer.client.token().expect("logged in"));
    assert_eq!(again.get(&format!("/orders/{}", order["id"])).await?.json, order);
    assert_eq!(visitor.stock(1).await?, 98);
    assert_eq!(again.order(1, 1).await?.status, 201);
    assert_sound(&shop);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_under_load_survives_a_kill() -> Result<()> {
    let mut shop = Shop::start()?;
    let customer = shop.customer().await?;
    let sold = Arc::new(AtomicU64::new(0));
    let buy = |_| tokio::spawn(buy_until_it_fails(customer.client.clone(), sold.clone()));
    let buyers: Vec<_> = (0..8).map(buy).collect();
    while sold.load(Ordering::Relaxed) < 5 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shop.kill();
    let mut acknowledged = Vec::new();
    for buyer in buyers {
        acknowledged.extend(buyer.await?);
    }
    shop.resume()?;
    let visitor = shop.visitor();
    let again = visitor.with_token(customer.client.token().expect("logged in"));
    for order in &acknowledged {
        assert_eq!(again.get(&format!("/orders/{}", order["id"])).await?.json, *order);
    }
    let sold = acknowledged.len() as u64;
    let left = visitor.stock(2).await?;
    assert!(
        left <= 50 - sold,
        "{sold} were sold and acknowledged, {left} of 50 are left"
    );
    Ok(())
}

/// One piece after the other; answers the orders that were acknowledged.
async fn buy_until_it_fails(client: Client, sold: Arc<AtomicU64>) -> Vec<Value> {
    let mut acknowledged = Vec::new();
    while let Ok(reply) = client.order(2, 1).await {
        match reply.status {
            201 => acknowledged.push(reply.json),
            _ => break,
        }
        sold.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_ends_well() -> Result<()> {
    let mut shop = Shop::start()?;
    let customer = shop.customer().await?;
    let client = customer.client.clone();
    let buying = tokio::spawn(async move {
        let mut paid = 0;
        while let Ok(reply) = client.order(1, 1).await {
            match reply.status {
                201 => paid += 1,
                503 => break,
                409 => break,
                _ => panic!("{reply:?}"),
            }
        }
        paid
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = tokio::task::spawn_blocking(move || shop.stop().map(|status| (status, shop))).await??;
    let (status, mut shop) = status;
    assert!(status.success(), "{status}");
    let paid: u64 = buying.await?;
    shop.resume()?;
    assert_eq!(shop.visitor().stock(1).await?, 100 - paid);
    assert_sound(&shop);
    Ok(())
}
