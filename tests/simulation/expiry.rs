//! A payment that arrives at the very moment its order runs out.

use anyhow::Result;
use kernel::Instant;
use serde_json::json;

use crate::world::World;

/// The hold of the world's orders, in microseconds.
const HOLD: i64 = 600_000_000;

/// Places a two-step order and answers its id and the first moment at which it has run out.
async fn waiting(world: &World, number: u64) -> Result<(u64, Instant)> {
    let placed = world.customer(number).reserve(1, 1).await?;
    assert_eq!(
        (placed.status, &placed.json["status"]),
        (201, &json!("PENDING")),
        "{placed:?}"
    );
    let expiry = Instant::from_micros(world.clock.now().micros() + HOLD);
    assert_eq!(placed.json["expiresAt"], expiry.rfc3339(), "{placed:?}");
    Ok((placed.json["id"].as_u64().unwrap(), expiry))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tick_decides_between_payment_and_expiry() -> Result<()> {
    let world = World::start(&[]).await?;
    for (number, tick, paid) in [(1, -1, true), (2, 0, false), (3, 1, false)] {
        let (order, expiry) = waiting(&world, number).await?;
        world.clock.set(Instant::from_micros(expiry.micros() + tick));
        let confirmed = world
            .customer(number)
            .confirm(order, &format!("window-{order}"), 10_000)
            .await?;
        let expected = if paid { (200, "PAID") } else { (409, "CANCELLED") };
        assert_eq!(confirmed.status, expected.0, "at {tick}: {confirmed:?}");
        world.recover().await?;
        let shown = world.customer(number).get(&format!("/orders/{order}")).await?;
        assert_eq!(shown.json["status"], expected.1, "at {tick}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_expiry_and_fifty_payments_one_wins() -> Result<()> {
    let world = std::sync::Arc::new(World::start(&[]).await?);
    let mut wins = [0, 0];
    for round in 0..10 {
        for tick in [-1, 0, 1] {
            let number = round * 10 + (tick + 1) as u64;
            let (order, expiry) = waiting(&world, number).await?;
            world.clock.set(Instant::from_micros(expiry.micros() + tick));
            let buyer = world.customer(number);
            let expire = {
                let world = world.clone();
                tokio::spawn(async move { world.jobs().await })
            };
            let confirms: Vec<_> = (0..50)
                .map(|_| {
                    let buyer = buyer.clone();
                    tokio::spawn(
                        async move { buyer.confirm(order, &format!("window-{order}"), 10_000).await },
                    )
                })
                .collect();
            expire.await??;
            let mut paid = 0;
            for confirm in confirms {
                match confirm.await??.status {
                    200 => paid += 1,
                    409 => {}
                    other => panic!("{other} at {tick}"),
                }
            }
            world.recover().await?;
            let shown = world.customer(number).get(&format!("/orders/{order}")).await?;
            let expected = if paid == 1 { "PAID" } else { "CANCELLED" };
            assert_eq!(shown.json["status"], expected, "{paid} were told that it is paid");
            assert_eq!(
                paid,
                usize::from(tick < 0),
                "before the end it can be paid, from then on not"
            );
            wins[usize::from(paid == 1)] += 1;
        }
    }
    tests::say(&format!(
        "expiry won {} times, a payment {} times",
        wins[0], wins[1]
    ));
    Ok(())
}
