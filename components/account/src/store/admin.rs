//! What admins see and change.

use kernel::{Instant, Outcome, UserId};
use store::{Db, DbError, Tx, like_containing, params};

use super::{REVOKE_ALL, account};
use crate::app::ChangeError;
use crate::domain::{Account, Actor, Change, ChangeRefused, Filter, Grade, Role, Status, Unchanged};

const LIST: &str = include_str!("../sql/list.sql");
const LOCK_ADMINS: &str = include_str!("../sql/lock_admins.sql");
const LOCK_ACCOUNT: &str = include_str!("../sql/lock_account.sql");
const SAVE_STANDING: &str = include_str!("../sql/save_standing.sql");
const ADD_AUDIT: &str = include_str!("../sql/add_audit.sql");

pub(super) fn list(
    db: &Db,
    filter: &Filter,
    before: Option<UserId>,
    limit: u32,
) -> Result<Vec<Account>, DbError> {
    let row = params![
        filter.text.as_ref().map(|text| like_containing(text.folded())),
        filter.status.map(Status::text),
        filter.grade.map(Grade::text),
        before,
        limit,
    ];
    let rows = db.read(LIST, row)?;
    Ok(rows.iter().map(account).collect::<Result<_, _>>()?)
}

pub(super) fn change(
    tx: &Tx<'_>,
    id: UserId,
    change: &Change,
    actor: Actor,
    unchanged: &Unchanged<'_>,
    now: Instant,
) -> Result<Outcome<Account>, ChangeError> {
    let admins = tx.query(LOCK_ADMINS, params![])?;
    let admins: Result<Vec<UserId>, _> = admins.iter().map(|row| row.get("user_id")).collect();
    actor.admit(&admins.map_err(DbError::from)?)?;
    let row = tx
        .query_one(LOCK_ACCOUNT, params![id])?
        .ok_or(ChangeRefused::Unknown)?;
    let before = account(&row).map_err(DbError::from)?;
    let outcome = before.clone().change(change, actor, unchanged)?;
    if let Outcome::Done(after) = &outcome {
        save(tx, &before, after, actor, now)?;
    }
    Ok(outcome)
}

fn save(tx: &Tx<'_>, before: &Account, after: &Account, actor: Actor, now: Instant) -> Result<(), DbError> {
    let row = params![
        before.id,
        before.role.text(),
        before.status.text(),
        before.grade.text(),
        after.role.text(),
        after.status.text(),
        after.grade.text(),
        now,
    ];
    if tx.execute(SAVE_STANDING, row)? == 0 {
        return Err(DbError::Busy);
    }
    for one in before.differences(after) {
        audit(tx, after.id, actor, one.field, Some(one.before), one.after, now)?;
    }
    if after.status.admit().is_err() {
        tx.execute(REVOKE_ALL, params![after.id, now])?;
    }
    Ok(())
}

/// An account that begins as an admin's was made by the operator; others are not an admin's doing.
pub(super) fn audit_beginning(tx: &Tx<'_>, account: &Account) -> Result<(), DbError> {
    match account.role {
        Role::User => Ok(()),
        Role::Admin => audit(
            tx,
            account.id,
            Actor::Operator,
            "ROLE",
            None,
            account.role.text(),
            account.created_at,
        ),
    }
}

fn audit(
    tx: &Tx<'_>,
    id: UserId,
    actor: Actor,
    field: &str,
    before: Option<&str>,
    after: &str,
    now: Instant,
) -> Result<(), DbError> {
    let row = params![id, actor.id(), field, before, after, now];
    tx.execute(ADD_AUDIT, row).map(drop)
}
