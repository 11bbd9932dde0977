//! Looking once: at a shop at rest, or through one that goes on working.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Instant, Millis};
use store::params;

use crate::events::PRODUCERS;
use crate::report::{Report, Unit};
use crate::scan::{Scan, Wanted};
use crate::sources::Books;
use crate::suspects::Suspects;
use crate::{AuditError, Invariant, Label, Sources, events, skus};

/// Tells the time.
pub type Clock<'a> = &'a dyn Fn() -> Instant;

/// Events may get their positions in another order than they occurred in, within this time.
const DISORDER: Millis = Millis(600_000);

/// How a look through a working shop is made.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long something must stand wrong, unchanged, to be a violation.
    pub grace: Millis,
    /// What to look at.
    pub scope: Scope,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything there is.
    Full,
    /// What events have told of since then, what is under way, and the stock.
    Since(Instant),
}

impl Scan<'_> {
    /// Everything, one page after the other. A working shop has the machine to itself for as long as each page took.
    fn everything(&mut self) -> Result<(), AuditError> {
        self.paged(Self::orders)?;
        self.paged(Self::skus)?;
        if self.wants_events() {
            for producer in PRODUCERS {
                self.paged(|scan, after| {
                    let (upto, is_last, _) = scan.events(producer, after, events::PAGE)?;
                    Ok((!is_last).then_some(upto))
                })?;
            }
        }
        self.producers()?;
        self.days()?;
        self.paged(Self::accounts)
    }

    fn paged(
        &mut self,
        mut page: impl FnMut(&mut Self, i64) -> Result<Option<i64>, AuditError>,
    ) -> Result<(), AuditError> {
        let mut after = 0;
        loop {
            let started = std::time::Instant::now();
            match page(self, after)? {
                Some(next) => after = next,
                None => return Ok(()),
            }
            if self.live.is_some() {
                std::thread::sleep(started.elapsed().min(LONGEST_REST));
            }
        }
    }

    /// What events have told of since then, and what is under way.
    fn since(&mut self, then: Instant) -> Result<(), AuditError> {
        for producer in PRODUCERS {
            let mut after = self.position_at(producer, then.before(DISORDER))?;
            self.told(producer, after, u32::MAX)?;
            while self.wants_events() {
                let (upto, is_last, _) = self.events(producer, after, events::PAGE)?;
                if is_last {
                    break;
                }
                after = upto;
            }
        }
        self.producers()?;
        self.in_work()?;
        self.paged(Self::skus)
    }

    /// A position before which everything occurred before then, by halving.
    fn position_at(&self, producer: Label, then: Instant) -> Result<i64, AuditError> {
        let (mut before, mut beyond) = (0, events::newest(self.books, producer)?);
        while beyond - before > 1 {
            let middle = before + (beyond - before) / 2;
            let rows = self
                .books
                .ask(producer, include_str!("sql/occurred.sql"), params![middle])?;
            let at = rows.first().map(|row| row.get::<Instant>("occurred_at"));
            // A position without an event is a finding, and no reason to leave anything out.
            match at.transpose().map_err(AuditError::of(producer))? {
                Some(at) if at < then => before = middle,
                Some(_) | None => beyond = middle,
            }
        }
        Ok(before)
    }
}

/// However long a page took.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// Looks at a shop where nothing is under way: no request, no job, and every event delivered. Of `asked`, what can't
/// be checked with these databases is not; the report says so.
pub fn at_rest(sources: &Sources, asked: &[Invariant]) -> Result<Report, AuditError> {
    let books = sources.open()?;
    let wanted = Wanted::of(sources, asked);
    let mut violations = Vec::new();
    let mut scan = Scan {
        books: &books,
        wanted: &wanted,
        marks: &mut skus::Marks::default(),
        looked: BTreeMap::new(),
        found: &mut |finding, _| violations.push(finding),
        live: None,
    };
    scan.everything()?;
    let looked = scan.looked;
    Ok(Report::new(sources, asked, looked, violations))
}

/// Looks once through a shop that goes on working, and waits until every suspect is cleared, or has stood wrong and
/// unchanged for the grace. What still moves after three times the grace is left undecided, and counted in the report.
pub fn look(
    sources: &Sources,
    asked: &[Invariant],
    settings: Settings,
    clock: Clock<'_>,
) -> Result<Report, AuditError> {
    let books = sources.open()?;
    let wanted = Wanted::of(sources, asked);
    let mut suspects = Suspects::default();
    let mut marks = skus::Marks::default();
    let mut scan = Scan {
        books: &books,
        wanted: &wanted,
        marks: &mut marks,
        looked: BTreeMap::new(),
        found: &mut |finding, at| suspects.note(finding, at),
        live: Some((clock, settings.grace)),
    };
    match settings.scope {
        Scope::Full => scan.everything()?,
        Scope::Since(then) => scan.since(then)?,
    }
    let looked = scan.looked;
    wait(&books, &wanted, settings.grace, clock, &mut suspects, &mut marks)?;
    let mut report = Report::new(sources, asked, looked, suspects.confirmed(settings.grace));
    report.undecided = suspects.undecided(settings.grace);
    report.unkept = suspects.unkept();
    Ok(report)
}

fn wait(
    books: &Books,
    wanted: &Wanted,
    grace: Millis,
    clock: Clock<'_>,
    suspects: &mut Suspects,
    marks: &mut skus::Marks,
) -> Result<(), AuditError> {
    let give_up = clock().after(Millis(grace.0.saturating_mul(3)));
    let pause = Duration::from_millis(u64::from(grace.0 / 8).clamp(20, 5_000));
    while suspects.undecided(grace) > 0 && clock() < give_up {
        std::thread::sleep(pause);
        look_again(books, wanted, grace, clock, suspects, marks)?;
    }
    Ok(())
}

/// Looks at every suspect once more, and lets those go that are cleared; how much was looked at.
pub(crate) fn look_again(
    books: &Books,
    wanted: &Wanted,
    grace: Millis,
    clock: Clock<'_>,
    suspects: &mut Suspects,
    marks: &mut skus::Marks,
) -> Result<BTreeMap<Unit, u64>, AuditError> {
    let subjects = suspects.subjects();
    let mut found = Vec::new();
    let mut scan = Scan {
        books,
        wanted,
        marks,
        looked: BTreeMap::new(),
        found: &mut |finding, at| found.push((finding, at)),
        live: Some((clock, grace)),
    };
    scan.again(&subjects)?;
    let looked = scan.looked;
    suspects.replace(found);
    Ok(looked)
}
