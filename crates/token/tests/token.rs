//! Which tokens are believed: what a forger, a confused client and a rotated key can send.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::{Instant, UserId};
use serde_json::{Value, json};
use token::{Claims, Keys, Kind, Refused, Verified, mark};
use web::Role;

const NOW: Instant = Instant::from_micros(1_790_000_000_999_999);
const NOW_SECONDS: i64 = 1_790_000_000;
const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

fn keys(list: &[(&str, [u8; 32])]) -> Keys {
    let entries: Vec<String> = list
        .iter()
        .map(|(id, key)| format!("{id}:{}", STANDARD.encode(key)))
        .collect();
    Keys::parse(&entries.join(",")).unwrap()
}

fn ours() -> Keys {
    keys(&[("old", OLD)])
}

fn claims(kind: Kind) -> Claims {
    Claims {
        user: UserId::try_new(42).unwrap(),
        role: Role::User,
        kind,
        id: (kind == Kind::Refresh).then(|| "ab12".to_owned()),
    }
}

fn later(seconds: i64) -> Instant {
    Instant::from_micros((NOW_SECONDS + seconds) * 1_000_000)
}

/// A correct access token's header and claims, to be bent.
fn parts() -> (Value, Value) {
    let header = json!({"typ": "JWT", "alg": "HS256", "kid": "old"});
    let claims = json!({"sub": "42", "role": "USER", "typ": "access", "iat": NOW_SECONDS, "exp": NOW_SECONDS + 1800,
        "iss": "bodega", "aud": "bodega-shop"});
    (header, claims)
}

/// Signs any header and claims with the right key, whatever they say.
fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(&OLD);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn access(token: &str) -> Result<Claims, Refused> {
    ours().verify(token, Kind::Access, NOW).map(|token| token.claims)
}

#[test]
fn what_was_signed_comes_back() {
    for kind in [Kind::Access, Kind::Refresh] {
        let token = ours().sign(&claims(kind), NOW).unwrap();
        let verified = Verified {
            claims: claims(kind),
            issued_at: NOW,
        };
        assert_eq!(ours().verify(&token, kind, NOW), Ok(verified));
    }
    let (header, plain) = parts();
    assert_eq!(access(&signed(&header, &plain)), Ok(claims(Kind::Access)));
}

#[test]
fn a_token_holds_up_to_the_second_in_exp_and_no_longer() {
    for (kind, lifetime) in [(Kind::Access, 1_800), (Kind::Refresh, 604_800)] {
        let token = ours().sign(&claims(kind), NOW).unwrap();
        let verify = |at| ours().verify(&token, kind, at).map(drop);
        assert_eq!(verify(later(lifetime - 1)), Ok(()));
        assert_eq!(verify(later(lifetime)), Err(Refused::Expired));
        assert_eq!(verify(later(10 * lifetime)), Err(Refused::Expired));
    }
}

#[test]
fn one_kind_never_passes_as_the_other() {
    for (kind, other) in [(Kind::Access, Kind::Refresh), (Kind::Refresh, Kind::Access)] {
        let token = ours().sign(&claims(kind), NOW).unwrap();
        assert_eq!(ours().verify(&token, other, NOW), Err(Refused::WrongKind));
    }
}

