//! Statuses, bad input, lists and the desk, as clients see them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shop;

use kernel::Millis;
use order::app::Reply;
use serde_json::{Value, json};
use shop::{Fault, Shop, When, header, id, json as parsed, request};
use testkit::uniform::{Body, Path, check};
use web::{Method, Request, Response, Role};

store_suite::also_on_postgres!();

/// A POST of raw text.
fn post(shop: &Shop, path: &str, body: &[u8]) -> Reply {
    let request = Request::new(Method::Post, path)
        .with_header("content-type", "application/json")
        .with_body(body);
    shop.send(1, Role::User, &request)
}

fn line(what: &str, reply: &Reply) -> String {
    let body = parsed(reply);
    format!(
        "{what} -> {} {}: {}\n",
        reply.status, body["error"], body["detail"]
    )
}

#[test]
fn bad_bodies_are_told_what_is_wrong_and_change_nothing() {
    let shop = Shop::open("");
    let mut table = String::new();
    let orders = [
        "",
        "[]",
        "{}",
        r#"{"productId":1,"quantity":1}"#,
        r#"{"productId":1,"quantity":0,"paymentMethod":"CARD"}"#,
        r#"{"productId":1,"quantity":1.5,"paymentMethod":"CARD"}"#,
        r#"{"productId":1,"quantity":99999999999999999999,"paymentMethod":"CARD"}"#,
        r#"{"productId":1,"quantity":1,"paymentMethod":"card"}"#,
        r#"{"productId":1,"quantity":1,"paymentMethod":"CARD","price":1}"#,
        r#"{"items":[],"paymentMethod":"CARD"}"#,
        r#"{"items":[{"quantity":1}],"paymentMethod":"CARD"}"#,
        r#"{"items":[{"skuId":1,"productId":1,"quantity":-1}],"paymentMethod":"CARD"}"#,
        r#"{"productId":9,"quantity":1,"paymentMethod":"CARD"}"#,
    ];
    for body in orders {
        table += &line(&format!("order {body}"), &post(&shop, "/orders", body.as_bytes()));
    }
    for body in [
        "[]",
        r#"{"paymentMethod":"GOLD"}"#,
        r#"{"items":[]}"#,
        r#"{"paymentMethod":7}"#,
    ] {
        table += &line(
            &format!("cart {body}"),
            &post(&shop, "/orders/from-cart", body.as_bytes()),
        );
    }
    let confirms = [
        "{}",
        r#"{"paymentKey":"","orderId":1,"amount":1}"#,
        r#"{"paymentKey":"a b","orderId":1,"amount":1}"#,
        r#"{"paymentKey":"k","orderId":"1","amount":1}"#,
        r#"{"paymentKey":"k","orderId":1,"amount":1.0}"#,
        r#"{"paymentKey":"k","orderId":1,"amount":1,"status":"DONE"}"#,
        r#"{"paymentKey":"k","orderId":0,"amount":1}"#,
        r#"{"paymentKey":"k","orderId":9223372036854775807,"amount":1}"#,
        r#"{"paymentKey":"k","orderId":1,"amount":-1}"#,
        r#"{"paymentKey":"k","orderId":1,"amount":9007199254740992}"#,
    ];
    for body in confirms {
        table += &line(
            &format!("confirm {body}"),
            &post(&shop, "/payments/confirm", body.as_bytes()),
        );
    }
    let hooks = [
        "",
        "[]",
        "{}",
        r#"{"eventType":"X"}"#,
        r#"{"eventType":"X","data":[]}"#,
        r#"{"eventType":"X","data":{"paymentKey":"k","orderId":1}}"#,
        r#"{"eventType":"","data":{"paymentKey":"k","orderId":1,"status":"DONE"}}"#,
        r#"{"eventType":"X","data":{"paymentKey":"k","orderId":{},"status":"DONE"}}"#,
        r#"{"eventType":"X","createdAt":7,"data":{"paymentKey":"k","orderId":1,"status":"DONE"}}"#,
    ];
    for body in hooks {
        table += &line(
            &format!("hook {body}"),
            &post(&shop, "/payments/webhook", body.as_bytes()),
        );
    }
    expect_test::expect![[r#"
        order  -> 400 "MALFORMED_REQUEST": "the body must be a JSON object"
        order [] -> 400 "MALFORMED_REQUEST": "the body must be a JSON object"
        order {} -> 400 "VALIDATION_FAILED": "paymentMethod is missing; quantity is missing; productId is missing"
        order {"productId":1,"quantity":1} -> 400 "VALIDATION_FAILED": "paymentMethod is missing"
        order {"productId":1,"quantity":0,"paymentMethod":"CARD"} -> 400 "VALIDATION_FAILED": "quantity must be at least 1"
        order {"productId":1,"quantity":1.5,"paymentMethod":"CARD"} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: floating point `1.5`, expected a whole number at line 1 column 29"
        order {"productId":1,"quantity":99999999999999999999,"paymentMethod":"CARD"} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: floating point `1e+20`, expected a whole number at line 1 column 46"
        order {"productId":1,"quantity":1,"paymentMethod":"card"} -> 400 "VALIDATION_FAILED": "paymentMethod must be CARD, POINT, CASH or PG"
        order {"productId":1,"quantity":1,"paymentMethod":"CARD","price":1} -> 400 "MALFORMED_REQUEST": "the body is not as expected: unknown field `price`, expected one of `productId`, `quantity`, `items`, `paymentMethod` at line 1 column 58"
        order {"items":[],"paymentMethod":"CARD"} -> 400 "VALIDATION_FAILED": "items must have at least one item"
        order {"items":[{"quantity":1}],"paymentMethod":"CARD"} -> 400 "VALIDATION_FAILED": "items[0].productId is missing"
        order {"items":[{"skuId":1,"productId":1,"quantity":-1}],"paymentMethod":"CARD"} -> 400 "VALIDATION_FAILED": "items[0].quantity must be at least 1; items[0].skuId can't stand beside productId"
        order {"productId":9,"quantity":1,"paymentMethod":"CARD"} -> 404 "NOT_FOUND": "item 1 is not for sale"
        cart [] -> 400 "MALFORMED_REQUEST": "the body must be a JSON object"
        cart {"paymentMethod":"GOLD"} -> 400 "VALIDATION_FAILED": "paymentMethod must be CARD, POINT, CASH or PG"
        cart {"items":[]} -> 400 "MALFORMED_REQUEST": "the body is not as expected: unknown field `items`, expected `paymentMethod` at line 1 column 8"
        cart {"paymentMethod":7} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: integer `7`, expected a string at line 1 column 18"
        confirm {} -> 400 "VALIDATION_FAILED": "paymentKey is missing; orderId is missing; amount is missing"
        confirm {"paymentKey":"","orderId":1,"amount":1} -> 400 "VALIDATION_FAILED": "paymentKey must be 1 to 200 visible ASCII characters"
        confirm {"paymentKey":"a b","orderId":1,"amount":1} -> 400 "VALIDATION_FAILED": "paymentKey must be 1 to 200 visible ASCII characters"
        confirm {"paymentKey":"k","orderId":"1","amount":1} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: string \"1\", expected a whole number at line 1 column 31"
        confirm {"paymentKey":"k","orderId":1,"amount":1.0} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: floating point `1.0`, expected a whole number at line 1 column 42"
        confirm {"paymentKey":"k","orderId":1,"amount":1,"status":"DONE"} -> 400 "MALFORMED_REQUEST": "the body is not as expected: unknown field `status`, expected one of `paymentKey`, `orderId`, `amount` at line 1 column 49"
        confirm {"paymentKey":"k","orderId":0,"amount":1} -> 404 "NOT_FOUND": "no such order"
        confirm {"paymentKey":"k","orderId":9223372036854775807,"amount":1} -> 404 "NOT_FOUND": "no such order"
        confirm {"paymentKey":"k","orderId":1,"amount":-1} -> 400 "VALIDATION_FAILED": "amount must be from 0 to 9007199254740991"
        confirm {"paymentKey":"k","orderId":1,"amount":9007199254740992} -> 400 "VALIDATION_FAILED": "amount must be from 0 to 9007199254740991"
        hook  -> 400 "MALFORMED_REQUEST": "the body must be a JSON object"
        hook [] -> 400 "MALFORMED_REQUEST": "the body must be a JSON object"
        hook {} -> 400 "VALIDATION_FAILED": "eventType is missing; data is missing"
        hook {"eventType":"X"} -> 400 "VALIDATION_FAILED": "data is missing"
        hook {"eventType":"X","data":[]} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: sequence, expected an object at line 1 column 24"
        hook {"eventType":"X","data":{"paymentKey":"k","orderId":1}} -> 400 "VALIDATION_FAILED": "data.status is missing"
        hook {"eventType":"","data":{"paymentKey":"k","orderId":1,"status":"DONE"}} -> 400 "VALIDATION_FAILED": "eventType must have 1 to 100 characters"
        hook {"eventType":"X","data":{"paymentKey":"k","orderId":{},"status":"DONE"}} -> 400 "MALFORMED_REQUEST": "the body is not as expected: expected a number or a text at line 1 column 54"
        hook {"eventType":"X","createdAt":7,"data":{"paymentKey":"k","orderId":1,"status":"DONE"}} -> 400 "MALFORMED_REQUEST": "the body is not as expected: invalid type: integer `7`, expected a string at line 1 column 30"
    "#]].assert_eq(&table);
    for path in [
        "/orders",
        "/orders/from-cart",
        "/payments/confirm",
        "/payments/webhook",
    ] {
        assert_eq!(
            post(&shop, path, b"{\"a\":\xff}").status,
            400,
            "{path}: broken UTF-8"
        );
        assert_eq!(
            post(&shop, path, &vec![b' '; (1 << 20) + 1]).status,
            413,
            "{path}: too large"
        );
        let text = Request::new(Method::Post, path).with_body("x");
        assert_eq!(shop.send(1, Role::User, &text).status, 415, "{path}: no JSON");
        assert_eq!(
            post(&shop, &format!("{path}?x=1"), b"{}").status,
            400,
            "{path}: a query"
        );
    }
    assert!(shop.all().is_empty());
}

#[test]
fn bad_reasons_and_keys_change_nothing() {
    let shop = Shop::open("");
    let order = id(&shop.buy(1, 1));
    let path = format!("/orders/{order}/cancel");
    let long = "가".repeat(201);
    for body in [
        json!({"reason": long}),
        json!({"reason": 7}),
        json!({"why": "x"}),
        json!({"reason": "\u{1b}"}),
    ] {
        assert_eq!(shop.post(1, &path, None, &body).status, 400, "{body}");
    }
    for key in ["", " ", "é", &"k".repeat(256)] {
        let told = shop.send(1, Role::User, &request(&path, Some(key), None));
        assert_eq!(told.status, 400, "{key:?}");
    }
    let twice = request(&path, Some("a"), None).with_header("idempotency-key", "b");
    assert_eq!(shop.send(1, Role::User, &twice).status, 400);
    for id in ["0", "-1", "01", "x", "9007199254740992", "%31"] {
        let told = shop.send(
            1,
            Role::User,
            &request(&format!("/orders/{id}/cancel"), None, None),
        );
        assert_eq!(told.status, 404, "{id}");
    }
    assert_eq!(shop.status(order), "PAID");
    let fits = json!({"reason": "가".repeat(200)});
    assert_eq!(shop.post(1, &path, None, &fits).status, 200);
}

#[test]
fn every_route_says_who_may_and_how() {
    let shop = Shop::open("");
    let mut table = String::new();
    let paths = [
        "/orders",
        "/orders/from-cart",
        "/orders/me",
        "/orders/1",
        "/orders/1/cancel",
        "/payments/confirm",
        "/payments/webhook",
        "/admin/orders",
        "/admin/orders/stuck",
        "/admin/orders/1",
        "/admin/orders/1/retry",
        "/admin/orders/1/cancel",
        "/admin/orders/",
        "/payments",
        "/orders/1/2",
    ];
    for path in paths {
        let ask = |method, who, role| shop.send(who, role, &Request::new(method, path));
        let wrong = ask(Method::Delete, 1, Role::User);
        let method = match header(&wrong, "allow") {
            Some(allow) if allow.contains("POST") => Method::Post,
            _ => Method::Get,
        };
        let statuses = [(0, Role::User), (1, Role::User), (99, Role::Admin)]
            .map(|(who, role)| ask(method, who, role).status.to_string());
        let allow = header(&wrong, "allow").unwrap_or("-");
        table += &format!("{path} [{allow}] {}: {}\n", method.name(), statuses.join(" "));
    }
    expect_test::expect![[r#"
        /orders [OPTIONS, POST] POST: 401 415 415
        /orders/from-cart [OPTIONS, POST] POST: 401 400 400
        /orders/me [GET, HEAD, OPTIONS] GET: 401 200 200
        /orders/1 [GET, HEAD, OPTIONS] GET: 401 404 404
        /orders/1/cancel [OPTIONS, PATCH, POST] POST: 401 404 404
        /payments/confirm [OPTIONS, POST] POST: 401 415 415
        /payments/webhook [OPTIONS, POST] POST: 415 415 415
        /admin/orders [GET, HEAD, OPTIONS] GET: 401 403 200
        /admin/orders/stuck [GET, HEAD, OPTIONS] GET: 401 403 200
        /admin/orders/1 [GET, HEAD, OPTIONS] GET: 401 403 404
        /admin/orders/1/retry [OPTIONS, POST] POST: 401 403 404
        /admin/orders/1/cancel [OPTIONS, POST] POST: 401 403 404
        /admin/orders/ [-] GET: 404 404 404
        /payments [-] GET: 404 404 404
        /orders/1/2 [-] GET: 404 404 404
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_desk_lists_by_state_and_page() {
    let shop = Shop::open("");
    for _ in 0..2 {
        shop.buy(1, 1);
        shop.wait(Millis(1));
    }
    shop.buy(3, 6);
    shop.wait(Millis(1));
    let body = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    shop.post(2, "/orders", None, &body);
    let statuses = |path: &str| -> Vec<Value> {
        let reply = shop.admin_get(path);
        assert_eq!(reply.status, 200, "{reply:?}");
        parsed(&reply)
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["status"].clone())
            .collect()
    };
    assert_eq!(statuses("/admin/orders"), ["PAID", "FAILED", "PAID", "PAID"]);
    assert_eq!(statuses("/admin/orders?status=FAILED"), ["FAILED"]);
    assert!(statuses("/admin/orders?status=PENDING").is_empty());
    let first = shop.admin_get("/admin/orders?status=PAID&limit=2");
    let link = header(&first, "link").unwrap();
    let next = link.split(['<', '>']).nth(1).unwrap();
    assert!(next.contains("status=PAID"), "{link}");
    assert_eq!(statuses(next), ["PAID"]);
    for bad in ["status=paid", "status=SHIPPED", "limit=0", "cursor=!", "user=1"] {
        assert_eq!(
            shop.admin_get(&format!("/admin/orders?{bad}")).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn the_desk_shows_an_order_with_its_history_and_work() {
    let shop = Shop::open("");
    let order = id(&shop.buy(1, 1));
    let path = format!("/admin/orders/{order}");
    let shown = parsed(&shop.admin_get(&path));
    assert_eq!(
        (&shown["userId"], &shown["work"]["kind"], &shown["history"]),
        (
            &json!(1),
            &json!("FINISH"),
            &json!([{"from": "PENDING", "to": "PAID", "at": "2026-01-01T00:00:00.000Z", "reason": null}])
        )
    );
    shop.wait(Millis(1));
    shop.cancel_as(None, order);
    let shown = parsed(&shop.admin_get(&path));
    assert_eq!(
        (&shown["work"], &shown["history"][1]["reason"]),
        (&json!(null), &json!("CUSTOMER"))
    );
    assert_eq!(
        shop.admin_post(&format!("{path}/retry")).status,
        409,
        "it is not stuck"
    );
    assert_eq!(
        shop.admin_post(&format!("/admin/orders/{}/retry", order + 1))
            .status,
        404
    );
    assert_eq!(
        shop.admin_get(&format!("/admin/orders/{}", order + 1)).status,
        404
    );
}

#[test]
fn outages_are_503_and_defects_500_without_their_story() {
    let shop = Shop::open("");
    for path in ["/orders/me", "/orders/1"] {
        shop.seam.crash(0, When::Before);
        let told = shop.get(1, path);
        assert_eq!(
            (told.status, header(&told, "retry-after")),
            (503, Some("1")),
            "{path}"
        );
        assert!(!told.body.contains("dead"), "{told:?}");
        shop.seam.heal();
    }
    shop.buy(1, 1);
    let broken = "update customer_order set state = 'SHIPPING'";
    shop.orders
        .transaction(|tx| tx.execute(broken, store::params![]))
        .unwrap();
    let told = shop.get(1, &format!("/orders/{}", shop.all()[0]));
    assert_eq!(told.status, 500);
    assert!(!told.body.contains("SHIPPING"), "{told:?}");
}

#[test]
fn an_order_that_cannot_be_read_keeps_nobody_from_the_others() {
    let shop = Shop::open("refuse-cancel");
    for _ in 0..5 {
        let order = id(&shop.buy(1, 1));
        assert_eq!(shop.cancel_as(None, order).status, 502);
        shop.wait(Millis(1));
    }
    let orders = shop.all();
    let breaks = [
        (
            "update customer_order set method = 'CASH', state = 'SHIPPING' where order_id = ?1",
            1,
        ),
        (
            "update order_line set quantity = 9999999999, amount_minor = unit_minor * 9999999999 where order_id = ?1",
            2,
        ),
    ];
    for (statement, place) in breaks {
        let row = store::params![orders[place] as i64];
        shop.orders.transaction(|tx| tx.execute(statement, row)).unwrap();
    }
    let ids = |reply: &Reply| -> Vec<u64> {
        let list = parsed(reply);
        let list = list.as_array().unwrap_or_else(|| panic!("{reply:?}")).clone();
        list.iter().map(|order| order["id"].as_u64().unwrap()).collect()
    };
    let seen = [orders[4], orders[3], orders[0]];
    for path in ["/admin/orders", "/admin/orders/stuck", "/orders/me"] {
        assert_eq!(
            ids(&shop.send(1, Role::Admin, &Request::new(Method::Get, path))),
            seen
        );
        let first = shop.send(
            1,
            Role::Admin,
            &Request::new(Method::Get, &format!("{path}?limit=3")),
        );
        assert_eq!(ids(&first), seen[..2], "{path}: the page is short");
        let next = header(&first, "link").unwrap().split(['<', '>']).nth(1).unwrap();
        let rest = shop.send(1, Role::Admin, &Request::new(Method::Get, next));
        assert_eq!(ids(&rest), seen[2..], "{path}: but not the last");
    }
}

#[test]
fn a_retry_of_an_attempt_causes_one_more_at_most() {
    let shop = Shop::open("refuse-cancel first=2");
    let order = id(&shop.buy(1, 1));
    assert_eq!(shop.cancel_as(None, order).status, 502);
    let path = format!("/admin/orders/{order}/retry");
    let retry = |body: Value| {
        let told = shop.send(99, Role::Admin, &request(&path, None, Some(&body)));
        (told.status, parsed(&told)["work"]["attempt"].clone())
    };
    for bad in [
        json!({"attempt": 0}),
        json!({"attempt": -1}),
        json!({"attempt": "1"}),
        json!({"again": 1}),
    ] {
        assert_eq!(retry(bad.clone()).0, 400, "{bad}");
    }
    assert_eq!(retry(json!({"attempt": 2})).0, 409, "it was not made yet");
    assert_eq!(retry(json!({"attempt": 1})), (200, json!(2)));
    assert_eq!(retry(json!({"attempt": 1})).0, 409, "the same call again");
    assert_eq!(shop.work(order), "CANCEL stuck at void");
    assert_eq!(retry(json!({"attempt": 2})), (200, Value::Null));
    assert_eq!(shop.status(order), "CANCELLED");
}

#[test]
fn what_is_not_decided_is_told_so() {
    let shop = Shop::open("");
    shop.seam.lose(Fault {
        first: 0,
        last: u32::MAX,
        when: When::Before,
    });
    let told = shop.buy(1, 1);
    let order = shop.all()[0];
    assert_eq!(
        (told.status, header(&told, "location")),
        (503, Some(format!("/orders/{order}").as_str()))
    );
}

#[test]
fn every_route_refuses_alike() {
    let shop = Shop::open("");
    let paths = [
        Path("/orders", &[(Method::Post, Body::Needed)]),
        Path("/orders/from-cart", &[(Method::Post, Body::Optional)]),
        Path("/orders/me", &[(Method::Get, Body::Ignored)]),
        Path("/orders/1", &[(Method::Get, Body::Ignored)]),
        Path(
            "/orders/1/cancel",
            &[(Method::Patch, Body::Optional), (Method::Post, Body::Optional)],
        ),
        Path("/payments/confirm", &[(Method::Post, Body::Needed)]),
        Path("/payments/webhook", &[(Method::Post, Body::Foreign)]),
        Path("/admin/orders", &[(Method::Get, Body::Ignored)]),
        Path("/admin/orders/stuck", &[(Method::Get, Body::Ignored)]),
        Path("/admin/orders/1", &[(Method::Get, Body::Ignored)]),
        Path("/admin/orders/1/retry", &[(Method::Post, Body::Optional)]),
        Path("/admin/orders/1/cancel", &[(Method::Post, Body::Optional)]),
    ];
    check(&paths, |request| {
        let reply = shop.send(99, Role::Admin, &request);
        let headers = reply.headers.iter().filter(|(name, _)| name != "content-type");
        let response = Response::document(
            reply.status,
            header(&reply, "content-type").unwrap_or_default(),
            reply.body.clone(),
        );
        headers.fold(response, |response, (name, value)| {
            response.header(name, value.clone())
        })
    });
}
