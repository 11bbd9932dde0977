//! [`Accounts`] in SQL.

mod admin;

use kernel::{Instant, Outcome, UserId};
use store::{Db, DbError, Migration, Row, RowError, Tx, migrations, params};

use crate::app::{Accounts, Added, ChangeError, Fresh, NewToken, RenewError};
use crate::domain::{
    Account, Actor, Change, Email, Exchange, Filter, Grade, Name, Phone, Renewal, RenewalRefused, Role, Salt,
    SessionId, Status, TokenId, TokenState, Unchanged, fold,
};

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_account",
    "0002_create_session",
    "0003_add_successor_salt",
    "0004_add_grade",
    "0005_add_name_folded",
    "0006_create_account_audit",
    "0007_index_admin",
];

const ADD: &str = include_str!("sql/add.sql");
const EMAIL_TAKEN: &str = include_str!("sql/email_taken.sql");
const BY_EMAIL: &str = include_str!("sql/by_email.sql");
const ENDED_SINCE: &str = include_str!("sql/ended_since.sql");
const BY_ID: &str = include_str!("sql/by_id.sql");
const SAVE_PROFILE: &str = include_str!("sql/save_profile.sql");
const SET_PASSWORD: &str = include_str!("sql/set_password.sql");
const STILL_AS_VERIFIED: &str = include_str!("sql/still_as_verified.sql");
const REPLACE_HASH: &str = include_str!("sql/replace_hash.sql");
const FORGET_SESSIONS: &str = include_str!("sql/forget_sessions.sql");
const OPEN_SESSION: &str = include_str!("sql/open_session.sql");
const ADD_TOKEN: &str = include_str!("sql/add_token.sql");
const TOKEN: &str = include_str!("sql/token.sql");
const TOKEN_USED: &str = include_str!("sql/token_used.sql");
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
                fold(account.name.as_str()),
                account.phone.as_ref().map(Phone::as_str),
                password_hash,
                account.role.text(),
                account.status.text(),
                account.grade.text(),
                account.created_at,
            ];
            if tx.execute(ADD, row)? == 1 {
                admin::audit_beginning(tx, account)?;
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

    fn with_hash(&self, id: UserId) -> Result<Option<(Account, String)>, DbError> {
        let row = self.0.read_one(BY_ID, params![id])?;
        row.map(|row| Ok((account(&row)?, row.get("password_hash")?)))
            .transpose()
    }

    fn list(&self, filter: &Filter, before: Option<UserId>, limit: u32) -> Result<Vec<Account>, DbError> {
        admin::list(&self.0, filter, before, limit)
    }

    fn save_profile(&self, account: &Account, now: Instant) -> Result<(), DbError> {
        let phone = account.phone.as_ref().map(Phone::as_str);
        let row = params![
            account.id,
            account.name.as_str(),
            fold(account.name.as_str()),
            phone,
            now
        ];
        self.0.transaction(|tx| tx.execute(SAVE_PROFILE, row).map(drop))
    }

    fn replace_hash(&self, id: UserId, old: &str, new: &str, now: Instant) -> Result<(), DbError> {
        let row = params![id, old, new, now];
        self.0.transaction(|tx| tx.execute(REPLACE_HASH, row).map(drop))
    }

    fn set_password(&self, id: UserId, old: &str, new: &str, now: Instant) -> Result<(), DbError> {
        self.0.transaction(|tx| {
            if tx.execute(SET_PASSWORD, params![id, old, new, now])? == 0 {
                return Err(DbError::Busy);
            }
            tx.execute(REVOKE_ALL, params![id, now]).map(drop)
        })
    }

    fn open_session(
        &self,
        session: &SessionId,
        first: &NewToken,
        verified: &str,
        now: Instant,
    ) -> Result<Option<Account>, DbError> {
        self.0.transaction(|tx| {
            let Some(row) = tx.query_one(STILL_AS_VERIFIED, params![first.user, verified])? else {
                return Ok(None);
            };
            tx.execute(FORGET_SESSIONS, params![first.user, now])?;
            let values = params![session.as_str(), first.user, first.expires_at];
            tx.execute(OPEN_SESSION, values)?;
            add_token(tx, session.as_str(), &first.id, first.expires_at)?;
            Ok(Some(account(&row)?))
        })
    }

    fn renew(
        &self,
        user: UserId,
        used: &TokenId,
        fresh: &Fresh,
        now: Instant,
    ) -> Result<(Account, TokenId), RenewError> {
        // A refusal is an answer of the transaction, not its failure: what it revokes must stay revoked.
        let answer = self.0.transaction(|tx| exchange(tx, user, used, fresh, now))?;
        Ok(answer?)
    }

    fn change(
        &self,
        id: UserId,
        change: &Change,
        actor: Actor,
        unchanged: &Unchanged<'_>,
        now: Instant,
    ) -> Result<Outcome<Account>, ChangeError> {
        self.0
            .transaction(|tx| admin::change(tx, id, change, actor, unchanged, now))
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

    fn ended_since(&self, since: Instant) -> Result<Vec<(UserId, Instant)>, DbError> {
        let rows = self.0.read(ENDED_SINCE, params![since])?;
        let ended = rows.iter().map(|row| Ok((row.get("user_id")?, row.get("at")?)));
        ended.collect()
    }
}

type Exchanged = Result<(Account, TokenId), RenewalRefused>;

/// A token that somebody else uses up between our look and our turn is looked at once more.
fn exchange(
    tx: &Tx<'_>,
    user: UserId,
    used: &TokenId,
    fresh: &Fresh,
    now: Instant,
) -> Result<Exchanged, DbError> {
    for _ in 0..2 {
        let Some(offer) = offer(tx, user, used)? else {
            return Ok(Err(RenewalRefused::Unknown));
        };
        let session = offer.renewal.session.as_str();
        match (offer.renewal.check(now), offer.successor) {
            (Ok(Exchange::Again), Some(next)) => return Ok(Ok((offer.account, next))),
            (Ok(Exchange::First), _) => {
                if let Some(next) = use_up(tx, session, used, fresh, now)? {
                    return Ok(Ok((offer.account, next)));
                }
            }
            (Err(RenewalRefused::Reused), _) | (Ok(Exchange::Again), None) => {
                tx.execute(REVOKE_SESSION, params![session, now])?;
                return Ok(Err(RenewalRefused::Reused));
            }
            (Err(refused), _) => return Ok(Err(refused)),
        }
    }
    Err(DbError::Busy)
}

/// A refresh token that is presented, and all that is known of it.
struct Offer {
    account: Account,
    renewal: Renewal,
    successor: Option<TokenId>,
}

fn offer(tx: &Tx<'_>, user: UserId, token: &TokenId) -> Result<Option<Offer>, DbError> {
    let Some(row) = tx.query_one(TOKEN, params![token.fingerprint(), user])? else {
        return Ok(None);
    };
    let salt: Option<String> = row.get("successor_salt")?;
    let successor = salt.map(|salt| token.successor(&Salt::from_stored(salt)));
    let successor_unused = match &successor {
        Some(next) => is_unused(tx, next)?,
        None => false,
    };
    Ok(Some(Offer {
        account: account(&row)?,
        renewal: renewal(&row, successor_unused)?,
        successor,
    }))
}

fn is_unused(tx: &Tx<'_>, token: &TokenId) -> Result<bool, DbError> {
    let Some(row) = tx.query_one(TOKEN_USED, params![token.fingerprint()])? else {
        return Ok(false);
    };
    let used: Option<Instant> = row.get("used_at")?;
    Ok(used.is_none())
}

/// The successor, unless somebody was first.
fn use_up(
    tx: &Tx<'_>,
    session: &str,
    used: &TokenId,
    fresh: &Fresh,
    now: Instant,
) -> Result<Option<TokenId>, DbError> {
    let row = params![used.fingerprint(), now, fresh.salt.as_str()];
    if tx.execute(USE_TOKEN, row)? == 0 {
        return Ok(None);
    }
    let next = used.successor(&fresh.salt);
    tx.execute(PROLONG_SESSION, params![session, fresh.expires_at])?;
    add_token(tx, session, &next, fresh.expires_at)?;
    Ok(Some(next))
}

fn add_token(tx: &Tx<'_>, session: &str, token: &TokenId, expires_at: Instant) -> Result<(), DbError> {
    let row = params![token.fingerprint(), session, expires_at];
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
        grade: row.parse("grade", Grade::parse)?,
        created_at: row.get("created_at")?,
    })
}

/// A stored text that the rules refuse is a defect; the error names the column and never the person.
fn checked<T, E: std::fmt::Display>(column: &str, parsed: Result<T, E>) -> Result<T, RowError> {
    parsed.map_err(|error| RowError::new(column, error))
}

fn renewal(row: &Row, successor_unused: bool) -> Result<Renewal, RowError> {
    let used: Option<Instant> = row.get("used_at")?;
    let revoked: Option<Instant> = row.get("revoked_at")?;
    let state = match (revoked, used) {
        (Some(_), _) => TokenState::Revoked,
        (None, Some(at)) => TokenState::Used { at, successor_unused },
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
