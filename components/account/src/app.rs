//! The use cases: load, ask the domain, save.

mod admin;
mod recall;

pub use recall::recall;

use kernel::{Instant, Outcome, UserId};
use store::DbError;
use token::{Claims, Keys, Kind, SignError};

use crate::domain::{
    Account, Actor, Barred, Change, ChangeRefused, DUMMY_HASH, Email, Filter, Grade, HashError, Hashing,
    Name, Password, Phone, RenewalRefused, Role, SALT_BYTES, Salt, SessionId, Status, TokenId, Unchanged,
};

/// What the use cases need of the store.
pub trait Accounts {
    /// Adds an account unless its id or its e-mail is taken; an admin's beginning is audited.
    fn add(&self, account: &Account, password_hash: &str) -> Result<Added, DbError>;

    /// The account with this e-mail, and its password's hash.
    fn by_email(&self, email: &Email) -> Result<Option<(Account, String)>, DbError>;

    /// The account with this id.
    fn by_id(&self, id: UserId) -> Result<Option<Account>, DbError>;

    /// The account with this id, and its password's hash.
    fn with_hash(&self, id: UserId) -> Result<Option<(Account, String)>, DbError>;

    /// Up to `limit` accounts that pass the filter, the newest first, from behind `before` on.
    fn list(&self, filter: &Filter, before: Option<UserId>, limit: u32) -> Result<Vec<Account>, DbError>;

    /// Writes an account's name and telephone number.
    fn save_profile(&self, account: &Account, now: Instant) -> Result<(), DbError>;

    /// Puts a better hash of the same password in place of `old`; nothing if that is gone meanwhile.
    fn replace_hash(&self, id: UserId, old: &str, new: &str, now: Instant) -> Result<(), DbError>;

    /// Puts another password's hash in place of `old`, and ends all sessions; busy if `old` is gone meanwhile.
    fn set_password(&self, id: UserId, old: &str, new: &str, now: Instant) -> Result<(), DbError>;

    /// Begins a session with its first refresh token; `None` if the account is not active any more, or has
    /// another hash than `verified`.
    fn open_session(
        &self,
        session: &SessionId,
        first: &NewToken,
        verified: &str,
        now: Instant,
    ) -> Result<Option<Account>, DbError>;

    /// Exchanges a user's refresh token for its successor, or ends its session when it was used before.
    fn renew(
        &self,
        user: UserId,
        used: &TokenId,
        fresh: &Fresh,
        now: Instant,
    ) -> Result<(Account, TokenId), RenewError>;

    /// Changes what admins may change, with its lines in the audit log; a closed account has no sessions. Nobody
    /// changes the account between `unchanged` and the end of the transaction.
    fn change(
        &self,
        id: UserId,
        change: &Change,
        actor: Actor,
        unchanged: &Unchanged<'_>,
        now: Instant,
    ) -> Result<Outcome<Account>, ChangeError>;

    /// Ends the session of this refresh token, or all of the user's sessions without one.
    fn close_sessions(&self, user: UserId, token: Option<&TokenId>, now: Instant) -> Result<(), DbError>;

    /// Who had a session ended, or another status or role, at this moment or later, and when last.
    fn ended_since(&self, since: Instant) -> Result<Vec<(UserId, Instant)>, DbError>;
}

/// Where the gateway learns which access tokens are dead.
pub trait Marks {
    /// Kills the user's access tokens that were made up to this very moment, which it reads itself: the time of
    /// the call is too early once a transaction has waited for its turn.
    fn kill(&self, user: UserId) -> Result<(), MarkUnwritten>;

    /// Declares dead what was issued up to this moment, unless it is a later one already.
    fn restore(&self, user: UserId, until: Instant) -> Result<(), MarkUnwritten>;

    /// Says that every mark is there that matters.
    fn complete(&self) -> Result<(), MarkUnwritten>;
}

/// The mark may or may not be there: ask again.
#[derive(Debug, thiserror::Error)]
#[error("the mark of dead tokens was not written: {0}")]
pub struct MarkUnwritten(pub String);

/// How adding an account went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done,
    /// Another account has the e-mail.
    EmailTaken,
    /// Another account has the id: take another one.
    IdTaken,
}

/// A refresh token to be remembered.
pub struct NewToken {
    /// Whose it is.
    pub user: UserId,
    /// What tells it from others.
    pub id: TokenId,
    /// When it stops being valid.
    pub expires_at: Instant,
}

/// What a successor needs when it comes to be.
pub struct Fresh {
    /// What it is made of, beside the token it follows.
    pub salt: Salt,
    /// When it stops being valid.
    pub expires_at: Instant,
}

/// All chance that one call may use, drawn where the call enters.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// For a password's hash.
    pub salt: [u8; SALT_BYTES],
    /// For a session's id.
    pub session: [u8; 16],
    /// For a refresh token's id, or its successor's.
    pub token: [u8; 16],
    /// For account ids: one, and some more in case it is taken.
    pub ids: [u64; 4],
}

