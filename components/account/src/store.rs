//! [`Accounts`] in SQL.

use kernel::{Instant, UserId};
use store::{Db, DbError, Migration, Row, RowError, Tx, migrations, params};

use crate::app::{Accounts, Added, NewToken, RenewError};
use crate::domain::{
    Account, Email, Name, Phone, Renewal, RenewalRefused, Role, SessionId, Status, TokenId, TokenState,
};

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = migrations!["0001_create_account", "0002_create_session"];

const ADD: &str = include_str!("sql/add.sql");
const EMAIL_TAKEN: &str = include_str!("sql/email_taken.sql");
const BY_EMAIL: &str = include_str!("sql/by_email.sql");
const BY_ID: &str = include_str!("sql/by_id.sql");
const SAVE_PROFILE: &str = include_str!("sql/save_profile.sql");
const REPLACE_HASH: &str = include_str!("sql/replace_hash.sql");
const FORGET_SESSIONS: &str = include_str!("sql/forget_sessions.sql");
const OPEN_SESSION: &str = include_str!("sql/open_session.sql");
const ADD_TOKEN: &str = include_str!("sql/add_token.sql");
const TOKEN: &str = include_str!("sql/token.sql");
const USE_TOKEN: &str = include_str!("sql/use_token.sql");
const PROLONG_SESSION: &str = include_str!("sql/prolong_session.sql");
const REVOKE_SESSION: &str = include_str!("sql/revoke_session.sql");
const REVOKE_BY_TOKEN: &str = include_str!("sql/revoke_by_token.sql");
const REVOKE_ALL: &str = include_str!("sql/revoke_all.sql");

/// The accounts in a database.
pub struct SqlAccounts(pub Db);

impl Accounts for SqlAccounts {
    fn add(&self, account: &Account, password_hash: &str) -> Result<Added, DbError> {
        self.0.transaction(|tx| {
            let row = params![
                account.id,
                account.email.as_str(),
                account.email.key(),
                account.name.as_str(),
                account.phone.as_ref().map(Phone::as_str),
                password_hash,
                account.role.text(),
                account.status.text(),
                account.created_at,
            ];
            if tx.execute(ADD, row)? == 1 {
                return Ok(Added::Done);
            }
            let taken = tx.query_one(EMAIL_TAKEN, params![account.email.key()])?;
            Ok(if taken.is_some() {
                Added::EmailTaken
            } else {
                Added::IdTaken
            })
        })
    }

    fn by_email(&self, email: &Email) -> Result<Option<(Account, String)>, DbError> {
        let row = self.0.read_one(BY_EMAIL, params![email.key()])?;
        row.map(|row| Ok((account(&row)?, row.get("password_hash")?)))
            .transpose()
    }

    fn by_id(&self, id: UserId) -> Result<Option<Account>, DbError> {
        let row = self.0.read_one(BY_ID, params![id])?;
        Ok(row.as_ref().map(account).transpose()?)
    }

    fn save_profile(&self, account: &Account, now: Instant) -> Result<(), DbError> {
        let phone = account.phone.as_ref().map(Phone::as_str);
        let row = params![account.id, account.name.as_str(), phone, now];
        self.0.transaction(|tx| tx.execute(SAVE_PROFILE, row).map(drop))
    }

    fn replace_hash(&self, id: UserId, old: &str, new: &str, now: Instant) -> Result<(), DbError> {
        let row = params![id, old, new, now];
        self.0.transaction(|tx| tx.execute(REPLACE_HASH, row).map(drop))
    }

    fn open_session(&self, session: &SessionId, first: &NewToken, now: Instant) -> Result<(), DbError> {
        self.0.transaction(|tx| {
            tx.execute(FORGET_SESSIONS, params![first.user, now])?;
            let row = params![session.as_str(), first.user, first.expires_at];
            tx.execute(OPEN_SESSION, row)?;
            add_token(tx, session, first)
        })
    }

    fn renew(&self, used: &TokenId, next: &NewToken, now: Instant) -> Result<Account, RenewError> {
        // A refusal is an answer of the transaction, not its failure: what it revokes must stay revoked.
        let answer = self.0.transaction(|tx| exchange(tx, used, next, now))?;
        Ok(answer?)
    }

    fn close_sessions(&self, user: UserId, token: Option<&TokenId>, now: Instant) -> Result<(), DbError> {
        self.0.transaction(|tx| match token {
            Some(token) => {
                let row = params![user, token.fingerprint(), now];
                tx.execute(REVOKE_BY_TOKEN, row).map(drop)
            }
            None => tx.execute(REVOKE_ALL, params![user, now]).map(drop),
        })
    }
}

fn exchange(
    tx: &Tx<'_>,
    used: &TokenId,
    next: &NewToken,
    now: Instant,
) -> Result<Result<Account, RenewalRefused>, DbError> {
    let Some(row) = tx.query_one(TOKEN, params![used.fingerprint(), next.user])? else {
        return Ok(Err(RenewalRefused::Unknown));
    };
    let (account, renewal) = (account(&row)?, renewal(&row)?);
    let mut verdict = renewal.check(now);
    if verdict.is_ok() && tx.execute(USE_TOKEN, params![used.fingerprint(), now])? == 0 {
        verdict = Err(RenewalRefused::Reused);
    }
    match verdict {
        Ok(()) => {
            let session = renewal.session.as_str();
            tx.execute(PROLONG_SESSION, params![session, next.expires_at])?;
            add_token(tx, &renewal.session, next)?;
            Ok(Ok(account))
        }
        Err(refused) => {
            if refused == RenewalRefused::Reused {
                tx.execute(REVOKE_SESSION, params![renewal.session.as_str(), now])?;
            }
            Ok(Err(refused))
        }
    }
}

fn add_token(tx: &Tx<'_>, session: &SessionId, token: &NewToken) -> Result<(), DbError> {
    let row = params![token.id.fingerprint(), session.as_str(), token.expires_at];
    tx.execute(ADD_TOKEN, row).map(drop)
}

fn account(row: &Row) -> Result<Account, RowError> {
    let phone: Option<String> = row.get("phone")?;
    let phone = phone
        .map(|text| checked("phone", Phone::parse(&text)))
        .transpose()?;
    Ok(Account {
        id: row.get("user_id")?,
        email: checked("email", Email::parse(&row.get::<String>("email")?))?,
        name: checked("name", Name::parse(&row.get::<String>("name")?))?,
        phone,
        role: row.parse("role", Role::parse)?,
        status: row.parse("status", Status::parse)?,
        created_at: row.get("created_at")?,
    })
}

/// A stored text that the rules refuse is a defect; the error names the column and never the person.
fn checked<T, E: std::fmt::Display>(column: &str, parsed: Result<T, E>) -> Result<T, RowError> {
    parsed.map_err(|error| RowError::new(column, error))
}

fn renewal(row: &Row) -> Result<Renewal, RowError> {
    let used: Option<Instant> = row.get("used_at")?;
    let revoked: Option<Instant> = row.get("revoked_at")?;
    let state = match (revoked, used) {
        (Some(_), _) => TokenState::Revoked,
        (None, Some(_)) => TokenState::Used,
        (None, None) => TokenState::Live {
            until: row.get("token_expires_at")?,
        },
    };
    Ok(Renewal {
        session: SessionId::from_stored(row.get("session_id")?),
        state,
        status: row.parse("status", Status::parse)?,
    })
}