/// The drill of the README, with several instances that learn of each step one after the other. Whoever has
/// learnt of it signs at every moment, everybody verifies all tokens that are not expired.
#[test]
fn under_the_drill_of_key_rotation_no_valid_token_is_ever_refused() {
    let drill = [
        keys(&[("old", OLD)]),
        keys(&[("old", OLD), ("new", NEW)]),
        keys(&[("new", NEW), ("old", OLD)]),
        keys(&[("new", NEW)]),
    ];
    const INSTANCES: usize = 3;
    // Between the third step and the last one lies the life of the longest token; the others follow at once.
    let waits = [0, 0, i64::from(Kind::Refresh.lifetime_seconds()) + 1];
    let mut clock = 0;
    let mut tokens: Vec<(Kind, String)> = Vec::new();
    let mut checked = 0;
    for (step, wait) in waits.into_iter().enumerate() {
        clock += wait;
        for told in 0..=INSTANCES {
            let instances = (0..INSTANCES).map(|place| &drill[step + usize::from(place < told)]);
            let instances: Vec<&Keys> = instances.collect();
            for kind in [Kind::Access, Kind::Refresh] {
                for keys in &instances {
                    tokens.push((kind, keys.sign(&claims(kind), later(clock)).unwrap()));
                }
            }
            tokens.retain(|(kind, token)| {
                let answers = instances
                    .iter()
                    .map(|keys| keys.verify(token, *kind, later(clock)));
                let answers: Vec<_> = answers.map(|answer| answer.map(drop)).collect();
                checked += answers.len();
                // Keys that refuse what they signed long ago say so to everybody: it is over, not unknown.
                let over = Err(Refused::Expired);
                let over_or_retired =
                    |answer: &Result<(), Refused>| *answer == over || *answer == Err(Refused::UnknownKey);
                if answers.contains(&over) {
                    assert!(
                        answers.iter().all(over_or_retired),
                        "step {step}, {told} told: {answers:?}"
                    );
                    return false;
                }
                assert_eq!(answers, vec![Ok(()); INSTANCES], "step {step}, {told} told");
                true
            });
            clock += 1;
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn a_drill_without_the_step_in_between_refuses_tokens() {
    let (before, at_once) = (ours(), keys(&[("new", NEW), ("old", OLD)]));
    let signed_by_who_knows = at_once.sign(&claims(Kind::Access), NOW).unwrap();
    assert_eq!(
        before.verify(&signed_by_who_knows, Kind::Access, NOW),
        Err(Refused::UnknownKey),
        "another instance has not heard of the new key yet"
    );
}

#[test]
fn a_token_without_microseconds_counts_from_its_second() {
    let (header, plain) = parts();
    let old = ours()
        .verify(&signed(&header, &plain), Kind::Access, NOW)
        .unwrap();
    assert_eq!(old.issued_at, later(0));
    assert!(mark::kills(later(0), old.issued_at));
    let token = ours().sign(&claims(Kind::Access), NOW).unwrap();
    let new = ours().verify(&token, Kind::Access, NOW).unwrap();
    assert!(!mark::kills(
        Instant::from_micros(NOW.micros() - 1),
        new.issued_at
    ));
    assert!(mark::kills(NOW, new.issued_at));
}

#[test]
fn a_rotated_key_verifies_and_the_first_one_signs() {
    let before = ours();
    let during = keys(&[("new", NEW), ("old", OLD)]);
    let after = keys(&[("new", NEW)]);
    let old_token = before.sign(&claims(Kind::Access), NOW).unwrap();
    let new_token = during.sign(&claims(Kind::Access), NOW).unwrap();
    let verify = |keys: &Keys, token: &str| keys.verify(token, Kind::Access, NOW).map(drop);
    assert_eq!(verify(&during, &old_token), Ok(()));
    assert_eq!(verify(&during, &new_token), Ok(()));
    assert_eq!(verify(&after, &new_token), Ok(()));
    assert_eq!(verify(&after, &old_token), Err(Refused::UnknownKey));
    assert_eq!(verify(&before, &new_token), Err(Refused::UnknownKey));
    assert_eq!(
        verify(&keys(&[("old", NEW)]), &old_token),
        Err(Refused::Forged),
        "the same id with another key"
    );
}

#[test]
fn changing_any_character_breaks_it() {
    let token = ours().sign(&claims(Kind::Access), NOW).unwrap();
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'Q' } else { b'A' };
        let bent = String::from_utf8(bytes).unwrap();
        assert!(access(&bent).is_err(), "position {place}");
    }
}

#[test]
fn broken_texts_are_refused() {
    let token = ours().sign(&claims(Kind::Access), NOW).unwrap();
    let cut = token.rsplit_once('.').unwrap().0;
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        cut,
        &format!("{cut}."),
        &format!("{token}."),
        &format!("{token}="),
        &format!(" {token}"),
        &format!("{token}.{token}"),
        &"a".repeat(5_000),
    ] {
        assert!(access(text).is_err(), "{text:?}");
    }
}

