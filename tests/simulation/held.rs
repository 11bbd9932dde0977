//! Recovery that runs while a request is under way, at each of its host calls.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::story::Story;
use crate::world::{LAPSED, World};

/// How long the jobs may take beside a held request; those that wait for it take as long as it does.
const PATIENCE: Duration = Duration::from_millis(150);

/// What is said of a request that recovery got in the way of.
pub(crate) const DISTURBED: &str = "it was disturbed";

/// How long a request is held, and so what recovery may take it for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Its lease is alive: nobody may touch its order.
    Shortly,
    /// Its lease has lapsed: it is taken for dead.
    PastItsLease,
    /// The order's time to be paid has run out as well.
    PastItsOrder,
}

impl Held {
    const ALL: [Self; 3] = [Self::Shortly, Self::PastItsLease, Self::PastItsOrder];

    const fn time(self) -> Duration {
        match self {
            Self::Shortly => Duration::ZERO,
            Self::PastItsLease => LAPSED,
            Self::PastItsOrder => Duration::from_secs(601),
        }
    }
}

/// How many points were covered.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    points: usize,
    /// At how many of them the jobs came to their end while the request was held.
    beside: usize,
}

/// Holds a story at each of its calls while the jobs run.
pub(crate) async fn cover(world: &World) -> Result<Covered> {
    let mut covered = Covered::default();
    let mut number = 100_000;
    for story in [Story::Checkout, Story::Cancel, Story::TwoStep] {
        for held in Held::ALL {
            let mut point = 0;
            loop {
                number += 1;
                let Some(beside) = once(world, story, number, point, held).await? else {
                    break;
                };
                point += 1;
                covered.points += 1;
                covered.beside += usize::from(beside);
            }
        }
    }
    Ok(covered)
}

/// Whether the jobs came to their end while the story was held at this call; none when it has no such call.
async fn once(world: &World, story: Story, number: u64, point: usize, held: Held) -> Result<Option<bool>> {
    let scene = story.begin(world, number).await?;
    let gate = world.faults.hold(point);
    let mut playing = std::pin::pin!(story.play(world, &scene));
    let reply = tokio::select! {
        reply = &mut playing => Err(reply),
        () = gate.reached() => Ok(()),
    };
    world.faults.off();
    if reply.is_err() {
        world.recover().await?;
        return Ok(None);
    }
    world.clock.advance(held.time());
    // While one connection is held in the middle of a transaction the jobs can't write either: they come
    // to an end when it goes on.
    let mut jobs = std::pin::pin!(world.jobs());
    let beside = tokio::time::timeout(PATIENCE, &mut jobs).await;
    gate.open();
    let reply = playing.await;
    let is_beside = beside.is_ok();
    match beside {
        Ok(done) => drop(done?),
        Err(_) => drop(jobs.await?),
    }
    let status = reply.as_ref().map_or(0, |reply| reply.status);
    let context = || format!("{story:?} held {held:?} at call {point}, answered {reply:?}");
    if held == Held::Shortly {
        ensure!([200, 201].contains(&status), "{}: {DISTURBED}", context());
    }
    world.recover().await.map_err(|error| error.context(context()))?;
    Ok(Some(is_beside))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_never_disturbs_what_is_under_way_nor_is_disturbed_by_it() -> Result<()> {
    let world = World::start(&[]).await?;
    for sku in [1, 2] {
        world.stock_up(sku, 1_000_000)?;
    }
    let Covered { points, beside } = cover(&world).await?;
    tests::say(&format!(
        "a request was held at {points} points, recovery ran to its end beside it at {beside} of them"
    ));
    assert!(points > 150 && beside > 50, "only {beside} of {points} points");
    Ok(())
}
