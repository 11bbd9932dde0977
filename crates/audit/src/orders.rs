//! Everything that is said of orders: by themselves, by payments and the gateway, by the stock, by the ledger.

mod facts;
mod rules;

use store::{Value, params};

use crate::finding::Finding;
use crate::scan::{Moment, Wanted};
use crate::sources::Books;
use crate::{AuditError, Label};

/// Orders on a page: what one read of a database may hold at once.
pub(crate) const PAGE: u32 = 1_000;

/// Ids in one statement.
const IDS: usize = 500;

/// The tables that know orders, each of which may know one that no other does.
const KNOW_ORDERS: [(Label, &str); 5] = [
    (Label::Order, "customer_order"),
    (Label::Payment, "payment"),
    (Label::Gateway, "pg_payment"),
    (Label::Stock, "reservation"),
    (Label::Settlement, "ledger_entry"),
];

/// Which orders a statement is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those beyond the first id, up to the second.
    Between(i64, i64),
    /// Just these.
    These(&'a [i64]),
}

impl Which<'_> {
    /// The statement with its `{column}` made a condition.
    fn fill(self, statement: &str) -> String {
        let Some((before, (column, after))) = statement
            .split_once("where {")
            .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        else {
            return statement.to_owned();
        };
        match self {
            Self::Between(..) => format!("{before}where {column} > ?1 and {column} <= ?2{after}"),
            Self::These(ids) => {
                let places: Vec<String> = (1..=ids.len()).map(|place| format!("?{place}")).collect();
                format!("{before}where {column} in ({}){after}", places.join(", "))
            }
        }
    }

    fn params(self) -> Vec<Value> {
        match self {
            Self::Between(after, upto) => vec![after.into(), upto.into()],
            Self::These(ids) => ids.iter().map(|id| Value::from(*id)).collect(),
        }
    }
}

/// What a page of orders showed.
pub(crate) struct Page {
    pub(crate) findings: Vec<Finding>,
    pub(crate) looked: u64,
    /// Where the next page begins; none behind the last one.
    pub(crate) next: Option<i64>,
}

/// The page of orders beyond `after`.
pub(crate) fn page(books: &Books, wanted: &Wanted, moment: Moment, after: i64) -> Result<Page, AuditError> {
    let end = page_end(books, after)?;
    let which = Which::Between(after, end.unwrap_or(i64::MAX));
    let (looked, findings) = judged(books, wanted, moment, which)?;
    Ok(Page {
        findings,
        looked,
        next: end,
    })
}

/// These orders; those that nobody knows are left out.
pub(crate) fn these(
    books: &Books,
    wanted: &Wanted,
    moment: Moment,
    ids: &[i64],
) -> Result<(u64, Vec<Finding>), AuditError> {
    let mut all = (0, Vec::new());
    for ids in ids.chunks(IDS) {
        let (looked, findings) = judged(books, wanted, moment, Which::These(ids))?;
        all.0 += looked;
        all.1.extend(findings);
    }
    Ok(all)
}

/// The last id of a page beyond `after`, so that no table has more than a page in it; none when all fit.
fn page_end(books: &Books, after: i64) -> Result<Option<i64>, AuditError> {
    let mut end = None;
    for (label, table) in KNOW_ORDERS {
        let statement =
            format!("select order_id from {table} where order_id > ?1 order by order_id limit 1 offset ?2");
        let rows = books.ask(label, &statement, params![after, PAGE - 1])?;
        if let Some(row) = rows.first() {
            let id: i64 = row.get("order_id").map_err(AuditError::of(label))?;
            end = Some(end.map_or(id, |end: i64| end.min(id)));
        }
    }
    Ok(end)
}

fn judged(
    books: &Books,
    wanted: &Wanted,
    moment: Moment,
    which: Which<'_>,
) -> Result<(u64, Vec<Finding>), AuditError> {
    let orders = facts::read(books, wanted, which)?;
    let mut findings = Vec::new();
    for (id, facts) in &orders {
        let mut found = rules::judge(*id, facts, moment);
        found.retain(|finding| wanted.has(finding.invariant()));
        if moment.is_live() && found.iter().any(rules::is_told_by_events) && on_its_way(books, *id)? {
            found.retain(|finding| !rules::is_told_by_events(finding));
        }
        findings.extend(found);
    }
    Ok((orders.len() as u64, findings))
}

fn on_its_way(books: &Books, order: i64) -> Result<bool, AuditError> {
    let completed = format!("payment.completed:{order}");
    let (first, last) = (
        format!("payment.refunded:{order}:"),
        format!("payment.refunded:{order};"),
    );
    let rows = books.ask(
        Label::Payment,
        include_str!("sql/on_its_way.sql"),
        params![completed, first, last],
    )?;
    let events = rows.first().map_or(Ok(0), |row| row.get::<i64>("events"));
    Ok(events.map_err(AuditError::of(Label::Payment))? > 0)
}

/// Up to a page of orders that somebody works on, or has to, beyond `after`.
pub(crate) fn in_work(books: &Books, moment: Moment, after: i64) -> Result<Vec<i64>, AuditError> {
    let rows = books.ask(
        Label::Order,
        include_str!("sql/in_work.sql"),
        params![after, moment.overdue_before(), PAGE],
    )?;
    let ids = rows.iter().map(|row| row.get::<i64>("order_id"));
    let ids: Result<_, _> = ids.collect();
    ids.map_err(AuditError::of(Label::Order))
}

/// The orders that a producer's next events beyond `after` are about, and the position of the last of them.
pub(crate) fn told_of(
    books: &Books,
    producer: Label,
    after: i64,
    limit: u32,
) -> Result<(Vec<i64>, i64), AuditError> {
    let rows = books.ask(producer, include_str!("sql/told.sql"), params![after, limit])?;
    let mut orders = Vec::new();
    let mut last = after;
    for row in &rows {
        last = row.get("position").map_err(AuditError::of(producer))?;
        let key: String = row.get("key").map_err(AuditError::of(producer))?;
        // Whatever else an event may be about, it is not an order.
        orders.extend(key.parse::<i64>());
    }
    orders.sort_unstable();
    orders.dedup();
    Ok((orders, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_about_a_range_or_about_ids() {
        let statement = "select 1 from a where {a.b} and c";
        assert_eq!(
            Which::Between(1, 2).fill(statement),
            "select 1 from a where a.b > ?1 and a.b <= ?2 and c"
        );
        assert_eq!(
            Which::These(&[7, 8]).fill(statement),
            "select 1 from a where a.b in (?1, ?2) and c"
        );
    }
}