/// The use cases, for one call.
pub struct App<'a> {
    /// Where accounts are kept.
    pub accounts: &'a dyn Accounts,
    /// Where access tokens are called back.
    pub marks: &'a dyn Marks,
    /// How passwords are hashed.
    pub hashing: &'a dyn Hashing,
    /// What tokens are signed with.
    pub keys: &'a Keys,
    /// The time of the call.
    pub now: Instant,
    /// The chance of the call.
    pub chance: Chance,
}

/// What somebody gives to get an account.
pub struct SignUp {
    /// The e-mail.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The name.
    pub name: Name,
    /// The telephone number, if any.
    pub phone: Option<Phone>,
}

/// What changes in a profile; `None` stays as it is.
#[derive(Debug, Default)]
pub struct ProfileChange {
    /// The new name.
    pub name: Option<Name>,
    /// The new telephone number, or none any more.
    pub phone: Option<Option<Phone>>,
}

/// The tokens of a session.
pub struct Pair {
    /// Sent with every request.
    pub access: String,
    /// Exchanged once for the next pair.
    pub refresh: String,
}

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The e-mail belongs to another account.
    #[error("the e-mail is taken")]
    EmailTaken,
    /// There is no such account, or the password is another one; nobody learns which.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// Who wants another password does not know the present one.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The account may not be used.
    #[error(transparent)]
    Barred(Barred),
    /// An admin may not change this.
    #[error(transparent)]
    Change(ChangeRefused),
    /// The refresh token is not exchanged.
    #[error("refresh refused")]
    Refresh(#[source] RefreshRefused),
    /// The token is good, but its account is gone.
    #[error("no such account")]
    Gone,
    /// Four ids in a row were taken.
    #[error("no free account id was found")]
    NoFreeId,
    /// The store did not do it.
    #[error("could not use the account store")]
    Store(#[from] DbError),
    /// Access tokens could not be called back; what was asked for may or may not have been done.
    #[error("could not call access tokens back")]
    Mark(#[from] MarkUnwritten),
    /// A hash could not be made or read.
    #[error("could not hash")]
    Hash(#[from] HashError),
    /// A token could not be made.
    #[error("could not make a token")]
    Sign(#[from] SignError),
}

/// Why a refresh token is not exchanged; clients get one and the same 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefused {
    /// The text is no valid refresh token of ours.
    #[error(transparent)]
    Token(#[from] token::Refused),
    /// The session doesn't allow it.
    #[error(transparent)]
    Session(RenewalRefused),
}

/// What exchanging a refresh token in the store can end with.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The session doesn't allow it.
    #[error(transparent)]
    Refused(#[from] RenewalRefused),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// What changing an account in the store can end with.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The rules don't allow it.
    #[error(transparent)]
    Refused(#[from] ChangeRefused),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refused) => Self::Change(refused),
            ChangeError::Store(error) => Self::Store(error),
        }
    }
}

impl From<Barred> for Failure {
    fn from(barred: Barred) -> Self {
        Self::Barred(barred)
    }
}

impl From<RenewError> for Failure {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Refused(RenewalRefused::Barred(barred)) => Self::Barred(barred),
            RenewError::Refused(refused) => Self::Refresh(RefreshRefused::Session(refused)),
            RenewError::Store(error) => Self::Store(error),
        }
    }
}

impl App<'_> {
    /// Makes a customer's account.
    pub fn sign_up(&self, wanted: SignUp) -> Result<Account, Failure> {
        self.create(wanted, Role::User)
    }

    fn create(&self, wanted: SignUp, role: Role) -> Result<Account, Failure> {
        let hash = self.hashing.hash(wanted.password.reveal(), self.chance.salt)?;
        let mut account = Account {
            id: UserId::generate(self.now, self.chance.ids[0]),
            email: wanted.email,
            name: wanted.name,
            phone: wanted.phone,
            role,
            status: Status::Active,
            grade: Grade::Normal,
            created_at: self.now,
        };
        for random in self.chance.ids {
            account.id = UserId::generate(self.now, random);
            match self.accounts.add(&account, &hash)? {
                Added::Done => return Ok(account),
                Added::EmailTaken => return Err(Failure::EmailTaken),
                Added::IdTaken => {}
            }
        }
        Err(Failure::NoFreeId)
    }

    /// Begins a session.
    ///
    /// Exactly one hash is verified whether or not the account exists, so the time of a refusal tells
    /// nothing; and only who knows the password learns that an account is suspended.
    pub fn log_in(&self, email: &str, password: &str) -> Result<Pair, Failure> {
        // A password that changes while it is verified is verified again.
        for _ in 0..2 {
            let (account, hash) = self.verified(email, password)?;
            let first = self.new_token(account.id);
            let session = SessionId::new(self.chance.session);
            let opened = self.accounts.open_session(&session, &first, &hash, self.now)?;
            if let Some(account) = opened {
                return self.pair(&account, &first.id);
            }
        }
        Err(Failure::Store(DbError::Busy))
    }

    /// The account that this is the password of, and the hash it has now.
    fn verified(&self, email: &str, password: &str) -> Result<(Account, String), Failure> {
        let found = match Email::parse(email) {
            Ok(email) => self.accounts.by_email(&email)?,
            Err(_) => None,
        };
        let hash = found.as_ref().map_or(DUMMY_HASH, |(_, hash)| hash);
        let right = self.hashing.verify(password, hash)?;
        let (account, hash) = found.filter(|_| right).ok_or(Failure::WrongCredentials)?;
        account.status.admit()?;
        if !self.hashing.is_outdated(&hash) {
            return Ok((account, hash));
        }
        let better = self.hashing.hash(password, self.chance.salt)?;
        self.accounts.replace_hash(account.id, &hash, &better, self.now)?;
        Ok((account, better))
    }

    /// Changes the caller's password and ends all of the caller's sessions.
    pub fn change_password(&self, user: UserId, current: &str, new: &Password) -> Result<(), Failure> {
        let (account, hash) = self.accounts.with_hash(user)?.ok_or(Failure::Gone)?;
        account.status.admit()?;
        if !self.hashing.verify(current, &hash)? {
            return Err(Failure::WrongPassword);
        }
        let new = self.hashing.hash(new.reveal(), self.chance.salt)?;
        self.locking_out(user, || {
            Ok(self.accounts.set_password(user, &hash, &new, self.now)?)
        })
    }

    /// Makes a change after which no access token of the user from before it is good any more.
    ///
    /// Both marks are needed. The one before: if this stops in the middle, the tokens from before are dead
    /// already, and nobody is left inside by an accident. The one after: a login that came while the change was
    /// on its way has read the account as it was, and its token is younger than the first mark. When only
    /// the second one fails the answer is "try again", and repeating the change writes it.
    fn locking_out<T>(
        &self,
        user: UserId,
        change: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.marks.kill(user)?;
        let done = change()?;
        self.marks.kill(user)?;
        Ok(done)
    }

    /// Exchanges a refresh token for a new pair; presented again within the grace it gives that pair's
    /// refresh token once more.
    pub fn refresh(&self, token: &str) -> Result<Pair, Failure> {
        let (user, used) = self.refresh_token(token)?;
        let fresh = Fresh {
            salt: Salt::new(self.chance.token),
            expires_at: Kind::Refresh.expiry(self.now),
        };
        let (account, next) = self.accounts.renew(user, &used, &fresh, self.now)?;
        self.pair(&account, &next)
    }

    /// Ends the session of a refresh token, or all sessions of the user without one, then with their access
    /// tokens. Repeating is harmless.
    pub fn log_out(&self, user: UserId, token: Option<&str>) -> Result<(), Failure> {
        let token = token.map(|token| self.refresh_token(token)).transpose()?;
        match token {
            Some((owner, _)) if owner != user => {
                Err(Failure::Refresh(RefreshRefused::Session(RenewalRefused::Unknown)))
            }
            Some((_, id)) => Ok(self.accounts.close_sessions(user, Some(&id), self.now)?),
            None => self.locking_out(user, || Ok(self.accounts.close_sessions(user, None, self.now)?)),
        }
    }

    /// The caller's own account.
    pub fn me(&self, user: UserId) -> Result<Account, Failure> {
        let account = self.accounts.by_id(user)?.ok_or(Failure::Gone)?;
        account.status.admit()?;
        Ok(account)
    }

    /// Changes the caller's name or telephone number.
    pub fn change_profile(&self, user: UserId, change: ProfileChange) -> Result<Account, Failure> {
        let mut account = self.me(user)?;
        account.name = change.name.unwrap_or(account.name);
        account.phone = change.phone.unwrap_or(account.phone);
        self.accounts.save_profile(&account, self.now)?;
        Ok(account)
    }

    fn refresh_token(&self, token: &str) -> Result<(UserId, TokenId), Failure> {
        let claims = self
            .keys
            .verify(token, Kind::Refresh, self.now)
            .map_err(|refused| Failure::Refresh(refused.into()))?
            .claims;
        let id = claims
            .id
            .ok_or(Failure::Refresh(token::Refused::Malformed.into()))?;
        Ok((claims.user, TokenId::from_token(id)))
    }

    fn new_token(&self, user: UserId) -> NewToken {
        NewToken {
            user,
            id: TokenId::new(self.chance.token),
            expires_at: Kind::Refresh.expiry(self.now),
        }
    }

    fn pair(&self, account: &Account, refresh: &TokenId) -> Result<Pair, Failure> {
        let claims = |kind, id| Claims {
            user: account.id,
            role: match account.role {
                Role::User => token::Role::User,
                Role::Admin => token::Role::Admin,
            },
            kind,
            id,
        };
        let id = Some(refresh.as_str().to_owned());
        Ok(Pair {
            access: self.keys.sign(&claims(Kind::Access, None), self.now)?,
            refresh: self.keys.sign(&claims(Kind::Refresh, id), self.now)?,
        })
    }
}
