//! The secrets of every shop that a test starts, and tokens that they sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use web::Role;

/// One of the shop's secrets.
fn key(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

/// The secrets of every shop that is started here, by the names of their variables.
pub fn secrets() -> [(&'static str, String); 4] {
    [
        ("jwt_keys", format!("test:{}", key(1))),
        ("identity_key", key(2)),
        ("jobs_key", jobs_key()),
        ("remote_key", remote_key()),
    ]
}

/// The limits that are off in every shop that is started here, since all of a test's clients have one address.
/// Flags such as `--variable rate_limit_per_minute=120` turn one on.
pub fn unlimited() -> [(&'static str, String); 4] {
    [
        "rate_limit_per_minute",
        "login_limit_per_minute",
        "internal_limit_per_minute",
        "password_checks_per_minute",
    ]
    .map(|name| (name, "0".to_owned()))
}

/// What opens the internal routes.
pub fn jobs_key() -> String {
    key(3)
}

/// What opens stock and payment to the rest of the shop, where they are apps of their own.
pub fn remote_key() -> String {
    key(4)
}

/// An access token as the shop would give it to this account now.
pub fn token_of(user: u64, role: Role) -> String {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_micros() as i64);
    token_at(user, role, kernel::Instant::from_micros(now))
}

/// The same at another moment.
pub fn token_at(user: u64, role: Role, now: kernel::Instant) -> String {
    let keys = token::Keys::parse(&format!("test:{}", key(1))).expect("the test's own key");
    let claims = token::Claims {
        user: kernel::UserId::try_new(user).expect("a small number"),
        role,
        kind: token::Kind::Access,
        id: None,
    };
    keys.sign(&claims, now).expect("a token can be signed")
}
