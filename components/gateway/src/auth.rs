//! Who is asking, and whether that is enough.

use kernel::Instant;
use token::{Keys, Kind, Refused};
use web::{Code, Identity, Problem, Role};

use crate::routes::Access;

/// What the `Authorization` headers of a request amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials<'a> {
    /// There is no token.
    None,
    /// There is one.
    Bearer(&'a str),
    /// There are several, or one that is not written as RFC 6750 says.
    Unreadable,
}

/// The identity to hand over, if the request may go through.
///
/// On an open path an unusable token is ignored: an expired session must not keep anybody from looking at
/// products or from logging in again.
pub fn admit(
    access: Access,
    authorization: &[&[u8]],
    keys: &Keys,
    now: Instant,
) -> Result<Option<Identity>, Problem> {
    let found = match credentials(authorization) {
        Credentials::None => Ok(None),
        Credentials::Bearer(token) => identity(token, keys, now).map(Some),
        Credentials::Unreadable => Err(Refused::Malformed),
    };
    match (access, found) {
        (Access::Open, found) => Ok(found.unwrap_or(None)),
        (Access::User | Access::Admin, Err(refused)) => Err(invalid(refused)),
        (Access::User | Access::Admin, Ok(None)) => Err(missing()),
        (Access::Admin, Ok(Some(identity))) if identity.role != Role::Admin => Err(forbidden()),
        (Access::User | Access::Admin, Ok(Some(identity))) => Ok(Some(identity)),
    }
}

fn identity(token: &str, keys: &Keys, now: Instant) -> Result<Identity, Refused> {
    let claims = keys.verify(token, Kind::Access, now)?;
    Ok(Identity {
        user: claims.user,
        role: claims.role,
    })
}

/// The scheme is written in any case, another one than Bearer is no token for us.
fn credentials<'a>(authorization: &[&'a [u8]]) -> Credentials<'a> {
    let value = match authorization {
        [] => return Credentials::None,
        [value] => *value,
        _ => return Credentials::Unreadable,
    };
    let Ok(text) = std::str::from_utf8(value) else {
        return Credentials::Unreadable;
    };
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::None;
    }
    let token = token.trim_start_matches(' ');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(allowed) {
        return Credentials::Unreadable;
    }
    Credentials::Bearer(token)
}

fn missing() -> Problem {
    Problem::new(Code::Unauthorized, "log in first, and send the access token")
        .header("www-authenticate", "Bearer")
}

fn invalid(refused: Refused) -> Problem {
    web::log::info("gateway.auth", &refused.to_string());
    let detail = match refused {
        Refused::Expired => "the access token has expired; refresh it or log in again",
        Refused::Malformed
        | Refused::Algorithm
        | Refused::UnknownKey
        | Refused::Forged
        | Refused::Foreign
        | Refused::WrongKind
        | Refused::NotYet => "the access token is not valid; log in again",
    };
    Problem::new(Code::Unauthorized, detail).header("www-authenticate", "Bearer error=\"invalid_token\"")
}

fn forbidden() -> Problem {
    Problem::new(Code::Forbidden, "this needs the role ADMIN")
        .header("www-authenticate", "Bearer error=\"insufficient_scope\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_token_is_read_and_nothing_else() {
        let check = |headers: &[&str], expected: Credentials<'_>| {
            let bytes: Vec<&[u8]> = headers.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(credentials(&bytes), expected, "{headers:?}");
        };
        check(&[], Credentials::None);
        check(&["Bearer a.b.c"], Credentials::Bearer("a.b.c"));
        check(&["bEARER  a.b.c "], Credentials::Bearer("a.b.c"));
        check(&["Basic YTpi"], Credentials::None);
        check(&[""], Credentials::None);
        check(&["Bearera.b.c"], Credentials::None);
        check(&["Bearer"], Credentials::Unreadable);
        check(&["Bearer "], Credentials::Unreadable);
        check(&["Bearer a b"], Credentials::Unreadable);
        check(&["Bearer a,Bearer b"], Credentials::Unreadable);
        check(&["Bearer a\tb"], Credentials::Unreadable);
        check(&["Bearer 가"], Credentials::Unreadable);
        check(&["Bearer a", "Bearer a"], Credentials::Unreadable);
        check(&["Basic YTpi", "Bearer a"], Credentials::Unreadable);
        assert_eq!(credentials(&[b"Bearer \xff"]), Credentials::Unreadable);
    }
}
