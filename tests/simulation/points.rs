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
        // The first time a story is played, tables are made.
        undisturbed(world, *story, number + 1).await?;
        number += 1;
        let mut points = Vec::new();
        for harm in Harm::ALL {
            let mut point = 0;
            while disturbed(world, *story, number + 1, point, harm).await? {
                number += 1;
                point += 1;
            }
            number += 1;
            anyhow::ensure!(point > 0, "{story:?}: {harm:?} hit nothing");
            points.push(point);
        }
        covered += points.iter().sum::<usize>();
        tests::say(&format!("{story:?}: {points:?} points of {:?}", Harm::ALL));
    }
    Ok(covered)
}

async fn undisturbed(world: &World, story: Story, number: u64) -> Result<()> {
    let scene = story.begin(world, number).await?;
    story.play(world, &scene).await;
    let recovered = world.recover().await;
    recovered.with_context(|| format!("{story:?}, undisturbed"))
}

/// Whether the story has such a call.
async fn disturbed(world: &World, story: Story, number: u64, point: usize, harm: Harm) -> Result<bool> {
    let scene = story.begin(world, number).await?;
    world.faults.harm(point, harm);
    let reply = story.play(world, &scene).await;
    let hit = world.faults.off();
    let answer = reply.map_or("nothing".to_owned(), |reply| {
        format!("{} {}", reply.status, reply.text)
    });
    let context = || {
        let order = scene.order;
        format!("{story:?}: {harm:?} at call {point}, {hit:?}, order {order}, answered {answer}")
    };
    let again = story.repeat(world, &scene).await;
    world.recover().await.with_context(context)?;
    if again.is_some() {
        let last = story.repeat(world, &scene).await;
        anyhow::ensure!(last == again, "{}: {again:?}, then {last:?}", context());
    }
    Ok(hit.is_some())
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
