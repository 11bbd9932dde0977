//! Events three times, shuffled, late, lost: settlement comes out as if nothing had happened.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::world::{Published, World};

/// Sells and gives back over three days, and answers what was published.
async fn trade(world: &World) -> Result<Vec<Published>> {
    let mut published = Vec::new();
    for day in 0..3 {
        for number in 0..6 {
            let buyer = world.customer(day * 100 + number);
            let product = number % 2 + 1;
            let order = buyer.order(product, 1).await?.json["id"].as_u64().unwrap();
            match number {
                0 => assert_eq!(buyer.cancel(order).await?.status, 200),
                1 => {
                    let part = json!({"amount": 777, "reason": "a scratch"});
                    let path = format!("/admin/payments/{order}/refunds");
                    assert_eq!(world.admin().post_once(&path, "k", &part).await?.status, 201);
                }
                _ => {}
            }
            // Small batches: the more messages, the more ways to mix them up.
            world.jobs().await?;
            published.extend(world.published().await);
        }
        world.clock.advance(Duration::from_secs(86_400));
    }
    Ok(published)
}

/// Everything that settlement shows.
async fn books(world: &World) -> Result<Vec<Value>> {
    let mut books = Vec::new();
    let admin = world.admin();
    let days = admin.get("/settlements/daily").await?.json;
    for day in days.as_array().into_iter().flatten() {
        let date = day["settlementDate"].as_str().unwrap();
        for kind in ["sellers", "categories"] {
            books.push(admin.get(&format!("/settlements/{kind}?date={date}")).await?.json);
        }
    }
    books.push(days);
    books.push(admin.get("/settlements/monthly").await?.json);
    Ok(books)
}

/// The same trade, with its messages treated like this, must come to the same books.
async fn check(treat: impl AsyncFn(&World, Vec<Published>) -> Result<()>) -> Result<()> {
    let calm = World::start(&[]).await?;
    for message in trade(&calm).await? {
        assert!(calm.deliver(&message).await);
    }
    calm.recover().await?;
    let rough = World::start(&[]).await?;
    let messages = trade(&rough).await?;
    tests::say(&format!("{} messages", messages.len()));
    treat(&rough, messages).await?;
    rough.recover().await?;
    let (expected, found) = (books(&calm).await?, books(&rough).await?);
    assert_eq!(found, expected);
    assert_eq!(
        expected[expected.len() - 2].as_array().map(Vec::len),
        Some(3),
        "three days"
    );
    Ok(())
}

/// The jobs run every second, so this is the promise of two seconds without a machine's noise in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_is_in_the_books_after_one_run_of_the_jobs() -> Result<()> {
    let world = World::start(&[]).await?;
    assert_eq!(world.customer(1).order(1, 1).await?.status, 201);
    world.jobs().await?;
    for message in world.published().await {
        assert!(world.deliver(&message).await);
    }
    let days = world.visitor().get("/settlements/daily").await?.json;
    assert_eq!(days[0]["totalAmount"], 10_000, "{days}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivered_three_times_and_shuffled() -> Result<()> {
    check(async |world, messages| {
        let mut all: Vec<_> = [&messages[..], &messages[..], &messages[..]].concat();
        fastrand::Rng::with_seed(7).shuffle(&mut all);
        for message in &all {
            world.deliver(message).await;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_late_and_backwards() -> Result<()> {
    check(async |world, messages| {
        world.clock.advance(Duration::from_secs(7 * 86_400));
        for message in messages.iter().rev() {
            world.deliver(message).await;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_one_lost_and_the_rest_never_heard_of() -> Result<()> {
    check(async |world, messages| {
        for message in messages.iter().step_by(2) {
            world.deliver(message).await;
        }
        // The broker was wiped: what it held is gone, and comes again since nobody acknowledged it.
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_between_them_is_put_aside() -> Result<()> {
    let junk: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"not json".to_vec(),
        vec![0xff, 0xfe],
        b"{}".to_vec(),
        br#"{"producer":"nobody","events":[{"id":"x","topic":"y","key":"z","position":1,"occurredAt":1,"data":{}}]}"#.to_vec(),
        br#"{"producer":"payment","events":[]}"#.to_vec(),
        br#"{"producer":"payment","events":[{"id":"x","topic":"payment.completed","key":"1","position":99999999,"occurredAt":1,"data":{"amount":"much"}}]}"#.to_vec(),
        vec![b'['; 900_000],
        vec![b' '; 1_048_577],
    ];
    check(async |world, messages| {
        for (place, message) in messages.iter().enumerate() {
            let junk = Published {
                payload: junk[place % junk.len()].clone().into(),
            };
            assert!(world.deliver(&junk).await, "{place}");
            assert!(world.deliver(message).await, "{place}");
        }
        let letters = world.admin().get("/admin/settlements/dead-letters").await?;
        let letters = letters.json.as_array().map(Vec::len);
        assert_eq!(letters, Some(junk.len()), "each is put aside once");
        Ok(())
    })
    .await
}
