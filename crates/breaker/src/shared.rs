//! The breakers of all that are asked, by name, where all instances see them.
//!
//! While somebody is well this costs one look at the store and no change. When the store gives no answer
//! nobody is held back.

use kernel::Instant;

use crate::cells::{Cells, update};
use crate::{Admission, End, Outcome, Pass, State, Thresholds};

/// What log lines are about.
const OPERATION: &str = "breaker";

/// The breakers, for one request.
pub struct Breakers<'a, C> {
    /// Where they are kept.
    pub cells: &'a C,
    /// When they open.
    pub thresholds: &'a Thresholds,
    /// A number of this request and no other.
    pub by: u64,
}

impl<C: Cells> Breakers<'_, C> {
    /// Asks whether a component may be asked.
    pub fn admit(&self, name: &str, now: Instant) -> Admission {
        if self.thresholds.failures == 0 {
            return Admission::Pass(Pass::Clean);
        }
        self.try_admit(name, now).unwrap_or_else(|story| {
            web::log::warn(OPERATION, &format!("{} is not guarded: {story}", name));
            Admission::Pass(Pass::Clean)
        })
    }

    fn try_admit(&self, name: &str, now: Instant) -> Result<Admission, String> {
        let admit = |kept: &[u8]| {
            let (next, admission) = State::parse(kept).admit(self.thresholds, now, self.by);
            (next.map(|state| state.text().into_bytes()), admission)
        };
        let key = key(name);
        let kept = self.cells.get(&key)?;
        match admit(kept.as_deref().unwrap_or_default()) {
            (None, admission) => Ok(admission),
            (Some(_), _) => update(self.cells, &key, admit),
        }
    }

    /// Writes down how a request ended that was let through. Nothing is written where it is no news.
    pub fn record(&self, name: &str, pass: Pass, outcome: Outcome, now: impl FnOnce() -> Instant) {
        let no_news = match outcome {
            Outcome::Success => pass == Pass::Clean,
            Outcome::Unknown => pass != Pass::Probe,
            Outcome::Failure => self.thresholds.failures == 0,
        };
        if no_news {
            return;
        }
        let end = End {
            by: self.by,
            pass,
            outcome,
        };
        if let Err(story) = self.try_record(name, end, now()) {
            let text = format!("how {} is was not written down: {story}", name);
            web::log::warn(OPERATION, &text);
        }
    }

    fn try_record(&self, name: &str, end: End, now: Instant) -> Result<(), String> {
        let opened = update(self.cells, &key(name), |kept| {
            let next = State::parse(kept).record(self.thresholds, now, end);
            let opened = matches!(next, Some(State::Open { .. })) && end.outcome == Outcome::Failure;
            (next.map(|state| state.text().into_bytes()), opened)
        })?;
        if end.outcome == Outcome::Failure {
            self.cells.add(&counter("failures", name), 1)?;
        }
        if opened {
            let text = format!("{} gets a rest", name);
            web::log::error(OPERATION, &text);
            self.cells.add(&counter("opened", name), 1)?;
        }
        Ok(())
    }
}

/// What operators see of a component's breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How it stands.
    pub state: State,
    /// How often it has opened, ever.
    pub opened: i64,
    /// How many requests have failed, ever.
    pub failures: i64,
}

/// How a component's breaker stands.
pub fn state<C: Cells>(cells: &C, name: &str) -> Result<State, String> {
    let kept = cells.get(&key(name))?;
    Ok(State::parse(kept.as_deref().unwrap_or_default()))
}

/// All that is counted of it.
pub fn seen<C: Cells>(cells: &C, name: &str) -> Result<Seen, String> {
    Ok(Seen {
        state: state(cells, name)?,
        opened: cells.add(&counter("opened", name), 0)?,
        failures: cells.add(&counter("failures", name), 0)?,
    })
}

fn key(name: &str) -> String {
    format!("breaker/{}", name)
}

