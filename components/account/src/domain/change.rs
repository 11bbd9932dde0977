use kernel::{Outcome, UserId};

use super::{Account, Grade, Role, Status};

/// What is to change about an account; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    /// Whether it may be used.
    pub status: Option<Status>,
    /// What the shop thinks of its owner.
    pub grade: Option<Grade>,
    /// What it may do.
    pub role: Option<Role>,
}

/// Who changes an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A member with the role ADMIN.
    Admin(UserId),
    /// Whoever holds the key of the internal routes.
    Operator,
}

/// Why an account is not changed: the first case that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// Who asks was an admin when the token was made, and is none now.
    #[error("this needs an active account with the role ADMIN")]
    NotAdmin,
    /// There is no such account.
    #[error("no such user")]
    Unknown,
    /// Nobody changes the own role.
    #[error("nobody changes their own role; ask another admin")]
    OwnRole,
    /// Nobody changes the own status.
    #[error("nobody changes their own status; ask another admin")]
    OwnStatus,
    /// It is not any more what the asker has read.
    #[error("it has changed since you read it; read it again")]
    Changed,
}

/// Tells whether an account is still what the asker has read. It is asked in the transaction that makes the change.
pub type Unchanged<'a> = dyn Fn(&Account) -> bool + 'a;

/// One line of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// What changed.
    pub field: &'static str,
    /// From which value.
    pub before: &'static str,
    /// To which.
    pub after: &'static str,
}

impl Actor {
    /// Who it is, if it has an account.
    pub const fn id(self) -> Option<UserId> {
        match self {
            Self::Admin(id) => Some(id),
            Self::Operator => None,
        }
    }

    /// Refuses who may not change accounts; `admins` are those who are active now.
    pub fn admit(self, admins: &[UserId]) -> Result<(), ChangeRefused> {
        match self {
            Self::Operator => Ok(()),
            Self::Admin(id) if admins.contains(&id) => Ok(()),
            Self::Admin(_) => Err(ChangeRefused::NotAdmin),
        }
    }
}

impl Change {
    /// Whether access tokens made before must die. It does not depend on what the account is now, so that
    /// repeating a change that broke off in the middle ends what it had begun.
    pub const fn locks_out(&self) -> bool {
        self.role.is_some() || matches!(self.status, Some(Status::Inactive | Status::Suspended))
    }
}

