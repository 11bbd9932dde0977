//! The routes, over the real store and the real fake gateway.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use expect_test::{Expect, expect};
use kernel::UserId;
use payment::app::{Gateway, Payments};
use payment::domain::{Method as PayBy, NewRefund, Refund, RefundKey, RefundState};
use payment::http::{Call, handle};
use payment::store::MIGRATIONS;
use shop::{NOW, Shop, charge, order, refund, void, won};
use store::{Db, DbError};
use store_suite::database;
use tempfile::TempDir;
use testkit::uniform::{Body, Path, check as check_all};
use web::{IDENTITY_HEADER, Identity, IdentityKey, Method, Request, Response, Role};

store_suite::also_on_postgres!();

fn key() -> IdentityKey {
    IdentityKey::from_base64("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap()
}

fn signed(request: Request, user: u64, role: Role) -> Request {
    let user = UserId::try_new(user).unwrap();
    request.with_header(IDENTITY_HEADER, key().sign(Identity { user, role }, NOW))
}

fn customer(method: Method, target: &str, user: u64) -> Request {
    signed(Request::new(method, target), user, Role::User)
}

fn admin(method: Method, target: &str) -> Request {
    signed(Request::new(method, target), 9, Role::Admin)
}

fn refund_of(number: u64, key: &str, body: &str) -> Request {
    admin(Method::Post, &format!("/admin/payments/{number}/refunds"))
        .with_header("idempotency-key", key)
        .with_header("content-type", "application/json")
        .with_body(body)
}

/// A shop with its doors open.
struct Open {
    shop: Shop,
    folder: TempDir,
}

impl std::ops::Deref for Open {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.shop
    }
}

fn open(rules: &str) -> Open {
    let folder = tempfile::tempdir().unwrap();
    Open {
        shop: Shop::open(folder.path(), rules),
        folder,
    }
}

fn send(shop: &Open, request: &Request) -> Response {
    let key = key();
    let call = Call {
        key: &key,
        now: shop.now(),
    };
    // A component opens its database for each request.
    let path = shop.folder.path().join("payment.db");
    handle(request, &call, &shop.pg, || database::open(&path, MIGRATIONS))
}

fn show(response: &Response) -> String {
    let link = response.header_value("link").map(|link| format!(" {link}"));
    let body = std::str::from_utf8(response.body()).unwrap();
    format!("{}{} {body}", response.status(), link.unwrap_or_default())
}

fn told(response: &Response) -> String {
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    format!("{} {} {}", response.status(), body["error"], body["detail"])
}

fn check(shop: &Open, request: &Request, expected: &Expect) {
    expected.assert_eq(&show(&send(shop, request)));
}

/// Order 1 is captured, 2 failed, 3 and 4 are given back in part and whole; all of them by user 2.
fn shop() -> Open {
    let shop =
        open("refuse amount=13 REJECT_CARD_PAYMENT; refuse-cancel amount=6; timeout-cancel amount=5 first=1");
    for number in [1, 3, 4] {
        shop.charge(&charge(number, 25_000, PayBy::Card)).unwrap();
    }
    let _ = shop.charge(&charge(2, 13, PayBy::Card));
    shop.refund(&refund(3, "return", 10_000)).unwrap();
    shop.refund(&refund(4, "return", 25_000)).unwrap();
    shop
}

#[test]
fn the_owner_sees_every_state_of_a_payment() {
    let shop = shop();
    let mine = |number: u64| customer(Method::Get, &format!("/payments/{number}"), 2);
    check(
        &shop,
        &mine(1),
        &expect![[
            r#"200 {"id":487648624647189,"orderId":1,"method":"CARD","amount":25000,"refundedAmount":0,"status":"CAPTURED","createdAt":"2026-11-20T23:23:40.000Z"}"#
        ]],
    );
    check(
        &shop,
        &mine(2),
        &expect![[
            r#"200 {"id":487648624646186,"orderId":2,"method":"CARD","amount":13,"refundedAmount":0,"status":"FAILED","failureCode":"REJECT_CARD_PAYMENT","createdAt":"2026-11-20T23:23:40.000Z"}"#
        ]],
    );
    check(
        &shop,
        &mine(3),
        &expect![[
            r#"200 {"id":487648624645183,"orderId":3,"method":"CARD","amount":25000,"refundedAmount":10000,"status":"PARTIALLY_REFUNDED","createdAt":"2026-11-20T23:23:40.000Z"}"#
        ]],
    );
    check(
        &shop,
        &mine(4),
        &expect![[
            r#"200 {"id":487648624644180,"orderId":4,"method":"CARD","amount":25000,"refundedAmount":25000,"status":"REFUNDED","createdAt":"2026-11-20T23:23:40.000Z"}"#
        ]],
    );
}