fn counter(what: &str, name: &str) -> String {
    format!("{what}/{}", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::memory::{Gone, Memory};
    use kernel::Millis;

    const RULES: Thresholds = Thresholds {
        failures: 5,
        window: Millis(10_000),
        open: Millis(5_000),
        lease: Millis(15_000),
    };

    const START: Instant = Instant::from_micros(1_790_000_000_000_000);

    fn of<'a, C>(cells: &'a C, by: u64) -> Breakers<'a, C> {
        Breakers {
            cells,
            thresholds: &RULES,
            by,
        }
    }

    fn fail(cells: &Memory, times: u64, now: Instant) {
        for by in 0..times {
            let Admission::Pass(pass) = of(cells, by).admit("order", now) else {
                panic!("failure {by} did not come through");
            };
            of(cells, by).record("order", pass, Outcome::Failure, || now);
        }
    }

    #[test]
    fn a_component_that_is_well_costs_no_write() {
        let cells = Memory::default();
        let breakers = of(&cells, 1);
        assert_eq!(breakers.admit("order", START), Admission::Pass(Pass::Clean));
        let no_clock = || -> Instant { panic!("nothing is written down") };
        breakers.record("order", Pass::Clean, Outcome::Success, no_clock);
        breakers.record("order", Pass::Clean, Outcome::Unknown, no_clock);
        assert_eq!(cells.count(), 0);
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_this_component_only() {
        let cells = Memory::default();
        fail(&cells, 5, START);
        let later = START.after(Millis(2_000));
        let refused = Admission::Refused { wait_us: 3_000_000 };
        assert_eq!(of(&cells, 9).admit("order", later), refused);
        let other = of(&cells, 9).admit("cart", later);
        assert_eq!(other, Admission::Pass(Pass::Clean));
        let seen = seen(&cells, "order").unwrap();
        assert_eq!((seen.state.name(), seen.opened, seen.failures), ("open", 1, 5));
    }

    #[test]
    fn a_success_in_between_forgives() {
        let cells = Memory::default();
        fail(&cells, 4, START);
        let Admission::Pass(pass) = of(&cells, 9).admit("order", START) else {
            panic!("still closed");
        };
        assert_eq!(pass, Pass::Suspected);
        of(&cells, 9).record("order", pass, Outcome::Success, || START);
        fail(&cells, 4, START);
        assert_eq!(state(&cells, "order").unwrap().name(), "closed");
    }

    #[test]
    fn of_fifty_at_once_exactly_one_probes() {
        let cells = Memory::default();
        fail(&cells, 5, START);
        let mut now = START;
        for outcome in [Outcome::Failure, Outcome::Unknown, Outcome::Success] {
            now = now.after(RULES.open);
            let barrier = std::sync::Barrier::new(50);
            let probes: Vec<u64> = std::thread::scope(|scope| {
                let one = |by: u64| {
                    let (cells, barrier) = (&cells, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        match of(cells, by).admit("order", now) {
                            Admission::Pass(Pass::Probe) => Some(by),
                            Admission::Refused { .. } => None,
                            Admission::Pass(pass) => panic!("{pass:?} while it is open"),
                        }
                    })
                };
                let all: Vec<_> = (100..150).map(one).collect();
                all.into_iter()
                    .filter_map(|thread| thread.join().unwrap())
                    .collect()
            });
            let [by] = probes.as_slice() else {
                panic!("{} probes", probes.len());
            };
            of(&cells, *by).record("order", Pass::Probe, outcome, || now);
        }
        let passed = of(&cells, 9).admit("order", now);
        assert_eq!(passed, Admission::Pass(Pass::Clean));
        assert_eq!(seen(&cells, "order").unwrap().opened, 2);
    }

    #[test]
    fn a_probe_that_is_lost_is_followed_by_another() {
        let cells = Memory::default();
        fail(&cells, 5, START);
        let now = START.after(RULES.open);
        let probe = Admission::Pass(Pass::Probe);
        assert_eq!(of(&cells, 1).admit("order", now), probe);
        let just_before = Instant::from_micros(now.after(RULES.lease).micros() - 1);
        assert_ne!(of(&cells, 2).admit("order", just_before), probe);
        assert_eq!(of(&cells, 3).admit("order", now.after(RULES.lease)), probe);
        // The first one comes back after all: it says nothing any more.
        of(&cells, 1).record("order", Pass::Probe, Outcome::Success, || now);
        assert_eq!(state(&cells, "order").unwrap().name(), "half-open");
    }

    #[test]
    fn no_store_and_no_threshold_hold_nobody_back() {
        let pass = Admission::Pass(Pass::Clean);
        assert_eq!(of(&Gone, 1).admit("order", START), pass);
        of(&Gone, 1).record("order", Pass::Clean, Outcome::Failure, || START);
        let cells = Memory::default();
        fail(&cells, 5, START);
        let off = Breakers {
            cells: &cells,
            thresholds: &Thresholds { failures: 0, ..RULES },
            by: 1,
        };
        assert_eq!(off.admit("order", START), pass);
    }
}
