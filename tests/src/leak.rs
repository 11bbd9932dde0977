//! What must never stand in a log.

use std::sync::LazyLock;

/// What gives a secret or a person away, and what it is.
const WORDS: &[(&str, &str)] = &[
    ("pass1234", "a password"),
    ("김보데", "a name"),
    ("Bearer ", "a credential"),
    ("bearer ", "a credential"),
    ("$argon2", "a password's hash"),
];

static SECRETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let secrets = crate::secrets().into_iter();
    let values = secrets.map(|(_, value)| value.rsplit(':').next().unwrap_or_default().to_owned());
    values.collect()
});

/// The secrets and the people in a log, a line each: where, and what it is.
pub fn leaks(log: &str) -> Vec<String> {
    let lines = log.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            found(line).map(move |what| format!("line {}: {what}: {line}", number + 1))
        })
        .collect()
}

fn found(line: &str) -> impl Iterator<Item = &'static str> {
    let words = WORDS
        .iter()
        .filter(|(word, _)| line.contains(word))
        .map(|(_, what)| *what);
    let key = SECRETS
        .iter()
        .any(|secret| line.contains(secret.as_str()))
        .then_some("a key of the shop");
    let token = line
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .any(is_token)
        .then_some("a token");
    let email = line
        .split(|c: char| c.is_whitespace() || "\"'<>(),;=".contains(c))
        .any(is_email)
        .then_some("an e-mail");
    words.chain(key).chain(token).chain(email)
}

/// Three parts in base64, of which the first begins as `{"` does.
fn is_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.len() > 40 && word.matches('.').count() == 2
}

/// `local@domain.letters`; a version, such as `stock@0.1.0`, is none.
fn is_email(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else {
        return false;
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    let top = top.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    !local.is_empty()
        && domain.contains('.')
        && top.len() > 1
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_people_are_found_and_nothing_else_is() {
        let token = crate::token_of(7, web::Role::User);
        let [(_, jwt_keys), (_, identity_key), ..] = crate::secrets();
        for line in [
            "login with pass1234",
            "authorization: Bearer abc",
            "name=\"김보데\"",
            &format!("token={token}"),
            &format!("keys {jwt_keys}"),
            &format!("key={identity_key}"),
            "user kim.1@example.com signed up",
            "email=\"kim@shop.co.kr\".",
            "$argon2id$v=19$m=19456",
        ] {
            assert_eq!(leaks(line).len(), 1, "{line}: {:?}", leaks(line));
        }
        for line in [
            "shop:stock/stock@0.1.0 is imported",
            "spin:sqlite/sqlite@3.0.0",
            "a token was called back",
            "answered method=GET path=/users/me status=200",
            "eyJ is short",
        ] {
            assert_eq!(leaks(line), Vec::<String>::new(), "{line}");
        }
    }
}
