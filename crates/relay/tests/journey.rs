//! From the change to its effect, whatever happens in between: two relays and a consumer that die at any
//! statement, a bus that loses, repeats and reorders, acknowledgements that are late or lost.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;

use std::rc::Rc;

use bench::{CONSUMING, Death, Line, PRODUCER, PRODUCING, effect, effects, number, write};
use kernel::Millis;
use proptest::prelude::*;
use relay::inbox::{self, Admission, Replay};
use relay::message::pack;
use relay::{Message, acknowledgement, outbox};
use store::{Db, DbError};
use testkit::{Clock, NEW_YEAR};

store_suite::also_on_postgres!();

/// Where somebody dies, if at all.
type Fate = Option<(u32, Death)>;

#[derive(Debug, Clone)]
enum Step {
    /// The domain changes so many things.
    Change(u8),
    /// One of the relays runs.
    Relay { limit: u32, fate: Fate },
    /// The bus delivers one of its messages, and perhaps keeps it.
    Deliver { which: usize, keep: bool, fate: Fate },
    /// The bus loses a message.
    Lose { which: usize },
    /// The consumer says how far it is.
    Acknowledge,
    /// The key is gone.
    Forget,
    /// Somebody looks through the dead letters.
    Replay { which: u64, fate: Fate },
    /// Time passes.
    Wait(u32),
}

fn fate() -> impl Strategy<Value = Fate> {
    let death = prop_oneof![Just(Death::Before), Just(Death::After)];
    prop::option::weighted(0.4, (0u32..12, death))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u8..5).prop_map(Step::Change),
        4 => (1u32..8, fate()).prop_map(|(limit, fate)| Step::Relay { limit, fate }),
        6 => (any::<usize>(), any::<bool>(), fate())
            .prop_map(|(which, keep, fate)| Step::Deliver { which, keep, fate }),
        1 => any::<usize>().prop_map(|which| Step::Lose { which }),
        2 => Just(Step::Acknowledge),
        1 => Just(Step::Forget),
        1 => (1u64..4, fate()).prop_map(|(which, fate)| Step::Replay { which, fate }),
        2 => (1u32..20_000).prop_map(Step::Wait),
    ]
}

struct Journey {
    clock: Clock,
    producing: Rc<Line>,
    consuming: Rc<Line>,
    producer: Db,
    consumer: Db,
    bus: Vec<String>,
    /// The key-value store.
    acknowledged: Option<String>,
    changes: u32,
}

impl Journey {
    fn new() -> Self {
        let (producing, consuming) = (Line::new(), Line::new());
        Self {
            clock: Clock::at(NEW_YEAR),
            producer: producing.open(PRODUCING),
            consumer: consuming.open(CONSUMING),
            producing,
            consuming,
            bus: Vec::new(),
            acknowledged: None,
            changes: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Change(count) => (0..count).for_each(|_| self.change()),
            Step::Relay { limit, fate } => self.relay(limit, fate),
            Step::Deliver { which, keep, fate } => self.deliver(which, keep, fate),
            Step::Lose { which } => drop(self.pick(which)),
            Step::Acknowledge => {
                let mark = inbox::mark(&self.consumer, PRODUCER).unwrap();
                self.acknowledged = Some(mark.to_string());
            }
            Step::Forget => self.acknowledged = None,
            Step::Replay { which, fate } => drop(self.replay(which, fate)),
            Step::Wait(millis) => self.clock.advance(Millis(millis)),
        }
    }

    /// Every seventh event is one that the consumer can't apply at first.
    fn change(&mut self) {
        self.changes += 1;
        let kind = if self.changes.is_multiple_of(7) {
            "poison"
        } else {
            "good"
        };
        // Ids and times that do not follow the order of the changes.
        let id = format!("{kind}:{}", self.changes.wrapping_mul(0x9e37_79b9));
        let at = self.clock.now().after(Millis(self.changes % 3));
        write(&self.producer, &id, at);
    }

    fn relay(&mut self, limit: u32, fate: Fate) {
        let value = self.acknowledged.as_deref().unwrap_or("0");
        let acknowledged = acknowledgement::parse(value.as_bytes()).unwrap();
        let due = doomed(&self.producing, fate, || {
            outbox::drain(&self.producer, self.clock.now(), acknowledged, limit)
        });
        let packed = pack(PRODUCER, &due.unwrap_or_default());
        assert!(packed.refused.is_empty());
        self.bus
            .extend(packed.parcels.into_iter().map(|parcel| parcel.text));
    }

    fn deliver(&mut self, which: usize, keep: bool, fate: Fate) {
        let Some(text) = self.pick(which) else { return };
        let _ = doomed(&self.consuming, fate, || self.consume(&text));
        if keep {
            self.bus.push(text);
        }
    }

