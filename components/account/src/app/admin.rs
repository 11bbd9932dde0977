//! What admins do with accounts.

use kernel::{Outcome, UserId};

use super::{App, Failure, SignUp};
use crate::domain::{Account, Actor, Change, ChangeRefused, Filter, Role, Unchanged};

impl App<'_> {
    /// Accounts that pass the filter, the newest first.
    pub fn list(&self, filter: &Filter, before: Option<UserId>, limit: u32) -> Result<Vec<Account>, Failure> {
        Ok(self.accounts.list(filter, before, limit)?)
    }

    /// Any account.
    pub fn show(&self, user: UserId) -> Result<Account, Failure> {
        let found = self.accounts.by_id(user)?;
        found.ok_or(Failure::Change(ChangeRefused::Unknown))
    }

    /// Changes an account that is still what the asker has read, and locks it out at once where that is due.
    /// Repeating is harmless.
    pub fn change(
        &self,
        user: UserId,
        change: &Change,
        actor: Actor,
        unchanged: &Unchanged<'_>,
    ) -> Result<Account, Failure> {
        let save = || {
            let changed = self.accounts.change(user, change, actor, unchanged, self.now)?;
            Ok(changed.into_inner())
        };
        if !change.locks_out() {
            return save();
        }
        self.rehearse(user, change, actor, unchanged)?;
        self.locking_out(user, save)
    }

    /// What will be refused must not cost anybody the access token; the transaction decides again.
    fn rehearse(
        &self,
        user: UserId,
        change: &Change,
        actor: Actor,
        unchanged: &Unchanged<'_>,
    ) -> Result<(), Failure> {
        let acting = actor
            .id()
            .map(|id| self.accounts.by_id(id))
            .transpose()?
            .flatten();
        let admins: Vec<UserId> = acting
            .iter()
            .filter(|account| account.is_admin())
            .map(|account| account.id)
            .collect();
        let refused = actor.admit(&admins).err();
        let refused = refused.or(self.show(user)?.change(change, actor, unchanged).err());
        refused.map_or(Ok(()), |refused| Err(Failure::Change(refused)))
    }

    /// Makes an account with the role ADMIN, or gives the role to the one that has the e-mail already, whose
    /// password and name stay. Repeating is harmless.
    pub fn appoint(&self, wanted: SignUp) -> Result<Outcome<Account>, Failure> {
        let email = wanted.email.clone();
        if let Some((account, _)) = self.accounts.by_email(&email)? {
            return self.promote(account.id);
        }
        match self.create(wanted, Role::Admin) {
            Ok(account) => Ok(Outcome::Done(account)),
            // Somebody was first with this e-mail, just now.
            Err(Failure::EmailTaken) => {
                let (account, _) = self.accounts.by_email(&email)?.ok_or(Failure::EmailTaken)?;
                self.promote(account.id)
            }
            Err(failure) => Err(failure),
        }
    }

    fn promote(&self, user: UserId) -> Result<Outcome<Account>, Failure> {
        let change = Change {
            role: Some(Role::Admin),
            ..Change::default()
        };
        Ok(Outcome::AlreadyDone(self.change(
            user,
            &change,
            Actor::Operator,
            &|_| true,
        )?))
    }
}
