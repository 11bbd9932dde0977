//! The shop without one of its guards must fail: else nothing proves that the guard is needed.

use anyhow::Result;
use tests::workspace;

use crate::held;
use crate::points::cover;
use crate::story::Story;
use crate::world::World;

/// How a mutant is found out.
enum Caught {
    /// By a crash point of one of these stories.
    At(&'static [Story]),
    /// By a recovery that runs while a request does.
    Held,
}

const MUTANTS: &[(&str, Caught)] = &[
    ("mutant-no-lease", Caught::Held),
    ("mutant-no-cas", Caught::Held),
    ("mutant-release-twice", Caught::At(&[Story::Cancel])),
    ("mutant-refund-twice", Caught::At(&[Story::Refund, Story::Cancel])),
    ("mutant-no-void-find", Caught::At(&[Story::Checkout])),
    ("mutant-ack-first", Caught::At(&[Story::Apply])),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_missing_guard_is_noticed() -> Result<()> {
    let mut escaped = Vec::new();
    for (mutant, how) in MUTANTS {
        let components = workspace().join("target/mutants").join(mutant);
        let world = World::of(&components, &[]).await?;
        for sku in [1, 2] {
            world.stock_up(sku, 1_000_000)?;
        }
        let found = match how {
            Caught::At(stories) => cover(&world, stories).await.map(drop),
            Caught::Held => held::cover(&world).await.map(drop),
        };
        match found {
            Ok(()) => escaped.push(*mutant),
            Err(error) => {
                let found = format!("{error:#}").replace('\n', "; ");
                assert!(is_wrong(&found), "{mutant} broke down: {found}");
                tests::say(&format!("{mutant} was caught: {found}"));
            }
        }
    }
    tests::say(&format!(
        "{} of {} mutants caught",
        MUTANTS.len() - escaped.len(),
        MUTANTS.len()
    ));
    assert!(escaped.is_empty(), "not noticed: {escaped:?}");
    Ok(())
}

/// Whether it was a promise that was broken, not just a shop that does not run.
fn is_wrong(found: &str) -> bool {
    let names_invariant = |word: &str| {
        let number = word.strip_prefix('I').and_then(|word| word.strip_suffix(':'));
        number.is_some_and(|number| number.parse::<u8>().is_ok())
    };
    found.contains(held::DISTURBED) || found.split_whitespace().any(names_invariant)
}

/// A mutant that nobody hunts proves nothing.
#[test]
fn every_mutant_there_is_is_hunted() {
    let built = std::fs::read_dir(workspace().join("target/mutants")).unwrap();
    let mut built: Vec<String> = built
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut hunted: Vec<String> = MUTANTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    built.sort();
    hunted.sort();
    assert_eq!(built, hunted);
}
