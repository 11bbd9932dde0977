//! The product pages, from request to reply, over real products and the real stock.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod shop;

use ::store::DbError;
use expect_test::{Expect, expect};
use product::app::Levels;
use product::http::handle;
use product::store::Store;
use shop::{NoStock, RealStock, seeded, varied};
use testkit::uniform::{Body, Path, check as check_all};
use web::{Method, Request, Response};

store_suite::also_on_postgres!();

fn get(target: &str, store: fn() -> Store) -> Response {
    let stock = RealStock::with(&[(51, 7), (52, 1)]);
    stock.reserve(1, 2);
    stock.reserve(3, 5);
    handle(&Request::new(Method::Get, target), &stock, || Ok(store()))
}

fn show(response: &Response) -> String {
    let link = response.header_value("link").map(|link| format!(" {link}"));
    let body = std::str::from_utf8(response.body()).unwrap();
    format!("{}{} {body}", response.status(), link.unwrap_or_default())
}

fn check(target: &str, expected: Expect) {
    expected.assert_eq(&show(&get(target, varied)));
}

#[test]
fn the_seeded_shop_shows_what_can_be_bought() {
    expect![[r#"200 [{"id":1,"name":"테스트 상품 A","category":"전자","price":10000,"stockQuantity":98},{"id":2,"name":"테스트 상품 B","category":"생활","price":25000,"stockQuantity":50},{"id":3,"name":"테스트 상품 C","category":"식품","price":5000,"stockQuantity":0}]"#]].assert_eq(&show(&get("/products", seeded)));
}

#[test]
fn a_product_is_shown_with_its_skus() {
    check(
        "/products/5",
        expect![[
            r#"200 {"id":5,"name":"T-Shirt 100% Cotton","category":"전자","price":10000,"stockQuantity":8,"options":[],"skus":[{"id":51,"price":10000,"stockQuantity":7},{"id":52,"price":10000,"stockQuantity":1}],"images":[]}"#
        ]],
    );
    check(
        "/products/6",
        expect![[
            r#"200 {"id":6,"name":"under_score","category":"전자","price":30000,"stockQuantity":0,"options":[],"skus":[],"images":[]}"#
        ]],
    );
}

#[test]
fn a_narrowed_list_goes_on_where_it_stopped() {
    check(
        "/products?name=t&minPrice=10000&maxPrice=30000&sort=-name&limit=2",
        expect![[
            r#"200 </products?name=t&minPrice=10000&maxPrice=30000&sort=%2Dname&limit=2&cursor=LW5hbWV8OXxzdHJhc3Nl>; rel="next" [{"id":5,"name":"T-Shirt 100% Cotton","category":"전자","price":10000,"stockQuantity":8},{"id":9,"name":"Straße","category":"전자","price":10000,"stockQuantity":0}]"#
        ]],
    );
    check(
        "/products?category=%EC%8B%9D%ED%92%88",
        expect![[
            r#"200 [{"id":3,"name":"테스트 상품 C","category":"식품","price":5000,"stockQuantity":0}]"#
        ]],
    );
    check("/products?name=%25%27%20or%201%3D1", expect!["200 []"]);
}

#[test]
fn links_lead_through_the_whole_list_in_every_order() {
    for sort in ["id", "-id", "price", "-price", "name", "-name"] {
        let mut seen = Vec::new();
        let mut target = format!("/products?limit=3&sort={}", sort.replace('-', "%2D"));
        loop {
            let response = get(&target, varied);
            let entries: Vec<serde_json::Value> = serde_json::from_slice(response.body()).unwrap();
            seen.extend(entries.iter().map(|entry| entry["id"].as_u64().unwrap()));
            let Some(link) = response.header_value("link") else {
                break;
            };
            target = link[1..].split_once('>').unwrap().0.to_owned();
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 5, 6, 7, 8, 9], "{sort}");
    }
}

#[test]
fn every_refusal_has_its_status() {
    let mut table = String::new();
    let mut line = |what: &str, response: Response| {
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        table += &format!(
            "{what}: {} {} {}\n",
            response.status(),
            body["error"],
            body["detail"]
        );
    };
    for id in [
        "99",
        "4",
        "0",
        "-1",
        "1.0",
        "01",
        "9007199254740992",
        "99999999999999999999",
        "abc",
        "%31",
    ] {
        line(id, get(&format!("/products/{id}"), varied));
    }
    for query in [
        "minPrice=2&maxPrice=1",
        "minPrice=-1",
        "maxPrice=-1",
        "maxPrice=9007199254740992",
        "minPrice=99999999999999999999",
        "minPrice=1.5",
        "minPrice=",
        "sort=stock",
        "sort=",
        "limit=0",
        "limit=101",
        "cursor=x",
        "cursor=cHJpY2V8MXw1",
        "name=%00",
        "name=%ff",
        "name=a&name=b",
        "category=%0a",
        "color=red",
    ] {
        line(query, get(&format!("/products?{query}"), varied));
    }
    let long = "a".repeat(101);
    line("a long name", get(&format!("/products?name={long}"), varied));
    line("detail with a query", get("/products/1?limit=1", varied));
    for path in ["/", "/products/", "/products/1/skus"] {
        line(path, get(path, varied));
    }
    let with = |method, levels: &dyn Levels, store: fn() -> Result<Store, DbError>| {
        handle(&Request::new(method, "/products"), &Dyn(levels), store)
    };
    let stock = RealStock::new();
    line("a post", with(Method::Post, &stock, || Ok(seeded())));
    line("no stock", with(Method::Get, &NoStock, || Ok(seeded())));
    line("a busy store", with(Method::Get, &stock, || Err(DbError::Busy)));
    let broken = || Err(DbError::Other("no such table: product".to_owned()));
    line("a broken store", with(Method::Get, &stock, broken));
    expect![[r#"
        99: 404 "NOT_FOUND" "no such product"
        4: 404 "NOT_FOUND" "no such product"
        0: 404 "NOT_FOUND" "no such product"
        -1: 404 "NOT_FOUND" "no such product"
        1.0: 404 "NOT_FOUND" "no such product"
        01: 404 "NOT_FOUND" "no such product"
        9007199254740992: 404 "NOT_FOUND" "no such product"
        99999999999999999999: 404 "NOT_FOUND" "no such product"
        abc: 404 "NOT_FOUND" "no such product"
        %31: 404 "NOT_FOUND" "no such product"
        minPrice=2&maxPrice=1: 400 "VALIDATION_FAILED" "minPrice must not be above maxPrice"
        minPrice=-1: 400 "VALIDATION_FAILED" "minPrice must be from 0 to 9007199254740991"
        maxPrice=-1: 400 "VALIDATION_FAILED" "maxPrice must be from 0 to 9007199254740991"
        maxPrice=9007199254740992: 400 "VALIDATION_FAILED" "maxPrice must be from 0 to 9007199254740991"
        minPrice=99999999999999999999: 400 "VALIDATION_FAILED" "minPrice must be a whole number"
        minPrice=1.5: 400 "VALIDATION_FAILED" "minPrice must be a whole number"
        minPrice=: 400 "VALIDATION_FAILED" "minPrice must be a whole number"
        sort=stock: 400 "VALIDATION_FAILED" "sort must be one of id, -id, price, -price, name, -name"
        sort=: 400 "VALIDATION_FAILED" "sort must be one of id, -id, price, -price, name, -name"
        limit=0: 400 "VALIDATION_FAILED" "limit must be from 1 to 100"
        limit=101: 400 "VALIDATION_FAILED" "limit must be from 1 to 100"
        cursor=x: 400 "VALIDATION_FAILED" "cursor is not one of ours; follow the Link header"
        cursor=cHJpY2V8MXw1: 400 "VALIDATION_FAILED" "cursor is not one of ours for this sort; follow the Link header"
        name=%00: 400 "VALIDATION_FAILED" "name must not contain control characters"
        name=%ff: 400 "MALFORMED_REQUEST" "the query is not valid UTF-8"
        name=a&name=b: 400 "VALIDATION_FAILED" "name is given more than once"
        category=%0a: 400 "VALIDATION_FAILED" "category must not contain control characters"
        color=red: 400 "VALIDATION_FAILED" "color is unknown; known are name, category, minPrice, maxPrice, sort, limit, cursor"
        a long name: 400 "VALIDATION_FAILED" "name must have at most 100 characters"
        detail with a query: 400 "VALIDATION_FAILED" "limit is unknown here"
        /: 404 "NOT_FOUND" "no such page"
        /products/: 404 "NOT_FOUND" "no such page"
        /products/1/skus: 404 "NOT_FOUND" "no such page"
        a post: 405 "METHOD_NOT_ALLOWED" "this path answers GET, HEAD, OPTIONS"
        no stock: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
        a busy store: 503 "SERVICE_UNAVAILABLE" "please try again in a moment"
        a broken store: 500 "INTERNAL_ERROR" "the error was recorded and will be looked at"
    "#]].assert_eq(&table);
}

/// Any stock, so that one closure asks them all.
struct Dyn<'a>(&'a dyn Levels);

impl Levels for Dyn<'_> {
    fn free(&self, skus: &[kernel::SkuId]) -> Result<Vec<u32>, product::app::LevelsError> {
        self.0.free(skus)
    }
}

#[test]
fn every_route_refuses_alike() {
    let stock = RealStock::new();
    let paths = [
        Path("/products", &[(Method::Get, Body::Ignored)]),
        Path("/products/1", &[(Method::Get, Body::Ignored)]),
    ];
    check_all(&paths, |request| handle(&request, &stock, || Ok(seeded())));
}

#[test]
fn who_has_the_present_version_is_not_sent_it_again() {
    let stock = RealStock::new();
    let ask = |method, target: &str, known: Option<&str>| {
        let request = Request::new(method, target);
        let request = known
            .iter()
            .fold(request, |request, tag| request.with_header("if-none-match", *tag));
        handle(&request, &stock, || Ok(varied()))
    };
    let tag = |response: &Response| response.header_value("etag").unwrap().to_owned();
    for target in ["/products", "/products?limit=2", "/products/1"] {
        let first = ask(Method::Get, target, None);
        assert_eq!(first.header_value("cache-control"), Some("no-cache"));
        let known = tag(&first);
        assert_eq!(tag(&ask(Method::Head, target, None)), known, "HEAD says the same");
        let same = ask(Method::Get, target, Some(&format!("W/{known}")));
        assert_eq!((same.status(), same.body()), (304, b"".as_slice()), "{target}");
        assert_eq!(same.header_value("cache-control"), Some("no-cache"));
        assert_eq!(tag(&same), known);
        assert_eq!(ask(Method::Get, target, Some("nonsense")).status(), 400);
    }
    let (list, one) = (
        ask(Method::Get, "/products", None),
        ask(Method::Get, "/products/1", None),
    );
    stock.reserve(1, 1);
    for (target, before) in [("/products", list), ("/products/1", one)] {
        let after = ask(Method::Get, target, Some(&tag(&before)));
        assert_eq!(after.status(), 200, "one piece less is another version: {target}");
    }
    assert_eq!(ask(Method::Get, "/products/99", Some("*")).status(), 404);
}
