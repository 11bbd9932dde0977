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
