//! The simulated disk itself: what it must keep, and what it may lose.

use std::collections::BTreeSet;
use std::fs::read;

use fastrand::Rng;

use crate::damage::Damage;
use crate::disk::Disk;
use crate::log::Event;
use crate::scene::Scene;

const NAME: &str = "file";

fn created(file: usize) -> Event {
    Event::Created {
        file,
        name: NAME.to_owned(),
    }
}

fn written(file: usize, offset: usize, byte: u8, count: usize) -> Event {
    let bytes = vec![byte; count].into();
    Event::Written { file, offset, bytes }
}

fn synced(file: usize, begun: usize) -> Event {
    Event::Synced {
        file,
        begun,
        with_folder: true,
    }
}

/// The file as it is found after a cut at the end of `events`; None if there is none.
fn found(events: &[Event], damage: Damage, seed: u64) -> Option<Vec<u8>> {
    let mut scene = Scene::new();
    let mut disk = Disk::new(events, 0);
    disk.advance(events.len());
    scene.show(&disk.cut(damage, &mut Rng::with_seed(seed)));
    read(scene.path().join(NAME)).ok()
}

/// All that may be found when many cuts come at the end of `events`.
fn outcomes(events: &[Event], damage: Damage) -> BTreeSet<Option<Vec<u8>>> {
    (0..200).map(|seed| found(events, damage, seed)).collect()
}

#[test]
fn what_a_sync_covers_is_there_after_every_damage() {
    let events = [
        created(0),
        written(0, 0, 1, 1_000),
        written(0, 500, 2, 1_000),
        synced(0, 3),
    ];
    let all = [[1; 500].as_slice(), &[2; 1_000]].concat();
    for damage in Damage::ALL {
        assert_eq!(
            outcomes(&events, damage),
            [Some(all.clone())].into(),
            "{damage:?}"
        );
    }
}

#[test]
fn a_sync_does_not_cover_what_was_written_while_it_ran() {
    let events = [
        created(0),
        written(0, 0, 1, 10),
        written(0, 0, 2, 10),
        synced(0, 2),
    ];
    assert_eq!(found(&events, Damage::Nothing, 0), Some(vec![1; 10]));
    assert_eq!(found(&events, Damage::Everything, 0), Some(vec![2; 10]));
}

#[test]
fn writes_are_lost_from_the_end_singly_or_by_sectors() {
    let events = [
        created(0),
        written(0, 0, 0, 1_024),
        synced(0, 2),
        written(0, 0, 1, 1_024),
        written(0, 0, 2, 10),
    ];
    let file = |ranges: [(usize, u8); 3]| {
        Some(
            ranges
                .iter()
                .flat_map(|(count, byte)| vec![*byte; *count])
                .collect::<Vec<u8>>(),
        )
    };
    let neither = file([(10, 0), (502, 0), (512, 0)]);
    let first = file([(10, 1), (502, 1), (512, 1)]);
    let second = file([(10, 2), (502, 0), (512, 0)]);
    let both = file([(10, 2), (502, 1), (512, 1)]);
    assert_eq!(
        outcomes(&events, Damage::Prefix),
        [neither.clone(), first.clone(), both.clone()].into()
    );
    let subset = outcomes(&events, Damage::Subset);
    assert_eq!(subset, [neither, first.clone(), second, both].into());
    let torn = outcomes(&events, Damage::Torn);
    assert!(torn.contains(&file([(10, 2), (502, 0), (512, 1)])));
    assert!(torn.is_superset(&subset));
    assert!(outcomes(&events, Damage::Reordered).is_superset(&torn));
    let torn_within = |found: &Option<Vec<u8>>| {
        found.as_ref().unwrap()[512..]
            .iter()
            .any(|byte| *byte != found.as_ref().unwrap()[512])
    };
    assert!(!torn.iter().any(torn_within), "a sector is whole or not there");
}

#[test]
fn a_file_that_has_grown_holds_zeros_or_junk() {
    let events = [
        created(0),
        synced(0, 1),
        written(0, 0, 1, 512),
        written(0, 512, 2, 512),
    ];
    let torn = outcomes(&events, Damage::Torn);
    let gaps: BTreeSet<u8> = torn
        .iter()
        .flatten()
        .filter(|found| found.len() == 1_024)
        .map(|found| found[0])
        .collect();
    assert!(gaps.contains(&0) && gaps.len() > 5, "{gaps:?}");
}

#[test]
fn names_are_sure_once_the_folder_is_synced() {
    let file_only = Event::Synced {
        file: 0,
        begun: 2,
        with_folder: false,
    };
    let mut events = vec![created(0), written(0, 0, 1, 1), file_only];
    let some = Some(vec![1]);
    assert_eq!(outcomes(&events, Damage::Subset), [None, some.clone()].into());
    events.push(synced(0, 3));
    assert_eq!(outcomes(&events, Damage::Subset), [some.clone()].into());
    events.push(Event::Deleted {
        file: 0,
        with_folder: false,
    });
    assert_eq!(outcomes(&events, Damage::Subset), [None, some.clone()].into());
    events.push(created(1));
    assert_eq!(outcomes(&events, Damage::Nothing), [some.clone()].into());
    assert_eq!(
        outcomes(&events, Damage::Subset),
        [None, some, Some(Vec::new())].into()
    );
    events.push(synced(1, 6));
    assert_eq!(outcomes(&events, Damage::Subset), [Some(Vec::new())].into());
}

#[test]
fn a_scene_that_goes_on_shows_what_a_new_one_shows() {
    let mut rng = Rng::with_seed(9);
    let mut events = vec![created(0)];
    for at in 1_usize..300 {
        events.push(match rng.u8(..8) {
            0 => synced(0, rng.usize(at.saturating_sub(5)..=at)),
            1 => Event::Truncated {
                file: 0,
                size: rng.usize(..5_000),
            },
            _ => written(0, rng.usize(..5_000), rng.u8(..), rng.usize(1..2_000)),
        });
    }
    let mut scene = Scene::new();
    let mut disk = Disk::new(&events, 0);
    for position in 1..events.len() {
        disk.advance(position);
        let (seed, damage) = (rng.u64(..), rng.choice(Damage::ALL).unwrap());
        scene.show(&disk.cut(damage, &mut Rng::with_seed(seed)));
        let shown = read(scene.path().join(NAME)).ok();
        assert_eq!(
            shown,
            found(&events[..position], damage, seed),
            "{position} {damage:?}"
        );
    }
}
