//! What a look came to, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde_json::{Value, json};

use crate::finding::{Finding, Subject};
use crate::{Invariant, Sources};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unit {
    Orders,
    Skus,
    Events,
    Days,
    Accounts,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Skus => "SKUs",
            Self::Events => "events",
            Self::Days => "days",
            Self::Accounts => "accounts",
        }
    }

    /// What an invariant is judged by.
    const fn of(invariant: Invariant) -> &'static [Self] {
        match invariant {
            Invariant::Stock => &[Self::Orders, Self::Skus],
            Invariant::Settlement => &[Self::Orders, Self::Days],
            Invariant::Events => &[Self::Orders, Self::Events],
            Invariant::Paid
            | Invariant::Charges
            | Invariant::Refunds
            | Invariant::Lines
            | Invariant::Sagas
            | Invariant::Acknowledged => &[Self::Orders],
            Invariant::AdminLog => &[Self::Accounts],
            Invariant::Coupons | Invariant::Points | Invariant::ReadModels => &[],
        }
    }
}

/// What was looked at for one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which one.
    pub invariant: Invariant,
    /// How many orders, SKUs, events, days or accounts.
    pub looked: Vec<(&'static str, u64)>,
    /// Why it was not looked at, if so.
    pub not_looked: Option<String>,
}

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Every invariant that was asked for.
    pub lines: Vec<Line>,
    /// What does not hold.
    pub violations: Vec<Finding>,
    /// Suspects that were neither cleared nor confirmed, because somebody still works on them.
    pub undecided: usize,
    /// Suspects beyond those that there was room to keep.
    pub unkept: u64,
}

impl Report {
    pub(crate) fn new(
        sources: &Sources,
        asked: &[Invariant],
        looked: BTreeMap<Unit, u64>,
        violations: Vec<Finding>,
    ) -> Self {
        let line = |invariant: &Invariant| {
            let count = |unit: &Unit| (unit.name(), looked.get(unit).copied().unwrap_or(0));
            Line {
                invariant: *invariant,
                looked: Unit::of(*invariant).iter().map(count).collect(),
                not_looked: why_not(sources, *invariant),
            }
        };
        Self {
            lines: asked.iter().map(line).collect(),
            violations,
            undecided: 0,
            unkept: 0,
        }
    }

    /// Whether nothing is wrong, as far as was looked.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.unkept == 0
    }

    /// How many violations there are of each invariant that was looked at, for a gauge.
    pub fn counts(&self) -> Vec<(Invariant, u64)> {
        let looked = self.lines.iter().filter(|line| line.not_looked.is_none());
        looked
            .map(|line| (line.invariant, self.of(line.invariant).count() as u64))
            .collect()
    }

    fn of(&self, invariant: Invariant) -> impl Iterator<Item = &Finding> {
        self.violations
            .iter()
            .filter(move |one| one.invariant() == invariant)
    }

    /// The same as a JSON document.
    pub fn json(&self) -> Value {
        let violation = |one: &Finding| {
            let (kind, id) = identify(&one.subject);
            json!({"rule": one.rule.word(), "subject": kind, "id": id, "text": one.text})
        };
        let line = |line: &Line| {
            let looked: BTreeMap<&str, u64> = line.looked.iter().copied().collect();
            json!({
                "invariant": line.invariant.code(),
                "name": line.invariant.name(),
                "meaning": line.invariant.meaning(),
                "looked": looked,
                "notLooked": line.not_looked,
                "violations": self.of(line.invariant).map(violation).collect::<Vec<_>>(),
            })
        };
        json!({
            "clean": self.is_clean(),
            "violations": self.violations.len(),
            "undecided": self.undecided,
            "unkept": self.unkept,
            "invariants": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }
}

/// Why an invariant can't be looked at with these databases.
fn why_not(sources: &Sources, invariant: Invariant) -> Option<String> {
    let needs = invariant.databases();
    if needs.is_empty() {
        return Some("the shop has no tables of it yet".to_owned());
    }
    let there: Vec<_> = sources.labels().collect();
    let missing = needs.iter().filter(|label| !there.contains(label));
    let missing: Vec<&str> = missing.map(|label| label.as_str()).collect();
    (!missing.is_empty()).then(|| format!("without {}", missing.join(" and ")))
}

fn identify(subject: &Subject) -> (&'static str, Value) {
    match subject {
        Subject::Order(id) => ("order", json!(id)),
        Subject::Sku(id) => ("sku", json!(id)),
        Subject::Event(producer, position) => ("event", json!(format!("{producer}/{position}"))),
        Subject::Producer(producer) => ("producer", json!(producer.as_str())),
        Subject::Day(day) => ("day", json!(day)),
        Subject::Account(id) => ("account", json!(id)),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut looked = String::new();
        for (place, (unit, count)) in self.looked.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(looked, "{comma}{count} {unit}")?;
        }
        let about = self
            .not_looked
            .as_ref()
            .map_or(looked, |why| format!("not looked at: {why}"));
        write!(
            f,
            "{:4} {:28} {about}",
            self.invariant.code(),
            self.invariant.name()
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let broken = self.of(line.invariant).count();
            let verdict = match (&line.not_looked, broken) {
                (Some(_), _) => String::new(),
                (None, 0) => ": holds".to_owned(),
                (None, 1) => ": 1 violation".to_owned(),
                (None, many) => format!(": {many} violations"),
            };
            writeln!(f, "{line}{verdict}")?;
            for violation in self.of(line.invariant) {
                writeln!(f, "       {}", violation.text)?;
            }
        }
        if self.undecided > 0 {
            writeln!(f, "{} suspects still moved and were not decided", self.undecided)?;
        }
        if self.unkept > 0 {
            writeln!(f, "{} more suspects than there is room for", self.unkept)?;
        }
        let verdict = if self.is_clean() { "nothing" } else { "something" };
        writeln!(f, "{verdict} is wrong, as far as was looked")
    }
}
