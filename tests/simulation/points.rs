//! Every crash point: each host call of each story fails or dies, before and after it was done; then
//! recovery runs, and every invariant holds.

use anyhow::{Context, Result};

use crate::story::Story;
use crate::switch::Harm;
use crate::world::World;

/// How many points were covered, or the first one after which the books were wrong.
pub(crate) async fn cover(world: &World, stories: &[Story]) -> Result<usize> {
    let mut number = 0;
    let mut covered = 0;
    for story in stories {
        number += 1;
        let calls = calls(world, *story, number).await?;
        for point in 0..calls.len() {
            for harm in Harm::ALL {
                number += 1;
                disturbed(world, *story, number, point, harm).await?;
                covered += 1;
            }
        }
        tests::say(&format!(
            "{story:?}: {} host calls, {} points",
            calls.len(),
            calls.len() * Harm::ALL.len()
        ));
    }
    Ok(covered)
}

/// The host calls of an undisturbed story.
async fn calls(world: &World, story: Story, number: u64) -> Result<Vec<String>> {
    let scene = story.begin(world, number).await?;
    world.faults.count();
    story.play(world, &scene).await;
    let calls = world.faults.off();
    anyhow::ensure!(!calls.is_empty(), "{story:?} makes no host call");
    world
        .recover()
        .await
        .with_context(|| format!("{story:?}, undisturbed"))?;
    Ok(calls)
}

async fn disturbed(world: &World, story: Story, number: u64, point: usize, harm: Harm) -> Result<()> {
    let scene = story.begin(world, number).await?;
    world.faults.harm(point, harm);
    let reply = story.play(world, &scene).await;
    let hit = world.faults.off();
    let answer = reply.map_or("nothing".to_owned(), |reply| {
        format!("{} {}", reply.status, reply.text)
    });
    world.recover().await.with_context(|| {
        format!(
            "{story:?}: {harm:?} at call {point}, {hit:?}, order {}, answered {answer}",
            scene.order
        )
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_wherever_the_books_are_right_in_the_end() -> Result<()> {
    let world = World::start(&[]).await?;
    for sku in [1, 2] {
        world.stock_up(sku, 1_000_000)?;
    }
    let covered = cover(&world, &Story::ALL).await?;
    tests::say(&format!("{covered} crash points covered"));
    assert!(covered > 500, "only {covered} points: the stories have shrunk");
    Ok(())
}
