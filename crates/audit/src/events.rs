//! I9 and I11 by event: positions have no gap, what was acknowledged was applied, and nobody has heard of what its
//! producer has forgotten.

use std::collections::BTreeMap;

use store::params;

use crate::finding::{Finding, Subject};
use crate::scan::Moment;
use crate::sources::Books;
use crate::{AuditError, Label, Rule};

/// Events on a page.
pub(crate) const PAGE: i64 = 1_000;

/// Who tells of what it did; settlement hears both.
pub(crate) const PRODUCERS: [Label; 2] = [Label::Order, Label::Payment];

/// What a page of events showed.
pub(crate) struct Page {
    pub(crate) findings: Vec<Finding>,
    pub(crate) looked: u64,
    /// Up to where: the next page begins there.
    pub(crate) upto: i64,
    /// Whether there is nothing beyond.
    pub(crate) is_last: bool,
    /// Up to where the consumer had said that it has everything.
    pub(crate) acknowledged: i64,
}

/// What a producer's outbox has on a page.
#[derive(Default)]
struct Sent {
    acknowledged: i64,
    newest: i64,
    upto: i64,
    events: BTreeMap<i64, String>,
}

/// Up to `most` positions of a producer beyond `after`.
///
/// The producer is read first: what it calls acknowledged then, the consumer has now.
pub(crate) fn page(
    books: &Books,
    producer: Label,
    moment: Moment,
    after: i64,
    most: i64,
) -> Result<Page, AuditError> {
    let sent = sent(books, producer, after, most)?;
    let applied = applied(books, producer, after, sent.upto)?;
    let mut findings = Vec::new();
    for position in after + 1..=sent.upto {
        let expected = !moment.is_live() || position <= sent.acknowledged;
        let (event, inbox) = (sent.events.get(&position), applied.get(&position));
        if let Some(text) = wrong(producer, position, event, inbox, expected) {
            let subject = Subject::Event(producer, position);
            findings.push(Finding::exact(Rule::AppliedOnce, subject, text));
        }
    }
    Ok(Page {
        findings,
        looked: u64::try_from(sent.upto - after).unwrap_or(0),
        upto: sent.upto,
        is_last: sent.upto >= sent.newest,
        acknowledged: sent.acknowledged,
    })
}

fn wrong(
    producer: Label,
    position: i64,
    event: Option<&String>,
    inbox: Option<&(String, bool)>,
    expected: bool,
) -> Option<String> {
    let Some(event) = event else {
        return Some(format!("{producer} has no event at position {position}"));
    };
    match inbox {
        None if expected => Some(format!("{event} at {position} never came to settlement")),
        Some((other, _)) if other != event => {
            Some(format!("{event} is at {position}, where settlement has {other}"))
        }
        Some((_, false)) if expected => Some(format!("{event} at {position} was put aside, not applied")),
        None | Some(_) => None,
    }
}

fn sent(books: &Books, producer: Label, after: i64, most: i64) -> Result<Sent, AuditError> {
    let mut sent = Sent::default();
    books.moment(producer, |ask| {
        let relay = ask(include_str!("sql/relay.sql"), params![])?;
        if let Some(row) = relay.first() {
            sent.acknowledged = row.get("acknowledged")?;
            let (newest, last): (i64, i64) = (row.get("newest")?, row.get("last_position")?);
            sent.newest = newest.max(last);
        }
        sent.upto = sent.newest.min(after.saturating_add(most)).max(after);
        for row in ask(include_str!("sql/events.sql"), params![after, sent.upto])? {
            sent.events.insert(row.get("position")?, row.get("event_id")?);
        }
        Ok(())
    })?;
    sent.upto = sent.upto.max(after);
    Ok(sent)
}

/// What settlement has at these positions, and whether it applied it.
fn applied(
    books: &Books,
    producer: Label,
    after: i64,
    upto: i64,
) -> Result<BTreeMap<i64, (String, bool)>, AuditError> {
    let mut applied = BTreeMap::new();
    books.moment(Label::Settlement, |ask| {
        let params = params![producer.as_str(), after, upto];
        for row in ask(include_str!("sql/inbox.sql"), params)? {
            let event = (row.get("event_id")?, row.get("applied")?);
            applied.insert(row.get("position")?, event);
        }
        Ok(())
    })?;
    Ok(applied)
}

/// The newest position that a producer has given; 0 before the first.
pub(crate) fn newest(books: &Books, producer: Label) -> Result<i64, AuditError> {
    Ok(sent(books, producer, 0, 0)?.newest)
}

/// What is wrong with a producer's events as a whole: a consumer has heard of some that the producer, read
/// afterwards, does not have. Where nothing is under way, those without a position as well.
pub(crate) fn producer(books: &Books, producer: Label, moment: Moment) -> Result<Vec<Finding>, AuditError> {
    let params = params![producer.as_str()];
    let heard = books.ask(Label::Settlement, include_str!("sql/heard.sql"), params)?;
    let heard = heard.first().map_or(Ok(0), |row| row.get::<i64>("newest"));
    let heard = heard.map_err(AuditError::of(Label::Settlement))?;
    let newest = newest(books, producer)?;
    let mut findings = Vec::new();
    if heard > newest {
        let text = format!("settlement has heard of event {heard} of {producer}, which has only {newest}");
        let subject = Subject::Producer(producer);
        findings.push(Finding::exact(Rule::HeardIsSent, subject, text));
    }
    if !moment.is_live() {
        unplaced(books, producer, &mut findings)?;
    }
    Ok(findings)
}

fn unplaced(books: &Books, producer: Label, findings: &mut Vec<Finding>) -> Result<(), AuditError> {
    let mut after = String::new();
    loop {
        let params = params![after.as_str(), PAGE];
        let rows = books.ask(producer, include_str!("sql/unplaced.sql"), params)?;
        for row in &rows {
            after = row.get("event_id").map_err(AuditError::of(producer))?;
            let text = format!("{after} has no position yet");
            let subject = Subject::Producer(producer);
            findings.push(Finding::exact(Rule::HasPosition, subject, text));
        }
        if rows.len() < PAGE as usize {
            return Ok(());
        }
    }
}
