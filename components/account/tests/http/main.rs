//! The routes from request to answer, on SQLite and with hashes that cost nothing.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod admin;
mod conditional;
mod lockout;
mod shop;
mod uniform;

use account::domain::{Argon2id, DUMMY_HASH, Hashing};
use expect_test::expect;
use kernel::{Millis, UserId};
use serde_json::{Value, json};
use store::params;
use token::Kind;
use web::{IDENTITY_HEADER, Method, Request, Response, Role};

use shop::{NOW, Shop, body, shown, with_json};

store_suite::also_on_postgres!();

#[test]
fn a_newcomer_signs_up_logs_in_and_is_known() {
    let (shop, id) = Shop::with_user();
    let login = shop.log_in(" A@B.kr ", "passw0rd");
    assert_eq!(login.status(), 200);
    assert_eq!(login.header_value("cache-control"), Some("no-store"));
    let pair = body(&login);
    assert_eq!(
        (&pair["tokenType"], &pair["expiresIn"]),
        (&json!("Bearer"), &json!(1800))
    );
    let access = pair["accessToken"].as_str().unwrap();
    let claims = shop.keys.verify(access, Kind::Access, NOW).unwrap().claims;
    assert_eq!((claims.user, claims.role), (id, Role::User));
    assert!(shop.keys.verify(access, Kind::Refresh, NOW).is_err());
    let me = shop.send(&shop.as_user(id, Request::new(Method::Get, "/users/me")));
    assert_eq!(
        body(&me),
        json!({"id": id.get(), "email": "a@b.kr", "name": "김민수", "phone": null, "role": "USER",
            "createdAt": "2026-09-21T14:13:20.000Z"})
    );
}

