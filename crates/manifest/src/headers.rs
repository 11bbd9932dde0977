//! The `spin-*` request headers.

use crate::RouteMatch;
use std::net::SocketAddr;

/// What the headers say about a request besides its route.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// The scheme of the request's URL if it has one; `http` otherwise.
    pub scheme: Option<&'a str>,
    /// The `Host` header if there is one; `localhost` otherwise.
    pub host: Option<&'a str>,
    /// The path with its query, as it came.
    pub path_and_query: &'a str,
    /// Who sent it.
    pub client_addr: SocketAddr,
}

/// The headers Spin adds to a request, in its order; the host removes what the client sent under these names.
pub fn spin_headers(request: &RequestLine<'_>, matched: &RouteMatch) -> Vec<(String, String)> {
    let scheme = request.scheme.unwrap_or("http");
    let host = request.host.unwrap_or("localhost");
    let full_url = format!("{scheme}://{host}{}", request.path_and_query);
    let mut headers = vec![
        (
            "spin-path-info".to_owned(),
            matched.trailing_wildcard().to_owned(),
        ),
        ("spin-full-url".to_owned(), full_url),
        ("spin-matched-route".to_owned(), matched.based_route().to_owned()),
        ("spin-base-path".to_owned(), "/".to_owned()),
        (
            "spin-raw-component-route".to_owned(),
            matched.raw_route().to_owned(),
        ),
        (
            "spin-component-route".to_owned(),
            matched.raw_route_or_prefix().to_owned(),
        ),
        ("spin-client-addr".to_owned(), request.client_addr.to_string()),
    ];
    for (name, value) in matched.named_wildcards() {
        let name = format!("spin-path-match-{}", name.replace('_', "-").to_ascii_lowercase());
        headers.push((name, value.to_owned()));
    }
    headers
}

/// Whether only the host may set this header, in whatever case it is written.
pub fn is_spin_header(name: &str) -> bool {
    name.get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("spin-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Router;
    use expect_test::{Expect, expect};

    fn check(request: RequestLine<'_>, matched: &RouteMatch, expected: Expect) {
        let lines: Vec<_> = spin_headers(&request, matched)
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        expected.assert_eq(&lines.concat());
    }

    fn request(path_and_query: &str) -> RequestLine<'_> {
        let client_addr = "127.0.0.1:8777".parse().expect("an address");
        RequestLine {
            scheme: None,
            host: None,
            path_and_query,
            client_addr,
        }
    }

    #[test]
    fn headers_tell_the_route_and_the_url() {
        let router = Router::from_routes("/", [("a", "/foo/:User_id/...")]).expect("a good route");
        let matched = router.route("/foo/42/bar").expect("a match");
        let request = RequestLine {
            scheme: Some("https"),
            host: Some("shop.example"),
            ..request("/foo/42/bar?k=1&l=2")
        };
        check(
            request,
            &matched,
            expect![[r#"
            spin-path-info: /bar
            spin-full-url: https://shop.example/foo/42/bar?k=1&l=2
            spin-matched-route: /foo/:User_id/...
            spin-base-path: /
            spin-raw-component-route: /foo/:User_id/...
            spin-component-route: /foo/:User_id
            spin-client-addr: 127.0.0.1:8777
            spin-path-match-user-id: 42
        "#]],
        );
    }

    #[test]
    fn what_is_not_known_has_spins_defaults() {
        let router = Router::from_routes("/v1", [("a", "/foo")]).expect("a good route");
        check(
            request("/v1/foo"),
            &router.route("/v1/foo").expect("a match"),
            expect![[r#"
                spin-path-info: 
                spin-full-url: http://localhost/v1/foo
                spin-matched-route: /v1/foo
                spin-base-path: /
                spin-raw-component-route: /foo
                spin-component-route: /foo
                spin-client-addr: 127.0.0.1:8777
            "#]],
        );
    }

    #[test]
    fn a_chained_request_matches_everything() {
        check(
            request("/levels/1"),
            &RouteMatch::synthetic("stock", "/levels/1"),
            expect![[r#"
                spin-path-info: /levels/1
                spin-full-url: http://localhost/levels/1
                spin-matched-route: /...
                spin-base-path: /
                spin-raw-component-route: /...
                spin-component-route: 
                spin-client-addr: 127.0.0.1:8777
            "#]],
        );
    }

    #[test]
    fn headers_of_the_host_are_known_in_any_case() {
        assert!(is_spin_header("spin-client-addr") && is_spin_header("Spin-Path-Match-Id"));
        assert!(
            !is_spin_header("x-spin-client-addr") && !is_spin_header("spin") && !is_spin_header("spïn-a")
        );
    }
}
