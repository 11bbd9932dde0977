use kernel::Instant;
use sha2::{Digest, Sha256};

use super::{Barred, Status};

/// A session: all refresh tokens that descend from one login. Revoking it ends them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(String);

/// What tells one refresh token from all others, and can't be guessed.
#[derive(Clone)]
pub struct TokenId(String);

impl SessionId {
    /// From 128 random bits.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// As stored before.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TokenId {
    /// From 128 random bits.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// As a verified token says.
    pub const fn from_token(text: String) -> Self {
        Self(text)
    }

    /// The id as it goes into the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored instead of the id, so that nobody who reads the database can make a token of it.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

/// What is known of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    /// It can be exchanged, until then.
    Live {
        /// The moment from which it can't.
        until: Instant,
    },
    /// It was exchanged before.
    Used,
    /// Its session was revoked.
    Revoked,
}

/// A refresh token is offered for exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Its session.
    pub session: SessionId,
    /// What is known of it.
    pub state: TokenState,
    /// Whether the owner's account may be used.
    pub status: Status,
}

/// Why a refresh token is not exchanged: the first case that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenewalRefused {
    /// Nobody knows it.
    #[error("unknown refresh token")]
    Unknown,
    /// Its session has ended.
    #[error("the session was revoked")]
    Revoked,
    /// It was exchanged before: one of the two holders is a thief, so the whole session ends.
    #[error("the refresh token was used twice")]
    Reused,
    /// It is too old.
    #[error("the refresh token has expired")]
    Expired,
    /// The account may not be used.
    #[error(transparent)]
    Barred(#[from] Barred),
}

impl Renewal {
    /// Whether a new pair may be made for it.
    pub fn check(&self, now: Instant) -> Result<(), RenewalRefused> {
        match self.state {
            TokenState::Revoked => Err(RenewalRefused::Revoked),
            TokenState::Used => Err(RenewalRefused::Reused),
            TokenState::Live { until } if until <= now => Err(RenewalRefused::Expired),
            TokenState::Live { .. } => Ok(self.status.admit()?),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_000);

    #[test]
    fn only_a_live_token_of_an_active_account_is_exchanged() {
        let live = |until| TokenState::Live {
            until: Instant::from_micros(until),
        };
        let check = |state: TokenState, status, expected| {
            let renewal = Renewal {
                session: SessionId::new([0; 16]),
                state,
                status,
            };
            assert_eq!(renewal.check(NOW), expected, "{renewal:?}");
        };
        check(live(1_001), Status::Active, Ok(()));
        check(live(1_000), Status::Active, Err(RenewalRefused::Expired));
        check(
            live(1_001),
            Status::Suspended,
            Err(RenewalRefused::Barred(Barred::Suspended)),
        );
        check(
            live(1_001),
            Status::Inactive,
            Err(RenewalRefused::Barred(Barred::Inactive)),
        );
        check(live(1_000), Status::Suspended, Err(RenewalRefused::Expired));
        check(TokenState::Used, Status::Suspended, Err(RenewalRefused::Reused));
        check(TokenState::Revoked, Status::Active, Err(RenewalRefused::Revoked));
    }

    #[test]
    fn the_fingerprint_is_the_sha_256_of_the_id() {
        // The digest of the three letters is FIPS 180-4's own example.
        assert_eq!(
            TokenId::from_token("abc".to_owned()).fingerprint(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(TokenId::new([0xab; 16]).as_str(), "ab".repeat(16));
    }
}
