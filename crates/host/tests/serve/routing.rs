//! Spin's routes and headers, through the real door.

use crate::support::{component, options, probe, start};
use expect_test::expect;
use http::Request;
use std::fmt::Write;

#[tokio::test(flavor = "multi_thread")]
async fn paths_go_where_spins_rules_say() {
    let routes = [
        ("exact", "\"/shop\""),
        ("wild", "\"/shop/...\""),
        ("longer", "\"/shop/items/...\""),
        ("named", "\"/users/:id/orders\""),
        ("both", "\"/files/:owner/...\""),
        ("root", "\"/\""),
        ("private", "{ private = true }"),
    ];
    let tables: String = routes
        .iter()
        .map(|(id, route)| component(id, "probe", route, ""))
        .collect();
    let server = start(&tables, options()).await;
    let mut table = String::new();
    for path in [
        "/",
        "/shop",
        "/shop/",
        "/shop/a/b",
        "/shop/items",
        "/shop/items/7?x=1",
        "/shopping",
        "/users/42/orders",
        "/users/42/orders/1",
        "/users/42",
        "/files/ann/a/b",
        "/files/ann",
        "/nothing",
    ] {
        let answer = server.get(path).await;
        let header = |name: &str| {
            let start = format!("{name}: ");
            let found = answer.body.lines().find_map(|line| line.strip_prefix(&start));
            found.unwrap_or("-").to_owned()
        };
        let route = header("spin-raw-component-route");
        let info = header("spin-path-info");
        writeln!(table, "{path} -> {} {route} info={info}", answer.status.as_u16()).expect("a string");
    }
    expect![[r#"
        / -> 200 / info=
        /shop -> 200 /shop info=
        /shop/ -> 200 /shop info=
        /shop/a/b -> 200 /shop/... info=/a/b
        /shop/items -> 200 /shop/items/... info=
        /shop/items/7?x=1 -> 200 /shop/items/... info=/7
        /shopping -> 404 - info=-
        /users/42/orders -> 200 /users/:id/orders info=
        /users/42/orders/1 -> 404 - info=-
        /users/42 -> 404 - info=-
        /files/ann/a/b -> 200 /files/:owner/... info=/a/b
        /files/ann -> 200 /files/:owner/... info=
        /nothing -> 404 - info=-
    "#]]
    .assert_eq(&table);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_spins_headers_and_none_that_a_client_made_up() {
    let tables = component("probe", "probe", "\"/a/:user/...\"", "");
    let server = start(&tables, options()).await;
    let request = Request::get(server.url("/a/ann/b?c=d"))
        .header("host", "shop.example")
        .header("spin-client-addr", "6.6.6.6:6")
        .header("Spin-Path-Match-User", "root")
        .header("SPIN-INVENTED", "1")
        .header("x-kept", "one")
        .header("x-kept", "two");
    let answer = server.send(request, "").await;
    let (seen, client): (Vec<&str>, Vec<&str>) = answer
        .body
        .lines()
        .partition(|line| !line.starts_with("spin-client-addr"));
    expect![[r#"
        GET shop.example /a/ann/b?c=d
        spin-path-match-user: ann
        x-kept: one
        x-kept: two
        spin-path-info: /b
        spin-full-url: http://shop.example/a/ann/b?c=d
        spin-matched-route: /a/:user/...
        spin-base-path: /
        spin-raw-component-route: /a/:user/...
        spin-component-route: /a/:user"#]]
    .assert_eq(&seen.join("\n"));
    assert_eq!(client.len(), 1);
    assert!(
        client[0].starts_with("spin-client-addr: 127.0.0.1:"),
        "{client:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_fits_is_a_problem_document() {
    let server = start(&probe(), options()).await;
    server.get("/nothing").await.assert_problem(404);
    server.get("/.well-known/spin/nothing").await.assert_problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_info_are_the_hosts_own() {
    let server = start(&probe(), options()).await;
    let health = server.get("/.well-known/spin/health").await;
    assert_eq!((health.status.as_u16(), health.body.as_str()), (200, "OK"));
    let info = server.get("/.well-known/spin/info").await;
    assert!(info.body.contains("\"name\":\"test\""), "{}", info.body);
}
