//! The whole table of paths and tokens, and what a forwarded request carries.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod bounds;
mod limits;
mod marks;
mod uniform;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use gateway::client::Proxies;
use gateway::cors::Origins;
use gateway::door::{Decision, Door, Forward, Head};
use gateway::headers::{Headers, values};
use gateway::limit::Limiter;
use gateway::routes::Upstream;
use kernel::{Instant, UserId};
use token::{Claims, Keys, Kind};
use web::{CREDENTIAL_HEADER, IDENTITY_HEADER, Identity, IdentityKey, Method, Response, Role};

use limits::{NO_LIMITS, Used};
use marks::Mark;

const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
const LONG_AGO: Instant = Instant::from_micros(1_780_000_000_000_000);

fn keys(byte: u8) -> Keys {
    Keys::parse(&format!("k1:{}", STANDARD.encode([byte; 32]))).unwrap()
}

fn identity_key() -> IdentityKey {
    IdentityKey::from_base64(&STANDARD.encode([9; 32])).unwrap()
}

fn token(keys: &Keys, role: Role, kind: Kind, at: Instant) -> String {
    let claims = Claims {
        user: UserId::try_new(42).unwrap(),
        role,
        kind,
        id: None,
    };
    format!("Bearer {}", keys.sign(&claims, at).unwrap())
}

fn user() -> String {
    token(&keys(1), Role::User, Kind::Access, NOW)
}

fn admin() -> String {
    token(&keys(1), Role::Admin, Kind::Access, NOW)
}

