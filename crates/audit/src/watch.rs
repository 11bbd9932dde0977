//! Looking again and again, for a gauge.

use std::collections::BTreeMap;

use kernel::{Instant, Millis};

use crate::events::PRODUCERS;
use crate::look::look_again;
use crate::report::Report;
use crate::scan::{Scan, Wanted};
use crate::sources::Books;
use crate::suspects::Suspects;
use crate::{AuditError, Clock, Invariant, Label, Sources, events, skus};

/// Pages of news that one pass reads of a producer at most; the next pass goes on.
const NEWS: u32 = 20;

/// How far behind the newest event a watch begins. What is older the patrol comes to.
const BEGINNING: i64 = 1_000;

/// The audit as a part of the running shop: every [`Watch::pass`] looks at what changed since the last one, at what is
/// under way, at every suspect again, and at the next part of everything else (the patrol).
///
/// It keeps where it is and opens the databases for each pass, so it can live in any thread, and a database that
/// was away is no reason to begin anew.
#[derive(Debug)]
pub struct Watch {
    sources: Sources,
    wanted: Wanted,
    grace: Millis,
    suspects: Suspects,
    marks: skus::Marks,
    patrol: Patrol,
    news: BTreeMap<Label, News>,
    report: Report,
    last_success: Option<Instant>,
}

/// Where the next part of everything begins.
#[derive(Debug, Default)]
struct Patrol {
    orders: i64,
    skus: i64,
    accounts: i64,
    events: BTreeMap<Label, i64>,
}

/// How far the news of a producer were read.
#[derive(Debug, Clone, Copy)]
struct News {
    /// Up to here the orders that were told of were looked at.
    told: i64,
    /// Up to here events were found applied.
    applied: i64,
}

impl Watch {
    /// A watch over these databases, with the time for which something must stand wrong to be a violation.
    pub fn new(sources: Sources, grace: Millis) -> Self {
        Self {
            wanted: Wanted::of(&sources, &Invariant::ALL),
            sources,
            grace,
            suspects: Suspects::default(),
            marks: skus::Marks::default(),
            patrol: Patrol::default(),
            news: BTreeMap::new(),
            report: Report::default(),
            last_success: None,
        }
    }

    /// Looks once more; what it came to stays in [`Watch::report`] as well. Its violations are all that are known to stand.
    pub fn pass(&mut self, clock: Clock<'_>) -> Result<&Report, AuditError> {
        let books = self.sources.open()?;
        self.suspects.begin_anew();
        let mut looked = look_again(
            &books,
            &self.wanted,
            self.grace,
            clock,
            &mut self.suspects,
            &mut self.marks,
        )?;
        let mut scan = Scan {
            books: &books,
            wanted: &self.wanted,
            marks: &mut self.marks,
            looked: BTreeMap::new(),
            found: &mut |finding, at| self.suspects.note(finding, at),
            live: Some((clock, self.grace)),
        };
        news(&mut scan, &books, &mut self.news)?;
        self.patrol.go_on(&mut scan)?;
        for (unit, count) in scan.looked {
            *looked.entry(unit).or_default() += count;
        }
        let confirmed = self.suspects.confirmed(self.grace);
        self.report = Report::new(&self.sources, &Invariant::ALL, looked, confirmed);
        self.report.undecided = self.suspects.undecided(self.grace);
        self.report.unkept = self.suspects.unkept();
        self.last_success = Some(clock());
        Ok(&self.report)
    }

    /// What the last pass that could look came to; empty before the first.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// When that was.
    pub const fn last_success(&self) -> Option<Instant> {
        self.last_success
    }
}

/// What events tell of that came since, and what is under way.
fn news(scan: &mut Scan<'_>, books: &Books, news: &mut BTreeMap<Label, News>) -> Result<(), AuditError> {
    for producer in PRODUCERS {
        if !books.has(producer) {
            continue;
        }
        let mut upto = match news.get(&producer) {
            Some(known) => *known,
            None => {
                let begin = (events::newest(books, producer)? - BEGINNING).max(0);
                News {
                    told: begin,
                    applied: begin,
                }
            }
        };
        upto.told = scan.told(producer, upto.told, NEWS)?;
        if scan.wants_events() {
            upto.applied = applied(scan, producer, upto.applied)?;
        }
        news.insert(producer, upto);
    }
    scan.producers()?;
    scan.in_work()
}

/// Looks at events that were acknowledged since; those that are not are looked at in the next pass.
fn applied(scan: &mut Scan<'_>, producer: Label, mut upto: i64) -> Result<i64, AuditError> {
    for _ in 0..NEWS {
        let (end, is_last, acknowledged) = scan.events(producer, upto, events::PAGE)?;
        upto = end.min(acknowledged).max(upto);
        if is_last || upto < end {
            break;
        }
    }
    Ok(upto)
}

impl Patrol {
    /// One part more; at the end of everything it begins again. The days, which only one statement over the whole
    /// ledger can sum up, come once in a round of the orders.
    fn go_on(&mut self, scan: &mut Scan<'_>) -> Result<(), AuditError> {
        let next = scan.orders(self.orders)?;
        self.orders = next.unwrap_or(0);
        if next.is_none() {
            scan.days()?;
        }
        self.skus = scan.skus(self.skus)?.unwrap_or(0);
        self.accounts = scan.accounts(self.accounts)?.unwrap_or(0);
        if !scan.wants_events() {
            return Ok(());
        }
        for producer in PRODUCERS {
            let place = self.events.entry(producer).or_default();
            let (upto, is_last, _) = scan.events(producer, *place, events::PAGE)?;
            *place = if is_last { 0 } else { upto };
        }
        Ok(())
    }
}
