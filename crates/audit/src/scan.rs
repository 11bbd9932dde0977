//! Going through the databases: what is read, at which moment, and what is made of it.

use std::collections::BTreeMap;

use kernel::{Instant, Millis};

use crate::events::PRODUCERS;
use crate::finding::{Finding, Subject};
use crate::report::Unit;
use crate::sources::Books;
use crate::{AuditError, Clock, Invariant, Label, Sources, accounts, events, ledger, orders, skus};

/// The moment of a look, and what may still be under way at it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// Nothing is.
    AtRest,
    /// Anything may be.
    Live { now: Instant, grace: Millis },
}

impl Moment {
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Orders whose time to pay ran out before this should not wait any more.
    pub(crate) const fn overdue_before(self) -> Instant {
        match self {
            Self::AtRest => Instant::from_micros(i64::MIN),
            Self::Live { now, grace } => now.before(grace),
        }
    }

    /// Holds that last beyond this are live for certain, whoever's clock is a little wrong.
    pub(crate) const fn held_beyond(self) -> Instant {
        match self {
            Self::AtRest => Instant::from_micros(i64::MIN),
            Self::Live { now, grace } => now.after(grace),
        }
    }
}

/// The invariants that are asked for and can be checked.
#[derive(Debug, Clone)]
pub(crate) struct Wanted(Vec<Invariant>);

impl Wanted {
    pub(crate) fn of(sources: &Sources, asked: &[Invariant]) -> Self {
        let there: Vec<Label> = sources.labels().collect();
        let can = |invariant: &Invariant| {
            let needs = invariant.databases();
            !needs.is_empty() && needs.iter().all(|label| there.contains(label))
        };
        Self(asked.iter().copied().filter(can).collect())
    }

    pub(crate) fn has(&self, invariant: Invariant) -> bool {
        self.0.contains(&invariant)
    }

    /// Whether any of these is wanted.
    pub(crate) fn any(&self, invariants: &[Invariant]) -> bool {
        invariants.iter().any(|invariant| self.has(*invariant))
    }

    /// Whether anything that is said of orders is wanted besides.
    pub(crate) fn more_than(&self, invariant: Invariant) -> bool {
        self.0
            .iter()
            .any(|other| *other != invariant && OF_ORDERS.contains(other))
    }
}

/// What is judged order by order.
const OF_ORDERS: [Invariant; 9] = [
    Invariant::Stock,
    Invariant::Paid,
    Invariant::Charges,
    Invariant::Refunds,
    Invariant::Settlement,
    Invariant::Lines,
    Invariant::Events,
    Invariant::Sagas,
    Invariant::Acknowledged,
];

/// One way through the databases: reads, counts what it looked at, and hands on what it found.
pub(crate) struct Scan<'a> {
    pub(crate) books: &'a Books,
    pub(crate) wanted: &'a Wanted,
    pub(crate) marks: &'a mut skus::Marks,
    pub(crate) looked: BTreeMap<Unit, u64>,
    pub(crate) found: &'a mut dyn FnMut(Finding, Instant),
    /// The time, and the grace; none for a shop at rest.
    pub(crate) live: Option<(Clock<'a>, Millis)>,
}