#[test]
fn the_header_can_not_choose_another_way_of_checking() {
    let check = |change: Value, expected: Refused| {
        let (mut header, plain) = parts();
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        assert_eq!(access(&signed(&header, &plain)), Err(expected), "{change}");
    };
    for none in ["none", "None", "NONE", "nOnE", "", "HS1"] {
        check(json!({"alg": none}), Refused::Malformed);
    }
    for other in ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA"] {
        check(json!({"alg": other}), Refused::Algorithm);
    }
    check(json!({"kid": null}), Refused::UnknownKey);
    check(json!({"kid": ""}), Refused::UnknownKey);
    check(json!({"kid": "OLD"}), Refused::UnknownKey);
    check(json!({"kid": "../../dev/null"}), Refused::UnknownKey);
    check(json!({"kid": 1}), Refused::Malformed);
    check(json!({"crit": ["exp"]}), Refused::Malformed);
}

#[test]
fn an_unsigned_token_is_none() {
    let (mut header, plain) = parts();
    header["alg"] = json!("none");
    let token = signed(&header, &plain);
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(access(&unsigned), Err(Refused::Malformed));
}

#[test]
fn the_right_key_with_another_hash_is_refused() {
    let (_, plain) = parts();
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let mut header = Header::new(algorithm);
        header.kid = Some("old".to_owned());
        let token = encode(&header, &plain, &EncodingKey::from_secret(&OLD)).unwrap();
        assert_eq!(access(&token), Err(Refused::Algorithm));
    }
}

#[test]
fn every_claim_is_checked_for_type_and_value() {
    let check = |name: &str, value: Value, expected: Refused| {
        let (header, mut plain) = parts();
        plain[name] = value.clone();
        assert_eq!(
            access(&signed(&header, &plain)),
            Err(expected),
            "{name} = {value}"
        );
    };
    let future = NOW_SECONDS + 1_800;
    check("exp", json!(future.to_string()), Refused::Malformed);
    check("exp", json!(1.79e9), Refused::Malformed);
    check("exp", json!(-1), Refused::Malformed);
    check("exp", json!(null), Refused::Malformed);
    check("exp", json!([future]), Refused::Malformed);
    check("exp", json!(0), Refused::Expired);
    check("exp", json!(NOW_SECONDS), Refused::Expired);
    check("nbf", json!(NOW_SECONDS.to_string()), Refused::Malformed);
    check("nbf", json!(NOW_SECONDS + 61), Refused::NotYet);
    check("iat", json!(NOW_SECONDS.to_string()), Refused::Malformed);
    check("iat", json!(NOW_SECONDS + 61), Refused::NotYet);
    check("iat", json!(u64::MAX), Refused::NotYet);
    check("iat_micros", json!(1_000_000), Refused::Malformed);
    check("iat_micros", json!(-1), Refused::Malformed);
    check("iat_micros", json!("1"), Refused::Malformed);
    check("iss", json!("bodega2"), Refused::Foreign);
    check("iss", json!(["bodega"]), Refused::Malformed);
    check("aud", json!("bodega-admin"), Refused::Foreign);
    check("aud", json!(["bodega-shop"]), Refused::Malformed);
    check("typ", json!("refresh"), Refused::WrongKind);
    check("typ", json!("ACCESS"), Refused::Malformed);
    check("sub", json!(42), Refused::Malformed);
    check("sub", json!("0"), Refused::Malformed);
    check("sub", json!("042"), Refused::Malformed);
    check("sub", json!("9007199254740992"), Refused::Malformed);
    check("role", json!("ROOT"), Refused::Malformed);
    check("role", json!("admin"), Refused::Malformed);
    check("scope", json!("everything"), Refused::Malformed);
}

#[test]
fn no_claim_may_be_left_out() {
    for name in ["sub", "role", "typ", "iat", "exp", "iss", "aud"] {
        let (header, mut plain) = parts();
        plain.as_object_mut().unwrap().remove(name);
        assert_eq!(
            access(&signed(&header, &plain)),
            Err(Refused::Malformed),
            "{name}"
        );
    }
}

#[test]
fn a_claim_given_twice_is_refused() {
    let header = URL_SAFE_NO_PAD.encode(parts().0.to_string());
    let doubled = parts().1.to_string().replacen('{', "{\"role\":\"ADMIN\",", 1);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(doubled));
    let key = EncodingKey::from_secret(&OLD);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_eq!(access(&format!("{message}.{signature}")), Err(Refused::Malformed));
}
