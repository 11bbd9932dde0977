use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use kernel::Instant;
use web::Role;

use crate::claims::{AUDIENCE, ISSUER, Wire, seconds};
use crate::{Claims, Keys, Kind, Verified};

/// Longer texts are not looked at; ours have about 400 bytes.
const MAX_TOKEN_BYTES: usize = 4_096;

/// How far another replica's clock may be ahead of ours.
const SKEW_SECONDS: u64 = 60;

/// Why a token is not believed: the first case that applies, in this order.
///
/// It is for logs and for telling an expired token from a wrong one; clients get a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a token of ours: broken, or claims are missing, of a wrong type or unknown.
    #[error("the token is malformed")]
    Malformed,
    /// It wants another algorithm than HS256.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// It names no key, or one we don't have.
    #[error("the token's key is not known")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("the token's signature is wrong")]
    Forged,
    /// Somebody else issued it, or it is meant for somebody else.
    #[error("the token is not from here or not for here")]
    Foreign,
    /// An access token was offered as a refresh token, or the reverse.
    #[error("the token is of another kind")]
    WrongKind,
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    NotYet,
    /// It was valid until now.
    #[error("the token has expired")]
    Expired,
}

impl Keys {
    /// What a token of this kind says, if it is to be believed now.
    ///
    /// A token is valid up to, not including, the second in its `exp`.
    pub fn verify(&self, token: &str, kind: Kind, now: Instant) -> Result<Verified, Refused> {
        let wire = self.authentic(token)?;
        if wire.iss != ISSUER || wire.aud != AUDIENCE {
            return Err(Refused::Foreign);
        }
        if wire.typ != kind {
            return Err(Refused::WrongKind);
        }
        let now = seconds(now);
        if wire.iat.max(wire.nbf.unwrap_or(0)) > now + SKEW_SECONDS {
            return Err(Refused::NotYet);
        }
        if wire.exp <= now {
            return Err(Refused::Expired);
        }
        let issued_at = wire.issued_at().ok_or(Refused::Malformed)?;
        let claims = Claims {
            user: wire.sub.parse().map_err(|_| Refused::Malformed)?,
            role: Role::parse(&wire.role).ok_or(Refused::Malformed)?,
            kind,
            id: wire.jti,
        };
        Ok(Verified { claims, issued_at })
    }

    /// What one of our keys signed.
    fn authentic(&self, token: &str) -> Result<Wire, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::Malformed);
        }
        let header = decode_header(token).map_err(|_| Refused::Malformed)?;
        let key = self.find(key_id(&header)?).ok_or(Refused::UnknownKey)?;
        let decoded = decode::<Wire>(token, key, &only_the_signature());
        decoded
            .map(|data| data.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Refused::Forged,
                _ => Refused::Malformed,
            })
    }
}

/// The id of the key, in a header that asks for nothing we don't do.
fn key_id(header: &Header) -> Result<&str, Refused> {
    if header.alg != Algorithm::HS256 {
        return Err(Refused::Algorithm);
    }
    // An extension that must be understood is one we don't (RFC 7515 §4.1.11).
    if header.crit.is_some() {
        return Err(Refused::Malformed);
    }
    header.kid.as_deref().ok_or(Refused::UnknownKey)
}

/// The library checks algorithm and signature. The claims are checked here, against a clock that is an
/// argument, and without leeway for `exp`.
fn only_the_signature() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