impl Scan<'_> {
    pub(crate) fn moment(&self) -> Moment {
        match self.live {
            None => Moment::AtRest,
            Some((clock, grace)) => Moment::Live { now: clock(), grace },
        }
    }

    fn note(&mut self, moment: Moment, unit: Unit, looked: u64, findings: Vec<Finding>) {
        *self.looked.entry(unit).or_default() += looked;
        let at = match moment {
            Moment::AtRest => Instant::EPOCH,
            Moment::Live { now, .. } => now,
        };
        for finding in findings
            .into_iter()
            .filter(|one| self.wanted.has(one.invariant()))
        {
            (self.found)(finding, at);
        }
    }

    /// A page of orders; where the next one begins.
    pub(crate) fn orders(&mut self, after: i64) -> Result<Option<i64>, AuditError> {
        if !self.wanted.any(&OF_ORDERS) {
            return Ok(None);
        }
        let moment = self.moment();
        let page = orders::page(self.books, self.wanted, moment, after)?;
        self.note(moment, Unit::Orders, page.looked, page.findings);
        Ok(page.next)
    }

    pub(crate) fn these_orders(&mut self, ids: &[i64]) -> Result<(), AuditError> {
        let moment = self.moment();
        let (looked, findings) = orders::these(self.books, self.wanted, moment, ids)?;
        self.note(moment, Unit::Orders, looked, findings);
        Ok(())
    }

    /// A page of SKUs; where the next one begins.
    pub(crate) fn skus(&mut self, after: i64) -> Result<Option<i64>, AuditError> {
        if !self.wanted.has(Invariant::Stock) {
            return Ok(None);
        }
        let ids = skus::page(self.books, after)?;
        self.these_skus(&ids)?;
        let is_last = ids.len() < skus::PAGE as usize;
        Ok(ids.last().copied().filter(|_| !is_last))
    }

    fn these_skus(&mut self, ids: &[i64]) -> Result<(), AuditError> {
        for sku in ids {
            let moment = self.moment();
            let findings = skus::check(self.books, moment, self.marks, *sku)?;
            self.note(moment, Unit::Skus, 1, findings);
        }
        Ok(())
    }

    /// Up to `most` events of a producer; up to where, whether that is all, and what is acknowledged.
    pub(crate) fn events(
        &mut self,
        producer: Label,
        after: i64,
        most: i64,
    ) -> Result<(i64, bool, i64), AuditError> {
        let moment = self.moment();
        let page = events::page(self.books, producer, moment, after, most)?;
        self.note(moment, Unit::Events, page.looked, page.findings);
        Ok((page.upto, page.is_last, page.acknowledged))
    }

    /// The events of each producer as a whole.
    pub(crate) fn producers(&mut self) -> Result<(), AuditError> {
        if !self.wanted.any(&[Invariant::Events, Invariant::Acknowledged]) {
            return Ok(());
        }
        for producer in PRODUCERS {
            let moment = self.moment();
            let findings = events::producer(self.books, producer, moment)?;
            self.note(moment, Unit::Events, 0, findings);
        }
        Ok(())
    }

    pub(crate) fn days(&mut self) -> Result<(), AuditError> {
        if !self.wanted.has(Invariant::Settlement) {
            return Ok(());
        }
        let moment = self.moment();
        let (looked, findings) = ledger::days(self.books)?;
        self.note(moment, Unit::Days, looked, findings);
        Ok(())
    }

    /// A page of accounts; where the next one begins.
    pub(crate) fn accounts(&mut self, after: i64) -> Result<Option<i64>, AuditError> {
        if !self.wanted.has(Invariant::AdminLog) {
            return Ok(None);
        }
        let moment = self.moment();
        let page = accounts::page(self.books, after, accounts::PAGE)?;
        self.note(moment, Unit::Accounts, page.looked, page.findings);
        Ok(page.next)
    }

    /// Whether events are to be looked at one by one.
    pub(crate) fn wants_events(&self) -> bool {
        self.wanted.has(Invariant::Events)
    }

    /// The orders that somebody works on or has to.
    pub(crate) fn in_work(&mut self) -> Result<(), AuditError> {
        let mut after = 0;
        loop {
            let ids = orders::in_work(self.books, self.moment(), after)?;
            self.these_orders(&ids)?;
            match ids.last() {
                Some(last) if ids.len() == orders::PAGE as usize => after = *last,
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// The orders that a producer's events from beyond `after` are about, up to `pages` of them; up to where.
    pub(crate) fn told(&mut self, producer: Label, after: i64, pages: u32) -> Result<i64, AuditError> {
        let mut upto = after;
        for _ in 0..pages {
            let (ids, last) = orders::told_of(self.books, producer, upto, orders::PAGE)?;
            self.these_orders(&ids)?;
            if last == upto {
                break;
            }
            upto = last;
        }
        Ok(upto)
    }

    /// Looks at these subjects once more.
    pub(crate) fn again(&mut self, subjects: &[Subject]) -> Result<(), AuditError> {
        let orders: Vec<i64> = subjects.iter().filter_map(Subject::order).collect();
        self.these_orders(&orders)?;
        let mut days = false;
        for subject in subjects {
            match subject {
                Subject::Order(_) => {}
                Subject::Sku(sku) => self.these_skus(&[*sku])?,
                Subject::Event(producer, position) => {
                    self.events(*producer, position - 1, 1)?;
                }
                Subject::Producer(producer) => {
                    let moment = self.moment();
                    let findings = events::producer(self.books, *producer, moment)?;
                    self.note(moment, Unit::Events, 0, findings);
                }
                Subject::Day(_) => days = true,
                Subject::Account(account) => {
                    let moment = self.moment();
                    let page = accounts::page(self.books, account - 1, 1)?;
                    self.note(moment, Unit::Accounts, page.looked, page.findings);
                }
            }
        }
        if days { self.days() } else { Ok(()) }
    }
}
