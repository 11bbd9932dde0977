use kernel::{Instant, Millis};
use sha2::{Digest, Sha256};

use super::{Barred, Status};

/// For this long the token used last may be presented again: a second tab, or an answer that got lost.
const GRACE: Millis = Millis(10_000);

/// A session: all refresh tokens that descend from one login. Revoking it ends them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(String);

/// What tells one refresh token from all others, and can't be guessed.
#[derive(Clone)]
pub struct TokenId(String);

/// What a token's successor is made of, together with the token: neither alone is enough to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salt(String);

impl Salt {
    /// From 128 random bits.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// As stored before.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The salt as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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

    /// The one token that follows this one under this salt.
    ///
    /// It is derived and not drawn, so that whoever presents this token again during the grace gets the
    /// same successor, though the database holds no token. Who reads the database lacks this token, who
    /// stole this token lacks the salt.
    pub fn successor(&self, salt: &Salt) -> Self {
        let digest = Sha256::digest(format!("successor {} {}", self.0, salt.0));
        Self(hex(&digest[..16]))
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
    Used {
        /// When.
        at: Instant,
        /// Whether nobody has used the token it was exchanged for.
        successor_unused: bool,
    },
    /// Its session was revoked.
    Revoked,
}

/// How a refresh token is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// For the first time: it is used up, and its successor comes to be.
    First,
    /// Again, during the grace: its successor is given out once more, and nothing is written.
    Again,
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
    /// It was exchanged before, and not just now: one of the two holders is a thief, so the whole session ends.
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
    /// Whether a pair may be given out for it, and which.
    ///
    /// Every use makes a new token and the second use of an old one ends the session (RFC 9700 §4.14.2). The
    /// grace bends that for the token used last alone, and only until its successor is used: so there is one
    /// live token in a session at any time, whoever asks in whatever order. A thief who presents a token
    /// within the grace holds the same successor as its owner; the later of them to use it is found out.
    pub fn check(&self, now: Instant) -> Result<Exchange, RenewalRefused> {
        match self.state {
            TokenState::Revoked => Err(RenewalRefused::Revoked),
            TokenState::Used { at, successor_unused } if !successor_unused || at.after(GRACE) <= now => {
                Err(RenewalRefused::Reused)
            }
            TokenState::Live { until } if until <= now => Err(RenewalRefused::Expired),
            TokenState::Used { .. } => Ok(self.status.admit().map(|()| Exchange::Again)?),
            TokenState::Live { .. } => Ok(self.status.admit().map(|()| Exchange::First)?),
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
        let used = |at, successor_unused| TokenState::Used {
            at: Instant::from_micros(at),
            successor_unused,
        };
        check(live(1_001), Status::Active, Ok(Exchange::First));
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
        let grace_begins = 1_000 - 10_000_000;
        check(
            used(grace_begins, true),
            Status::Active,
            Err(RenewalRefused::Reused),
        );
        check(used(grace_begins + 1, true), Status::Active, Ok(Exchange::Again));
        check(used(1_000, true), Status::Active, Ok(Exchange::Again));
        check(used(2_000, true), Status::Active, Ok(Exchange::Again));
        check(used(1_000, false), Status::Active, Err(RenewalRefused::Reused));
        check(used(1_000, false), Status::Suspended, Err(RenewalRefused::Reused));
        check(
            used(1_000, true),
            Status::Suspended,
            Err(RenewalRefused::Barred(Barred::Suspended)),
        );
        check(TokenState::Revoked, Status::Active, Err(RenewalRefused::Revoked));
    }

    #[test]
    fn a_successor_needs_both_the_token_and_the_salt() {
        let next = |token, salt| TokenId::new([token; 16]).successor(&Salt::new([salt; 16])).0;
        assert_eq!(next(1, 1), next(1, 1));
        assert_eq!(next(1, 1).len(), 32);
        assert_ne!(next(1, 1), next(1, 2));
        assert_ne!(next(1, 1), next(2, 1));
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
