use kernel::{Instant, UserId};

use super::{Email, Name, Phone};

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who it is.
    pub id: UserId,
    /// Where mail goes, and the name at login.
    pub email: Email,
    /// How the person is called.
    pub name: Name,
    /// The telephone number, if the person gave one.
    pub phone: Option<Phone>,
    /// What it may do.
    pub role: Role,
    /// Whether it may be used.
    pub status: Status,
    /// What the shop thinks of its owner.
    pub grade: Grade,
    /// When it was made.
    pub created_at: Instant,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Buy.
    User,
    /// Run the shop.
    Admin,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Active,
    /// Its owner gave it up.
    Inactive,
    /// The shop has locked it.
    Suspended,
}

/// What the shop thinks of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Everybody at first.
    Normal,
    /// One above.
    Silver,
    /// Two above.
    Gold,
    /// The best.
    Vip,
}

/// Why an account may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// Its owner gave it up.
    #[error("this account is closed")]
    Inactive,
    /// The shop has locked it.
    #[error("this account is suspended")]
    Suspended,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    /// As the database writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    /// The role of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.text() == text)
    }
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Suspended];

    /// Refuses what only an active account may do.
    pub const fn admit(self) -> Result<(), Barred> {
        match self {
            Self::Active => Ok(()),
            Self::Inactive => Err(Barred::Inactive),
            Self::Suspended => Err(Barred::Suspended),
        }
    }

    /// As the database writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// The status of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.text() == text)
    }
}

impl Grade {
    /// All grades, from the lowest up.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Silver, Self::Gold, Self::Vip];

    /// As the database writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Silver => "SILVER",
            Self::Gold => "GOLD",
            Self::Vip => "VIP",
        }
    }

    /// The grade of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.text() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_account_is_admitted() {
        let answer = |text| Status::parse(text).map(Status::admit);
        assert_eq!(answer("ACTIVE"), Some(Ok(())));
        assert_eq!(answer("INACTIVE"), Some(Err(Barred::Inactive)));
        assert_eq!(answer("SUSPENDED"), Some(Err(Barred::Suspended)));
        assert_eq!(answer("active"), None);
    }

    #[test]
    fn roles_and_grades_are_read_as_they_were_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.text()), Some(role));
        }
        assert_eq!(Role::parse("admin"), None);
        for grade in Grade::ALL {
            assert_eq!(Grade::parse(grade.text()), Some(grade));
        }
        assert_eq!(Grade::parse("gold"), None);
    }
}