#[test]
fn the_answer_to_a_sign_up_is_the_account_and_where_it_is() {
    let shop = Shop::new();
    let body =
        json!({"email": " Kim@B.kr", "password": "passw0rd", "name": " Kim ", "phone": "010-1234-5678"});
    let response = shop.post("/users", &body);
    expect![[r#"201 {"id":444910796800001,"email":"Kim@B.kr","name":"Kim"}"#]].assert_eq(&shown(&response));
    assert_eq!(response.header_value("location"), Some("/users/me"));
    let again = shop.post("/users", &body);
    expect![[r#"409 {"type":"/problems/conflict","title":"The current state does not allow this","status":409,"detail":"there is an account with this e-mail already","error":"CONFLICT","message":"there is an account with this e-mail already"}"#]].assert_eq(&shown(&again));
}

#[test]
fn an_id_that_is_taken_is_not_given_out_again() {
    let (shop, first) = Shop::with_user();
    shop.calls.set(0);
    let response = shop.post(
        "/users",
        &json!({"email": "c@d.kr", "password": "passw0rd", "name": "x"}),
    );
    assert_eq!(response.status(), 201);
    assert_ne!(body(&response)["id"], json!(first.get()));
}

#[test]
fn a_bad_sign_up_names_every_bad_field_and_changes_nothing() {
    let shop = Shop::new();
    let check = |sent: Value, expected: expect_test::Expect| {
        expected.assert_eq(&shown(&shop.post("/users", &sent)));
    };
    check(
        json!({"email": "a", "password": "short", "name": " ", "phone": "x"}),
        expect![[
            r#"400 {"type":"/problems/validation-failed","title":"A value is not allowed","status":400,"detail":"email must look like name@example.com; password must have at least 8 characters; name must not be blank; phone must be 3 to 15 digits, with - between them and + in front if you like","error":"VALIDATION_FAILED","message":"email must look like name@example.com; password must have at least 8 characters; name must not be blank; phone must be 3 to 15 digits, with - between them and + in front if you like","errors":[{"field":"email","message":"must look like name@example.com"},{"field":"password","message":"must have at least 8 characters"},{"field":"name","message":"must not be blank"},{"field":"phone","message":"must be 3 to 15 digits, with - between them and + in front if you like"}]}"#
        ]],
    );
    check(
        json!({"email": "a@b.kr", "password": "passw0rd", "name": "x", "role": "ADMIN"}),
        expect![[
            r#"400 {"type":"/problems/malformed-request","title":"The request can't be understood","status":400,"detail":"the body is not as expected: unknown field `role`, expected one of `email`, `password`, `name`, `phone` at line 1 column 57","error":"MALFORMED_REQUEST","message":"the body is not as expected: unknown field `role`, expected one of `email`, `password`, `name`, `phone` at line 1 column 57"}"#
        ]],
    );
    check(
        json!({"email": "a@b.kr", "password": 12345678, "name": "x"}),
        expect![[
            r#"400 {"type":"/problems/malformed-request","title":"The request can't be understood","status":400,"detail":"the body is not as expected: invalid type: integer `12345678`, expected a string at line 1 column 48","error":"MALFORMED_REQUEST","message":"the body is not as expected: invalid type: integer `12345678`, expected a string at line 1 column 48"}"#
        ]],
    );
    check(
        json!({"email": "a@b.kr"}),
        expect![[
            r#"400 {"type":"/problems/malformed-request","title":"The request can't be understood","status":400,"detail":"the body is not as expected: missing field `password` at line 1 column 18","error":"MALFORMED_REQUEST","message":"the body is not as expected: missing field `password` at line 1 column 18"}"#
        ]],
    );
    check(
        json!([]),
        expect![[
            r#"400 {"type":"/problems/malformed-request","title":"The request can't be understood","status":400,"detail":"the body must be a JSON object","error":"MALFORMED_REQUEST","message":"the body must be a JSON object"}"#
        ]],
    );
    let rows = shop.accounts.0.read("select user_id from account", params![]);
    assert_eq!((rows.unwrap().len(), shop.hashing.hashed.get()), (0, 0));
}

#[test]
fn a_refused_login_looks_and_costs_the_same_whatever_was_wrong() {
    let (shop, _) = Shop::with_user();
    let check = |email: &str, password: &str| {
        let before = (shop.hashing.verified.get(), shop.hashing.hashed.get());
        let response = shop.log_in(email, password);
        let after = (shop.hashing.verified.get(), shop.hashing.hashed.get());
        assert_eq!(
            (after.0 - before.0, after.1 - before.1),
            (1, 0),
            "{email} {password}"
        );
        response
    };
    let wrong = check("a@b.kr", "passw0rD");
    assert_eq!(wrong.status(), 401);
    assert_eq!(wrong.header_value("www-authenticate"), Some("Bearer"));
    assert_eq!(check("nobody@b.kr", "passw0rd"), wrong);
    assert_eq!(check("no address", "passw0rd"), wrong);
    assert_eq!(check("", ""), wrong);
    assert_eq!(check("a@b.kr", &"x".repeat(10_000)), wrong);
    shop.set("status", "SUSPENDED");
    assert_eq!(
        check("a@b.kr", "passw0rD"),
        wrong,
        "only the owner learns of the suspension"
    );
    assert_eq!(check("a@b.kr", "passw0rd").status(), 403);
}

#[test]
fn an_unknown_user_costs_a_real_verification() {
    assert_eq!(Argon2id.verify("passw0rd", DUMMY_HASH), Ok(false));
}

#[test]
fn a_login_renews_a_hash_with_old_parameters_once() {
    let (shop, _) = Shop::with_user();
    shop.set("password_hash", "old:passw0rd");
    assert_eq!(shop.log_in("a@b.kr", "wrong").status(), 401);
    let hashed = shop.hashing.hashed.get();
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 200);
    assert_eq!(shop.log_in("a@b.kr", "passw0rd").status(), 200);
    assert_eq!(shop.hashing.hashed.get() - hashed, 1);
}

#[test]
fn a_session_goes_on_until_a_token_is_used_twice() {
    let (shop, id) = Shop::with_user();
    let refresh = |pair: &Value| shop.post("/auth/refresh", &json!({"refreshToken": pair["refreshToken"]}));
    let first = body(&shop.log_in("a@b.kr", "passw0rd"));
    shop.set("role", "ADMIN");
    let answer = refresh(&first);
    assert_eq!(answer.status(), 200);
    let second = body(&answer);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let access = second["accessToken"].as_str().unwrap();
    let claims = shop.keys.verify(access, Kind::Access, NOW).unwrap().claims;
    assert_eq!(
        (claims.user, claims.role),
        (id, Role::Admin),
        "the role is read again"
    );
    let again = body(&refresh(&first));
    assert_eq!(
        shop.keys
            .verify(again["refreshToken"].as_str().unwrap(), Kind::Refresh, NOW),
        shop.keys
            .verify(second["refreshToken"].as_str().unwrap(), Kind::Refresh, NOW),
        "a second tab gets the same session's next token"
    );
    shop.now.set(NOW.after(Millis(10_000)));
    let reused = refresh(&first);
    expect![[r#"401 {"type":"/problems/unauthorized","title":"Authentication is required","status":401,"detail":"the refresh token is not valid; log in again","error":"UNAUTHORIZED","message":"the refresh token is not valid; log in again"}"#]].assert_eq(&shown(&reused));
    assert_eq!(refresh(&second), reused, "the thief's token is dead too");
}

#[test]
fn what_is_not_a_live_refresh_token_gets_one_answer() {
    let (shop, _) = Shop::with_user();
    let pair = body(&shop.log_in("a@b.kr", "passw0rd"));
    let refresh = |token: &Value| shop.post("/auth/refresh", &json!({"refreshToken": token}));
    let refused = refresh(&json!("nonsense"));
    assert_eq!(refused.status(), 401);
    assert_eq!(refresh(&pair["accessToken"]), refused);
    shop.now.set(Kind::Refresh.expiry(NOW));
    assert_eq!(refresh(&pair["refreshToken"]), refused);
    shop.now.set(NOW);
    assert_eq!(refresh(&pair["refreshToken"]).status(), 200);
}

#[test]
fn logging_out_ends_the_session_and_may_be_repeated() {
    let (shop, id) = Shop::with_user();
    let mut pairs = (0..3).map(|_| body(&shop.log_in("a@b.kr", "passw0rd")));
    let (first, second, third) = (
        pairs.next().unwrap(),
        pairs.next().unwrap(),
        pairs.next().unwrap(),
    );
    let refresh = |pair: &Value| {
        let body = json!({"refreshToken": pair["refreshToken"]});
        shop.post("/auth/refresh", &body).status()
    };
    let log_out = |pair: Option<&Value>, user| {
        let request = Request::new(Method::Post, "/auth/logout");
        let request = match pair {
            Some(pair) => with_json(request, &json!({"refreshToken": pair["refreshToken"]})),
            None => request,
        };
        shop.send(&shop.as_user(user, request)).status()
    };
    assert_eq!(log_out(Some(&first), UserId::try_new(99).unwrap()), 401);
    assert_eq!(log_out(Some(&first), id), 204);
    assert_eq!(log_out(Some(&first), id), 204);
    assert_eq!((refresh(&first), refresh(&second)), (401, 200));
    assert_eq!(log_out(None, id), 204);
    assert_eq!(refresh(&third), 401);
    let nobody = shop.send(&Request::new(Method::Post, "/auth/logout"));
    assert_eq!(nobody.status(), 401);
}

#[test]
fn a_body_without_its_type_is_not_taken_for_none() {
    let (shop, id) = Shop::with_user();
    let pair = body(&shop.log_in("a@b.kr", "passw0rd"));
    let sent = json!({"refreshToken": "of another session"}).to_string();
    let request = Request::new(Method::Post, "/auth/logout").with_body(sent);
    assert_eq!(shop.send(&shop.as_user(id, request)).status(), 415);
    let refreshed = shop.post("/auth/refresh", &json!({"refreshToken": pair["refreshToken"]}));
    assert_eq!(refreshed.status(), 200, "nothing has ended");
}

#[test]
fn no_page_takes_parameters_it_does_not_know() {
    let (shop, id) = Shop::with_user();
    for (method, path) in [
        (Method::Post, "/users"),
        (Method::Post, "/auth/login"),
        (Method::Post, "/auth/refresh"),
        (Method::Post, "/auth/logout"),
        (Method::Get, "/users/me"),
        (Method::Patch, "/users/me"),
        (Method::Post, "/users/me/password"),
    ] {
        let request = Request::new(method, &format!("{path}?x=1"));
        let response = shop.send(&shop.as_user(id, request));
        assert_eq!(response.status(), 400, "{path}");
        assert!(shown(&response).contains("x is unknown here"), "{path}");
    }
}

#[test]
fn a_profile_changes_by_field() {
    let (shop, id) = Shop::with_user();
    let patch = |sent: Value| {
        let request = with_json(Request::new(Method::Patch, "/users/me"), &sent);
        shop.send(&shop.as_user(id, request))
    };
    let fields = |response: Response| {
        let body = body(&response);
        (body["name"].clone(), body["phone"].clone())
    };
    assert_eq!(fields(patch(json!({}))), (json!("김민수"), json!(null)));
    assert_eq!(
        fields(patch(json!({"phone": "112"}))),
        (json!("김민수"), json!("112"))
    );
    assert_eq!(
        fields(patch(json!({"name": "이영희"}))),
        (json!("이영희"), json!("112"))
    );
    assert_eq!(
        fields(patch(json!({"phone": null}))),
        (json!("이영희"), json!(null))
    );
    for bad in [
        json!({"name": null}),
        json!({"name": ""}),
        json!({"phone": "x", "name": "y"}),
        json!({"email": "c@d.kr"}),
        json!({"role": "ADMIN"}),
        json!({"name": 1}),
        json!(null),
    ] {
        assert_eq!(patch(bad.clone()).status(), 400, "{bad}");
    }
    assert_eq!(fields(patch(json!({}))), (json!("이영희"), json!(null)));
}

#[test]
fn only_the_gateways_word_says_who_is_calling() {
    let (shop, id) = Shop::with_user();
    let me = || Request::new(Method::Get, "/users/me");
    let status = |request: Request| shop.send(&request).status();
    assert_eq!(status(me()), 401);
    assert_eq!(status(me().with_header("x-user-id", id.to_string())), 401);
    assert_eq!(status(me().with_header(IDENTITY_HEADER, "v1.1.ADMIN.9.x")), 401);
    assert_eq!(status(shop.as_user(id, me())), 200);
    assert_eq!(
        status(shop.as_user(UserId::try_new(404).unwrap(), me())),
        401,
        "the account is gone"
    );
    let old = shop.as_user(id, me());
    shop.now.set(NOW.after(Millis(30_000)));
    assert_eq!(status(old), 401);
    shop.set("status", "SUSPENDED");
    assert_eq!(status(shop.as_user(id, me())), 403);
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let shop = Shop::new();
    let refused = |method, path| {
        let response = shop.send(&Request::new(method, path));
        (
            response.status(),
            response.header_value("allow").map(str::to_owned),
        )
    };
    assert_eq!(
        refused(Method::Get, "/users"),
        (405, Some("OPTIONS, POST".to_owned()))
    );
    assert_eq!(
        refused(Method::Delete, "/users/me"),
        (405, Some("GET, HEAD, OPTIONS, PATCH".to_owned()))
    );
    assert_eq!(
        refused(Method::Get, "/auth/login"),
        (405, Some("OPTIONS, POST".to_owned()))
    );
    assert_eq!(refused(Method::Get, "/users/1"), (404, None));
    assert_eq!(refused(Method::Post, "/auth"), (404, None));
}
