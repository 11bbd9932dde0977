//! I13: an account stands as the log of admins' changes says, or as a sign-up makes it.

use store::{Row, RowError, params};

use crate::finding::{Finding, Subject};
use crate::sources::Books;
use crate::{AuditError, Label, Rule};

/// Accounts on a page.
pub(crate) const PAGE: u32 = 1_000;

/// What an admin may change, and what it is after a sign-up.
const FIELDS: [(&str, &str, &str); 3] = [
    ("role", "role_logged", "USER"),
    ("status", "status_logged", "ACTIVE"),
    ("grade", "grade_logged", "NORMAL"),
];

/// What a page of accounts showed.
pub(crate) struct Page {
    pub(crate) findings: Vec<Finding>,
    pub(crate) looked: u64,
    /// Where the next page begins; none behind the last one.
    pub(crate) next: Option<i64>,
}

/// Up to `most` accounts beyond `after`.
pub(crate) fn page(books: &Books, after: i64, most: u32) -> Result<Page, AuditError> {
    let rows = books.ask(
        Label::Account,
        include_str!("sql/accounts.sql"),
        params![after, most],
    )?;
    let mut findings = Vec::new();
    let mut last = after;
    for row in &rows {
        last = row.get("user_id").map_err(AuditError::of(Label::Account))?;
        findings.extend(judge(last, row).map_err(AuditError::of(Label::Account))?);
    }
    Ok(Page {
        findings,
        looked: rows.len() as u64,
        next: (rows.len() == most as usize).then_some(last),
    })
}

fn judge(account: i64, row: &Row) -> Result<Option<Finding>, RowError> {
    let mut wrong = Vec::new();
    for (field, logged, first) in FIELDS {
        let is: String = row.get(field)?;
        let should: Option<String> = row.get(logged)?;
        let should = should.as_deref().unwrap_or(first);
        if is != should {
            wrong.push(format!("{field} {is} where the log ends with {should}"));
        }
    }
    let text = format!("account {account} has {}", wrong.join(", "));
    let finding = Finding::exact(Rule::IsLogged, Subject::Account(account), text);
    Ok((!wrong.is_empty()).then_some(finding))
}
