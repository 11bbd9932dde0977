//! The cart's pages, from request to reply.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use ::store::DbError;
use cart::http::handle;
use cart::store::Store;
use expect_test::expect;
use shop::visit::{Visit, ask, key, merge, patch, post, send};
use shop::{NOW, NoShop, Shop, user};
use testkit::uniform::{Body, Path, check};
use web::{IDENTITY_HEADER, Identity, Method, Request, Role};

store_suite::also_on_postgres!();

#[test]
fn a_customer_fills_changes_and_empties_a_cart() {
    let mut visit = Visit::new();
    visit.see("empty", &ask(Method::Get, "/cart"));
    visit.see("put in", &post(r#"{"productId":3,"quantity":2}"#));
    visit.see(
        "put more in",
        &post(r#"{"productId":3,"skuId":null,"quantity":3}"#),
    );
    visit.see(
        "another kind",
        &post(r#"{"productId":5,"skuId":52,"quantity":1}"#),
    );
    visit.see(
        "and the other",
        &post(r#"{"productId":5,"skuId":51,"quantity":1}"#),
    );
    visit.see("look", &ask(Method::Get, "/cart"));
    visit.see("change", &patch("3", r#"{"quantity":1}"#));
    visit.see("change a kind", &patch("5?skuId=51", r#"{"quantity":7}"#));
    visit.see("change to none", &patch("5?skuId=52", r#"{"quantity":0}"#));
    visit.see("change to less", &patch("3", r#"{"quantity":-1}"#));
    visit.see("look", &ask(Method::Get, "/cart"));
    visit.see("take out", &ask(Method::Delete, "/cart/items/5?skuId=51"));
    visit.see("take out again", &ask(Method::Delete, "/cart/items/5"));
    visit.see("put in", &post(r#"{"productId":1,"quantity":1}"#));
    visit.see("empty it", &ask(Method::Delete, "/cart"));
    visit.see("empty it again", &ask(Method::Delete, "/cart"));
    visit.see("look", &ask(Method::Get, "/cart"));
    visit.see("look at the head", &ask(Method::Head, "/cart"));
    expect![[r#"
        empty: 200 []
        put in: 201 {"productId":3,"skuId":3,"quantity":2}
        put more in: 201 {"productId":3,"skuId":3,"quantity":5}
        another kind: 201 {"productId":5,"skuId":52,"quantity":1}
        and the other: 201 {"productId":5,"skuId":51,"quantity":1}
        look: 200 [{"productId":3,"skuId":3,"quantity":5},{"productId":5,"skuId":51,"quantity":1},{"productId":5,"skuId":52,"quantity":1}]
        change: 200 {"productId":3,"skuId":3,"quantity":1}
        change a kind: 200 {"productId":5,"skuId":51,"quantity":7}
        change to none: 204
        change to less: 204
        look: 200 [{"productId":5,"skuId":51,"quantity":7}]
        take out: 204
        take out again: 204
        put in: 201 {"productId":1,"skuId":1,"quantity":1}
        empty it: 204
        empty it again: 204
        look: 200 []
        look at the head: 200 []
    "#]].assert_eq(&visit.story);
}

#[test]
fn a_repeated_request_gets_the_same_bytes() {
    let visit = Visit::new();
    let with = |key: &str, body: &str| post(body).with_header("idempotency-key", key);
    let body = r#"{"productId":3,"quantity":2}"#;
    let first = visit.answer(&with("k-1", body), &Shop);
    assert_eq!(first.status(), 201);
    assert_eq!(visit.answer(&post(body), &Shop).status(), 201);
    assert_eq!(visit.answer(&with("k-1", body), &Shop), first);
    let same = r#" { "quantity" : 2, "productId" : 3 } "#;
    assert_eq!(visit.answer(&with(" k-1 ", same), &NoShop), first);
    let other = r#"{"productId":3,"quantity":1}"#;
    assert_eq!(visit.answer(&with("k-1", other), &Shop).status(), 422);
    let cart = visit.answer(&ask(Method::Get, "/cart"), &Shop);
    assert_eq!(cart.body(), br#"[{"productId":3,"skuId":3,"quantity":4}]"#);
}

#[test]
fn a_guest_logs_in_and_brings_a_cart() {
    let mut visit = Visit::new();
    visit.see("put in", &post(r#"{"productId":3,"quantity":3}"#));
    let guests = r#"{"items":[{"productId":7,"quantity":1000000},{"productId":7,"skuId":7,"quantity":1},{"productId":3,"skuId":null,"quantity":4},{"productId":5,"quantity":1},{"productId":5,"skuId":51,"quantity":1},{"productId":5,"skuId":3,"quantity":1},{"productId":6,"quantity":2},{"productId":4,"quantity":9}]}"#;
    visit.see("merge", &merge("a", guests));
    visit.see("look", &ask(Method::Get, "/cart"));
    let first = visit.answer(&merge("b", r#"{"items":[{"productId":1,"quantity":1}]}"#), &Shop);
    visit.note("merge more", &first);
    visit.see("empty it", &ask(Method::Delete, "/cart"));
    let same = r#" {"items": [{"quantity": 1, "productId": 1}]} "#;
    assert_eq!(visit.answer(&merge(" b ", same), &NoShop), first);
    visit.see("another body", &merge("b", guests));
    visit.see(
        "put in with that key",
        &post(r#"{"productId":1,"quantity":1}"#).with_header("idempotency-key", "b"),
    );
    visit.see("look", &ask(Method::Get, "/cart"));
    expect![[r#"
        put in: 201 {"productId":3,"skuId":3,"quantity":3}
        merge: 200 {"items":[{"productId":3,"skuId":3,"quantity":5},{"productId":5,"skuId":51,"quantity":1},{"productId":7,"skuId":7,"quantity":1000000}],"adjusted":[{"productId":3,"skuId":3,"asked":4,"quantity":2,"reason":"OUT_OF_STOCK"},{"productId":4,"asked":9,"quantity":0,"reason":"UNKNOWN_PRODUCT"},{"productId":5,"asked":1,"quantity":0,"reason":"SKU_REQUIRED"},{"productId":5,"skuId":3,"asked":1,"quantity":0,"reason":"UNKNOWN_SKU"},{"productId":6,"asked":2,"quantity":0,"reason":"OUT_OF_STOCK"},{"productId":7,"skuId":7,"asked":1000001,"quantity":1000000,"reason":"TOO_MANY"}]}
        look: 200 [{"productId":3,"skuId":3,"quantity":5},{"productId":5,"skuId":51,"quantity":1},{"productId":7,"skuId":7,"quantity":1000000}]
        merge more: 200 {"items":[{"productId":1,"skuId":1,"quantity":1},{"productId":3,"skuId":3,"quantity":5},{"productId":5,"skuId":51,"quantity":1},{"productId":7,"skuId":7,"quantity":1000000}],"adjusted":[]}
        empty it: 204
        another body: 422 "UNPROCESSABLE" "this Idempotency-Key was used with another body before"
        put in with that key: 422 "UNPROCESSABLE" "this Idempotency-Key was used with another body before"
        look: 200 []
    "#]].assert_eq(&visit.story);
}

#[test]
fn every_refusal_of_a_merge_has_its_status() {
    let mut visit = Visit::new();
    let item = r#"{"productId":1000,"quantity":1}"#;
    let many = |count: usize| format!(r#"{{"items":[{}]}}"#, vec![item; count].join(","));
    for body in [
        "",
        "[]",
        "{}",
        r#"{"items":null}"#,
        r#"{"items":[]}"#,
        r#"{"items":{}}"#,
        r#"{"items":[null]}"#,
        r#"{"items":[[1,null,1]]}"#,
        r#"{"items":[{}]}"#,
        r#"{"items":[{"productId":1,"quantity":1},{"skuId":0,"quantity":0},{"productId":1,"quantity":1000001}]}"#,
        r#"{"items":[{"productId":1,"quantity":1.0}]}"#,
        r#"{"items":[{"productId":1,"quantity":1,"price":1}]}"#,
        r#"{"items":[],"user":1}"#,
    ] {
        visit.see(body, &merge("a", body));
    }
    visit.see("101 lines", &merge("a", &many(101)));
    visit.see("no key", &send(Method::Post, "/cart/merge", &many(1)));
    visit.see("an empty key", &merge(" ", &many(1)));
    visit.see(
        "two keys",
        &merge("a", &many(1)).with_header("idempotency-key", "b"),
    );
    visit.see("a query", &send(Method::Post, "/cart/merge?x=1", &many(1)));
    visit.see("look", &ask(Method::Get, "/cart"));
    visit.see("100 lines", &merge("a", &many(100)));
    expect![[r#"
        : 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        []: 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        {}: 400 "VALIDATION_FAILED" "items is missing"
        {"items":null}: 400 "VALIDATION_FAILED" "items is missing"
        {"items":[]}: 400 "VALIDATION_FAILED" "items must be 1 to 100 lines"
        {"items":{}}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: map, expected a sequence at line 1 column 9"
        {"items":[null]}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: null, expected an object at line 1 column 14"
        {"items":[[1,null,1]]}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: sequence, expected an object at line 1 column 10"
        {"items":[{}]}: 400 "VALIDATION_FAILED" "items[0].productId is missing; items[0].quantity is missing"
        {"items":[{"productId":1,"quantity":1},{"skuId":0,"quantity":0},{"productId":1,"quantity":1000001}]}: 400 "VALIDATION_FAILED" "items[1].productId is missing; items[1].skuId an id is a number from 1 to 9007199254740991; items[1].quantity must be at least 1; items[2].quantity must be at most 1000000"
        {"items":[{"productId":1,"quantity":1.0}]}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1.0`, expected a whole number at line 1 column 39"
        {"items":[{"productId":1,"quantity":1,"price":1}]}: 400 "MALFORMED_REQUEST" "the body is not as expected: unknown field `price`, expected one of `productId`, `skuId`, `quantity` at line 1 column 45"
        {"items":[],"user":1}: 400 "MALFORMED_REQUEST" "the body is not as expected: unknown field `user`, expected `items` at line 1 column 18"
        101 lines: 400 "VALIDATION_FAILED" "items must be 1 to 100 lines"
        no key: 400 "VALIDATION_FAILED" "Idempotency-Key is needed: nobody could tell a second command from a repeated one"
        an empty key: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        two keys: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        a query: 400 "VALIDATION_FAILED" "x is unknown here"
        look: 200 []
        100 lines: 200 {"items":[{"productId":1000,"skuId":1000,"quantity":9}],"adjusted":[{"productId":1000,"skuId":1000,"asked":100,"quantity":9,"reason":"OUT_OF_STOCK"}]}
    "#]].assert_eq(&visit.story);
}

#[test]
fn every_refusal_of_a_customer_has_its_status() {
    let mut visit = Visit::new();
    for body in [
        "",
        "null",
        "[1,null,1]",
        "{}",
        r#"{"productId":3}"#,
        r#"{"quantity":1}"#,
        r#"{"productId":3,"quantity":0}"#,
        r#"{"productId":3,"quantity":-1}"#,
        r#"{"productId":3,"quantity":1.0}"#,
        r#"{"productId":3,"quantity":"1"}"#,
        r#"{"productId":3,"quantity":1000001}"#,
        r#"{"productId":3,"quantity":99999999999999999999}"#,
        r#"{"productId":0,"skuId":-1,"quantity":0}"#,
        r#"{"productId":9007199254740992,"quantity":1}"#,
        r#"{"productId":3,"quantity":1,"price":1}"#,
        r#"{"productId":3,"quantity":1,"quantity":2}"#,
        r#"{"productId":4,"quantity":1}"#,
        r#"{"productId":5,"quantity":1}"#,
        r#"{"productId":5,"skuId":3,"quantity":1}"#,
        r#"{"productId":6,"quantity":1}"#,
        r#"{"productId":3,"quantity":6}"#,
        r#"{"productId":3,"quantity":5}"#,
        r#"{"productId":3,"quantity":1}"#,
        r#"{"productId":7,"quantity":1000000}"#,
        r#"{"productId":7,"quantity":1}"#,
    ] {
        visit.see(body, &post(body));
    }
    visit.see(
        "not UTF-8",
        &send(Method::Post, "/cart/items", "").with_body([b'{', 0xff]),
    );
    visit.see("no media type", &ask(Method::Post, "/cart/items").with_body("{}"));
    visit.see("a large body", &post(&" ".repeat((1 << 20) + 1)));
    let keyed = |key: &str| post(r#"{"productId":1,"quantity":1}"#).with_header("idempotency-key", key);
    visit.see("an empty key", &keyed(" "));
    visit.see("a long key", &keyed(&"k".repeat(256)));
    visit.see("two keys", &keyed("a").with_header("idempotency-key", "b"));
    visit.see("post with a query", &send(Method::Post, "/cart/items?x=1", "{}"));
    expect![[r#"
        : 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        null: 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        [1,null,1]: 400 "MALFORMED_REQUEST" "the body must be a JSON object"
        {}: 400 "VALIDATION_FAILED" "productId is missing; quantity is missing"
        {"productId":3}: 400 "VALIDATION_FAILED" "quantity is missing"
        {"quantity":1}: 400 "VALIDATION_FAILED" "productId is missing"
        {"productId":3,"quantity":0}: 400 "VALIDATION_FAILED" "quantity must be at least 1"
        {"productId":3,"quantity":-1}: 400 "VALIDATION_FAILED" "quantity must be at least 1"
        {"productId":3,"quantity":1.0}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1.0`, expected a whole number at line 1 column 29"
        {"productId":3,"quantity":"1"}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: string \"1\", expected a whole number at line 1 column 29"
        {"productId":3,"quantity":1000001}: 400 "VALIDATION_FAILED" "quantity must be at most 1000000"
        {"productId":3,"quantity":99999999999999999999}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1e+20`, expected a whole number at line 1 column 46"
        {"productId":0,"skuId":-1,"quantity":0}: 400 "VALIDATION_FAILED" "productId an id is a number from 1 to 9007199254740991; skuId an id is a number from 1 to 9007199254740991; quantity must be at least 1"
        {"productId":9007199254740992,"quantity":1}: 400 "VALIDATION_FAILED" "productId an id is a number from 1 to 9007199254740991"
        {"productId":3,"quantity":1,"price":1}: 400 "MALFORMED_REQUEST" "the body is not as expected: unknown field `price`, expected one of `productId`, `skuId`, `quantity` at line 1 column 35"
        {"productId":3,"quantity":1,"quantity":2}: 400 "MALFORMED_REQUEST" "the body is not as expected: duplicate field `quantity` at line 1 column 38"
        {"productId":4,"quantity":1}: 404 "NOT_FOUND" "no such product"
        {"productId":5,"quantity":1}: 422 "UNPROCESSABLE" "skuId is needed: the product comes in several kinds"
        {"productId":5,"skuId":3,"quantity":1}: 404 "NOT_FOUND" "no such SKU of this product"
        {"productId":6,"quantity":1}: 409 "OUT_OF_STOCK" "sold out"
        {"productId":3,"quantity":6}: 409 "OUT_OF_STOCK" "only 5 left"
        {"productId":3,"quantity":5}: 201 {"productId":3,"skuId":3,"quantity":5}
        {"productId":3,"quantity":1}: 409 "OUT_OF_STOCK" "only 5 left"
        {"productId":7,"quantity":1000000}: 201 {"productId":7,"skuId":7,"quantity":1000000}
        {"productId":7,"quantity":1}: 422 "UNPROCESSABLE" "quantity must be at most 1000000 with what is in the cart"
        not UTF-8: 400 "MALFORMED_REQUEST" "the body is not valid UTF-8"
        no media type: 415 "UNSUPPORTED_MEDIA_TYPE" "send the body as application/json"
        a large body: 413 "PAYLOAD_TOO_LARGE" "at most 1048576 bytes are taken"
        an empty key: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        a long key: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        two keys: 400 "VALIDATION_FAILED" "Idempotency-Key must be 1 to 255 visible ASCII characters, once"
        post with a query: 400 "VALIDATION_FAILED" "x is unknown here"
    "#]].assert_eq(&visit.story);
}

#[test]
fn every_refusal_of_a_change_has_its_status() {
    let mut visit = Visit::new();
    for body in [
        r#"{"productId":3,"quantity":2}"#,
        r#"{"productId":5,"skuId":51,"quantity":1}"#,
        r#"{"productId":5,"skuId":52,"quantity":1}"#,
    ] {
        assert_eq!(visit.answer(&post(body), &Shop).status(), 201);
    }
    for body in [
        "{}",
        r#"{"quantity":null}"#,
        r#"{"quantity":1.5}"#,
        r#"{"quantity":1000001}"#,
        r#"{"quantity":-99999999999999999999}"#,
        r#"{"quantity":6}"#,
        r#"{"quantity":1,"productId":3}"#,
    ] {
        visit.see(body, &patch("3", body));
    }
    let one = r#"{"quantity":1}"#;
    for id in [
        "1",
        "4",
        "0",
        "-3",
        "03",
        "abc",
        "%33",
        "5",
        "3?skuId=51",
        "5?skuId=3",
        "3?skuId=",
        "3?skuId=0",
        "3?skuId=x",
        "3?skuId=3&skuId=3",
        "3?sku=3",
    ] {
        visit.see(id, &patch(id, one));
    }
    for id in ["4", "abc", "3?skuId=x", "3?x=1"] {
        let what = format!("take out {id}");
        visit.see(&what, &ask(Method::Delete, &format!("/cart/items/{id}")));
    }
    visit.see("look", &ask(Method::Get, "/cart"));
    expect![[r#"
        {}: 400 "VALIDATION_FAILED" "quantity is missing"
        {"quantity":null}: 400 "VALIDATION_FAILED" "quantity is missing"
        {"quantity":1.5}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `1.5`, expected a whole number at line 1 column 15"
        {"quantity":1000001}: 400 "VALIDATION_FAILED" "quantity must be at most 1000000"
        {"quantity":-99999999999999999999}: 400 "MALFORMED_REQUEST" "the body is not as expected: invalid type: floating point `-1e+20`, expected a whole number at line 1 column 33"
        {"quantity":6}: 409 "OUT_OF_STOCK" "only 5 left"
        {"quantity":1,"productId":3}: 400 "MALFORMED_REQUEST" "the body is not as expected: unknown field `productId`, expected `quantity` at line 1 column 25"
        1: 404 "NOT_FOUND" "no such line in the cart"
        4: 404 "NOT_FOUND" "no such line in the cart"
        0: 404 "NOT_FOUND" "no such line in the cart"
        -3: 404 "NOT_FOUND" "no such line in the cart"
        03: 404 "NOT_FOUND" "no such line in the cart"
        abc: 404 "NOT_FOUND" "no such line in the cart"
        %33: 404 "NOT_FOUND" "no such line in the cart"
        5: 422 "UNPROCESSABLE" "skuId is needed: the product comes in several kinds"
        3?skuId=51: 404 "NOT_FOUND" "no such line in the cart"
        5?skuId=3: 404 "NOT_FOUND" "no such line in the cart"
        3?skuId=: 400 "VALIDATION_FAILED" "skuId must be a whole number"
        3?skuId=0: 400 "VALIDATION_FAILED" "skuId an id is a number from 1 to 9007199254740991"
        3?skuId=x: 400 "VALIDATION_FAILED" "skuId must be a whole number"
        3?skuId=3&skuId=3: 400 "VALIDATION_FAILED" "skuId is given more than once"
        3?sku=3: 400 "VALIDATION_FAILED" "sku is unknown; known are skuId"
        take out 4: 204
        take out abc: 404 "NOT_FOUND" "no such line in the cart"
        take out 3?skuId=x: 400 "VALIDATION_FAILED" "skuId must be a whole number"
        take out 3?x=1: 400 "VALIDATION_FAILED" "x is unknown; known are skuId"
        look: 200 [{"productId":3,"skuId":3,"quantity":2},{"productId":5,"skuId":51,"quantity":1},{"productId":5,"skuId":52,"quantity":1}]
    "#]].assert_eq(&visit.story);
}

#[test]
fn strangers_and_outages_have_their_statuses() {
    let mut visit = Visit::new();
    let identity = |role| Identity { user: user(42), role };
    let stranger = |method, target: &str| Request::new(method, target);
    for (method, target) in [
        (Method::Get, "/cart"),
        (Method::Delete, "/cart"),
        (Method::Post, "/cart/items"),
        (Method::Post, "/cart/merge"),
        (Method::Patch, "/cart/items/3"),
        (Method::Delete, "/cart/items/3"),
    ] {
        let what = format!("nobody's {} {target}", method.name());
        visit.see(&what, &stranger(method, target));
    }
    let forged = stranger(Method::Get, "/cart").with_header(IDENTITY_HEADER, "v1.42.USER.9.AA");
    visit.see("forged", &forged);
    let admin = key().sign(identity(Role::Admin), NOW);
    visit.see(
        "an admin",
        &stranger(Method::Get, "/cart").with_header(IDENTITY_HEADER, admin),
    );
    for (method, target) in [
        (Method::Get, "/"),
        (Method::Get, "/cart/"),
        (Method::Get, "/cart/items/"),
        (Method::Post, "/cart/items/3/more"),
        (Method::Put, "/cart"),
        (Method::Get, "/cart/items"),
        (Method::Get, "/cart/merge"),
        (Method::Get, "/cart/items/3"),
        (Method::Get, "/cart?limit=1"),
        (Method::Delete, "/cart?x=1"),
    ] {
        let what = format!("{} {target}", method.name());
        visit.see(&what, &ask(method, target));
    }
    let outage = visit.answer(&post(r#"{"productId":3,"quantity":1}"#), &NoShop);
    visit.note("no products", &outage);
    let outage = visit.answer(
        &merge("a", r#"{"items":[{"productId":3,"quantity":1}]}"#),
        &NoShop,
    );
    visit.note("no products to merge", &outage);
    let broken = |error: fn() -> DbError| {
        handle(&ask(Method::Get, "/cart"), &key(), &Shop, NOW, || {
            Err::<Store, _>(error())
        })
    };
    visit.note("a busy store", &broken(|| DbError::Busy));
    visit.note(
        "a broken store",
        &broken(|| DbError::Other("no such table: cart_line".to_owned())),
    );
    expect![[r#"
        nobody's GET /cart: 401 "UNAUTHORIZED" "log in first, and send the access token"
        nobody's DELETE /cart: 401 "UNAUTHORIZED" "log in first, and send the access token"
        nobody's POST /cart/items: 401 "UNAUTHORIZED" "log in first, and send the access token"
        nobody's POST /cart/merge: 401 "UNAUTHORIZED" "log in first, and send the access token"
        nobody's PATCH /cart/items/3: 401 "UNAUTHORIZED" "log in first, and send the access token"
        nobody's DELETE /cart/items/3: 401 "UNAUTHORIZED" "log in first, and send the access token"
        forged: 401 "UNAUTHORIZED" "log in first, and send the access token"
        an admin: 200 []
        GET /: 404 "NOT_FOUND" "no such page"
        GET /cart/: 404 "NOT_FOUND" "no such page"
        GET /cart/items/: 404 "NOT_FOUND" "no such page"
        POST /cart/items/3/more: 404 "NOT_FOUND" "no such page"
        PUT /cart: 405 "METHOD_NOT_ALLOWED" "this path answers DELETE, GET, HEAD, OPTIONS"
        GET /cart/items: 405 "METHOD_NOT_ALLOWED" "this path answers OPTIONS, POST"
        GET /cart/merge: 405 "METHOD_NOT_ALLOWED" "this path answers OPTIONS, POST"
        GET /cart/items/3: 405 "METHOD_NOT_ALLOWED" "this path answers DELETE, OPTIONS, PATCH"
        GET /cart?limit=1: 400 "VALIDATION_FAILED" "limit is unknown here"
        DELETE /cart?x=1: 400 "VALIDATION_FAILED" "x is unknown here"
        no products: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
        no products to merge: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
        a busy store: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
        a broken store: 500 "INTERNAL_ERROR" "the error was recorded and will be looked at"
    "#]]
    .assert_eq(&visit.story);
}

#[test]
fn every_route_refuses_alike() {
    let visit = Visit::new();
    let paths = [
        Path(
            "/cart",
            &[(Method::Get, Body::Ignored), (Method::Delete, Body::Ignored)],
        ),
        Path("/cart/items", &[(Method::Post, Body::Needed)]),
        Path("/cart/merge", &[(Method::Post, Body::Needed)]),
        Path(
            "/cart/items/3",
            &[(Method::Patch, Body::Needed), (Method::Delete, Body::Ignored)],
        ),
    ];
    let known = ask(Method::Get, "/").header(IDENTITY_HEADER).unwrap().to_owned();
    check(&paths, |request| {
        let request = request.with_header(IDENTITY_HEADER, known.clone());
        visit.answer(&request, &Shop)
    });
}
