use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use kernel::Instant;

use crate::Claims;
use crate::claims::Wire;

/// Keys shorter than this many bytes are refused (RFC 7518 §3.2: at least the hash's length).
const MIN_KEY_BYTES: usize = 32;

/// The secrets that tokens are signed with: the first one signs, every one verifies.
///
/// A new key is put first and the old one stays behind it until the last token it signed has expired, so
/// rotation logs nobody out.
pub struct Keys {
    signing: Key,
    retired: Vec<Key>,
}

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// What is wrong with the configured keys. It never shows a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is none.
    #[error("there is no key")]
    Empty,
    /// An entry is not `kid:base64`.
    #[error("entry {0} is not of the form kid:base64")]
    Form(usize),
    /// A key's id is empty, too long or has characters other than letters, digits, `-` and `_`.
    #[error("entry {0}: the key id must be 1 to 32 letters, digits, - or _")]
    Id(usize),
    /// Two keys have one id.
    #[error("entry {0}: the key id was used before")]
    Repeated(usize),
    /// A key is not base64.
    #[error("entry {0}: the key is not base64")]
    Base64(usize),
    /// A key is too short to be safe.
    #[error("entry {0}: the key has {1} bytes, {MIN_KEY_BYTES} are needed")]
    Short(usize, usize),
}

/// The signature could not be made: a defect of this program.
#[derive(Debug, thiserror::Error)]
#[error("could not sign the token")]
pub struct SignError(#[source] jsonwebtoken::errors::Error);

impl Keys {
    /// Reads `kid1:base64[,kid2:base64…]`.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<Key> = Vec::new();
        let entries = text.split(',').map(str::trim).enumerate();
        for (place, entry) in entries.filter(|(_, entry)| !entry.is_empty()) {
            let key = parse_entry(place + 1, entry)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeysError::Repeated(place + 1));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let signing = keys.next().ok_or(KeysError::Empty)?;
        Ok(Self {
            signing,
            retired: keys.collect(),
        })
    }

    /// A token with these claims, valid from now for as long as its kind says.
    pub fn sign(&self, claims: &Claims, now: Instant) -> Result<String, SignError> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.signing.id.clone());
        encode(&header, &Wire::new(claims, now), &self.signing.encoding).map_err(SignError)
    }

    /// The key of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&DecodingKey> {
        std::iter::once(&self.signing)
            .chain(&self.retired)
            .find(|key| key.id == id)
            .map(|key| &key.decoding)
    }
}

fn parse_entry(place: usize, entry: &str) -> Result<Key, KeysError> {
    let (id, secret) = entry.split_once(':').ok_or(KeysError::Form(place))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > 32 || !id.bytes().all(plain) {
        return Err(KeysError::Id(place));
    }
    let secret = STANDARD.decode(secret).map_err(|_| KeysError::Base64(place))?;
    if secret.len() < MIN_KEY_BYTES {
        return Err(KeysError::Short(place, secret.len()));
    }
    Ok(Key {
        id: id.to_owned(),
        encoding: EncodingKey::from_secret(&secret),
        decoding: DecodingKey::from_secret(&secret),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_safe_are_refused_by_name() {
        let good = STANDARD.encode([7; 32]);
        let check = |text: &str, expected: Option<KeysError>| {
            assert_eq!(Keys::parse(text).err(), expected, "{text}");
        };
        check(&format!("a:{good}"), None);
        check(&format!("a:{good}, b_2-x:{good}"), None);
        check("", Some(KeysError::Empty));
        check(" , ", Some(KeysError::Empty));
        check(&good, Some(KeysError::Form(1)));
        check(&format!(":{good}"), Some(KeysError::Id(1)));
        check(&format!("ä:{good}"), Some(KeysError::Id(1)));
        check(&format!("{}:{good}", "k".repeat(33)), Some(KeysError::Id(1)));
        check(&format!("a:{good},a:{good}"), Some(KeysError::Repeated(2)));
        check(&format!("a:{good},b:?"), Some(KeysError::Base64(2)));
        check(
            &format!("a:{}", STANDARD.encode([7; 31])),
            Some(KeysError::Short(1, 31)),
        );
    }
}