    fn pick(&mut self, which: usize) -> Option<String> {
        let count = self.bus.len();
        (count > 0).then(|| self.bus.swap_remove(which % count))
    }

    fn consume(&self, text: &str) -> Result<(), DbError> {
        let message = Message::decode(text.as_bytes()).unwrap();
        for event in &message.events {
            let now = self.clock.now();
            let answer = inbox::apply(&self.consumer, PRODUCER, event, now, |tx| {
                effect(tx, event)?;
                match event.id.starts_with("poison") {
                    true => Err(DbError::Other("can't".to_owned())),
                    false => Ok(()),
                }
            });
            match answer {
                Ok(Admission::Admitted | Admission::Duplicate) => {}
                Ok(Admission::Misplaced) => panic!("two events at {}", event.position),
                Err(error) if error.retryable() => return Err(error),
                Err(error) => {
                    inbox::bury(&self.consumer, PRODUCER, event, &error.to_string(), now)?;
                }
            }
        }
        Ok(())
    }

    fn replay(&self, which: u64, fate: Fate) -> Result<Replay, DbError> {
        let now = self.clock.now();
        doomed(&self.consuming, fate, || {
            inbox::replay(&self.consumer, which, now, effect)
        })
    }

    /// Nothing fails any more: how long until everything is there?
    fn heal(&mut self) {
        for _ in 0..200 {
            self.clock.advance(Millis(300_000));
            self.relay(1_000, None);
            while !self.bus.is_empty() {
                self.deliver(0, false, None);
            }
            self.take(&Step::Acknowledge);
            if self.acknowledged.as_deref() == Some(&self.changes.to_string()) {
                break;
            }
        }
        self.relay(1_000, None);
        for letter in 1..=u64::from(self.changes / 7) {
            let answer = self.replay(letter, None).unwrap();
            assert!(
                matches!(answer, Replay::Applied | Replay::AlreadyApplied),
                "{answer:?}"
            );
        }
    }

    fn check(&self) {
        let (changes, count) = (i64::from(self.changes), |statement| {
            number(&self.producer, statement)
        });
        assert_eq!(
            count("select count(distinct position) as number from outbox"),
            changes
        );
        assert_eq!(
            count("select coalesce(max(position), 0) as number from outbox"),
            changes
        );
        assert_eq!(
            count("select coalesce(min(position), 1) as number from outbox"),
            1
        );
        assert_eq!(count("select acknowledged as number from outbox_relay"), changes);
        assert_eq!(count("select count(*) as number from outbox_delivery"), 0);
        assert_eq!(
            inbox::mark(&self.consumer, PRODUCER).unwrap(),
            u64::from(self.changes)
        );
        let applied = effects(&self.consumer);
        assert_eq!(applied.len(), self.changes as usize);
        assert!(applied.iter().all(|line| line.ends_with(" 1")), "{applied:?}");
        assert!(inbox::dead_letters(&self.consumer, 1_000, None).unwrap().len() as u32 == self.changes / 7);
    }
}

/// Runs `work` on a connection that dies at its appointed statement, if there is one.
fn doomed<T>(line: &Line, fate: Fate, work: impl FnOnce() -> Result<T, DbError>) -> Result<T, DbError> {
    if let Some((statements, death)) = fate {
        line.die_after(statements, death);
    }
    let answer = work();
    line.revive();
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_event_is_applied_exactly_once(steps in prop::collection::vec(step(), 1..60)) {
        let mut journey = Journey::new();
        for step in &steps {
            journey.take(step);
        }
        journey.heal();
        journey.check();
    }
}

#[test]
fn the_journey_has_every_kind_of_trouble_in_it() {
    let mut journey = Journey::new();
    let died = Some((3, Death::After));
    for step in [
        Step::Change(15),
        Step::Relay { limit: 8, fate: None },
        Step::Relay { limit: 8, fate: died },
        Step::Deliver {
            which: 0,
            keep: true,
            fate: died,
        },
        Step::Deliver {
            which: 0,
            keep: true,
            fate: None,
        },
        Step::Deliver {
            which: 0,
            keep: false,
            fate: None,
        },
        Step::Replay { which: 1, fate: died },
        Step::Replay { which: 1, fate: None },
        Step::Acknowledge,
        Step::Forget,
    ] {
        journey.take(&step);
    }
    assert_eq!(
        number(
            &journey.producer,
            "select last_position as number from outbox_relay"
        ),
        8
    );
    assert_eq!(inbox::mark(&journey.consumer, PRODUCER).unwrap(), 8);
    journey.heal();
    journey.check();
}
