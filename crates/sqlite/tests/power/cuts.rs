//! Where the power goes, and what comes of it.

use std::collections::BTreeSet;
use std::fmt;

use fastrand::Rng;

use crate::audit::{Finding, audit, restart};
use crate::damage::Damage;
use crate::disk::Disk;
use crate::log::Event;
use crate::scene::Scene;
use crate::shop::{DATABASE, Plan};

/// Every how many cuts the shop is started on what is left.
const RESTART: usize = 20;

const JOURNAL: &str = "shop.db-journal";

/// What came of all cuts.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cuts: usize,
    pub(crate) lost: Vec<Failure>,
    pub(crate) broken: Vec<Failure>,
}

/// A cut after which something was wrong.
pub(crate) struct Failure {
    seed: u64,
    position: usize,
    damage: Damage,
    what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            position,
            damage,
            what,
        } = self;
        write!(formatter, "seed {seed}, position {position}, {damage:?}: {what}")
    }
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.lost.extend(other.lost);
        self.broken.extend(other.broken);
    }
}

/// Cuts the power `count` times in the run that `events` tells of.
pub(crate) fn cut(plan: Plan, events: &[Event], count: usize) -> Tally {
    let positions = positions(events, count, &mut Rng::with_seed(plan.seed));
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let shares: Vec<_> = positions
            .chunks(positions.len().div_ceil(workers).max(1))
            .map(|share| scope.spawn(move || work(plan, events, share)))
            .collect();
        for share in shares {
            tally.add(share.join().unwrap());
        }
    });
    tally
}

/// Different places in order: half of them where a sync or an answer has just come or is about to,
/// a quarter inside checkpoints, and the others anywhere.
fn positions(events: &[Event], count: usize, rng: &mut Rng) -> Vec<usize> {
    let databases: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Created { file, name } if name == DATABASE => Some(*file),
            _ => None,
        })
        .collect();
    let (mut near, mut inside) = (Vec::new(), Vec::new());
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Written { file, .. } if databases.contains(file) => inside.push(at + 1),
            Event::Written { .. } => {}
            _ => near.extend([at, at + 1]),
        }
    }
    let mut chosen = BTreeSet::new();
    for (mut places, up_to) in [
        (near, count / 2),
        (inside, count * 3 / 4),
        ((0..=events.len()).collect(), count),
    ] {
        rng.shuffle(&mut places);
        for place in places {
            if chosen.len() < up_to {
                chosen.insert(place);
            }
        }
    }
    chosen.into_iter().collect()
}

fn work(plan: Plan, events: &[Event], positions: &[usize]) -> Tally {
    let mut scene = Scene::new();
    let mut disk = Disk::new(events, usize::try_from(plan.guests).unwrap() + 1);
    let mut tally = Tally::default();
    for &position in positions {
        disk.advance(position);
        let mut rng = Rng::with_seed(plan.seed.rotate_left(32) ^ u64::try_from(position).unwrap());
        let damage = Damage::ALL[rng.usize(..Damage::ALL.len())];
        let image = disk.cut(damage, &mut rng);
        let rolls_back = image.contains_key(JOURNAL);
        scene.show(&image);
        let and_restart = tally.cuts % RESTART == 0;
        let found = if rolls_back {
            restart(scene.path(), disk.acknowledged())
        } else {
            look(&scene, disk.acknowledged(), and_restart)
        };
        if found.is_err() || rolls_back || and_restart {
            scene.forget();
        }
        tally.cuts += 1;
        let failure = |what| Failure {
            seed: plan.seed,
            position,
            damage,
            what,
        };
        match found {
            Ok(()) => {}
            Err(Finding::Lost(what)) => tally.lost.push(failure(what)),
            Err(Finding::Broken(what)) => tally.broken.push(failure(what)),
        }
    }
    tally
}

/// Looks at what is left, and now and then starts the shop on it.
fn look(scene: &Scene, acknowledged: &[u32], and_restart: bool) -> Result<(), Finding> {
    if !and_restart {
        return audit(scene.path(), acknowledged);
    }
    let before = scene.contents();
    audit(scene.path(), acknowledged)?;
    // The next look builds on what is there.
    for (name, bytes) in scene.contents() {
        assert!(
            before.get(&name) == Some(&bytes),
            "{name} was changed by being looked at"
        );
    }
    restart(scene.path(), acknowledged)
}
