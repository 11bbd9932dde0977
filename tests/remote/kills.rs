//! The other app dies at work, and comes back: what was begun is brought to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tests::Client;

use crate::town::Town;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_that_die_at_work_lose_nothing() -> Result<()> {
    let mut town = Town::start()?;
    for product in 1..=3 {
        town.stock_up(product).await?;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let sold = Arc::new(AtomicU64::new(0));
    let buyers: Vec<_> = (0..4)
        .map(|number| {
            let (client, is_over, sold) = (town.customer(number), is_over.clone(), sold.clone());
            tokio::spawn(buy_and_cancel(client, number, is_over, sold))
        })
        .collect();

    for round in 0..2 {
        let before = sold.load(Ordering::Relaxed);
        while sold.load(Ordering::Relaxed) < before + 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // In the middle of whatever they are doing.
        if round % 2 == 0 {
            town.payment.kill();
            tokio::time::sleep(Duration::from_millis(700)).await;
            town.resume_payment()?;
        } else {
            town.stock.kill();
            tokio::time::sleep(Duration::from_millis(700)).await;
            town.resume_stock()?;
        }
        // Until the rest is over, so that the next one dies at work too.
        tokio::time::sleep(Duration::from_millis(5_500)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    let mut counts = Counts::default();
    for buyer in buyers {
        let of_one = buyer.await??;
        counts.paid += of_one.paid;
        counts.cancelled += of_one.cancelled;
        counts.unanswered += of_one.unanswered;
    }
    tests::say(&format!("{counts:?}"));
    assert!(counts.paid > 0 && counts.cancelled > 0, "{counts:?}");
    assert!(counts.unanswered > 0, "nobody noticed: {counts:?}");
    town.assert_sound_in_the_end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_dies_leaves_its_orders_to_its_own_recovery() -> Result<()> {
    let mut town = Town::start()?;
    town.stock_up(1).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let sold = Arc::new(AtomicU64::new(0));
    let client = town.customer(1);
    let buyer = tokio::spawn(buy_and_cancel(client, 0, is_over.clone(), sold.clone()));
    while sold.load(Ordering::Relaxed) < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    town.shop.kill();
    is_over.store(true, Ordering::Relaxed);
    let _ = buyer.await?;
    town.shop.resume()?;
    town.assert_sound_in_the_end().await?;
    let bought = town.checkout(&town.customer(1), 2, "after").await?;
    assert_eq!(bought.status, 201, "{bought:?}");
    town.assert_sound_in_the_end().await
}

#[derive(Debug, Default)]
struct Counts {
    paid: u64,
    cancelled: u64,
    unanswered: u64,
}

/// One order after the other, every third one cancelled, until it is over.
async fn buy_and_cancel(
    client: Client,
    number: u64,
    is_over: Arc<AtomicBool>,
    sold: Arc<AtomicU64>,
) -> Result<Counts> {
    let mut counts = Counts::default();
    while !is_over.load(Ordering::Relaxed) {
        let reply = client.order(1 + number % 3, 1).await?;
        match reply.status {
            201 => {
                counts.paid += 1;
                sold.fetch_add(1, Ordering::Relaxed);
            }
            502 | 503 => {
                counts.unanswered += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            _ => panic!("{reply:?}"),
        }
        if counts.paid % 3 == 0 {
            let order = reply.json["id"].as_u64().unwrap();
            match client.cancel(order).await?.status {
                200 | 202 => counts.cancelled += 1,
                502 | 503 => counts.unanswered += 1,
                // The order before was left to the job, which may be at it.
                409 => {}
                status => panic!("a cancellation was answered {status}"),
            }
        }
    }
    Ok(counts)
}