impl Account {
    /// Whether its owner may act as an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.status == Status::Active
    }

    /// The account after a change.
    ///
    /// Every status, grade and role may become every other, but never one's own status or role. Since an
    /// admin who acts is active and stays so, a shop never loses its last one.
    ///
    /// What was made already is no reason to refuse, whatever was read before: somebody who lost the first answer
    /// asks again in the same words, and must be able to end what broke off in the middle (RFC 9110 §13.1.1 allows it).
    pub fn change(
        self,
        change: &Change,
        actor: Actor,
        unchanged: &Unchanged<'_>,
    ) -> Result<Outcome<Self>, ChangeRefused> {
        let changed = Self {
            status: change.status.unwrap_or(self.status),
            grade: change.grade.unwrap_or(self.grade),
            role: change.role.unwrap_or(self.role),
            ..self.clone()
        };
        let own = actor == Actor::Admin(self.id);
        if changed == self {
            Ok(Outcome::AlreadyDone(self))
        } else if own && changed.role != self.role {
            Err(ChangeRefused::OwnRole)
        } else if own && changed.status != self.status {
            Err(ChangeRefused::OwnStatus)
        } else if !unchanged(&self) {
            Err(ChangeRefused::Changed)
        } else {
            Ok(Outcome::Done(changed))
        }
    }

    /// What of an admin's concern is different afterwards.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let fields = [
            ("STATUS", self.status.text(), after.status.text()),
            ("GRADE", self.grade.text(), after.grade.text()),
            ("ROLE", self.role.text(), after.role.text()),
        ];
        let fields = fields.into_iter().filter(|(_, before, after)| before != after);
        fields
            .map(|(field, before, after)| Difference { field, before, after })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use kernel::Instant;

    use super::*;
    use crate::domain::{Email, Name};

    fn account(id: u64, role: Role, status: Status) -> Account {
        Account {
            id: UserId::try_new(id).unwrap(),
            email: Email::parse("a@b.kr").unwrap(),
            name: Name::parse("Kim").unwrap(),
            phone: None,
            role,
            status,
            grade: Grade::Normal,
            created_at: Instant::from_micros(0),
        }
    }

    fn admin(id: u64) -> Actor {
        Actor::Admin(UserId::try_new(id).unwrap())
    }

    fn asked(text: &str) -> Change {
        Change {
            status: Status::parse(text),
            grade: Grade::parse(text),
            role: Role::parse(text),
        }
    }

    /// Every state an account can be in × everything it can be told, by admin 1, for account `id`.
    fn table(id: u64) -> String {
        const WORDS: [&str; 9] = [
            "ACTIVE",
            "INACTIVE",
            "SUSPENDED",
            "NORMAL",
            "SILVER",
            "GOLD",
            "VIP",
            "USER",
            "ADMIN",
        ];
        let mut table = String::new();
        for role in [Role::User, Role::Admin] {
            for status in [Status::Active, Status::Inactive, Status::Suspended] {
                let answers = WORDS.map(|word| {
                    let before = account(id, role, status);
                    match before.clone().change(&asked(word), admin(1), &|_| true) {
                        Ok(Outcome::AlreadyDone(_)) => "-".to_owned(),
                        Ok(Outcome::Done(after)) => before
                            .differences(&after)
                            .iter()
                            .map(|one| one.after)
                            .collect::<Vec<_>>()
                            .join("+"),
                        Err(refused) => format!("{refused:?}"),
                    }
                });
                table += &format!("{} {}: {}\n", role.text(), status.text(), answers.join(" "));
            }
        }
        table
    }

    #[test]
    fn an_admin_changes_everything_of_others() {
        expect![[r#"
            USER ACTIVE: - INACTIVE SUSPENDED - SILVER GOLD VIP - ADMIN
            USER INACTIVE: ACTIVE - SUSPENDED - SILVER GOLD VIP - ADMIN
            USER SUSPENDED: ACTIVE INACTIVE - - SILVER GOLD VIP - ADMIN
            ADMIN ACTIVE: - INACTIVE SUSPENDED - SILVER GOLD VIP USER -
            ADMIN INACTIVE: ACTIVE - SUSPENDED - SILVER GOLD VIP USER -
            ADMIN SUSPENDED: ACTIVE INACTIVE - - SILVER GOLD VIP USER -
        "#]]
        .assert_eq(&table(2));
    }

    #[test]
    fn an_admin_changes_only_the_own_grade() {
        expect![[r#"
            USER ACTIVE: - OwnStatus OwnStatus - SILVER GOLD VIP - OwnRole
            USER INACTIVE: OwnStatus - OwnStatus - SILVER GOLD VIP - OwnRole
            USER SUSPENDED: OwnStatus OwnStatus - - SILVER GOLD VIP - OwnRole
            ADMIN ACTIVE: - OwnStatus OwnStatus - SILVER GOLD VIP OwnRole -
            ADMIN INACTIVE: OwnStatus - OwnStatus - SILVER GOLD VIP OwnRole -
            ADMIN SUSPENDED: OwnStatus OwnStatus - - SILVER GOLD VIP OwnRole -
        "#]]
        .assert_eq(&table(1));
    }

    #[test]
    fn the_operator_owns_no_account_and_may_always() {
        let one = account(1, Role::User, Status::Active);
        let raised = one.change(&asked("ADMIN"), Actor::Operator, &|_| true);
        assert!(raised.unwrap().is_new());
        assert_eq!(Actor::Operator.admit(&[]), Ok(()));
    }

    #[test]
    fn what_was_read_and_is_gone_is_refused_last_and_never_for_a_repeat() {
        let answer = |id: u64, word: &str| {
            let silver = Account {
                grade: Grade::Silver,
                ..account(id, Role::User, Status::Active)
            };
            silver.change(&asked(word), admin(1), &|read| read.grade == Grade::Normal)
        };
        assert_eq!(answer(2, "GOLD").unwrap_err(), ChangeRefused::Changed);
        assert_eq!(answer(1, "ADMIN").unwrap_err(), ChangeRefused::OwnRole);
        assert!(!answer(2, "SILVER").unwrap().is_new());
    }

    #[test]
    fn who_is_no_admin_any_more_changes_nothing() {
        let admins = [UserId::try_new(1).unwrap()];
        assert_eq!(admin(1).admit(&admins), Ok(()));
        assert_eq!(admin(2).admit(&admins), Err(ChangeRefused::NotAdmin));
        assert_eq!(admin(1).admit(&[]), Err(ChangeRefused::NotAdmin));
    }

    #[test]
    fn roles_and_closed_doors_lock_out_and_nothing_else() {
        let locking = ["ACTIVE", "INACTIVE", "SUSPENDED", "GOLD", "USER", "ADMIN", ""]
            .map(|word| asked(word).locks_out());
        assert_eq!(locking, [false, true, true, false, true, true, false]);
    }
}
