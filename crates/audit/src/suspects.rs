//! What looked wrong, until it is cleared or confirmed.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Instant, Millis};

use crate::Rule;
use crate::finding::{Finding, Subject};

/// So many are kept; where more is wrong than this, the first of it will do.
const MOST: usize = 10_000;

/// The suspects of a running audit.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    list: BTreeMap<Key, Suspect>,
    unkept: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    subject: Subject,
    rule: Rule,
}

#[derive(Debug)]
struct Suspect {
    finding: Finding,
    /// The first and the last look that saw these very facts.
    first: Instant,
    last: Instant,
}

impl Suspect {
    /// Wrong for all of the grace.
    fn is_confirmed(&self, grace: Millis) -> bool {
        self.last >= self.first.after(grace) && self.last > self.first
    }
}

impl Suspects {
    /// Takes a finding in. With other facts than before it begins anew.
    pub(crate) fn note(&mut self, finding: Finding, at: Instant) {
        let key = Key {
            subject: finding.subject.clone(),
            rule: finding.rule,
        };
        let is_full = self.list.len() >= MOST;
        match self.list.get_mut(&key) {
            Some(known) if known.finding.facts == finding.facts => {
                known.last = at;
                known.finding = finding;
            }
            None if is_full => self.unkept += 1,
            Some(_) | None => {
                let suspect = Suspect {
                    finding,
                    first: at,
                    last: at,
                };
                self.list.insert(key, suspect);
            }
        }
    }

    /// Takes in what was found when all suspects were looked at again: whatever was not found is cleared.
    pub(crate) fn replace(&mut self, found: Vec<(Finding, Instant)>) {
        let still: BTreeSet<Key> = found
            .iter()
            .map(|(finding, _)| Key {
                subject: finding.subject.clone(),
                rule: finding.rule,
            })
            .collect();
        self.list.retain(|key, _| still.contains(key));
        for (finding, at) in found {
            self.note(finding, at);
        }
    }

    /// What they are about, each once.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let all: BTreeSet<&Subject> = self.list.keys().map(|key| &key.subject).collect();
        all.into_iter().cloned().collect()
    }

    /// Those that have stood wrong and unchanged for the grace.
    pub(crate) fn confirmed(&self, grace: Millis) -> Vec<Finding> {
        let confirmed = self.list.values().filter(|suspect| suspect.is_confirmed(grace));
        confirmed.map(|suspect| suspect.finding.clone()).collect()
    }

    /// How many are neither cleared nor confirmed.
    pub(crate) fn undecided(&self, grace: Millis) -> usize {
        self.list
            .values()
            .filter(|suspect| !suspect.is_confirmed(grace))
            .count()
    }

    /// Forgets how many there were no room for: they will be come to again.
    pub(crate) const fn begin_anew(&mut self) {
        self.unkept = 0;
    }

    /// How many there were no room for.
    pub(crate) const fn unkept(&self) -> u64 {
        self.unkept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Millis = Millis(1_000);

    fn finding(order: i64, facts: &str) -> Finding {
        Finding {
            rule: Rule::PaidIsCaptured,
            subject: Subject::Order(order),
            text: "t".to_owned(),
            facts: facts.to_owned(),
        }
    }

    const fn at(second: i64) -> Instant {
        Instant::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_suspect_is_confirmed_by_a_second_look_at_the_same_facts() {
        let mut suspects = Suspects::default();
        suspects.note(finding(1, "a"), at(0));
        assert_eq!(
            (suspects.confirmed(GRACE).len(), suspects.undecided(GRACE)),
            (0, 1)
        );
        suspects.replace(vec![(finding(1, "a"), at(1))]);
        assert_eq!(
            (suspects.confirmed(GRACE).len(), suspects.undecided(GRACE)),
            (1, 0)
        );
    }

    #[test]
    fn facts_that_move_begin_anew() {
        let mut suspects = Suspects::default();
        for second in 0..5 {
            suspects.note(finding(1, &second.to_string()), at(second));
        }
        assert_eq!(suspects.undecided(GRACE), 1);
        suspects.note(finding(1, "4"), at(5));
        assert_eq!(suspects.confirmed(GRACE).len(), 1);
    }

    #[test]
    fn what_is_not_found_again_is_cleared() {
        let mut suspects = Suspects::default();
        suspects.note(finding(1, "a"), at(0));
        suspects.note(finding(2, "a"), at(0));
        suspects.replace(vec![(finding(2, "a"), at(9))]);
        assert_eq!(suspects.subjects(), [Subject::Order(2)]);
    }

    #[test]
    fn one_look_confirms_nothing_however_short_the_grace() {
        let mut suspects = Suspects::default();
        suspects.note(finding(1, "a"), at(0));
        assert!(suspects.confirmed(Millis(0)).is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut suspects = Suspects::default();
        for order in 0..MOST as i64 + 3 {
            suspects.note(finding(order, "a"), at(0));
        }
        assert_eq!((suspects.subjects().len(), suspects.unkept()), (MOST, 3));
    }
}