#[test]
fn what_is_missing_and_what_is_somebody_elses_look_the_same() {
    let shop = shop();
    let missing = send(&shop, &customer(Method::Get, "/payments/5", 2));
    for (target, user) in [
        ("/payments/1", 3),
        ("/payments/0", 2),
        ("/payments/01", 2),
        ("/payments/x", 2),
    ] {
        assert_eq!(
            send(&shop, &customer(Method::Get, target, user)),
            missing,
            "{target}"
        );
    }
    expect![[r#"404 {"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"no such payment","error":"NOT_FOUND","message":"no such payment"}"#]].assert_eq(&show(&missing));
}

#[test]
fn nobody_sees_anything_and_nothing_else_is_offered() {
    let shop = shop();
    for target in ["/payments/1", "/admin/payments/1"] {
        let anybody = send(&shop, &Request::new(Method::Get, target));
        assert_eq!(anybody.status(), 401, "{target}");
    }
    for (request, status) in [
        (customer(Method::Post, "/payments/1", 2), 405),
        (customer(Method::Delete, "/payments/1", 2), 405),
        (customer(Method::Get, "/payments", 2), 404),
        (customer(Method::Get, "/payments/", 2), 404),
        (customer(Method::Get, "/payments/1/refunds", 2), 404),
        (customer(Method::Get, "/payments/1?all=1", 2), 400),
        (customer(Method::Head, "/payments/1", 2), 200),
        (customer(Method::Get, "/admin/payments/1", 2), 403),
        (customer(Method::Post, "/admin/payments/1/refunds", 2), 403),
        (admin(Method::Get, "/admin/payments/1/refunds"), 405),
        (admin(Method::Delete, "/admin/payments/1"), 405),
        (admin(Method::Get, "/admin/payments/9"), 404),
        (admin(Method::Get, "/admin/payments/x"), 404),
        (admin(Method::Get, "/admin/payments/1?limit=0"), 400),
        (admin(Method::Get, "/admin/payments/1?cursor=eA"), 400),
        (admin(Method::Get, "/admin/payments/1?x=1"), 400),
        // An administrator's own payments are on the customers' page, like everybody's.
        (admin(Method::Get, "/payments/1"), 404),
    ] {
        let answer = send(&shop, &request);
        assert_eq!(answer.status(), status, "{request:?}: {}", show(&answer));
    }
}

#[test]
fn administrators_see_a_payment_with_its_refunds() {
    let shop = shop();
    shop.wait(1);
    for (key, amount) in [("silent", 5), ("refused", 6)] {
        let _ = shop.refund(&refund(3, key, amount));
        shop.wait(1);
    }
    let read = |target: &str| admin(Method::Get, target);
    check(
        &shop,
        &read("/admin/payments/1"),
        &expect![[
            r#"200 {"id":487648624647189,"orderId":1,"method":"CARD","amount":25000,"refundedAmount":0,"status":"CAPTURED","createdAt":"2026-11-20T23:23:40.000Z","userId":2,"currency":"KRW","refundableAmount":25000,"paymentKey":"fake-pg-1","refunds":[]}"#
        ]],
    );
    check(
        &shop,
        &read("/admin/payments/2"),
        &expect![[
            r#"200 {"id":487648624646186,"orderId":2,"method":"CARD","amount":13,"refundedAmount":0,"status":"FAILED","failureCode":"REJECT_CARD_PAYMENT","createdAt":"2026-11-20T23:23:40.000Z","userId":2,"currency":"KRW","refundableAmount":0,"paymentKey":null,"refunds":[]}"#
        ]],
    );
    check(
        &shop,
        &read("/admin/payments/3?limit=2"),
        &expect![[
            r#"200 </admin/payments/3?limit=2&cursor=MTc5NTIxNzAyMTAwMTAwMCBzaWxlbnQ>; rel="next" {"id":487648624645183,"orderId":3,"method":"CARD","amount":25000,"refundedAmount":10000,"status":"PARTIALLY_REFUNDED","createdAt":"2026-11-20T23:23:40.000Z","userId":2,"currency":"KRW","refundableAmount":14995,"paymentKey":"fake-pg-3","refunds":[{"key":"return","amount":10000,"currency":"KRW","reason":"broken","status":"DONE","requestedAt":"2026-11-20T23:23:41.000Z","decidedAt":"2026-11-20T23:23:41.000Z"},{"key":"silent","amount":5,"currency":"KRW","reason":"broken","status":"REQUESTED","requestedAt":"2026-11-20T23:23:41.001Z"}]}"#
        ]],
    );
    let first = send(&shop, &read("/admin/payments/3?limit=2"));
    let link = first.header_value("link").unwrap();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    check(
        &shop,
        &read(next),
        &expect![[
            r#"200 {"id":487648624645183,"orderId":3,"method":"CARD","amount":25000,"refundedAmount":10000,"status":"PARTIALLY_REFUNDED","createdAt":"2026-11-20T23:23:40.000Z","userId":2,"currency":"KRW","refundableAmount":14995,"paymentKey":"fake-pg-3","refunds":[{"key":"refused","amount":6,"currency":"KRW","reason":"broken","status":"REFUSED","failureCode":"NOT_CANCELABLE_PAYMENT","requestedAt":"2026-11-20T23:23:41.002Z","decidedAt":"2026-11-20T23:23:41.002Z"}]}"#
        ]],
    );
}

#[test]
fn a_refund_is_told_in_the_same_bytes_whenever_it_is_asked_for() {
    let shop = shop();
    let asked = refund_of(1, "k1", r#"{"amount":10000,"reason":"박스가 찢어짐"}"#);
    check(
        &shop,
        &asked,
        &expect![[
            r#"201 {"orderId":1,"key":"admin/k1","amount":10000,"currency":"KRW","reason":"박스가 찢어짐","status":"DONE","requestedAt":"2026-11-20T23:23:40.000Z","decidedAt":"2026-11-20T23:23:40.000Z"}"#
        ]],
    );
    let first = send(&shop, &asked);
    shop.wait(10_000);
    let other = send(&shop, &refund_of(1, "k2", r#"{"amount":5000}"#));
    assert_eq!(other.status(), 201, "{}", show(&other));
    shop.void(&void(1, 25_000, PayBy::Card, "cancel")).unwrap();
    assert_eq!(send(&shop, &asked), first);
    assert_eq!((shop.refunded(1), shop.pg.cancelled(1)), (25_000, 25_000));
}

#[test]
fn every_refusal_of_a_refund_has_its_status_and_changes_nothing() {
    let shop = shop();
    let mut table = String::new();
    let mut line = |what: &str, request: &Request| {
        table += &format!("{what}: {}\n", told(&send(&shop, request)));
    };
    let good = r#"{"amount":100}"#;
    let post = |number: u64| admin(Method::Post, &format!("/admin/payments/{number}/refunds"));
    let json = |request: Request| {
        request
            .with_header("content-type", "application/json")
            .with_body(good)
    };
    line("no key", &json(post(1)));
    line("an empty key", &refund_of(1, " ", good));
    line(
        "two keys",
        &refund_of(1, "a", good).with_header("idempotency-key", "b"),
    );
    line("a long key", &refund_of(1, &"k".repeat(256), good));
    line(
        "no media type",
        &post(1).with_header("idempotency-key", "a").with_body(good),
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"amount":0}"#,
        r#"{"amount":-1}"#,
        r#"{"amount":1.5}"#,
        r#"{"amount":"1"}"#,
        r#"{"amount":9007199254740992}"#,
        r#"{"amount":99999999999999999999}"#,
        r#"{"amount":1,"orderId":2}"#,
        r#"{"amount":1,"reason":1}"#,
        r#"{"amount":1,"reason":"a\u0000"}"#,
        r#"{"amount":1,"reason":"\u001b[2J"}"#,
    ] {
        line(body, &refund_of(1, "a", body));
    }
    let wordy = format!(r#"{{"amount":1,"reason":"{}"}}"#, "x".repeat(501));
    line("a long reason", &refund_of(1, "a", &wordy));
    line("a query", &admin(Method::Post, "/admin/payments/1/refunds?x=1"));
    line("no such payment", &refund_of(9, "a", good));
    line("not captured", &refund_of(2, "a", good));
    line("too much", &refund_of(3, "a", r#"{"amount":15001}"#));
    line("nothing left", &refund_of(4, "a", r#"{"amount":1}"#));
    line(
        "refused by the gateway",
        &refund_of(1, "refused", r#"{"amount":6}"#),
    );
    line("refused again", &refund_of(1, "refused", r#"{"amount":6}"#));
    line("a silent gateway", &refund_of(1, "silent", r#"{"amount":5}"#));
    assert_eq!(shop.refunded(1), 0);
    expect![[r#"
        no key: 400 "VALIDATION_FAILED" "Idempotency-Key is needed: nobody could tell a second command from a repeated one"
        an empty key: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        two keys: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        a long key: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        no media type: 415 "UNSUPPORTED_MEDIA_TYPE" "send the body as application/json"
        : 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        []: 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        {}: 400 "VALIDATION_FAILED" "amount is missing"
        {"amount":0}: 400 "VALIDATION_FAILED" "amount must be from 1 to 9007199254740991"
        {"amount":-1}: 400 "VALIDATION_FAILED" "amount must be from 1 to 9007199254740991"
        {"amount":1.5}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1.5`, expected a whole number at line 1 column 13"
        {"amount":"1"}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: string \"1\", expected a whole number at line 1 column 13"
        {"amount":9007199254740992}: 400 "VALIDATION_FAILED" "amount must be from 1 to 9007199254740991"
        {"amount":99999999999999999999}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1e+20`, expected a whole number at line 1 column 30"
        {"amount":1,"orderId":2}: 400 "MALFORMED_REQUEST" "the body is not as expected: unknown field `orderId`, expected `amount` or `reason` at line 1 column 21"
        {"amount":1,"reason":1}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: integer `1`, expected a string at line 1 column 22"
        {"amount":1,"reason":"a\u0000"}: 400 "VALIDATION_FAILED" "reason must have no control characters but line breaks and tabs"
        {"amount":1,"reason":"\u001b[2J"}: 400 "VALIDATION_FAILED" "reason must have no control characters but line breaks and tabs"
        a long reason: 400 "VALIDATION_FAILED" "reason must have at most 500 characters"
        a query: 400 "VALIDATION_FAILED" "x is unknown here"
        no such payment: 404 "NOT_FOUND" "no such payment"
        not captured: 409 "CONFLICT" "nothing was captured for this order"
        too much: 422 "UNPROCESSABLE" "only 15000 KRW can still be refunded"
        nothing left: 422 "UNPROCESSABLE" "only 0 KRW can still be refunded"
        refused by the gateway: 409 "CONFLICT" "the payment gateway refused: NOT_CANCELABLE_PAYMENT; another attempt needs another Idempotency-Key"
        refused again: 409 "CONFLICT" "the payment gateway refused: NOT_CANCELABLE_PAYMENT; another attempt needs another Idempotency-Key"
        a silent gateway: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
    "#]].assert_eq(&table);
    let again = send(&shop, &refund_of(1, "silent", r#"{"amount":5}"#));
    assert_eq!((again.status(), shop.refunded(1)), (201, 5));
    for other in [r#"{"amount":6}"#, r#"{"amount":5,"reason":"another"}"#] {
        let answer = send(&shop, &refund_of(1, "silent", other));
        assert_eq!(answer.status(), 422, "{}", show(&answer));
    }
    let longest = "k".repeat(255);
    let answer = send(&shop, &refund_of(1, &longest, r#"{"amount":7}"#));
    assert_eq!(
        (answer.status(), shop.refunded(1), shop.pg.cancelled(1)),
        (201, 12, 12)
    );
}

#[test]
fn money_that_is_not_settled_is_a_503_and_no_404() {
    let shop = open("lose-answer");
    let _ = shop.charge(&charge(1, 100, PayBy::Card));
    let answer = send(&shop, &refund_of(1, "a", r#"{"amount":1}"#));
    assert_eq!(
        (answer.status(), answer.header_value("retry-after")),
        (503, Some("1"))
    );
}

#[test]
fn an_outage_is_a_503_and_a_defect_a_500_without_its_story() {
    let shop = shop();
    let (key, now) = (key(), NOW);
    for request in [
        customer(Method::Get, "/payments/1", 2),
        admin(Method::Get, "/admin/payments/1"),
        admin(Method::Get, "/admin/payments/stuck"),
        refund_of(1, "a", r#"{"amount":1}"#),
    ] {
        for (error, status) in [
            (DbError::Busy, 503),
            (DbError::Unavailable("disk".to_owned()), 503),
            (DbError::Other("no such table: payment".to_owned()), 500),
        ] {
            let call = Call { key: &key, now };
            let response = handle(&request, &call, &shop.pg, || Err::<Db, _>(error));
            assert_eq!(response.status(), status);
            let body = String::from_utf8(response.body().to_vec()).unwrap();
            assert!(!body.contains("table") && !body.contains("disk"), "{body}");
        }
    }
}

#[test]
fn administrators_see_what_is_stuck_page_by_page() {
    let shop = open("refuse-cancel amount=6; refuse-cancel amount=50");
    let list = |target: &str| admin(Method::Get, target);
    check(&shop, &list("/admin/payments/stuck"), &expect!["200 []"]);
    shop.charge(&charge(1, 25_000, PayBy::Card)).unwrap();
    for key in ["a b", "c"] {
        shop.refund(&refund(1, key, 6)).unwrap_err();
        shop.wait(1);
    }
    shop.void(&void(2, 50, PayBy::Card, "undo")).unwrap();
    Gateway::approve(&shop.pg, order(2), won(50)).unwrap();
    shop.wait(20_000);
    assert_eq!(shop.recover().stuck, 1);
    check(
        &shop,
        &list("/admin/payments/stuck?limit=2"),
        &expect![[
            r#"200 </admin/payments/stuck?limit=2&cursor=MTc5NTIxNzAyMTAwMTAwMCAxIFJFRlVORCBj>; rel="next" [{"orderId":1,"kind":"REFUND","key":"a b","amount":6,"currency":"KRW","code":"NOT_CANCELABLE_PAYMENT","since":"2026-11-20T23:23:41.000Z"},{"orderId":1,"kind":"REFUND","key":"c","amount":6,"currency":"KRW","code":"NOT_CANCELABLE_PAYMENT","since":"2026-11-20T23:23:41.001Z"}]"#
        ]],
    );
    let mut target = "/admin/payments/stuck?limit=1".to_owned();
    let mut keys = Vec::new();
    loop {
        let page = send(&shop, &list(&target));
        let body: serde_json::Value = serde_json::from_slice(page.body()).unwrap();
        keys.extend(
            body.as_array()
                .unwrap()
                .iter()
                .map(|stuck| stuck["key"].to_string()),
        );
        let Some(link) = page.header_value("link") else {
            break;
        };
        target = link
            .strip_prefix('<')
            .unwrap()
            .split_once('>')
            .unwrap()
            .0
            .to_owned();
    }
    assert_eq!(keys, [r#""a b""#, r#""c""#, r#""fake-pg-2""#]);
    for target in ["/admin/payments/stuck?x=1", "/admin/payments/stuck?cursor=MQ"] {
        assert_eq!(send(&shop, &list(target)).status(), 400, "{target}");
    }
    let curious = customer(Method::Get, "/admin/payments/stuck", 2);
    assert_eq!(send(&shop, &curious).status(), 403);
    let nobody = Request::new(Method::Get, "/admin/payments/stuck");
    assert_eq!(send(&shop, &nobody).status(), 401);
    assert_eq!(
        send(&shop, &admin(Method::Post, "/admin/payments/stuck")).status(),
        405
    );
}

#[test]
fn a_refund_that_somebody_is_at_is_a_409_that_is_worth_repeating() {
    let shop = shop();
    let command = NewRefund {
        key: RefundKey::of_admin("a"),
        ..refund(1, "a", 10_000)
    };
    let under_way = Refund {
        order: command.order,
        key: command.key,
        amount: command.amount,
        reason: String::new(),
        state: RefundState::Requested,
        requested_at: shop.now(),
    };
    assert!(shop.payments.promise(&under_way).unwrap());
    let asked = refund_of(1, "a", r#"{"amount":10000}"#);
    let early = send(&shop, &asked);
    assert_eq!(
        (early.status(), early.header_value("retry-after")),
        (409, Some("1"))
    );
    shop.wait(20_000);
    assert_eq!(send(&shop, &asked).status(), 201);
}

#[test]
fn every_route_refuses_alike() {
    let shop = open("");
    let paths = [
        Path("/payments/1", &[(Method::Get, Body::Ignored)]),
        Path("/admin/payments/stuck", &[(Method::Get, Body::Ignored)]),
        Path("/admin/payments/1", &[(Method::Get, Body::Ignored)]),
        Path("/admin/payments/1/refunds", &[(Method::Post, Body::Needed)]),
    ];
    check_all(&paths, |request| {
        let request = request.with_header("idempotency-key", "k");
        send(&shop, &signed(request, 9, Role::Admin))
    });
}
