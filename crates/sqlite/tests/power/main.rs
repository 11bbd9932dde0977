//! The power goes in the middle of work, thousands of times: what was answered is there.
//!
//! Guests work on a database whose VFS writes down every change of a file and every sync, and the
//! test writes every answered commit into the same log. A cut at a place in this log leaves what a
//! disk may hold then; SQLite opens it, and it is compared with what was answered before the cut.
//!
//! What a cut does: all that a file's last sync covers is there. Of what came later anything may be
//! there: nothing, all, the first writes, some of them, some of their 512-byte sectors, in another
//! order; a file that has grown holds zeros or junk where nothing was written. A new file is
//! without a name, and a deleted one still has its, until the folder is synced, which SQLite does
//! with the first sync of a log or journal.
//!
//! What is not modelled: a disk that says "synced" and lies, or loses what it held; a sector that is
//! itself torn, or damaged because its neighbour was written (SQLite is told that overwriting is
//! safe from power cuts, as its own VFS says of every disk); a sync that fails; a parent folder that
//! vanishes; memory mapping, which the shop does not use.
//!
//! The threads decide the order of the run, so a seed alone does not bring a failure back; it says
//! which run and cut it was.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod audit;
mod cuts;
mod damage;
mod disk;
mod log;
mod model;
mod scene;
mod shop;
mod vfs;

use sqlite::Synchronous;

use cuts::{Failure, Tally};
use log::Event;
use shop::{DATABASE, Plan};

/// Lets the shop work and cuts its power, in as many runs as there are seeds.
fn simulate(synchronous: Synchronous, seeds: &[u64], turns: u32, cuts: usize) -> Tally {
    let mut tally = Tally::default();
    for (run, &seed) in seeds.iter().enumerate() {
        let plan = Plan {
            synchronous,
            guests: 12,
            turns,
            seed,
        };
        let events = shop::record(plan);
        assert_worth_cutting(plan, &events);
        let left = cuts - tally.cuts;
        tally.add(cuts::cut(plan, &events, left / (seeds.len() - run)));
    }
    assert_eq!(tally.cuts, cuts);
    tally
}

/// The log was more than once folded into the database, and as long as it gets before that.
fn assert_worth_cutting(plan: Plan, events: &[Event]) {
    let (mut acknowledged, mut folded, mut longest, mut databases) = (0, 0, 0, Vec::new());
    for event in events {
        match event {
            Event::Acknowledged { .. } => acknowledged += 1,
            Event::Created { file, name } if name == DATABASE => databases.push(*file),
            Event::Synced { file, .. } if databases.contains(file) => folded += 1,
            Event::Written { file, offset, .. } if !databases.contains(file) => {
                longest = longest.max(*offset)
            }
            _ => {}
        }
    }
    assert_eq!(acknowledged, plan.guests * plan.turns + 1);
    assert!(longest > 1_000 * 4_096, "the log had {longest} bytes at most");
    assert!(folded > 2 || plan.synchronous == Synchronous::Off, "{folded}");
}

fn list(failures: &[Failure]) -> String {
    let lines: Vec<String> = failures.iter().take(10).map(Failure::to_string).collect();
    format!("{} of them\n{}", failures.len(), lines.join("\n"))
}

#[test]
fn ten_thousand_power_cuts_lose_no_answered_commit() {
    let tally = simulate(Synchronous::Full, &[1, 2, 3, 4, 5, 6], 40, 10_000);
    assert!(
        tally.broken.is_empty() && tally.lost.is_empty(),
        "broken, {}\nlost, {}",
        list(&tally.broken),
        list(&tally.lost)
    );
}

#[test]
fn without_a_sync_per_commit_answered_commits_are_lost_and_nothing_is_torn() {
    let tally = simulate(Synchronous::Normal, &[7], 60, 1_000);
    assert!(tally.broken.is_empty(), "{}", list(&tally.broken));
    assert!(
        !tally.lost.is_empty(),
        "the simulation does not notice what is lost"
    );
}

#[test]
fn without_any_sync_the_database_is_torn() {
    let tally = simulate(Synchronous::Off, &[8], 30, 100);
    assert!(
        !tally.broken.is_empty(),
        "the simulation does not notice what is torn"
    );
}