fn head(method: Method, target: &str, headers: &[(&str, &str)]) -> Head {
    let headers = headers.iter();
    Head {
        method,
        target: target.to_owned(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    }
}

fn decide(head: &Head) -> Decision {
    decide_with(&Mark::None, head)
}

fn decide_with(marks: &Mark, head: &Head) -> Decision {
    decide_for(marks, &Origins::None, head)
}

fn decide_for(marks: &Mark, origins: &Origins, head: &Head) -> Decision {
    let key = identity_key();
    let door = Door {
        keys: &keys(1),
        marks,
        identities: &key,
        proxies: &Proxies::default(),
        limiter: Limiter {
            quotas: &NO_LIMITS,
            table: &Used::default(),
            key: &key,
        },
        now: NOW,
        request_id: 7,
        span_id: 10,
        origins,
    };
    door.decide(head).decision
}

fn forward(head: &Head) -> Forward {
    match decide(head) {
        Decision::Forward(forward) => forward,
        other => panic!("{other:?}"),
    }
}

fn refusal(head: &Head) -> Response {
    match decide(head) {
        Decision::Answer(response) => response,
        other => panic!("{other:?}"),
    }
}

/// Whose request it is for the component behind, as the component itself will find out.
fn seen(headers: &Headers) -> String {
    let found = values(headers, IDENTITY_HEADER);
    match found.as_slice() {
        [] => "-".to_owned(),
        [value] => {
            let text = std::str::from_utf8(value).unwrap();
            let Identity { user, role } = identity_key().verify(text, NOW).unwrap();
            format!("{user}/{}", role.text())
        }
        several => panic!("{} identities", several.len()),
    }
}

fn outcome(path: &str, authorization: Option<&str>) -> String {
    let headers: Vec<_> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    match decide(&head(Method::Get, path, &headers)) {
        Decision::Answer(response) => response.status().to_string(),
        Decision::Readiness => "ready?".to_owned(),
        Decision::Contract => "document".to_owned(),
        Decision::Metrics => "metrics?".to_owned(),
        Decision::Forward(forward) => format!("{} {}", forward.upstream.name(), seen(&forward.headers)),
    }
}

#[test]
fn only_the_internal_routes_get_the_clients_own_credential() {
    let credentials = |target: &str, authorization: &[&str]| {
        let mut given: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", *value))
            .collect();
        given.push(("x-bodega-credential", "Bearer forged"));
        given.push(("X_Bodega_Credential", "Bearer forged"));
        match decide(&head(Method::Post, target, &given)) {
            Decision::Forward(forward) => values(&forward.headers, CREDENTIAL_HEADER)
                .iter()
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        credentials("/internal/jobs/run", &["Bearer secret"]),
        ["Bearer secret"]
    );
    assert_eq!(
        credentials("/internal/jobs/run", &["Bearer a", "Bearer b"]).len(),
        2
    );
    assert_eq!(credentials("/internal/jobs/run", &[]), [""; 0]);
    assert_eq!(
        credentials("/internal/admins", &["Bearer secret"]),
        ["Bearer secret"]
    );
    assert_eq!(credentials("/admin/users", &[&admin()]), [""; 0]);
    assert_eq!(credentials("/products", &["Bearer secret"]), [""; 0]);
}

#[test]
fn who_gets_where() {
    let expired = token(&keys(1), Role::Admin, Kind::Access, LONG_AGO);
    let (user, admin) = (user(), admin());
    let paths = [
        "/",
        "/products",
        "/products/1",
        "/products?name=a",
        "/productsx",
        "/users",
        "/users/",
        "/users/7",
        "/users/me",
        "/users/me/",
        "/users/me/password",
        "/users/men",
        "/users/me/coupons",
        "/auth/login",
        "/auth/logout",
        "/auth",
        "/orders",
        "/orders/",
        "/orders/17",
        "/orders/me?limit=1",
        "/ordersx",
        "/ORDERS",
        "/Orders/17",
        "/payments",
        "/payments/17",
        "/payments/confirm",
        "/payments/webhook",
        "/payments/webhooks",
        "/settlements/daily?date=2026-01-01",
        "/admin/settlements/reconciliation",
        "/admin/orders/stuck",
        "/admin/payments/1/refunds",
        "/cart",
        "/cart/items",
        "/points",
        "/points/history",
        "/coupons",
        "/coupons/1/issue",
        "/shipping",
        "/shipping/1",
        "/admin",
        "/admin/",
        "/admin/stock",
        "/admin/stock/1",
        "/admin/stocks",
        "/admin/users",
        "/Admin/stock",
        "/health/live",
        "/health/ready",
        "/health",
        "/problems",
        "/problems/conflict",
        "/problems/nothing",
        "/problemsx",
        "/admin/users/7",
        "/admin/usersx",
        "/internal/recover",
        "/internal/metrics",
        "/internal/admins",
        "/internal/adminsx",
        "/api-docs",
        "/api-docs/swagger-ui-bundle.js?v=1",
        "/api-docsx",
        "//orders",
        "/orders/../admin/stock",
        "/%6frders",
        "/orders%2f1",
        "/orders;a=b",
        "/products/../orders/1",
        "/products/%2e%2e/orders/1",
    ];
    let mut table = format!(
        "{:<28} {:<10} {:<10} {:<18} {}\n",
        "", "no token", "expired", "user", "admin"
    );
    for path in paths {
        let cells = [
            None,
            Some(expired.as_str()),
            Some(user.as_str()),
            Some(admin.as_str()),
        ];
        let [none, expired, user, admin] = cells.map(|token| outcome(path, token));
        table += &format!("{path:<28} {none:<10} {expired:<10} {user:<18} {admin}\n");
    }
    expect![[r#"
                                     no token   expired    user               admin
        /                            404        404        404                404
        /products                    product -  product -  product 42/USER    product 42/ADMIN
        /products/1                  product -  product -  product 42/USER    product 42/ADMIN
        /products?name=a             product -  product -  product 42/USER    product 42/ADMIN
        /productsx                   404        404        404                404
        /users                       account -  account -  account 42/USER    account 42/ADMIN
        /users/                      account -  account -  account 42/USER    account 42/ADMIN
        /users/7                     account -  account -  account 42/USER    account 42/ADMIN
        /users/me                    401        401        account 42/USER    account 42/ADMIN
        /users/me/                   401        401        account 42/USER    account 42/ADMIN
        /users/me/password           401        401        account 42/USER    account 42/ADMIN
        /users/men                   account -  account -  account 42/USER    account 42/ADMIN
        /users/me/coupons            401        401        account 42/USER    account 42/ADMIN
        /auth/login                  account -  account -  account 42/USER    account 42/ADMIN
        /auth/logout                 account -  account -  account 42/USER    account 42/ADMIN
        /auth                        account -  account -  account 42/USER    account 42/ADMIN
        /orders                      401        401        order 42/USER      order 42/ADMIN
        /orders/                     401        401        order 42/USER      order 42/ADMIN
        /orders/17                   401        401        order 42/USER      order 42/ADMIN
        /orders/me?limit=1           401        401        order 42/USER      order 42/ADMIN
        /ordersx                     404        404        404                404
        /ORDERS                      404        404        404                404
        /Orders/17                   404        404        404                404
        /payments                    401        401        payment 42/USER    payment 42/ADMIN
        /payments/17                 401        401        payment 42/USER    payment 42/ADMIN
        /payments/confirm            401        401        order 42/USER      order 42/ADMIN
        /payments/webhook            order -    order -    order 42/USER      order 42/ADMIN
        /payments/webhooks           401        401        payment 42/USER    payment 42/ADMIN
        /settlements/daily?date=2026-01-01 settlement - settlement - settlement 42/USER settlement 42/ADMIN
        /admin/settlements/reconciliation 401        401        403                settlement 42/ADMIN
        /admin/orders/stuck          401        401        403                order 42/ADMIN
        /admin/payments/1/refunds    401        401        403                payment 42/ADMIN
        /cart                        401        401        cart 42/USER       cart 42/ADMIN
        /cart/items                  401        401        cart 42/USER       cart 42/ADMIN
        /points                      401        401        404                404
        /points/history              401        401        404                404
        /coupons                     401        401        404                404
        /coupons/1/issue             401        401        404                404
        /shipping                    401        401        404                404
        /shipping/1                  401        401        404                404
        /admin                       401        401        403                404
        /admin/                      401        401        403                404
        /admin/stock                 401        401        403                stock 42/ADMIN
        /admin/stock/1               401        401        403                stock 42/ADMIN
        /admin/stocks                401        401        403                404
        /admin/users                 401        401        403                account 42/ADMIN
        /Admin/stock                 404        404        404                404
        /health/live                 200        200        200                200
        /health/ready                ready?     ready?     ready?             ready?
        /health                      404        404        404                404
        /problems                    200        200        200                200
        /problems/conflict           200        200        200                200
        /problems/nothing            404        404        404                404
        /problemsx                   404        404        404                404
        /admin/users/7               401        401        403                account 42/ADMIN
        /admin/usersx                401        401        403                404
        /internal/recover            outbox -   outbox -   outbox 42/USER     outbox 42/ADMIN
        /internal/metrics            metrics?   metrics?   metrics?           metrics?
        /internal/admins             account -  account -  account 42/USER    account 42/ADMIN
        /internal/adminsx            outbox -   outbox -   outbox 42/USER     outbox 42/ADMIN
        /api-docs                    api-docs - api-docs - api-docs 42/USER   api-docs 42/ADMIN
        /api-docs/swagger-ui-bundle.js?v=1 api-docs - api-docs - api-docs 42/USER   api-docs 42/ADMIN
        /api-docsx                   404        404        404                404
        //orders                     400        400        400                400
        /orders/../admin/stock       400        400        400                400
        /%6frders                    400        400        400                400
        /orders%2f1                  400        400        400                400
        /orders;a=b                  400        400        400                400
        /products/../orders/1        400        400        400                400
        /products/%2e%2e/orders/1    400        400        400                400
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_token_that_is_not_a_good_access_token_is_refused_where_one_is_needed() {
    let check = |authorization: &str, challenge: &str| {
        let response = refusal(&head(Method::Get, "/orders", &[("authorization", authorization)]));
        assert_eq!(response.status(), 401, "{authorization}");
        assert_eq!(
            response.header_value("www-authenticate"),
            Some(challenge),
            "{authorization}"
        );
        assert_eq!(
            outcome("/admin/stock", Some(authorization)),
            "401",
            "{authorization}"
        );
        assert_eq!(
            outcome("/products", Some(authorization)),
            "product -",
            "{authorization}"
        );
    };
    let invalid = "Bearer error=\"invalid_token\"";
    check(&token(&keys(2), Role::Admin, Kind::Access, NOW), invalid);
    check(&token(&keys(1), Role::Admin, Kind::Refresh, NOW), invalid);
    check(&token(&keys(1), Role::Admin, Kind::Access, LONG_AGO), invalid);
    check(&format!("{}x", admin()), invalid);
    check("Bearer nonsense", invalid);
    check("Bearer ", invalid);
    check("Basic YTpi", "Bearer");
}

#[test]
fn an_expired_token_is_told_from_a_wrong_one() {
    let detail = |authorization: String| {
        let head = head(Method::Get, "/orders", &[("authorization", &authorization)]);
        String::from_utf8(refusal(&head).body().to_vec()).unwrap()
    };
    let expired = detail(token(&keys(1), Role::User, Kind::Access, LONG_AGO));
    expect![[r#"{"type":"/problems/unauthorized","title":"Authentication is required","status":401,"detail":"the access token has expired; refresh it or log in again","error":"UNAUTHORIZED","message":"the access token has expired; refresh it or log in again"}"#]].assert_eq(&expired);
    let forged = detail(token(&keys(2), Role::User, Kind::Access, NOW));
    expect![[r#"{"type":"/problems/unauthorized","title":"Authentication is required","status":401,"detail":"the access token is not valid; log in again","error":"UNAUTHORIZED","message":"the access token is not valid; log in again"}"#]].assert_eq(&forged);
}

#[test]
fn two_tokens_are_none() {
    let twice = [("authorization", user()), ("Authorization", user())];
    let twice: Vec<_> = twice
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(refusal(&head(Method::Get, "/orders", &twice)).status(), 401);
}

#[test]
fn a_forwarded_request_says_who_is_asking_in_our_words_only() {
    let forged = identity_key().sign(
        Identity {
            user: UserId::try_new(1).unwrap(),
            role: Role::Admin,
        },
        NOW,
    );
    let user = user();
    let sent = head(
        Method::Post,
        "/orders?x=1",
        &[
            ("Host", "shop.example"),
            ("Authorization", &user),
            ("X-User-Id", "1"),
            ("x_user_role", "ADMIN"),
            ("X-Bodega-Identity", &forged),
            ("x_bodega_identity", &forged),
            ("Connection", "x-bodega-identity, x-request-id, keep-alive"),
            ("X-Request-Id", "mine"),
            ("spin-client-addr", "1.2.3.4:5"),
            ("content-type", "application/json"),
            ("content-length", "17"),
            ("idempotency-key", "k"),
        ],
    );
    let forward = forward(&sent);
    assert_eq!(
        (forward.upstream, forward.target.as_str()),
        (Upstream::Order, "/orders?x=1")
    );
    assert_eq!((forward.length, forward.personal), (Some(17), true));
    let names: Vec<&str> = forward.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "content-type",
            "idempotency-key",
            "traceparent",
            "x-request-id",
            "x-bodega-identity"
        ]
    );
    assert_eq!(seen(&forward.headers), "42/USER");
    let id = values(&forward.headers, "x-request-id");
    assert_eq!(id, [b"00000000000000000000000000000007".as_slice()]);
}

#[test]
fn an_open_path_hands_a_good_identity_over_and_no_other() {
    let user = user();
    let with = forward(&head(Method::Get, "/products", &[("authorization", &user)]));
    assert_eq!((seen(&with.headers).as_str(), with.personal), ("42/USER", true));
    let without = forward(&head(
        Method::Get,
        "/products",
        &[("x-bodega-identity", "v1.1.ADMIN.9.x")],
    ));
    assert_eq!((seen(&without.headers).as_str(), without.personal), ("-", false));
}
