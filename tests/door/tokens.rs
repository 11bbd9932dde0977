//! Access tokens that are not good, each for a reason of its own.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use kernel::Instant;
use serde_json::{Value, json};
use sha2::Sha256;
use web::Role;

/// A token that this header and these claims make, signed with this key (HMAC-SHA256).
fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The key that the shops here sign with: `test:<base64>`.
fn shop_key() -> Vec<u8> {
    let [(_, keys), ..] = tests::secrets();
    let (_, key) = keys.split_once(':').unwrap();
    STANDARD.decode(key).unwrap()
}

/// Tokens like this good one, with what is wrong about each.
pub(crate) fn spoilt(good: &str, refresh: &str, user: u64) -> Vec<(&'static str, String)> {
    let (header, claims) = parts(good);
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        value
    };
    let key = shop_key();
    let resigned = |header: &Value, claims: &Value| signed(header, claims, &key);
    // The control: what is wrong below is nothing but what its name says.
    assert_eq!(resigned(&header, &claims).len(), good.len());
    let (body, signature) = good.rsplit_once('.').unwrap();
    let (head, middle) = body.split_once('.').unwrap();
    let escalated = URL_SAFE_NO_PAD.encode(with(&claims, "role", json!("ADMIN")).to_string());
    let other_user = URL_SAFE_NO_PAD.encode(with(&claims, "sub", json!("1")).to_string());
    let long_ago = Instant::from_micros(1_700_000_000_000_000);
    let number = |name: &str| claims[name].as_i64().unwrap();
    let text = |name: &str| json!(number(name).to_string());
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    vec![
        ("nonsense", "nonsense".to_owned()),
        ("expired", tests::token_at(user, Role::Admin, long_ago)),
        (
            "a wrong audience",
            resigned(&header, &with(&claims, "aud", json!("elsewhere"))),
        ),
        (
            "a wrong issuer",
            resigned(&header, &with(&claims, "iss", json!("elsewhere"))),
        ),
        ("no audience", resigned(&header, &without("aud"))),
        ("no expiry", resigned(&header, &without("exp"))),
        ("no role", resigned(&header, &without("role"))),
        ("a refresh token", refresh.to_owned()),
        (
            "another typ",
            resigned(&header, &with(&claims, "typ", json!("refresh"))),
        ),
        (
            "alg none",
            resigned(&with(&header, "alg", json!("none")), &claims),
        ),
        (
            "alg none, unsigned",
            format!(
                "{}.{middle}.",
                URL_SAFE_NO_PAD.encode(with(&header, "alg", json!("none")).to_string())
            ),
        ),
        (
            "alg RS256 over the secret",
            resigned(&with(&header, "alg", json!("RS256")), &claims),
        ),
        (
            "alg HS512",
            resigned(&with(&header, "alg", json!("HS512")), &claims),
        ),
        (
            "an unknown kid",
            resigned(&with(&header, "kid", json!("other")), &claims),
        ),
        (
            "a kid that is a path",
            resigned(&with(&header, "kid", json!("../../dev/null")), &claims),
        ),
        ("another key", signed(&header, &claims, &[9; 32])),
        ("an empty key", signed(&header, &claims, b"")),
        ("a changed role", format!("{head}.{escalated}.{signature}")),
        ("a changed user", format!("{head}.{other_user}.{signature}")),
        ("a cut signature", good[..good.len() - 4].to_owned()),
        ("a longer signature", format!("{good}AAAA")),
        (
            "exp as a string",
            resigned(&header, &with(&claims, "exp", text("exp"))),
        ),
        (
            "nbf as a string",
            resigned(&header, &with(&claims, "nbf", text("iat"))),
        ),
        (
            "nbf to come",
            resigned(&header, &with(&claims, "nbf", json!(number("exp")))),
        ),
        (
            "exp as a list",
            resigned(&header, &with(&claims, "exp", json!([number("exp")]))),
        ),
        (
            "a key in the header",
            resigned(
                &with(&header, "jwk", json!({"kty": "oct", "k": "AAAA"})),
                &with(&claims, "aud", json!("x")),
            ),
        ),
    ]
}
