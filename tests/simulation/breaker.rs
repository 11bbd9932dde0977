//! A component that hangs costs its clients a moment and nobody else anything, and comes back by itself.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::{Client, Reply, jobs_key};

use crate::world::World;

/// How long the component is left alone.
const REST: Duration = Duration::from_secs(5);

/// Far below the host's own deadline, which is 15 s, and far above the gateway's here.
const SOON: Duration = Duration::from_secs(8);

const SETTINGS: [&str; 3] = [
    "upstream_timeout_ms=300",
    "breaker_failures=3",
    "breaker_open_ms=5000",
];

async fn breaker(visitor: &Client, component: &str) -> Result<(u16, String)> {
    let ready = visitor.get("/health/ready").await?;
    let components = ready.json["components"].as_array().cloned().unwrap_or_default();
    let found = components.iter().find(|found| found["name"] == component);
    let state = found.map_or_else(String::new, |found| {
        format!("{} {}", found["status"], found["breaker"]).replace('"', "")
    });
    Ok((ready.status, state))
}

fn wait(reply: &Reply) -> Option<u64> {
    reply.headers.get("retry-after")?.to_str().ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_hangs_gets_a_rest_and_comes_back() -> Result<()> {
    let world = World::start(&SETTINGS).await?;
    let (visitor, buyer) = (world.visitor(), world.customer(1));
    assert_eq!(buyer.get("/cart").await?.json, json!([]));
    assert_eq!(breaker(&visitor, "cart").await?, (200, "UP closed".to_owned()));

    let gate = world.faults.hang("cart");
    for attempt in 1..=3 {
        let asked = Instant::now();
        let late = buyer.get("/cart").await?;
        assert_eq!(
            (late.status, wait(&late).is_some()),
            (503, true),
            "{attempt}: {late:?}"
        );
        assert!(
            asked.elapsed() < SOON,
            "attempt {attempt} took {:?}",
            asked.elapsed()
        );
    }
    let refused = buyer.get("/cart").await?;
    assert_eq!((refused.status, wait(&refused)), (503, Some(5)), "{refused:?}");
    assert_eq!(visitor.get("/products/1").await?.status, 200, "the others go on");
    // It answers who has no token without its database; that it can not do more shows in its breaker.
    assert_eq!(breaker(&visitor, "cart").await?, (200, "UP open".to_owned()));
    assert_eq!(breaker(&visitor, "order").await?.1, "UP closed");
    let counted = visitor.with_token(&jobs_key()).get("/internal/metrics").await?;
    for line in [
        "breaker_state{upstream=\"cart\",state=\"open\"} 1",
        "breaker_state{upstream=\"cart\",state=\"closed\"} 0",
        "breaker_opened_total{upstream=\"cart\"} 1",
    ] {
        assert!(counted.text.contains(line), "{line} is not in\n{}", counted.text);
    }

    // Well again, but at rest until its time has come.
    world.faults.off();
    gate.open();
    assert_eq!(buyer.get("/cart").await?.status, 503);
    world.clock.advance(REST);
    assert_eq!(buyer.get("/cart").await?.status, 200, "the probe");
    assert_eq!(breaker(&visitor, "cart").await?, (200, "UP closed".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_hangs_too_makes_the_rest_longer() -> Result<()> {
    let world = World::start(&SETTINGS).await?;
    let buyer = world.customer(1);
    buyer.get("/cart").await?;
    let gate = world.faults.hang("cart");
    for _ in 0..3 {
        assert_eq!(buyer.get("/cart").await?.status, 503);
    }
    world.clock.advance(REST);
    assert_eq!(buyer.get("/cart").await?.status, 503, "the probe hangs");
    let refused = buyer.get("/cart").await?;
    assert_eq!((refused.status, wait(&refused)), (503, Some(5)), "{refused:?}");
    world.faults.off();
    gate.open();
    world.clock.advance(REST);
    assert_eq!(buyer.get("/cart").await?.status, 200);
    Ok(())
}
