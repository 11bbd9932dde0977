use kernel::{Instant, UserId};
use serde::{Deserialize, Serialize};
use web::Role;

/// Who signs our tokens.
pub(crate) const ISSUER: &str = "bodega";

/// Whom they are meant for.
pub(crate) const AUDIENCE: &str = "bodega-shop";

/// What a token is good for. One never passes as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Sent with every request.
    Access,
    /// Exchanged once for a new pair.
    Refresh,
}

impl Kind {
    /// How long a token of this kind is valid, in seconds.
    pub const fn lifetime_seconds(self) -> u32 {
        match self {
            Self::Access => 30 * 60,
            Self::Refresh => 7 * 24 * 60 * 60,
        }
    }

    /// The moment a token of this kind, made now, stops being valid. Tokens count in whole seconds.
    pub const fn expiry(self, now: Instant) -> Instant {
        Instant::from_micros((now.seconds() + self.lifetime_seconds() as i64) * 1_000_000)
    }
}

/// What a token says about its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The account.
    pub user: UserId,
    /// What it could do when the token was made.
    pub role: Role,
    /// What the token is good for.
    pub kind: Kind,
    /// What makes this token differ from every other one; refresh tokens need it.
    pub id: Option<String>,
}

/// A token that is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says about its owner.
    pub claims: Claims,
    /// When it was made; see [`crate::mark`].
    pub issued_at: Instant,
}

/// The claims as they stand in the token. Every type is strict and nothing else may stand there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire {
    pub(crate) sub: String,
    pub(crate) role: String,
    pub(crate) typ: Kind,
    pub(crate) iat: u64,
    /// The microseconds behind `iat`, so that a token made in the second of a change is told from one made
    /// after it. Left out by tokens made before there were marks: those count as made when the second began.
    #[serde(default)]
    pub(crate) iat_micros: u32,
    pub(crate) exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<u64>,
    pub(crate) iss: String,
    pub(crate) aud: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jti: Option<String>,
}

impl Wire {
    /// The claims of a token that is made now.
    pub(crate) fn new(claims: &Claims, now: Instant) -> Self {
        Self {
            sub: claims.user.to_string(),
            role: claims.role.text().to_owned(),
            typ: claims.kind,
            iat: seconds(now),
            iat_micros: now.micros().rem_euclid(1_000_000) as u32,
            exp: seconds(claims.kind.expiry(now)),
            nbf: None,
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            jti: claims.id.clone(),
        }
    }
}

impl Wire {
    /// The moment the token was made.
    pub(crate) fn issued_at(&self) -> Option<Instant> {
        let seconds = i64::try_from(self.iat).ok()?;
        let micros = seconds.checked_mul(1_000_000)?;
        let micros = micros.checked_add(i64::from(self.iat_micros))?;
        (self.iat_micros < 1_000_000).then(|| Instant::from_micros(micros))
    }
}

/// A moment as JWTs write it; the time before 1970 is 0, which is in the past for everybody.
pub(crate) fn seconds(at: Instant) -> u64 {
    u64::try_from(at.seconds()).unwrap_or(0)
}
