use std::str::FromStr;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// How many random bytes go into a hash.
pub const SALT_BYTES: usize = 16;

/// The hash that is verified when there is no account: as expensive as a real one, and no password has it,
/// for its output is no hash but a fixed text.
pub const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9kZWdhLWR1bW15LXNhbA$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaCwgZXZlciE";

/// A password that is good enough to be set. It is never shown.
pub struct Password(String);

/// Why a password is not good enough: the first case that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Fewer than 8 characters.
    #[error("must have at least {} characters", Password::MIN_CHARS)]
    TooShort,
    /// More than 128 characters.
    #[error("must have at most {} characters", Password::MAX_CHARS)]
    TooLong,
    /// No letter of any script.
    #[error("must contain a letter")]
    NoLetter,
    /// No digit.
    #[error("must contain a digit")]
    NoDigit,
}

impl Password {
    /// The shortest password, in characters.
    pub const MIN_CHARS: u32 = 8;
    /// The longest password, in characters.
    pub const MAX_CHARS: u32 = 128;
    /// What it must contain as a regular expression (ECMA-262), for clients: a letter and a digit.
    pub const PATTERN: &str = r"\p{L}[\s\S]*[0-9]|[0-9][\s\S]*\p{L}";

    /// Takes a password as it is: blanks belong to it.
    pub fn parse(text: String) -> Result<Self, PasswordRefused> {
        let chars = text.chars().count();
        if chars < Self::MIN_CHARS as usize {
            return Err(PasswordRefused::TooShort);
        }
        if chars > Self::MAX_CHARS as usize {
            return Err(PasswordRefused::TooLong);
        }
        if !text.chars().any(char::is_alphabetic) {
            return Err(PasswordRefused::NoLetter);
        }
        if !text.chars().any(|letter| letter.is_ascii_digit()) {
            return Err(PasswordRefused::NoDigit);
        }
        Ok(Self(text))
    }

    /// The text, to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A stored hash that can't be, or a hash that could not be made: a defect. It carries no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("password hash: {0}")]
pub struct HashError(String);

/// How passwords are hashed. One implementation is real; tests count calls through another.
pub trait Hashing {
    /// The PHC string of a password.
    fn hash(&self, password: &str, salt: [u8; SALT_BYTES]) -> Result<String, HashError>;

    /// Whether the password has this hash. It takes as long for a wrong one as for the right one.
    fn verify(&self, password: &str, hash: &str) -> Result<bool, HashError>;

    /// Whether the hash was made with other parameters than new ones are.
    fn is_outdated(&self, hash: &str) -> bool;
}

/// argon2id with 19 MiB, two passes, one lane.
#[derive(Debug, Clone, Copy)]
pub struct Argon2id;

const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

impl Hashing for Argon2id {
    fn hash(&self, password: &str, salt: [u8; SALT_BYTES]) -> Result<String, HashError> {
        let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(defect)
    }

    fn verify(&self, password: &str, hash: &str) -> Result<bool, HashError> {
        let stored = PasswordHash::from_str(hash).map_err(defect)?;
        match argon2()?.verify_password(password.as_bytes(), &stored) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(defect(error)),
        }
    }

    fn is_outdated(&self, hash: &str) -> bool {
        !hash.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(defect)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn defect(error: impl std::fmt::Display) -> HashError {
    HashError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_eight_characters_a_letter_and_a_digit() {
        let check = |text: &str, expected: Option<PasswordRefused>| {
            assert_eq!(Password::parse(text.to_owned()).err(), expected, "{text:?}");
        };
        check("passw0rd", None);
        check("비밀번호비밀번1", None);
        check("pass w0rd ", None);
        check("passw0r", Some(PasswordRefused::TooShort));
        check("", Some(PasswordRefused::TooShort));
        check("12345678", Some(PasswordRefused::NoLetter));
        check("password", Some(PasswordRefused::NoDigit));
        check("!!!!!!!!", Some(PasswordRefused::NoLetter));
        check("password١", Some(PasswordRefused::NoDigit));
        check(&format!("{}1", "a".repeat(127)), None);
        check(&format!("{}1", "비".repeat(127)), None);
        check(&format!("{}1", "a".repeat(128)), Some(PasswordRefused::TooLong));
    }

    #[test]
    fn only_the_password_itself_has_its_hash() {
        let hash = Argon2id.hash("passw0rd", [1; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(Argon2id.verify("passw0rd", &hash), Ok(true));
        assert_eq!(Argon2id.verify("passw0rD", &hash), Ok(false));
        assert_eq!(Argon2id.verify("passw0rd ", &hash), Ok(false));
        assert_ne!(
            Argon2id.hash("passw0rd", [2; 16]).unwrap(),
            hash,
            "another salt, another hash"
        );
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs_and_nothing_has_it() {
        assert!(!Argon2id.is_outdated(DUMMY_HASH));
        let dummy = PasswordHash::from_str(DUMMY_HASH).unwrap();
        let real = PasswordHash::from_str(&Argon2id.hash("x", [1; 16]).unwrap()).unwrap();
        let size = |hash: &PasswordHash| (hash.salt.unwrap().len(), hash.hash.unwrap().len());
        assert_eq!(size(&dummy), size(&real));
        assert_eq!(Argon2id.verify("passw0rd", DUMMY_HASH), Ok(false));
    }

    #[test]
    fn a_hash_with_other_parameters_verifies_and_is_outdated() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        let hash = weak
            .hash_password_with_salt(b"passw0rd", &[3; 16])
            .unwrap()
            .to_string();
        assert_eq!(Argon2id.verify("passw0rd", &hash), Ok(true));
        assert!(Argon2id.is_outdated(&hash));
        assert!(!Argon2id.is_outdated(&Argon2id.hash("passw0rd", [3; 16]).unwrap()));
    }

    #[test]
    fn a_stored_text_that_is_no_hash_is_a_defect_not_a_refusal() {
        for text in ["", "passw0rd", "$argon2id$", "$md5$abc"] {
            assert!(Argon2id.verify("passw0rd", text).is_err(), "{text}");
        }
    }
}
