//! Who is asking, and whether that is enough.

use kernel::{Instant, UserId};
use token::{Keys, Kind, Refused, Verified, mark};
use web::{Code, Identity, Problem, Role};

use crate::routes::Access;

/// Where marks of dead tokens are read; see [`token::mark`].
pub trait Marks {
    /// The user's mark, if there is one. An error says why nobody knows.
    fn read(&self, user: UserId) -> Result<Option<Vec<u8>>, String>;
}

/// Why a token is not used.
enum Unusable {
    /// It is none, or not a good one.
    Refused(Refused),
    /// It was good until its owner was locked out, logged out everywhere, or got another role or password.
    Dead,
    /// Nobody knows whether it is dead.
    Undecided(Problem),
}

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

/// What the `Authorization` headers of a request show.
pub struct Found(Result<Option<Identity>, Unusable>);

/// Looks at the `Authorization` headers of a request; [`Found::permit`] says what follows.
pub fn find(authorization: &[&[u8]], keys: &Keys, marks: &dyn Marks, now: Instant) -> Found {
    Found(match credentials(authorization) {
        Credentials::None => Ok(None),
        Credentials::Bearer(token) => identity(token, keys, marks, now).map(Some),
        Credentials::Unreadable => Err(Unusable::Refused(Refused::Malformed)),
    })
}

impl Found {
    /// The user, if there is a good token.
    pub fn user(&self) -> Option<UserId> {
        self.0.as_ref().ok()?.map(|identity| identity.user)
    }

    /// The identity to hand over, if the request may go through.
    ///
    /// On an open path an unusable token is ignored: an expired session must not keep anybody from looking at
    /// products or from logging in again. Where it can't be found out whether a good token was called back, nobody
    /// with one gets through, on any path: to be let in wrongly is worse than to wait.
    pub fn permit(self, access: Access) -> Result<Option<Identity>, Problem> {
        match (access, self.0) {
            (_, Err(Unusable::Undecided(problem))) => Err(problem),
            (Access::Open, found) => Ok(found.unwrap_or(None)),
            (Access::User | Access::Admin, Err(Unusable::Refused(refused))) => Err(invalid(refused)),
            (Access::User | Access::Admin, Err(Unusable::Dead)) => Err(dead()),
            (Access::User | Access::Admin, Ok(None)) => Err(missing()),
            (Access::Admin, Ok(Some(identity))) if identity.role != Role::Admin => Err(forbidden()),
            (Access::User | Access::Admin, Ok(Some(identity))) => Ok(Some(identity)),
        }
    }
}

fn identity(token: &str, keys: &Keys, marks: &dyn Marks, now: Instant) -> Result<Identity, Unusable> {
    let verified = keys.verify(token, Kind::Access, now).map_err(Unusable::Refused)?;
    if is_dead(&verified, marks).map_err(Unusable::Undecided)? {
        return Err(Unusable::Dead);
    }
    Ok(Identity {
        user: verified.claims.user,
        role: verified.claims.role,
    })
}

fn is_dead(token: &Verified, marks: &dyn Marks) -> Result<bool, Problem> {
    const OPERATION: &str = "gateway.marks";
    let mark = marks
        .read(token.claims.user)
        .map_err(|why| Problem::unavailable_because(OPERATION, &why))?;
    let Some(bytes) = mark else {
        return Ok(false);
    };
    let until = mark::parse(&bytes).map_err(|error| Problem::defect(OPERATION, &error))?;
    Ok(mark::kills(until, token.issued_at))
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
    unusable(detail)
}

fn dead() -> Problem {
    web::log::info("gateway.auth", "the token was called back");
    unusable("the access token is not valid any more; refresh it or log in again")
}

fn unusable(detail: &str) -> Problem {
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
