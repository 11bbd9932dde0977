//! I5 by day: the sums that are kept are those of the ledger. One statement over all of it, so one moment.

use store::params;

use crate::finding::{Finding, Subject};
use crate::sources::Books;
use crate::{AuditError, Label, Rule};

/// Every day, and how many there are.
pub(crate) fn days(books: &Books) -> Result<(u64, Vec<Finding>), AuditError> {
    let mut findings = Vec::new();
    let mut days = 0;
    books.moment(Label::Settlement, |ask| {
        for row in ask(include_str!("sql/count_days.sql"), params![])? {
            days = row.get::<i64>("days")?;
        }
        for row in ask(include_str!("sql/days.sql"), params![])? {
            let day: String = row.get("day")?;
            let (total, refund): (i64, i64) = (row.get("total_minor")?, row.get("refund_minor")?);
            let kept: (i64, i64) = (row.get("kept_total_minor")?, row.get("kept_refund_minor")?);
            let text = format!(
                "{day} sums up to {total} and {refund}, kept are {} and {}",
                kept.0, kept.1
            );
            findings.push(Finding::exact(Rule::DaysAreSums, Subject::Day(day), text));
        }
        Ok(())
    })?;
    Ok((u64::try_from(days).unwrap_or(0), findings))
}
