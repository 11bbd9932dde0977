//! Recovery that runs while a request is under way, at each of its host calls.

use anyhow::{Result, ensure};

use crate::story::Story;
use crate::world::{LAPSED, World};

/// Holds a story at each of its calls while the jobs run, first with the lease alive, then lapsed.
pub(crate) async fn cover(world: &World) -> Result<usize> {
    let mut covered = 0;
    let mut number = 100_000;
    for story in [Story::Checkout, Story::Cancel, Story::TwoStep] {
        for lapsed in [false, true] {
            let mut point = 0;
            loop {
                number += 1;
                if !once(world, story, number, point, lapsed).await? {
                    break;
                }
                point += 1;
                covered += 1;
            }
        }
    }
    Ok(covered)
}

/// Whether the story has such a call.
async fn once(world: &World, story: Story, number: u64, point: usize, lapsed: bool) -> Result<bool> {
    let scene = story.begin(world, number).await?;
    let gate = world.faults.hold(point);
    let mut playing = std::pin::pin!(story.play(world, &scene));
    let reply = tokio::select! {
        reply = &mut playing => Err(reply),
        () = gate.reached() => Ok(()),
    };
    if reply.is_err() {
        world.faults.off();
        world.recover().await?;
        return Ok(false);
    }
    world.faults.off();
    if lapsed {
        world.clock.advance(LAPSED);
    }
    // While one connection is held in the middle of a transaction the jobs can't write either: they come
    // to an end when it goes on.
    let jobs = world.jobs();
    let jobs = std::pin::pin!(jobs);
    let first = tokio::time::timeout(std::time::Duration::from_millis(150), jobs).await;
    gate.open();
    let reply = playing.await;
    if first.is_err() {
        world.jobs().await?;
    }
    let status = reply.as_ref().map_or(0, |reply| reply.status);
    let context = || format!("{story:?} held at call {point}, lease lapsed: {lapsed}, answered {reply:?}");
    if !lapsed {
        ensure!([200, 201].contains(&status), "{}: it was disturbed", context());
    }
    world.recover().await.map_err(|error| error.context(context()))?;
    Ok(true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_never_disturbs_what_is_under_way_nor_is_disturbed_by_it() -> Result<()> {
    let world = World::start(&[]).await?;
    for sku in [1, 2] {
        world.stock_up(sku, 1_000_000)?;
    }
    let covered = cover(&world).await?;
    tests::say(&format!("recovery ran beside a held request at {covered} points"));
    assert!(covered > 100, "only {covered} points");
    Ok(())
}
