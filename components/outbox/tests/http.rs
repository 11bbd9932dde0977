//! Who may run the jobs, and what the answer looks like.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::cell::Cell;

use expect_test::expect;
use outbox::app::{Account, Chore, Producer, Report, Tally, Trouble};
use outbox::http::handle;
use testkit::uniform::{Body, Path, check};
use web::{CREDENTIAL_HEADER, InternalKey, Method, Request, Response};

fn report() -> Report {
    let counts = |done, left, stuck| Tally { done, left, stuck };
    Report {
        accounts: vec![
            Account {
                producer: Producer::Order,
                chores: vec![
                    (Chore::RecoverOrders, counts(1, 2, 3)),
                    (Chore::ExpireOrders, counts(0, 0, 0)),
                ],
                published: 4,
                troubles: vec![],
            },
            Account {
                producer: Producer::Payment,
                chores: vec![],
                published: 5,
                troubles: vec![Trouble::Chore {
                    chore: "recover",
                    why: "the payment store does not answer".to_owned(),
                }],
            },
        ],
    }
}

/// The answer to a request with this credential, and whether the jobs ran.
fn ask(request: &Request, key: &str) -> (Response, bool) {
    let ran = Cell::new(false);
    let response = handle(request, &InternalKey::new(key), || {
        ran.set(true);
        report()
    });
    (response, ran.get())
}

fn post(credential: &str) -> Request {
    Request::new(Method::Post, "/internal/jobs/run").with_header(CREDENTIAL_HEADER, credential)
}

#[test]
fn only_the_key_opens_the_route() {
    let bare = || Request::new(Method::Post, "/internal/jobs/run");
    let rows = [
        ("the key", post("Bearer secret"), "secret"),
        ("scheme in lower case", post("bearer secret"), "secret"),
        (
            "a body, not looked at",
            post("Bearer secret").with_body("{broken"),
            "secret",
        ),
        ("no credential", bare(), "secret"),
        (
            "another header",
            bare().with_header("authorization", "Bearer secret"),
            "secret",
        ),
        ("another key", post("Bearer secreT"), "secret"),
        ("a longer key", post("Bearer secret2"), "secret"),
        ("a shorter key", post("Bearer secre"), "secret"),
        ("an empty key", post("Bearer "), "secret"),
        ("no scheme", post("secret"), "secret"),
        ("another scheme", post("Basic secret"), "secret"),
        (
            "two credentials",
            post("Bearer secret").with_header(CREDENTIAL_HEADER, "Bearer secret"),
            "secret",
        ),
        ("no key is set", post("Bearer secret"), ""),
        ("no key is set, none given", post("Bearer "), ""),
        ("a blank key is set", post("Bearer  "), " "),
        (
            "a query",
            Request::new(Method::Post, "/internal/jobs/run?x=1")
                .with_header(CREDENTIAL_HEADER, "Bearer secret"),
            "secret",
        ),
        ("GET", Request::new(Method::Get, "/internal/jobs/run"), "secret"),
        ("PUT", Request::new(Method::Put, "/internal/jobs/run"), ""),
        (
            "another path",
            Request::new(Method::Post, "/internal/jobs"),
            "secret",
        ),
    ];
    let mut table = String::new();
    for (what, request, key) in rows {
        let (response, ran) = ask(&request, key);
        assert_eq!(ran, response.status() == 200, "{what}");
        table += &format!("{what:<26}{}\n", response.status());
    }
    expect![[r#"
        the key                   200
        scheme in lower case      200
        a body, not looked at     200
        no credential             401
        another header            401
        another key               401
        a longer key              401
        a shorter key             401
        an empty key              401
        no scheme                 401
        another scheme            401
        two credentials           401
        no key is set             403
        no key is set, none given 403
        a blank key is set        403
        a query                   400
        GET                       405
        PUT                       405
        another path              404
    "#]]
    .assert_eq(&table);
    assert_eq!(
        ask(&bare(), "secret").0.header_value("www-authenticate"),
        Some("Bearer")
    );
    let get = Request::new(Method::Get, "/internal/jobs/run");
    assert_eq!(ask(&get, "secret").0.header_value("allow"), Some("OPTIONS, POST"));
}

#[test]
fn the_answer_says_what_was_done_and_what_failed() {
    let (response, _) = ask(&post("Bearer secret"), "secret");
    expect![[r#"{"failed":["payment: recover failed: the payment store does not answer"],"order":{"expire":{"done":0,"left":0,"stuck":0},"published":4,"recover":{"done":1,"left":2,"stuck":3}},"payment":{"published":5},"published":9}"#]].assert_eq(std::str::from_utf8(response.body()).unwrap());
}

#[test]
fn the_route_refuses_as_all_do() {
    let paths = [Path("/internal/jobs/run", &[(Method::Post, Body::Ignored)])];
    check(&paths, |request| {
        ask(&request.with_header(CREDENTIAL_HEADER, "Bearer secret"), "secret").0
    });
}
