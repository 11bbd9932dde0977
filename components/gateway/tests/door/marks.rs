//! Tokens that were called back.

use gateway::auth::Marks;
use gateway::door::Decision;
use kernel::UserId;
use token::Kind;
use web::{Method, Role};

use crate::{LONG_AGO, NOW, decide_with, head, keys, seen, token, user};

/// What the store of marks says of every user.
pub(crate) enum Mark {
    None,
    At(&'static str),
    Gone,
}

impl Marks for Mark {
    fn read(&self, user: UserId) -> Result<Option<Vec<u8>>, String> {
        assert_eq!(user.get(), 42);
        match self {
            Self::None => Ok(None),
            Self::At(text) => Ok(Some(text.as_bytes().to_vec())),
            Self::Gone => Err("the store does not answer".to_owned()),
        }
    }
}

#[test]
fn a_token_made_before_its_owners_mark_is_dead_at_once() {
    let outcome = |marks: &Mark, target: &str| {
        let token = user();
        match decide_with(marks, &head(Method::Get, target, &[("authorization", &token)])) {
            Decision::Answer(response) => {
                let challenge = response.header_value("www-authenticate").unwrap_or("-");
                format!("{} {challenge}", response.status())
            }
            Decision::Forward(forward) => seen(&forward.headers),
            Decision::Readiness | Decision::Contract => panic!("answered here"),
        }
    };
    let dead = "401 Bearer error=\"invalid_token\"";
    // The token was made at NOW.
    let table = [
        (Mark::None, "42/USER", "42/USER"),
        (Mark::At("1789999999999999"), "42/USER", "42/USER"),
        (Mark::At("1790000000000000"), dead, "-"),
        (Mark::At("1790000000000001"), dead, "-"),
        (Mark::Gone, "503 -", "503 -"),
        (Mark::At("yesterday"), "500 -", "500 -"),
    ];
    for (marks, guarded, open) in table {
        assert_eq!(outcome(&marks, "/orders"), guarded);
        assert_eq!(outcome(&marks, "/products"), open);
    }
}

#[test]
fn only_a_good_token_asks_for_marks() {
    let status = |authorization: &str, target: &str| {
        let head = head(Method::Get, target, &[("authorization", authorization)]);
        match decide_with(&Mark::Gone, &head) {
            Decision::Answer(response) => response.status(),
            Decision::Forward(_) => 200,
            Decision::Readiness | Decision::Contract => panic!("answered here"),
        }
    };
    let expired = token(&keys(1), Role::Admin, Kind::Access, LONG_AGO);
    let forged = token(&keys(2), Role::User, Kind::Access, NOW);
    for unusable in ["Bearer jobs-key", &expired, &forged] {
        assert_eq!(status(unusable, "/internal/jobs/run"), 200, "{unusable}");
        assert_eq!(status(unusable, "/products"), 200, "{unusable}");
        assert_eq!(status(unusable, "/orders"), 401, "{unusable}");
    }
    assert_eq!(status("", "/products"), 200, "who has no token needs no marks");
}
