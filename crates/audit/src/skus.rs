//! I1 by SKU: what is in the house is what the history adds up to, and no more is held than that.

use std::collections::BTreeMap;

use store::params;

use crate::finding::{Finding, Subject};
use crate::scan::Moment;
use crate::sources::Books;
use crate::{AuditError, Label, Rule};

/// SKUs on a page.
pub(crate) const PAGE: u32 = 500;

/// Changes that one statement adds up, so that none takes long.
const CHANGES: u32 = 10_000;

/// How far the histories were added up: of each SKU, the number up to where, and the pieces. History is never
/// rewritten, so what was added up once need not be read again.
#[derive(Debug, Default)]
pub(crate) struct Marks(BTreeMap<i64, Mark>);

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    number: i64,
    pieces: i64,
}

/// The ids on the page beyond `after`.
pub(crate) fn page(books: &Books, after: i64) -> Result<Vec<i64>, AuditError> {
    let rows = books.ask(Label::Stock, include_str!("sql/skus.sql"), params![after, PAGE])?;
    let ids: Result<_, _> = rows.iter().map(|row| row.get::<i64>("sku_id")).collect();
    ids.map_err(AuditError::of(Label::Stock))
}

/// What is wrong with a SKU.
pub(crate) fn check(
    books: &Books,
    moment: Moment,
    marks: &mut Marks,
    sku: i64,
) -> Result<Vec<Finding>, AuditError> {
    let mark = marks.0.entry(sku).or_default();
    advance(books, sku, mark)?;
    let mut findings = Vec::new();
    let params = params![sku, mark.number, moment.held_beyond()];
    books.moment(Label::Stock, |ask| {
        for row in ask(include_str!("sql/level.sql"), params)? {
            let (on_hand, held): (i64, i64) = (row.get("on_hand")?, row.get("held")?);
            let off = on_hand - mark.pieces - row.get::<i64>("added")?;
            findings = judge(sku, on_hand, off, held);
        }
        Ok(())
    })?;
    Ok(findings)
}

fn judge(sku: i64, on_hand: i64, off: i64, held: i64) -> Vec<Finding> {
    let broken = |rule, text| Finding::exact(rule, Subject::Sku(sku), text);
    let mut findings = Vec::new();
    if off != 0 {
        findings.push(broken(
            Rule::HistoryAddsUp,
            format!("SKU {sku} is off its history by {off}"),
        ));
    }
    if held > on_hand {
        findings.push(broken(
            Rule::NotOversold,
            format!("SKU {sku} holds {held}, more than the {on_hand} there are"),
        ));
    }
    findings
}

/// Adds up what came since, a part at a time.
fn advance(books: &Books, sku: i64, mark: &mut Mark) -> Result<(), AuditError> {
    let of = AuditError::of(Label::Stock);
    loop {
        let params = params![sku, mark.number, CHANGES];
        let rows = books.ask(Label::Stock, include_str!("sql/history.sql"), params)?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let changes: i64 = row.get("changes").map_err(&of)?;
        // The last part belongs to the statement that sees the level as well.
        if changes < i64::from(CHANGES) {
            return Ok(());
        }
        mark.pieces += row.get::<i64>("pieces").map_err(&of)?;
        mark.number = row.get("number").map_err(&of)?;
    }
}
