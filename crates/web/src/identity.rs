//! Who is calling, as the gateway says and components verify.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use kernel::{Instant, Millis, UserId};
use sha2::Sha256;

use crate::{Code, Problem, Request};

/// The header in which the gateway hands the identity over. Client-sent ones never get through.
pub const IDENTITY_HEADER: &str = "x-bodega-identity";

/// The header with the request's id.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The header in which the gateway hands the client's own credential to the internal routes.
pub const CREDENTIAL_HEADER: &str = "x-bodega-credential";

/// An identity is believed for this long: a request's way through the shop, not a session.
const LIFETIME: Millis = Millis(30_000);

/// Keys shorter than this many bytes are refused (RFC 2104 §3: at least the hash's length).
const MIN_KEY_BYTES: usize = 32;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A customer.
    User,
    /// Somebody who runs the shop.
    Admin,
}

impl Role {
    /// As tokens and databases write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    /// The role of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "USER" => Some(Self::User),
            "ADMIN" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// A user whose token the gateway has verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub user: UserId,
    /// What it may do.
    pub role: Role,
}

/// The secret that gateway and components share.
pub struct IdentityKey(Vec<u8>);

/// Why an identity is not believed; for logs, clients just get a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// There is no identity, or more than one.
    #[error("no identity")]
    Missing,
    /// It is not in the form we write.
    #[error("malformed identity")]
    Malformed,
    /// Somebody else signed it, or changed it afterwards.
    #[error("the identity's signature is wrong")]
    Forged,
    /// It is too old.
    #[error("the identity has expired")]
    Expired,
}

impl From<Unverified> for Problem {
    fn from(_: Unverified) -> Self {
        Self::new(Code::Unauthorized, "log in first, and send the access token")
            .header("www-authenticate", "Bearer")
    }
}

impl IdentityKey {
    /// Takes a key of at least 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| "the identity key is not base64".to_owned())?;
        if bytes.len() < MIN_KEY_BYTES {
            return Err(format!(
                "the identity key has {} bytes, {MIN_KEY_BYTES} are needed",
                bytes.len()
            ));
        }
        Ok(Self(bytes))
    }

    /// The header's value: `v1.<user>.<role>.<expiry in µs>.<HMAC-SHA256 of all before>`.
    pub fn sign(&self, identity: Identity, now: Instant) -> String {
        let expiry = now.after(LIFETIME).micros();
        let claim = format!("v1.{}.{}.{expiry}", identity.user, identity.role.text());
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&claim).finalize().into_bytes());
        format!("{claim}.{signature}")
    }

    /// The identity in a header's value, if it is ours and still fresh.
    pub fn verify(&self, value: &str, now: Instant) -> Result<Identity, Unverified> {
        let (claim, signature) = value.rsplit_once('.').ok_or(Unverified::Malformed)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Unverified::Malformed)?;
        self.mac(claim)
            .verify_slice(&signature)
            .map_err(|_| Unverified::Forged)?;
        let parts: Vec<&str> = claim.split('.').collect();
        let ["v1", user, role, expiry] = parts.as_slice() else {
            return Err(Unverified::Malformed);
        };
        let user = user.parse().map_err(|_| Unverified::Malformed)?;
        let role = Role::parse(role).ok_or(Unverified::Malformed)?;
        let expiry = expiry
            .parse()
            .map(Instant::from_micros)
            .map_err(|_| Unverified::Malformed)?;
        if expiry <= now {
            return Err(Unverified::Expired);
        }
        Ok(Identity { user, role })
    }

    /// The identity a request carries.
    pub fn identify(&self, request: &Request, now: Instant) -> Result<Identity, Unverified> {
        self.verify(request.header(IDENTITY_HEADER).ok_or(Unverified::Missing)?, now)
    }

    /// A keyed digest of a text, for something that only who has this key may compute. What is digested begins
    /// with `digest/`, so it is never the signature of an identity, which begins with a version.
    pub fn digest(&self, purpose: &str, text: &str) -> [u8; 32] {
        self.mac(&format!("digest/{purpose}/{text}"))
            .finalize()
            .into_bytes()
            .into()
    }

    fn mac(&self, claim: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(claim.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    const NOW: Instant = Instant::from_micros(1_000_000);

    fn key(byte: u8) -> IdentityKey {
        IdentityKey::from_base64(&STANDARD.encode([byte; 32])).unwrap()
    }

    fn somebody() -> Identity {
        Identity {
            user: UserId::try_new(42).unwrap(),
            role: Role::User,
        }
    }

    #[test]
    fn what_was_signed_is_believed_until_it_expires() {
        let value = key(1).sign(somebody(), NOW);
        assert_eq!(key(1).verify(&value, NOW), Ok(somebody()));
        assert_eq!(key(1).verify(&value, NOW.after(Millis(29_999))), Ok(somebody()));
        assert_eq!(
            key(1).verify(&value, NOW.after(LIFETIME)),
            Err(Unverified::Expired)
        );
    }

    #[test]
    fn what_was_changed_or_signed_by_others_is_not() {
        let value = key(1).sign(somebody(), NOW);
        assert_eq!(key(2).verify(&value, NOW), Err(Unverified::Forged));
        for (from, to) in [("v1.42.", "v1.43."), (".USER.", ".ADMIN."), (".31", ".91")] {
            let forged = value.replacen(from, to, 1);
            assert_ne!(forged, value);
            assert_eq!(key(1).verify(&forged, NOW), Err(Unverified::Forged), "{forged}");
        }
        for text in [
            "",
            ".",
            "v1",
            "42",
            "v1.42.USER.31000000.",
            "v1.42.USER.31000000.AAAA",
        ] {
            assert!(key(1).verify(text, NOW).is_err(), "{text:?}");
        }
    }

    #[test]
    fn two_identities_are_none() {
        let value = key(1).sign(somebody(), NOW);
        let request = Request::new(Method::Get, "/").with_header(IDENTITY_HEADER, value.clone());
        assert_eq!(key(1).identify(&request, NOW), Ok(somebody()));
        let doubled = request.with_header("X-Bodega-Identity", value);
        assert_eq!(key(1).identify(&doubled, NOW), Err(Unverified::Missing));
    }

    #[test]
    fn a_digest_depends_on_key_purpose_and_text_and_is_no_signature() {
        let digest = key(1).digest("limit", "a");
        assert_eq!(digest, key(1).digest("limit", "a"));
        assert_ne!(digest, key(2).digest("limit", "a"));
        assert_ne!(digest, key(1).digest("other", "a"));
        assert_ne!(digest, key(1).digest("limit", "b"));
        let value = key(1).sign(somebody(), NOW);
        let (claim, _) = value.rsplit_once('.').unwrap();
        let forged = format!("{claim}.{}", URL_SAFE_NO_PAD.encode(key(1).digest("", claim)));
        assert_eq!(key(1).verify(&forged, NOW), Err(Unverified::Forged));
    }

    #[test]
    fn a_weak_key_is_refused() {
        assert!(IdentityKey::from_base64("").is_err());
        assert!(IdentityKey::from_base64("not base64!").is_err());
        assert!(IdentityKey::from_base64(&STANDARD.encode([1; 31])).is_err());
    }
}
